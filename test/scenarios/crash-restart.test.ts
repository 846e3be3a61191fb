import { expect, test } from 'vitest'
import crashRestart from '../../scenarios/crash-restart.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'

test.each(['1000ms', '1025ms', '1050ms', '1075ms', '1100ms', '1170ms'])(
  'a crash at %s: every request is answered once, and counted',
  async (crashAt) => {
    const outcome = await runScenario(crashRestart, {
      seed: '1',
      settings: { crashAt },
      files: new MemoryFiles(),
    })
    expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
    expect(outcome.notes['boots']).toBe(2)
  },
)

test('at the default time a request is in the air: it is asked again', async () => {
  const { notes } = await runScenario(crashRestart, { seed: '1', files: new MemoryFiles() })
  expect(notes['attempts']).toBe(21)
})
