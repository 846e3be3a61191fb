import { describe, expect, test } from 'vitest'
import routerChain from '../../scenarios/router-chain.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

const run = (settings: { [name: string]: string } = {}) =>
  runScenario(routerChain, { seed: '1', settings, files: new MemoryFiles() })

test('pings with a rising TTL name every router, and the last one comes back', async () => {
  const { notes, verdict } = await run({ routers: '3', bytes: '1B' })
  expect(verdict).toBe('passed')
  // Cables have four addresses each; on each one the router further on has the second.
  expect(notes).toMatchObject({
    'hop 1': '10.0.0.2',
    'hop 2': '10.0.0.6',
    'hop 3': '10.0.0.10',
    'hop 4': '10.0.0.14 (reply)',
    'ttl of the reply': 61,
    'bytes received': 1,
  })
})

describe('bytes arrive over any number of routers', () => {
  test.each(['0', '1', '12'])('%s', async (routers) => {
    const outcome = await run({ routers, bytes: '100kB' })
    expect(outcome.verdict).toBe('passed')
    expect(outcome.notes['bytes received']).toBe(100_000)
  })
})

test('the slowest link sets the pace', async () => {
  const outcome = await run({ rate: '1Mbit', bytes: '250kB' })
  expect(outcome.verdict).toBe('passed')
  // 250 kB are 2 Mbit, and the headers come on top: more than 2 s, and not twice as long.
  expect(outcome.marks['transfer complete']).toBeGreaterThan(2e9)
  expect(outcome.marks['transfer complete']).toBeLessThan(4e9)
})

test('in place, recorded and wire-exact are the same', async () => {
  const settings = { bytes: '20kB' }
  const result = await verifyScenario(routerChain, {
    seed: '1',
    settings,
    files: new MemoryFiles(),
  })
  expect(result.difference).toBeNull()
})
