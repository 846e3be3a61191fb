import { expect, test } from 'vitest'
import slaac from '../../scenarios/slaac.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'
import type { NodeEvent } from '../../trace/record.ts'

const run = async (settings: { [name: string]: string } = {}, seed = '1') => {
  const said: { node: string; at: number; event: NodeEvent }[] = []
  const outcome = await runScenario(slaac, {
    seed,
    settings,
    files: new MemoryFiles(),
    observers: [
      (record) => {
        if (record.kind !== 'event') return
        said.push({ node: record.node, at: record.at / 1e9, event: record.said })
      },
    ],
  })
  return { outcome, said }
}

test('every seed: configured within the waits of the protocol', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { outcome } = await run({}, String(seed))
    expect(outcome.verdict, `seed ${seed}`).toBe('passed')
    for (const name of ['a', 'b']) {
      // At least the second of silence behind a probe.
      const at = outcome.marks[`${name} has an address`]! / 1e9
      expect(at, `seed ${seed}`).toBeGreaterThanOrEqual(1)
      expect(at, `seed ${seed}`).toBeLessThanOrEqual(5)
    }
  }
})

test('a router that goes down takes the addresses with it, when their time is over', async () => {
  const settings = { silentFrom: '10s', preferred: '20s', valid: '30s', interval: '10s' }
  const { said } = await run(settings)
  const gone = said.flatMap(({ node, at, event }) =>
    event.kind === 'address' && !event.usable ? [{ node, at }] : [],
  )
  expect(gone.map(({ node }) => node)).toEqual(['a', 'b'])
  // The last advertisement came before the crash, and not more than an interval before it.
  for (const { at } of gone) {
    expect(at).toBeGreaterThan(30)
    expect(at).toBeLessThanOrEqual(40)
  }
})

test('it is the same in every way of running', async () => {
  const options = { seed: '5', settings: {}, files: new MemoryFiles() }
  expect((await verifyScenario(slaac, options)).difference).toBeNull()
})
