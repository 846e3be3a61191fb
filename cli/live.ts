import { readFileSync } from 'node:fs'
import { parseDuration } from '../sim/units.ts'
import { UserError, isRefusal, refused } from '../sim/user-error.ts'
import type { TraceObserver } from '../trace/record.ts'
import type { BoundDevice, LiveOutcome, LiveRun, RecordOptions } from '../wire/live.ts'
import type { Lateness } from '../wire/real-time.ts'
import { LineOut } from './data-out.ts'
import { EXIT_ENVIRONMENT, EXIT_EXPECTATION, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { blaming, findScenario } from './find-scenario.ts'
import type { LoadedScenario } from './load-scenario.ts'
import { nativeSha256 } from '../wire/native-sha256.ts'
import { packageVersion } from './package-root.ts'
import { describe, errorLine, message } from './report.ts'
import {
  openCapture,
  spanText,
  stdoutIsTaken,
  summaryText,
  textObserver,
  traceStream,
} from './run-output.ts'
import { readSettings } from './settings.ts'
import { type RegisterVerb, type Verdict, collect } from './verb.ts'

interface LiveCommand {
  readonly seed: string
  readonly set: readonly string[]
  readonly bind: readonly string[]
  readonly for?: string
  readonly trace: boolean
  readonly write?: string
  readonly record?: string
  readonly json: boolean
}

/** Runs a scenario by the machine's clock, some of its places taken by devices. */
async function live(name: string, command: LiveCommand, files: NodeFiles): Promise<Verdict> {
  const settings = readSettings(command.set)
  const span = command.for === undefined ? {} : { for: readSpan(command.for, '--for') }
  const { readBinding } = await import('../wire/bind-device.ts')
  const { LiveRun } = await import('../wire/live.ts')
  const bindings = command.bind.map(readBinding)
  if (bindings.length === 0) {
    const hint = "write --bind b=tap:tap0; 'twinwire run' needs no wire"
    throw new UserError('nothing is bound', { where: 'live', hint })
  }
  const loaded = await findScenario(name)
  const start = Date.now()
  const startSeconds = Math.floor(start / 1000)
  const capture = openCapture(command.write, files, { startSeconds, received: false })
  const trace = command.trace ? new LineOut(traceStream(command)) : null
  const observers: TraceObserver[] = []
  // The stamps are the time of day: a run does not start at a full second.
  const sinceSecond = (start % 1000) * 1e6
  if (capture !== null) {
    observers.push((r) => capture.pcapng.observer({ ...r, at: r.at + sinceSecond }))
  }
  if (trace !== null) observers.push(textObserver(trace))
  const flushing = setInterval(() => trace?.flush(), 200)
  try {
    const { scenario } = loaded
    const record =
      command.record === undefined ? {} : recording(name, command.record, loaded, files)
    const run = await blaming(loaded, () =>
      LiveRun.open(scenario, {
        seed: command.seed,
        settings,
        hash: nativeSha256,
        ...span,
        ...record,
        // Nobody will hold a run that leaves nothing behind against another.
        unjudged: command.record === undefined,
        bindings,
        files,
        observers,
      }),
    )
    message(`live: ${command.bind.join(', ')}; Ctrl-C ends it`)
    const result = await untilSignal(run, files)
    trace?.flush()
    capture?.pcapng.end()
    const written = capture?.file?.commit().path ?? null
    report(result, command, written)
    return { code: exitCode(result) }
  } finally {
    clearInterval(flushing)
    trace?.flush()
    files.discardAll()
  }
}

export function readSpan(text: string, where: string): number {
  const span = parseDuration(text)
  if (isRefusal(span)) throw refused(span, where)
  return span
}

function recording(
  name: string,
  path: string,
  { sources }: LoadedScenario,
  files: NodeFiles,
): { readonly record: RecordOptions } {
  const file = files.create(path)
  const contents = sources.map((source) => readFileSync(source))
  return { record: { file, scenario: name, version: packageVersion(), sources: contents } }
}

/** The first Ctrl-C ends the run in order; the second does not wait. */
export async function untilSignal(run: LiveRun, files: NodeFiles): Promise<LiveOutcome> {
  let told = false
  const onSignal = () => {
    if (told) {
      files.discardAll()
      process.exit(EXIT_INTERRUPTED)
    }
    told = true
    run.stop()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await run.go()
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** Expectations are about a whole scenario, of which a part is elsewhere: nobody judges them. */
function exitCode({ outcome, lost }: LiveOutcome): number {
  if (lost !== null) return EXIT_ENVIRONMENT
  return outcome.failure === null ? EXIT_OK : EXIT_EXPECTATION
}

function report(result: LiveOutcome, command: LiveCommand, capture: string | null): void {
  const { outcome, devices, lateness, recording: path, lost } = result
  if (command.json) {
    const { expectations: _, verdict: __, ...rest } = outcome
    const object = { schema: 1, ...rest, devices, lateness, recording: path, capture }
    const stream = command.write === '-' ? process.stderr : process.stdout
    stream.write(`${JSON.stringify(object)}\n`)
  } else {
    const facts: [string, string][] = devices.map(deviceLine)
    facts.push(['lateness', latenessText(lateness)])
    if (path !== null) facts.push(['recording', `${path}; twinwire replay ${path}`])
    const stream = command.trace || stdoutIsTaken(command) ? process.stderr : process.stdout
    stream.write(`${summaryText(outcome, capture, facts, false)}\n`)
  }
  if (outcome.failure !== null) message(`failed: ${outcome.failure}`)
  if (lost !== null) errorLine(describe(lost))
}

export function deviceLine({ place, device, stats }: BoundDevice): [string, string] {
  const { received, sent, kernelDrops, ringFull, sendErrors } = stats
  const trouble = [
    ...(kernelDrops > 0 ? [`${kernelDrops} dropped by the kernel`] : []),
    ...(ringFull > 0 ? [`${ringFull} times full`] : []),
    ...(sendErrors > 0 ? [`${sendErrors} refused`] : []),
  ]
  return [place, [`${device}: ${received} frames in, ${sent} out`, ...trouble].join(', ')]
}

export function latenessText({ events, p50, p99, max }: Lateness): string {
  if (events === 0) return 'no event was due'
  return `p50/p99/max ${[p50, p99, max].map(spanText).join('/')} of ${events} events`
}

const LIVE_EXAMPLES = `
Examples:
  $ sudo twinwire live ping --bind a=tap:tap0
  $ sudo twinwire live file-transfer --bind b=tap:tap0 --for 60s -w live.pcapng
  $ sudo twinwire live switched-lan --bind s1.3=packet:eth1 --record run.tw
  $ twinwire replay run.tw

A place is a host or router with one link (b), a link's end (r>b: what stands at b's end), or a
switch's port (s1.3, counted from 0). What is bound is not simulated: the device stands there, the link stays.
Devices: tap:NAME, tun:NAME, packet:INTERFACE, raw:PROTOCOL, kernel:udp. A TAP or TUN that is not
there is made, gets the addresses of the place, and goes with the run. 'twinwire doctor' tells
what this machine allows.`

export const liveVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('live')
    .description('run a scenario on the wire, by the machine’s clock')
    .argument('<scenario>', 'a name, or the path of a scenario file')
    .option('--bind <place=device>', 'who takes a place; may be repeated', collect, [])
    .option('--for <duration>', 'how long: 60s; without it, until Ctrl-C')
    .option('--seed <text>', 'the seed of all chance', '1')
    .option('--set <name=value>', 'a parameter; may be repeated', collect, [])
    .option('--trace', 'a line for everything that happens', false)
    .option('-w, --write <file>', "a pcapng capture; '-' is stdout")
    .option('--record <file>', "what came in and when, for 'twinwire replay'")
    .option('--json', 'the outcome as one JSON object', false)
    .addHelpText('after', LIVE_EXAMPLES)
    .action((name: string, command: LiveCommand) => {
      verb.act = () => live(name, command, files)
    })
}
