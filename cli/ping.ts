import { createInterface } from 'node:readline/promises'
import { formatIp, type IpAddress } from '../protocols/address.ts'
import {
  createPingClient,
  pingClient,
  type PingConfig,
  type PingReport,
} from '../protocols/tcp-ping/client.ts'
import { pingLines, type PingWords } from '../protocols/tcp-ping/lines.ts'
import { createPingServer, pingServer } from '../protocols/tcp-ping/server.ts'
import { type Nanos, s } from '../protocols/time.ts'
import { parseCount, parseDuration, parseRatio } from '../sim/units.ts'
import { isRefusal, refused, UserError } from '../sim/user-error.ts'
import { EXIT_EXPECTATION, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { addressOf, cannotListen, hostFor, onKernel, portOf } from './kernel-app.ts'
import { stackScenario } from './own-stack.ts'
import { collect, type RegisterVerb } from './verb.ts'

interface ServerCommand {
  readonly listen: string
  readonly port: string
  readonly loss: string
  readonly seed: string
}

interface ClientCommand {
  readonly port: string
  readonly count?: string
  readonly interval: string
  readonly timeout: string
  readonly persistent: boolean
  readonly profile: string
  readonly json: boolean
  readonly bind?: string
  readonly address: readonly string[]
  readonly gateway?: string
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

export function spanOf(text: string, where: string): Nanos {
  const span = parseDuration(text)
  if (isRefusal(span)) throw refused(span, where)
  return span
}

async function server(command: ServerCommand): Promise<number> {
  const loss = parseRatio(command.loss)
  if (isRefusal(loss)) throw refused(loss, '--loss')
  const port = portOf(command.port, '--port')
  const address = await addressOf(command.listen)
  const host = hostFor(address)
  return onKernel(host, (_done, fail) => {
    const state = createPingServer({ port, address, loss, seed: command.seed })
    host.run(pingServer, state, (report) => {
      if (report.kind === 'refused') return fail(cannotListen(address, port, report.error))
      const { remote } = report
      if (report.kind === 'lost') return say('Packet loss')
      say(`Ping received from ('${formatIp(remote.address)}', ${remote.port})`)
    })
    say('Server is running....')
  })
}

async function client(host: string, command: ClientCommand, files: NodeFiles): Promise<number> {
  const words = wordsOf(command.profile)
  const count = await countOf(command, words)
  const address = await addressOf(host)
  const started = Date.now()
  const config: PingConfig = {
    server: { address, port: portOf(command.port, '--port') },
    count,
    timeout: spanOf(command.timeout, '--timeout'),
    interval: spanOf(command.interval, '--interval'),
    persistent: command.persistent,
    startSeconds: Math.floor(started / 1000),
    startMicros: (started % 1000) * 1000,
    icmpWait: words === 'seed' ? s(1) : 0,
  }
  const show = printer(command.json, words)
  return command.bind === undefined
    ? overKernel(address, config, show)
    : overStack(command, command.bind, config, show, files)
}

function wordsOf(profile: string): PingWords {
  if (profile === 'seed' || profile === 'default') return profile
  throw new UserError(`there is no profile '${profile}'`, {
    where: '--profile',
    hint: 'default or seed',
  })
}

/** The original asks; so does its profile, where somebody is there to answer. */
async function countOf({ count }: ClientCommand, words: PingWords): Promise<number> {
  let text = count
  if (text === undefined && words === 'seed' && process.stdin.isTTY) {
    const asking = createInterface({ input: process.stdin, output: process.stdout })
    text = (await asking.question('Enter the number of pings: ')).trim()
    asking.close()
  }
  const parsed = parseCount(text ?? '20')
  if (isRefusal(parsed)) throw refused(parsed, '--count')
  return parsed
}

/** Prints reports; the result of the last one is the exit code. */
function printer(json: boolean, words: PingWords): (report: PingReport) => number | null {
  return (report) => {
    if (json) say(JSON.stringify({ schema: 1, ...report, ...texts(report) }))
    else for (const line of pingLines(report, words)) say(line)
    if (report.kind !== 'done') return null
    const { sent, received } = report.statistics
    return received > 0 || sent === 0 ? EXIT_OK : EXIT_EXPECTATION
  }
}

/** Addresses are numbers inside. */
const texts = (report: PingReport): object =>
  'icmp' in report && report.icmp !== null
    ? { icmp: { ...report.icmp, from: formatIp(report.icmp.from) } }
    : {}

type Show = (report: PingReport) => number | null

/** Ctrl-C ends it with the statistics so far. */
async function overKernel(address: IpAddress, config: PingConfig, show: Show): Promise<number> {
  const host = hostFor(address)
  return new Promise<number>((resolve) => {
    let interrupted = false
    const running = host.run(pingClient, createPingClient(config), (report) => {
      const code = show(report)
      if (code === null) return
      process.off('SIGINT', stop)
      // Its socket is closed after this step.
      setImmediate(() => host.close())
      resolve(interrupted ? EXIT_INTERRUPTED : code)
    })
    const stop = () => {
      interrupted = true
      running.command('stop')
    }
    process.once('SIGINT', stop)
  })
}

/** Through a TCP of our own, which hears of every ICMP error what it says. */
async function overStack(
  { address, gateway }: ClientCommand,
  bind: string,
  config: PingConfig,
  show: Show,
  files: NodeFiles,
): Promise<number> {
  const { LiveRun } = await import('../wire/live.ts')
  const { untilSignal } = await import('./live.ts')
  let code: number | null = null
  const place = { bind, address, ...(gateway === undefined ? {} : { gateway }) }
  const { scenario, binding } = stackScenario(place, (host) => {
    host.run(pingClient, createPingClient(config), (report) => {
      code = show(report)
      if (code !== null) setImmediate(() => live.stop())
    })
  })
  const live = await LiveRun.open(scenario, { seed: 'ping', bindings: [binding], files })
  const { lost } = await untilSignal(live, files)
  if (lost !== null) throw lost
  return code ?? EXIT_INTERRUPTED
}

const SERVER_EXAMPLES = `
Examples:
  $ twinwire ping server
  $ twinwire ping server --port 11001 --loss 20%

--loss: that share of messages is not answered. TCP has delivered them, and sends nothing again.`

const CLIENT_EXAMPLES = `
Examples:
  $ twinwire ping client -c 5
  $ twinwire ping client server.example --port 11001 --json
  $ sudo twinwire ping client 10.9.0.1 --bind tap:tap0 --address 10.0.0.2/24 --gateway 10.0.0.1

Without --bind, over the kernel's TCP, which tells of an ICMP error by its own name for it alone;
with it, over a TCP of our own, which tells type and code.
Exit codes: 0 at least one answer came, 1 none did.`

export const pingVerb: RegisterVerb = (program, files, verb) => {
  const ping = program
    .command('ping')
    .description('how long a message takes to a server and back, over TCP')
    .addHelpText('after', "\n'twinwire ping client --help' says more.")
  ping
    .command('server')
    .description('send back in upper case whatever comes')
    .option('--listen <address>', 'where to listen', '127.0.0.1')
    .option('--port <number>', 'TCP port', '11000')
    .option('--loss <share>', 'of messages that are not answered', '0%')
    .option('--seed <text>', 'what chance follows from', '1')
    .addHelpText('after', SERVER_EXAMPLES)
    .action((command: ServerCommand) => {
      verb.act = async () => ({ code: await server(command) })
    })
  ping
    .command('client')
    .description('send messages, one after the other')
    .argument('[host]', 'where the server is', '127.0.0.1')
    .option('--port <number>', 'its TCP port', '11000')
    .option('-c, --count <number>', 'messages; 20 unless given')
    .option('-i, --interval <duration>', 'between two of them', '0ms')
    .option('--timeout <duration>', 'that each has', '1s')
    .option('--persistent', 'all on one connection', false)
    .option('--profile <name>', "seed: the original's words and waits", 'default')
    .option('--json', 'one JSON object a line', false)
    .option('--bind <device>', 'over a stack of our own: tap:tap0, packet:eth1')
    .option('--address <address>', "the stack's: 10.0.0.2/24", collect, [])
    .option('--gateway <address>', "the stack's way to other networks")
    .addHelpText('after', CLIENT_EXAMPLES)
    .action((host: string, command: ClientCommand) => {
      verb.act = async () => ({ code: await client(host, command, files) })
    })
}
