import { expect, test } from 'vitest'
import nat from '../../scenarios/nat.ts'
import { runScenario } from '../../sim/run.ts'

test.each(['address-and-port-dependent', 'address-dependent', 'endpoint-independent'])(
  'filtering %s',
  async (filtering) => {
    const outcome = await runScenario(nat, { seed: '1', settings: { filtering } })
    expect(outcome.expectations.filter(({ holds }) => !holds)).toEqual([])
  },
)

test('nothing of the inside shows outside', async () => {
  const seen = new Set<string>()
  await runScenario(nat, {
    seed: '1',
    observers: [
      (record) => {
        if (record.kind !== 'sent' || !record.link.startsWith('wan>')) return
        const { payload } = record.frame
        if (payload.kind === 'ipv4') seen.add((payload.source >>> 16).toString(16))
      },
    ],
  })
  expect([...seen]).toEqual(['cb00']) // 203.0
})
