import { createInterface, type Interface } from 'node:readline'
import { formatIp, isIpv4 } from '../protocols/address.ts'
import { createHttpServer, httpServer } from '../protocols/http/server.ts'
import type { Host } from '../sim/programs.ts'
import type { ServiceName } from '../sim/service.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import { PacketCounters } from '../trace/packet-counters.ts'
import type { TraceObserver, TraceRecord } from '../trace/record.ts'
import { TraceText } from '../trace/text.ts'
import type { LiveRun } from '../wire/live.ts'
import { WebFiles } from '../wire/web-files.ts'
import { EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { deviceLine, readSpan, untilSignal } from './live.ts'
import { STACK, stackScenario } from './own-stack.ts'
import { message } from './report.ts'
import { openCapture } from './run-output.ts'
import {
  CONSOLE_HELP,
  LOG_CHANNELS,
  type LogChannel,
  StackConsole,
  type Watched,
} from './stack-console.ts'
import { collect, type RegisterVerb } from './verb.ts'

interface StackCommand {
  readonly bind?: string
  readonly address: readonly string[]
  readonly gateway?: string
  readonly dhcp: boolean
  readonly slaac: boolean
  readonly wireAddress?: string
  readonly tcp: string
  readonly www?: string
  readonly httpPort: string
  readonly log: string
  readonly write?: string
  readonly seed: string
  readonly for?: string
}

const SERVICES: readonly ServiceName[] = ['echo', 'discard', 'daytime', 'iperf3']

async function stack(command: StackCommand, files: NodeFiles): Promise<number> {
  if (command.bind === undefined) {
    throw new UserError('the stack stands on no device', {
      where: '--bind',
      hint: "write '--bind tap:tap0' or '--bind packet:eth1'",
    })
  }
  const www = command.www === undefined ? null : webFiles(command.www)
  const log = logOf(command.log)
  const startSeconds = Math.floor(Date.now() / 1000)
  const capture = openCapture(command.write, files, { startSeconds, received: true })
  const counters = new PacketCounters(STACK)
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const observers: TraceObserver[] = [counters.observer, logger(log, say)]
  if (command.slaac) observers.push(addressesMade(say))
  if (capture !== null) observers.push(capture.pcapng.observer)

  let host: Host | null = null
  const { scenario, binding } = stackScenario(placeOf(command, command.bind), (own) => {
    host = own
    if (command.dhcp) void lease(own, say)
    for (const service of SERVICES) own.serve(service, { epoch: startSeconds })
    if (www !== null) serveFiles(own, www, Number(command.httpPort), startSeconds, say)
  })
  const { LiveRun: Live } = await import('../wire/live.ts')
  const { seed } = command
  const span = command.for === undefined ? {} : { for: readSpan(command.for, '--for') }
  const live = await Live.open(scenario, { seed, bindings: [binding], files, observers, ...span })
  const input = consoleOn(live, () => host, { counters, log }, say)
  message(
    `stack: ${command.bind}; ${process.stdin.isTTY ? "'help' for commands, " : ''}Ctrl-C ends it`,
  )
  try {
    const { devices, lost } = await untilSignal(live, files)
    capture?.pcapng.end()
    const written = capture?.file?.commit().path
    if (written !== undefined) message(`wrote ${written}`)
    for (const device of devices) message(deviceLine(device).join(' '))
    if (lost !== null) throw lost
    return EXIT_OK
  } finally {
    input.close()
    files.discardAll()
  }
}

function placeOf(command: StackCommand, bind: string) {
  const { address, gateway, dhcp, slaac, tcp, wireAddress } = command
  if (dhcp && address.length > 0) {
    throw new UserError('an address of its own, and one on loan', {
      where: '--dhcp',
      hint: 'give either --address or --dhcp',
    })
  }
  return {
    bind,
    address,
    tcp,
    dhcp,
    slaac,
    ...(gateway === undefined ? {} : { gateway }),
    ...(wireAddress === undefined ? {} : { wireAddress }),
  }
}

function webFiles(folder: string): WebFiles {
  try {
    return new WebFiles(folder)
  } catch {
    throw new UserError(`'${folder}' is no folder that can be read`, { where: '--www' })
  }
}

function logOf(text: string): Set<LogChannel> {
  const words = text.split(',').filter((word) => word !== '')
  return new Set(
    words.map((word) => {
      const channel = LOG_CHANNELS.find((each) => each === word)
      if (channel !== undefined) return channel
      throw new UserError(`there is no log channel '${word}'`, {
        where: '--log',
        hint: LOG_CHANNELS.join(', '),
      })
    }),
  )
}

/** Prints what belongs to a channel that is switched on. */
function logger(log: ReadonlySet<LogChannel>, say: (line: string) => void): TraceObserver {
  const text = new TraceText({ received: true })
  return (record) => {
    if (log.size === 0) return
    const channel = channelOf(record)
    if (channel === null || !log.has(channel)) return
    const line = text.line(record)
    if (line !== null) say(line)
  }
}

function channelOf(record: TraceRecord): LogChannel | null {
  if (record.kind === 'sent' || record.kind === 'received') return 'packets'
  if (record.kind !== 'event' || record.node !== STACK) return null
  switch (record.said.kind) {
    case 'dropped':
      return 'drops'
    case 'neighbour':
    case 'address-conflict':
      return 'arp'
    case 'tcp-state':
    case 'retransmit':
    case 'spurious':
    case 'fast-open':
      return 'tcp'
    default:
      return null
  }
}

async function lease(host: Host, say: (line: string) => void): Promise<void> {
  const dhcp = host.dhcp({ hostName: 'twinwire' })
  for (;;) {
    const { address, prefixLength, routers, expiresAt } = await dhcp.ready()
    const own = `${formatIp(address)}/${prefixLength}`
    const until = expiresAt === Infinity ? 'for ever' : `for ${span(expiresAt - host.now)} more`
    const way = routers.length > 0 ? `, router ${formatIp(routers[0]!)}` : ''
    say(`DHCP: ${own} on loan ${until}${way}`)
    await dhcp.lost()
    say(`DHCP: ${own} is gone`)
  }
}

const span = (nanos: number): string => `${Math.round(nanos / 1e9)} s`

/** IPv6 addresses come and go by what routers say. */
function addressesMade(say: (line: string) => void): TraceObserver {
  return (record) => {
    if (record.kind !== 'event' || record.node !== STACK) return
    const { said } = record
    if (said.kind !== 'address' || isIpv4(said.address)) return
    say(`IPv6: ${formatIp(said.address)} ${said.usable ? 'may be used' : 'is gone'}`)
  }
}

function serveFiles(
  host: Host,
  files: WebFiles,
  port: number,
  startSeconds: number,
  say: (line: string) => void,
): void {
  const server = host.run(httpServer, createHttpServer(port, startSeconds), (report) => {
    const answer = files.answer(report)
    if (answer !== null) return server.command(answer)
    if (report.kind === 'answered') say(`http ${report.method} ${report.target} ${report.status}`)
    if (report.kind === 'refused') throw new EnvironmentError(`HTTP: ${report.error}`)
  })
}

/** Lines of stdin are commands; its end is not the end of the stack. */
function consoleOn(
  live: LiveRun,
  host: () => Host | null,
  { counters, log }: Pick<Watched, 'counters' | 'log'>,
  say: (line: string) => void,
): Interface {
  const terminal = process.stdin.isTTY
  const input = createInterface({
    input: process.stdin,
    ...(terminal ? { output: process.stdout, prompt: 'stack> ' } : {}),
  })
  let console: StackConsole | null = null
  const above = (line: string): void => {
    if (terminal) process.stdout.write('\r\u001b[K')
    say(line)
    if (terminal) input.prompt(true)
  }
  input.on('line', (text) => {
    const own = host()
    if (own === null) return above('the stack has not started yet')
    console ??= new StackConsole(
      {
        host: own,
        state: () => live.run.world.node(STACK).state,
        counters,
        act: (work) => live.act(work),
        log,
      },
      above,
      () => live.stop(),
    )
    console.line(text)
    if (terminal) input.prompt()
  })
  input.on('SIGINT', () => process.emit('SIGINT'))
  return input
}

const EXAMPLES = `
Examples:
  $ sudo twinwire stack --bind tap:tap0 --address 10.0.0.2/24
  $ ping 10.0.0.2                              # in another terminal, as are the next three
  $ curl http://10.0.0.2/                      # with --www FOLDER
  $ nc 10.0.0.2 7
  $ iperf3 -c 10.0.0.2 -R
  $ sudo twinwire stack --bind packet:eth1 --dhcp --www public -w stack.pcapng
  $ sudo twinwire stack --bind tap:tap0 --address 10.0.0.2/24 --tcp pytcp --log tcp,drops

A TAP that is not there is made, with the other end's address (the gateway, or the network's
first), and goes with the stack. Echo, discard, daytime and iperf3's server answer on ports 7, 9,
13 and 5201, over TCP and UDP. Lines of stdin are commands:
${CONSOLE_HELP}`

export const stackVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('stack')
    .description('a host of our own on a device: services, a console, counters')
    .option('--bind <device>', 'tap:NAME or packet:INTERFACE')
    .option('--address <address>', '10.0.0.2/24; once for each family', collect, [])
    .option('--gateway <address>', 'the way to other networks')
    .option('--dhcp', 'get an address by DHCP', false)
    .option('--slaac', 'get IPv6 addresses from router advertisements', false)
    .option('--wire-address <address>', 'what a TAP that is made gets')
    .option('--tcp <profile>', 'whose choices the TCP makes', 'rfc')
    .option('--www <folder>', 'serve its files over HTTP')
    .option('--http-port <number>', 'where', '80')
    .option('--log <channels>', `what to print as it happens: ${LOG_CHANNELS.join(', ')}`, '')
    .option('-w, --write <file>', "a pcapng capture; '-' is stdout")
    .option('--seed <text>', 'the seed of all chance', '1')
    .option('--for <duration>', 'how long: 60s; without it, until Ctrl-C')
    .addHelpText('after', EXAMPLES)
    .action((command: StackCommand) => {
      verb.act = async () => ({ code: await stack(command, files) })
    })
}
