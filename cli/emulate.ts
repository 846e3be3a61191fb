import type { LinkSpec } from '../sim/scenario.ts'
import { formatDuration } from '../sim/units.ts'
import { UserError } from '../sim/user-error.ts'
import type { LiveOutcome } from '../wire/live.ts'
import { formatSummary } from '../trace/summary.ts'
import { EXIT_ENVIRONMENT, EXIT_OK } from './exit-codes.ts'
import { type NodeFiles } from './files.ts'
import { deviceLine, latenessText, readSpan, untilSignal } from './live.ts'
import { describe, errorLine, message } from './report.ts'
import { openCapture } from './run-output.ts'
import { type RegisterVerb, type Verdict, collect } from './verb.ts'

interface EmulateCommand {
  readonly delay?: string
  readonly jitter?: string
  readonly distribution?: string
  readonly keepOrder: boolean
  readonly loss?: string
  readonly duplicate?: string
  readonly reorder?: string
  readonly corrupt?: string
  readonly rate?: string
  readonly trace?: string
  readonly queue?: string
  readonly slot?: string
  readonly drop?: string
  readonly to: readonly string[]
  readonly schedule: readonly string[]
  readonly seed: string
  readonly for?: string
  readonly write?: string
  readonly json: boolean
}

const PLAIN_KEYS = [
  'delay',
  'jitter',
  'distribution',
  'loss',
  'duplicate',
  'reorder',
  'corrupt',
  'rate',
  'queue',
  'slot',
  'drop',
] as const

/** Joins two interfaces of this machine by a simulated link. */
async function emulate(
  interfaces: readonly [string, string],
  command: EmulateCommand,
  files: NodeFiles,
): Promise<Verdict> {
  const { emulation } = await import('../wire/emulate.ts')
  const { LiveRun } = await import('../wire/live.ts')
  const link = await readLink(command, files)
  const { scenario, bindings, opaque } = emulation(interfaces, link, await readTo(command.to))
  const span = command.for === undefined ? {} : { for: readSpan(command.for, '--for') }
  const start = Date.now()
  const startSeconds = Math.floor(start / 1000)
  const capture = openCapture(command.write, files, { startSeconds, received: false })
  const sinceSecond = (start % 1000) * 1e6
  try {
    const run = await LiveRun.open(scenario, {
      seed: command.seed,
      ...span,
      bindings,
      files,
      opaque,
      unjudged: true,
      observers:
        capture === null ? [] : [(r) => capture.pcapng.observer({ ...r, at: r.at + sinceSecond })],
    })
    message(`emulate: ${interfaces.join(' and ')} are joined; Ctrl-C ends it`)
    const result = await untilSignal(run, files)
    capture?.pcapng.end()
    const written = capture?.file?.commit().path ?? null
    report(result, command, written)
    return { code: result.lost === null ? EXIT_OK : EXIT_ENVIRONMENT }
  } finally {
    files.discardAll()
  }
}

async function readLink(command: EmulateCommand, files: NodeFiles): Promise<LinkSpec> {
  const { readScheduleEntry } = await import('../wire/emulate.ts')
  const { trace, schedule } = command
  const link: { [key: string]: unknown } = {}
  for (const key of PLAIN_KEYS) if (command[key] !== undefined) link[key] = command[key]
  if (!command.keepOrder) link['keepOrder'] = false
  if (trace !== undefined) link['trace'] = files.read(trace)
  if (schedule.length > 0) {
    link['schedule'] = schedule.map((text) => readScheduleEntry(text, `--schedule '${text}'`))
  }
  return link
}

/** `eth1:delay=30ms`. */
async function readTo(texts: readonly string[]): Promise<{ [name: string]: LinkSpec }> {
  const { readLinkWords } = await import('../wire/emulate.ts')
  const to: { [name: string]: LinkSpec } = {}
  for (const text of texts) {
    const where = `--to ${text}`
    const [, name, words] = /^([^:]+):(.*)$/.exec(text) ?? []
    if (name === undefined || words === undefined) {
      const hint = "write --to 'eth1:delay=30ms loss=1%'"
      throw new UserError('says nothing', { where, hint })
    }
    to[name] = { ...to[name], ...readLinkWords(words, where) }
  }
  return to
}

