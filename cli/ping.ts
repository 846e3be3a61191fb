import { createInterface } from 'node:readline/promises'
import { formatIp } from '../protocols/address.ts'
import {
  createPingClient,
  pingClient,
  type PingConfig,
  type PingReport,
} from '../protocols/tcp-ping/client.ts'
import { pingLines, type PingWords } from '../protocols/tcp-ping/lines.ts'
import { createPingServer, pingServer } from '../protocols/tcp-ping/server.ts'
import { s } from '../protocols/time.ts'
import { parseCount, parseRatio } from '../sim/units.ts'
import { isRefusal, refused, UserError } from '../sim/user-error.ts'
import { type ClientPlace, placeOptions, runClient } from './client-run.ts'
import { echo, type EchoCommand, echoOptions } from './echo.ts'
import { EXIT_EXPECTATION, EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { addressOf, cannotListen, hostFor, onKernel, portOf } from './kernel-app.ts'
import { readSpan } from './live.ts'
import { type RegisterVerb } from './verb.ts'

interface ServerCommand {
  readonly listen: string
  readonly port: string
  readonly loss: string
  readonly seed: string
}

interface ClientCommand extends ClientPlace {
  readonly port: string
  readonly count?: string
  readonly interval: string
  readonly timeout: string
  readonly persistent: boolean
  readonly profile: string
  readonly json: boolean
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

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

async function pings(host: string, command: ClientCommand, files: NodeFiles): Promise<number> {
  const words = wordsOf(command.profile)
  const count = await countOf(command, words)
  const address = await addressOf(host)
  const started = Date.now()
  const config: PingConfig = {
    server: { address, port: portOf(command.port, '--port') },
    count,
    timeout: readSpan(command.timeout, '--timeout'),
    interval: readSpan(command.interval, '--interval'),
    persistent: command.persistent,
    startSeconds: Math.floor(started / 1000),
    startMicros: (started % 1000) * 1000,
    icmpWait: words === 'seed' ? s(1) : 0,
  }
  const show = printer(command.json, words)
  const state = createPingClient(config)
  return runClient(command, address, { engine: pingClient, state, show }, files)
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

const ICMP_EXAMPLES = `
Examples:
  $ sudo twinwire ping icmp 10.0.0.1 --bind tap:tap0 --address 10.0.0.2/24 -c 3
  $ sudo twinwire ping icmp 10.0.0.1 --bind packet:eth1 --address 10.0.0.9/24 --size 4000`

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
  const client = ping
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
  placeOptions(client)
    .addHelpText('after', CLIENT_EXAMPLES)
    .action((host: string, command: ClientCommand) => {
      verb.act = async () => ({ code: await pings(host, command, files) })
    })
  const icmp = ping
    .command('icmp')
    .description('ICMP echo requests, over a stack of our own')
    .argument('<host>', 'an address or a name')
  echoOptions(icmp)
    .addHelpText('after', ICMP_EXAMPLES)
    .action((host: string, command: EchoCommand) => {
      if (command.bind === undefined) {
        throw new UserError('ICMP takes a stack of our own', {
          where: '--bind',
          hint: "write '--bind tap:tap0 --address 10.0.0.2/24'; ping(8) uses the kernel's",
        })
      }
      verb.act = async () => ({ code: await echo('icmp', host, '0', command, files) })
    })
}
