import { expect, test } from 'vitest'
import { s } from '../../protocols/time.ts'
import partitionHeal from '../../scenarios/partition-heal.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'

const run = (settings: { [name: string]: string } = {}) =>
  runScenario(partitionHeal, { seed: '1', settings, files: new MemoryFiles() })

test('every message arrives once, those of the partition after it', async () => {
  const outcome = await run()
  expect(outcome.verdict).toBe('passed')
  expect(outcome.faultsEnded).toBe(s(7))
  expect(outcome.samples['latency of a']!.max).toBeLessThan(50e6)
  // Sent at 2.04 s, probed at 2.346 s (two smoothed round trips and 200 ms for a delayed ACK), then the
  // RTO doubles from 1 s: 3.346, 5.346 and 9.346 s; 10 ms to the other end.
  expect(outcome.marks['all from b']).toBeGreaterThan(s(9.356))
  expect(outcome.marks['all from b']).toBeLessThan(s(9.357))
})

test('a longer partition costs a longer wait', async () => {
  const outcome = await run({ for: '20s' })
  expect(outcome.verdict).toBe('failed')
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([
    {
      that: 'all from b happens within 10s after the faults',
      holds: false,
      actual: expect.stringMatching(/^1\d\.\d+s after the faults$/),
    },
  ])
})
