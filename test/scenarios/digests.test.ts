import { describe, expect, test } from 'vitest'
import { digestPath, expectedDigest, readDigests } from '../../cli/digests.ts'
import { NodeFiles } from '../../cli/files.ts'
import { scenarios } from '../../scenarios/index.ts'
import { runScenario } from '../../sim/run.ts'

const digests = readDigests(digestPath(null))

/** Any change of behaviour, in an engine or in the network, shows here and in review. */
describe('the recorded digest, with default parameters and seed 1', () => {
  test.each(scenarios.map((scenario) => [scenario.spec.name, scenario] as const))(
    '%s',
    { timeout: 120_000 },
    async (_, scenario) => {
      const outcome = await runScenario(scenario, { seed: '1', files: new NodeFiles() })
      expect(outcome.digest).toBe(expectedDigest(digests, outcome))
    },
  )
})
