import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scenarios } from '../../scenarios/index.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

const shipped = (name: string): [path: string, bytes: Uint8Array] => [
  `shipped:${name}`,
  readFileSync(join(import.meta.dirname, '../../scenarios/data', name)),
]
const FILES = Object.fromEntries(
  ['letter.txt', 'mobile-down.trace', 'mobile-up.trace'].map((name) => shipped(name)),
)
const files = () => new MemoryFiles(FILES)

/** A simulated second of the dumbbell is enough, and all that the recorded driver has time for. */
const SHORT: { readonly [name: string]: { readonly [param: string]: string } } = {
  dumbbell: { flows: '3', rate: '10Mbit', time: '1s' },
  'gilbert-elliott': { count: '5000' },
  'mobile-trace': { time: '8s' },
}
const HARDER: { readonly [name: string]: { readonly [param: string]: string } } = {
  'file-transfer': { loss: '10%', reorder: '10%', duplicate: '2%', corrupt: '2%', jitter: '5ms' },
  ping: { loss: '30%', timeout: '9ms', interval: '15ms' },
  'udp-echo': { loss: '20%', duplicate: '10%', reorder: '20%' },
  dumbbell: { flows: '5', rate: '5Mbit', time: '2s', queue: '5 frames', loss: '3%' },
}

describe.each(scenarios.map((scenario) => [scenario.spec.name, scenario] as const))(
  '%s',
  (name, scenario) => {
    test('passes as it is shipped', { timeout: 120_000 }, async () => {
      const settings = SHORT[name] ?? {}
      const outcome = await runScenario(scenario, { seed: '1', settings, files: files() })
      expect(outcome.failure).toBeNull()
      expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
      expect(outcome.verdict).toBe('passed')
    })

    test('runs alike in every way', { timeout: 120_000 }, async () => {
      const settings = SHORT[name] ?? {}
      const { difference } = await verifyScenario(scenario, { seed: '2', settings, files: files() })
      expect(difference).toBeNull()
    })
  },
)

test.each(Object.entries(HARDER))(
  '%s runs alike where life is harder',
  { timeout: 120_000 },
  async (name, settings) => {
    const scenario = scenarios.find(({ spec }) => spec.name === name)!
    for (const seed of ['3', '4']) {
      const options = { seed, settings, files: files() }
      expect((await verifyScenario(scenario, options)).difference).toBeNull()
    }
  },
)
