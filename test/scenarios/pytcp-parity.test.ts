import { expect, test } from 'vitest'
import pytcpParity from '../../scenarios/pytcp-parity.ts'
import { runScenario } from '../../sim/run.ts'

test('pytcp-parity: every claim holds', { timeout: 60_000 }, async () => {
  const outcome = await runScenario(pytcpParity, { seed: '3' })
  expect(outcome.failure).toBeNull()
  expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  expect(outcome.notes['wrap received']).toBe(1_000_000)
})

test('pytcp-parity: a claim can be run alone, and one that is none is refused', async () => {
  const outcome = await runScenario(pytcpParity, { seed: '1', settings: { only: 'rto-fixed' } })
  expect(outcome.expectations.map(({ holds }) => holds)).toEqual([true])
  const nothing = runScenario(pytcpParity, { seed: '1', settings: { only: 'rt' } })
  await expect(nothing).rejects.toThrow("there is no claim 'rt'")
})
