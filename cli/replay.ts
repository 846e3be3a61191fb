import { readFileSync } from 'node:fs'
import type { Outcome } from '../sim/outcome.ts'
import { formatDuration } from '../sim/units.ts'
import { UserError } from '../sim/user-error.ts'
import type { TraceObserver } from '../trace/record.ts'
import type { Recording } from '../wire/recording.ts'
import { LineOut } from './data-out.ts'
import { EXIT_INTERNAL, EXIT_OK } from './exit-codes.ts'
import { type NodeFiles, withoutWriting } from './files.ts'
import { blaming, findScenario } from './find-scenario.ts'
import { nativeSha256 } from '../wire/native-sha256.ts'
import { packageVersion } from './package-root.ts'
import { message } from './report.ts'
import { openCapture, stdoutIsTaken, summaryText, textObserver, traceStream } from './run-output.ts'
import { readUntil } from './settings.ts'
import type { RegisterVerb, Verdict } from './verb.ts'

interface ReplayCommand {
  readonly until?: string
  readonly trace: boolean
  readonly write?: string
  readonly json: boolean
  readonly recorded: boolean
  readonly wireExact: boolean
}

/** Runs a recorded live run again, under the virtual clock, and compares the digests. */
async function replayFile(
  path: string,
  command: ReplayCommand,
  files: NodeFiles,
): Promise<Verdict> {
  const { readRecording } = await import('../wire/recording.ts')
  const recording = readRecording(files.read(path).bytes, path)
  const capture = openCapture(command.write, files, { received: false })
  const trace = command.trace ? new LineOut(traceStream(command)) : null
  const observers: TraceObserver[] = []
  if (capture !== null) observers.push(capture.pcapng.observer)
  if (trace !== null) observers.push(textObserver(trace))
  try {
    const outcome = await again(path, recording, command, files, observers)
    trace?.flush()
    capture?.pcapng.end()
    const written = capture?.file?.commit().path ?? null
    report(outcome, recording, command, written)
    // A run that is cut short has another digest.
    if (command.until !== undefined || outcome.digest === recording.digest) return { code: EXIT_OK }
    message(`expected: digest ${recording.digest}, as recorded`)
    message(`  actual: ${outcome.digest}`)
    const { version } = recording.header
    const other = version === packageVersion() ? '' : ` It was recorded by twinwire ${version}.`
    message(`The same frames at the same times gave another run.${other}`)
    return { code: EXIT_INTERNAL }
  } finally {
    trace?.flush()
    files.discardAll()
  }
}

async function again(
  path: string,
  recording: Recording,
  command: ReplayCommand,
  files: NodeFiles,
  observers: readonly TraceObserver[],
): Promise<Outcome> {
  const { readBinding } = await import('../wire/bind-device.ts')
  const { scenarioIdentity } = await import('../wire/identity.ts')
  const { replay } = await import('../wire/replay.ts')
  const { readWhole } = await import('../wire/wire-port.ts')
  const { PreparedRun } = await import('../sim/prepared-run.ts')
  const { header, frames } = recording
  const loaded = await findScenario(header.scenario)
  return await blaming(loaded, async () => {
    const run = new PreparedRun(loaded.scenario, {
      seed: header.seed,
      settings: header.params,
      hash: nativeSha256,
      places: header.bindings.map((text) => readBinding(text).place),
      recorded: command.recorded,
      wireExact: command.wireExact,
      files: withoutWriting(files),
      observers,
    })
    const sources = loaded.sources.map((source) => readFileSync(source))
    if (scenarioIdentity(sources, run) !== header.identity) {
      throw new UserError(`the scenario '${header.scenario}' has changed since it was recorded`, {
        where: path,
        hint: `take the one of ${header.made.slice(0, 10)}, or record again`,
      })
    }
    const injections = function* () {
      for (const { at, place, bytes } of frames) {
        const node = run.outlets[place]!.node
        yield { at, node, frame: readWhole(bytes as Uint8Array) }
      }
    }
    const until = command.until === undefined ? Infinity : readUntil(command.until)
    await replay(run, injections(), Math.min(recording.ended, until))
    return run.outcome()
  })
}

function report(
  outcome: Outcome,
  recording: Recording,
  command: ReplayCommand,
  capture: string | null,
): void {
  const { header, frames, ended } = recording
  const same = command.until === undefined ? outcome.digest === recording.digest : null
  if (command.json) {
    const { expectations: _, verdict: __, ...rest } = outcome
    const object = { schema: 1, ...rest, recorded: recording.digest, same, capture }
    const stream = command.write === '-' ? process.stderr : process.stdout
    stream.write(`${JSON.stringify(object)}\n`)
    return
  }
  const facts: [string, string][] = [
    ['recorded', `${header.made}, ${frames.length} frames in ${formatDuration(ended)}`],
    ['bound', header.bindings.join(', ')],
  ]
  if (same !== null) facts.push(['replay', same ? 'the same run, bit for bit' : 'another run'])
  const stream = command.trace || stdoutIsTaken(command) ? process.stderr : process.stdout
  stream.write(`${summaryText(outcome, capture, facts, false)}\n`)
}

const REPLAY_EXAMPLES = `
Examples:
  $ sudo twinwire live file-transfer --bind b=tap:tap0 --record run.tw
  $ twinwire replay run.tw
  $ twinwire replay run.tw --until 2s --trace | grep DROP
  $ twinwire replay run.tw -w run.pcapng

Exit code 0 where the digest is the recorded one, 3 where it is not, 2 for a damaged file.`

export const replayVerb: RegisterVerb = (program, files, verb) => {
  program
    .command('replay')
    .description('run a recorded live run again, under the virtual clock')
    .argument('<file>', "what 'live --record' has written")
    .option('--until <duration>', 'the latest end, in simulated time: 2s')
    .option('--trace', 'a line for everything that happens', false)
    .option('-w, --write <file>', "a pcapng capture; '-' is stdout")
    .option('--recorded', 'keep every state (slower, same digest)', false)
    .option('--wire-exact', 'encode and parse every frame (slower, same digest)', false)
    .option('--json', 'the outcome as one JSON object', false)
    .addHelpText('after', REPLAY_EXAMPLES)
    .action((path: string, command: ReplayCommand) => {
      verb.act = () => replayFile(path, command, files)
      verb.reproduce = () => `twinwire replay ${path}`
    })
}
