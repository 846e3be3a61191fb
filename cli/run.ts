import type { Outcome } from '../sim/outcome.ts'
import { EnvironmentError, UserError } from '../sim/user-error.ts'
import type { TraceObserver } from '../trace/record.ts'
import { LineOut } from './data-out.ts'
import { digestPath, expectedDigest, readDigests, updateDigest } from './digests.ts'
import { EXIT_EXPECTATION, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts'
import type { NodeFiles } from './files.ts'
import { blaming, findScenario } from './find-scenario.ts'
import { interruptible } from './interrupt.ts'
import { nativeSha256 } from '../wire/native-sha256.ts'
import { progressBar } from './progress.ts'
import { message } from './report.ts'
import { openCapture, stdoutIsTaken, summaryText, textObserver, traceStream } from './run-output.ts'
import { stackPlace } from './source-place.ts'
import { watchPrograms } from './watch-programs.ts'
import { openSeries } from './series-out.ts'
import {
  type RunSettings,
  readSettings,
  readUntil,
  reproduceCommand,
  runOptions,
} from './settings.ts'
import { type RegisterVerb, type Verdict } from './verb.ts'

export interface RunCommand extends RunSettings {
  readonly trace: boolean
  /** Where to write the capture; `-` is stdout. */
  readonly write?: string
  /** Where to write time series: NDJSON, or CSV by the name's end. */
  readonly series?: string
  readonly json: boolean
  readonly recorded: boolean
  readonly wireExact: boolean
  readonly updateDigest: boolean
}

export const runReproduction = (scenario: string, command: RunCommand): string =>
  reproduceCommand('run', scenario, command, [
    ...(command.recorded ? ['--recorded'] : []),
    ...(command.wireExact ? ['--wire-exact'] : []),
  ])

/** Runs a scenario once and says how it went. */
export async function run(name: string, command: RunCommand, files: NodeFiles): Promise<Verdict> {
  const settings = readSettings(command.set)
  const until = command.until === undefined ? {} : { until: readUntil(command.until) }
  const loaded = await findScenario(name)
  const capture = openCapture(command.write, files)
  const series = openSeries(command, loaded.scenario.spec.name, files)
  const trace = command.trace ? new LineOut(traceStream(command)) : null
  const observers: TraceObserver[] = []
  if (capture !== null) observers.push(capture.pcapng.observer)
  if (trace !== null) observers.push(textObserver(trace))
  // Lines that scroll by say more than a bar, and would tear it apart.
  const bar = trace !== null && process.stdout.isTTY ? null : progressBar()
  let thrown: unknown = null
  const scenario = watchPrograms(loaded.scenario, (e) => (thrown ??= e))
  const { runScenario } = await import('../sim/run.ts')
  return await interruptible(
    () => files.discardAll(),
    async (interrupt) => {
      try {
        const outcome = await blaming(loaded, () =>
          runScenario(scenario, {
            seed: command.seed,
            settings,
            hash: nativeSha256,
            ...until,
            recorded: command.recorded,
            wireExact: command.wireExact,
            files,
            observers,
            ...(series === null ? {} : { series: series.observer }),
            ...(bar === null ? {} : { onProgress: (progress) => bar.update(progress) }),
            signal: interrupt,
          }),
        )
        if (interrupt.aborted) return { code: EXIT_INTERRUPTED }
        if (thrown instanceof EnvironmentError) throw thrown
        bar?.stop()
        trace?.flush()
        capture?.pcapng.end()
        series?.commit()
        const written = capture?.file?.commit().path ?? null
        const place = thrown instanceof Error ? stackPlace(thrown, loaded.sources) : null
        report(outcome, command, written, place)
        const agrees = digestAgrees(outcome, command, loaded.sources[0] ?? null, files)
        const passed = outcome.verdict === 'passed' && agrees
        return { code: passed ? EXIT_OK : EXIT_EXPECTATION, digest: outcome.digest }
      } catch (e) {
        // Whatever a run that was told to stop trips over is not worth a word.
        if (interrupt.aborted) return { code: EXIT_INTERRUPTED }
        throw e
      } finally {
        bar?.stop()
        trace?.flush()
        files.discardAll()
      }
    },
  )
}

/** Holds the run against the digest that is recorded for it, or records its own. */
function digestAgrees(
  outcome: Outcome,
  command: RunCommand,
  userFile: string | null,
  files: NodeFiles,
): boolean {
  const path = digestPath(userFile)
  if (command.updateDigest) {
    if (command.until !== undefined) {
      throw new UserError('a run that is cut short leaves no digest', { where: '--update-digest' })
    }
    if (outcome.verdict === 'failed') {
      throw new UserError('a failed run leaves no digest', { where: '--update-digest' })
    }
    updateDigest(path, outcome, files)
    message(`recorded the digest in ${path}`)
    return true
  }
  // A run that is cut short has another digest.
  const expected = command.until === undefined ? expectedDigest(readDigests(path), outcome) : null
  if (expected === null || expected === outcome.digest) return true
  message(`expected: digest ${expected}, as recorded in ${path}`)
  message(`  actual: ${outcome.digest}`)
  message('Behaviour has changed. If that is meant, record it: add --update-digest.')
  return false
}

function report(
  outcome: Outcome,
  command: RunCommand,
  capture: string | null,
  /** The line of the user's file where a program failed. */
  place: string | null,
): void {
  if (command.json) {
    const object = { schema: 1, ...outcome, ...(capture === null ? {} : { capture }) }
    const stream = command.write === '-' ? process.stderr : process.stdout
    stream.write(`${JSON.stringify(object)}\n`)
  } else {
    const stream = command.trace || stdoutIsTaken(command) ? process.stderr : process.stdout
    stream.write(`${summaryText(outcome, capture)}\n`)
  }
  for (const { that, holds, actual } of outcome.expectations) {
    if (!holds) message(`expected: ${that}${actual === undefined ? '' : `\n  actual: ${actual}`}`)
  }
  if (outcome.failure !== null) {
    message(`failed: ${place === null ? '' : `${place}: `}${outcome.failure}`)
  }
}

const RUN_EXAMPLES = `
Examples:
  $ twinwire run file-transfer --set loss=5% --set file=photo.jpg --set out=copy.jpg
  $ twinwire run file-transfer --trace | grep DROP
  $ twinwire run file-transfer -w - | tshark -r -
  $ twinwire run file-transfer --json

'twinwire list SCENARIO' shows what --set can change. Stdout carries one thing: the capture with
'-w -', else the object with --json, else the lines with --trace, else the summary.
Exit codes: 0 passed, 1 an expectation failed, 2 wrong usage or input, 3 an internal error,
4 the machine does not allow it, 130 interrupted.`

export const runVerb: RegisterVerb = (program, files, verb) => {
  runOptions(program.command('run').description('run a scenario once'))
    .option('--trace', 'a line for everything that happens', false)
    .option('-w, --write <file>', "a pcapng capture; '-' is stdout")
    .option('--series <file>', 'how windows, round-trip times and queues change: .ndjson or .csv')
    .option('--json', 'the outcome as one JSON object', false)
    .option('--recorded', 'keep every state (slower, same digest)', false)
    .option('--update-digest', 'record the digest: later runs are held against it', false)
    .option('--wire-exact', 'encode and parse every frame (slower, same digest)', false)
    .addHelpText('after', RUN_EXAMPLES)
    .action((name: string, command: RunCommand) => {
      verb.act = () => run(name, command, files)
      verb.reproduce = () => runReproduction(name, command)
    })
}
