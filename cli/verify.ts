import { EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts'
import { type NodeFiles, withoutWriting } from './files.ts'
import { blaming, findScenario } from './find-scenario.ts'
import { interruptible } from './interrupt.ts'
import { nativeSha256 } from '../wire/native-sha256.ts'
import { errorLine, message } from './report.ts'
import type { Verification } from '../sim/verify.ts'
import type { TraceRecord } from '../trace/record.ts'
import { TraceText } from '../trace/text.ts'
import {
  type RunSettings,
  readSettings,
  readUntil,
  reproduceCommand,
  runOptions,
} from './settings.ts'
import { type RegisterVerb, type Verdict } from './verb.ts'

export const verifyReproduction = (scenario: string, settings: RunSettings): string =>
  reproduceCommand('verify', scenario, settings)

/** Runs a scenario in every way there is and compares the traces. */
export async function verify(
  name: string,
  command: RunSettings,
  files: NodeFiles,
): Promise<Verdict> {
  const settings = readSettings(command.set)
  const until = command.until === undefined ? {} : { until: readUntil(command.until) }
  const loaded = await findScenario(name)
  const { verifyScenario } = await import('../sim/verify.ts')
  return await interruptible(
    () => files.discardAll(),
    async (interrupt) => {
      let result: Verification
      try {
        result = await blaming(loaded, () =>
          verifyScenario(loaded.scenario, {
            seed: command.seed,
            settings,
            hash: nativeSha256,
            ...until,
            files: withoutWriting(files),
            signal: interrupt,
          }),
        )
      } catch (e) {
        if (interrupt.aborted) return { code: EXIT_INTERRUPTED }
        throw e
      }
      if (interrupt.aborted) return { code: EXIT_INTERRUPTED }
      if (result.difference === null) {
        process.stdout.write(`${result.digest}\n`)
        return { code: EXIT_OK }
      }
      const { ground, record, what, expected, actual } = result.difference
      errorLine(`'${name}' differs when it is run ${ground}: record ${record}: ${what}`)
      message(`  plain: ${recordLine(expected)}`)
      message(`  ${ground}: ${recordLine(actual)}`)
      return { code: EXIT_INTERNAL }
    },
  )
}

function recordLine(record: TraceRecord | null): string {
  if (record === null) return 'no such record'
  return new TraceText({ absolute: true, received: true }).line(record) ?? record.kind
}

const VERIFY_EXAMPLES = `
Examples:
  $ twinwire verify file-transfer
  $ twinwire verify dumbbell --seed 7 --set loss=1%

Prints the one digest that all runs have, or the first record that differs and exit code 3.`

export const verifyVerb: RegisterVerb = (program, files, verb) => {
  runOptions(program.command('verify').description('run a scenario in every way and compare'))
    .addHelpText('after', VERIFY_EXAMPLES)
    .action((name: string, settings: RunSettings) => {
      verb.act = () => verify(name, settings, files)
      verb.reproduce = () => verifyReproduction(name, settings)
    })
}
