import type { Command } from 'commander'
import { formatIp } from '../protocols/address.ts'
import {
  createEchoClient,
  echoClient,
  type EchoConfig,
  type EchoReport,
} from '../protocols/services/echo-client.ts'
import { icmpName } from '../protocols/tcp-ping/icmp-names.ts'
import { statisticsLines } from '../protocols/tcp-ping/lines.ts'
import { didYouMean } from '../sim/suggest.ts'
import { parseCount, parseSize } from '../sim/units.ts'
import { isRefusal, refused, UserError } from '../sim/user-error.ts'
import { type ClientPlace, placeOptions, runClient } from './client-run.ts'
import { EXIT_EXPECTATION, EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { addressOf, portOf } from './kernel-app.ts'
import { readSpan } from './live.ts'
import type { RegisterVerb } from './verb.ts'

export interface EchoCommand extends ClientPlace {
  readonly count: string
  readonly size: string
  readonly interval: string
  readonly timeout: string
  readonly json: boolean
}

const SIZE_MIN = 4
const SIZE_MAX = { tcp: 1 << 20, udp: 65_507, icmp: 65_507 }

export async function echo(
  protocol: EchoConfig['protocol'],
  host: string,
  port: string,
  command: EchoCommand,
  files: NodeFiles,
): Promise<number> {
  const remote = await addressOf(host)
  const count = parseCount(command.count)
  if (isRefusal(count)) throw refused(count, '--count')
  const size = /^\d+$/.test(command.size) ? Number(command.size) : parseSize(command.size)
  if (isRefusal(size)) throw refused(size, '--size')
  if (size < SIZE_MIN || size > SIZE_MAX[protocol]) {
    throw new UserError(`a message of ${size} bytes`, {
      where: '--size',
      hint: `from ${SIZE_MIN} to ${SIZE_MAX[protocol]} over ${protocol}`,
    })
  }
  const config: EchoConfig = {
    protocol,
    remote,
    port: protocol === 'icmp' ? 0 : portOf(port, 'port'),
    count,
    size,
    interval: readSpan(command.interval, '--interval'),
    timeout: readSpan(command.timeout, '--timeout'),
    ttl: 64,
  }
  const show = (report: EchoReport) => print(report, config, command.json)
  const client = { engine: echoClient, state: createEchoClient(config), show }
  return runClient(command, remote, client, files)
}

function print(report: EchoReport, config: EchoConfig, json: boolean): number | null {
  const lines = json ? [JSON.stringify(object(report))] : texts(report, config)
  for (const line of lines) process.stdout.write(`${line}\n`)
  if (report.kind !== 'done') return null
  const { sent, received } = report.statistics
  return sent === received && (sent > 0 || config.count === 0) ? EXIT_OK : EXIT_EXPECTATION
}

const object = (report: EchoReport): object => ({
  schema: 1,
  ...report,
  ...(report.kind === 'icmp' ? { from: formatIp(report.from) } : {}),
})

function texts(report: EchoReport, { remote, size }: EchoConfig): readonly string[] {
  switch (report.kind) {
    case 'echo': {
      const ttl = report.ttl === null ? '' : ` ttl=${report.ttl}`
      const time = (report.rtt / 1e6).toFixed(3)
      return [`${size} bytes from ${formatIp(remote)}: seq=${report.number}${ttl} time=${time} ms`]
    }
    case 'missing':
      return [`no answer: seq=${report.number}`]
    case 'different':
      return [`another answer than was sent: seq=${report.number}`]
    case 'icmp': {
      const version = typeof report.from === 'string' ? 6 : 4
      const name = icmpName(version, report.type, report.code)
      return [`from ${formatIp(report.from)}: seq=${report.number} ${name}`]
    }
    case 'failed':
      return [`failed: ${report.error ?? 'the other side has ended the connection'}`]
    case 'done':
      return statisticsLines(report.statistics, 'default')
  }
}

export const echoOptions = (command: Command): Command =>
  placeOptions(
    command
      .option('-c, --count <number>', 'messages', '4')
      .option('--size <bytes>', 'of each', '56')
      .option('-i, --interval <duration>', 'between two of them', '1s')
      .option('--timeout <duration>', 'that each has', '1s')
      .option('--json', 'one JSON object a line', false),
  )

const EXAMPLES = `
Examples:
  $ twinwire echo udp 192.0.2.7 7 -c 3
  $ twinwire echo tcp 10.0.0.2 7 --size 50kB
  $ sudo twinwire echo udp 10.0.0.1 7 --size 4000 --bind tap:tap0 --address 10.0.0.2/24

What comes back is held against what was sent. Exit codes: 0 all of it came back, 1 not all.`

export const echoVerb: RegisterVerb = (program, files, verb) => {
  const command = program
    .command('echo')
    .description('ask an echo service (RFC 862), over TCP or UDP')
    .argument('<protocol>', 'tcp or udp')
    .argument('<host>', 'an address or a name')
    .argument('[port]', 'of the service', '7')
  echoOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((protocol: string, host: string, port: string, options: EchoCommand) => {
      if (protocol !== 'tcp' && protocol !== 'udp') {
        throw new UserError(`there is no echo over '${protocol}'`, {
          hint: didYouMean(protocol, ['tcp', 'udp']),
        })
      }
      verb.act = async () => ({ code: await echo(protocol, host, port, options, files) })
    })
}