function report(result: LiveOutcome, command: EmulateCommand, capture: string | null): void {
  const { outcome, devices, lateness, lost } = result
  const { links, seed, ended } = outcome
  if (command.json) {
    const object = { schema: 1, seed, ended, links, devices, lateness, capture }
    process.stdout.write(`${JSON.stringify(object)}\n`)
  } else {
    const lines = [formatSummary([], links).trim(), '']
    for (const { name, offeredFrames, dropped, duplicates, reordered, corrupted } of links) {
      const share = (n: number) => `${n} (${((100 * n) / offeredFrames).toFixed(2)}%)`
      const facts = Object.entries({ ...dropped, duplicates, reordered, corrupted })
      const shown = facts.filter(([, n]) => n > 0).map(([what, n]) => `${what} ${share(n)}`)
      if (shown.length > 0) lines.push(`${name}: ${shown.join(', ')}`)
    }
    for (const device of devices) lines.push(deviceLine(device).join('  '))
    lines.push(`lateness  ${latenessText(lateness)}`)
    lines.push(`ended after ${formatDuration(ended)}, seed ${seed}`)
    if (capture !== null) lines.push(`capture  ${capture}`)
    const stream = command.write === '-' ? process.stderr : process.stdout
    stream.write(`${lines.join('\n')}\n`)
  }
  if (lost !== null) errorLine(describe(lost))
}

const EMULATE_EXAMPLES = `
Examples:
  $ sudo twinwire emulate eth1 eth2 --delay 20ms --jitter 5ms --loss 1% --rate 10mbit --reorder 2%
  $ sudo twinwire emulate eth1 eth2 --rate 20mbit --queue 'codel ecn' --to 'eth1:rate=2mbit'
  $ sudo twinwire emulate eth1 eth2 --schedule 'at=5s rate=1mbit' --schedule 'at=9s rate=10mbit'
  $ sudo twinwire emulate eth1 tap:tap0 --trace mobile.trace --for 60s -w seen.pcapng --seed 7

What holds for both directions stands in the options, what differs towards one end in --to. The
words are those of links in scenarios, and of netem: docs/links.md. The kernel must not forward
between the two interfaces itself, and needs no address on them.`

export const emulateVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('emulate')
    .description('join two interfaces of this machine by a simulated link')
    .argument('<interface-a>', 'eth1, or tap:NAME')
    .argument('<interface-b>', 'the other end')
    .option('--delay <duration>', 'one way: 20ms')
    .option('--jitter <duration>', "how far the delay spreads: 5ms, '5ms 25%'")
    .option('--distribution <name>', 'of the jitter: uniform, normal, pareto, paretonormal')
    .option('--no-keep-order', 'jitter may let frames overtake each other')
    .option('--loss <share>', "1%, '1% 25%', 'gemodel 1% 10%'")
    .option('--duplicate <share>', 'of frames that come twice')
    .option('--reorder <share>', 'of frames that skip the delay')
    .option('--corrupt <share>', 'of frames with a flipped bit')
    .option('--rate <rate>', '10mbit')
    .option('--trace <file>', 'a Mahimahi delivery trace in the place of a rate')
    .option('--queue <limit>', "'100 frames', '64KiB', 'codel', 'fq_codel ecn', 'red', 'pie'")
    .option('--slot <slots>', "frames come out together: '10ms 20ms'")
    .option('--drop <pattern>', "'3rd data segment'")
    .option('--to <end:words>', 'what differs towards an end; may be repeated', collect, [])
    .option('--schedule <words>', 'at=5s rate=1mbit; may be repeated', collect, [])
    .option('--seed <text>', 'the seed of all chance', '1')
    .option('--for <duration>', 'how long: 60s; without it, until Ctrl-C')
    .option('-w, --write <file>', "a pcapng capture; '-' is stdout")
    .option('--json', 'the statistics as one JSON object', false)
    .addHelpText('after', EMULATE_EXAMPLES)
    .action((a: string, b: string, command: EmulateCommand) => {
      verb.act = () => emulate([a, b], command, files)
    })
}
