import { EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_OK } from './exit-codes.ts'
import { type NodeFiles, withoutWriting } from './files.ts'
import { blaming, findScenario } from './find-scenario.ts'
import { interruptible } from './interrupt.ts'
import { errorLine, message } from './report.ts'
import { type RunSettings, readSettings, readUntil, reproduceCommand } from './settings.ts'

export const verifyReproduction = (scenario: string, settings: RunSettings): string =>
  reproduceCommand('verify', scenario, settings)

/** Runs a scenario in every way there is and compares the traces. @returns the exit code. */
export async function verify(name: string, command: RunSettings, files: NodeFiles) {
  const settings = readSettings(command.set)
  const until = command.until === undefined ? {} : { until: readUntil(command.until) }
  const loaded = await findScenario(name)
  const { verifyScenario } = await import('../sim/verify.ts')
  return await interruptible(
    () => files.discardAll(),
    async (interrupt) => {
      const result = await blaming(loaded, () =>
        verifyScenario(loaded.scenario, {
          seed: command.seed,
          settings,
          ...until,
          files: withoutWriting(files),
          signal: interrupt,
        }),
      )
      if (interrupt.aborted) return EXIT_INTERRUPTED
      if ('digest' in result) {
        process.stdout.write(`${result.digest}\n`)
        return EXIT_OK
      }
      errorLine(`the runs of '${name}' differ`)
      for (const [what, value] of Object.entries(result.difference)) {
        message(`  ${what}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      }
      return EXIT_INTERNAL
    },
  )
}
