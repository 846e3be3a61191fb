import { describe, expect, test } from 'vitest'
import dumbbell from '../../scenarios/dumbbell.ts'
import { MemoryFiles } from '../../sim/files.ts'
import type { Outcome } from '../../sim/outcome.ts'
import { runScenario } from '../../sim/run.ts'

const run = (settings: { readonly [name: string]: string }, seed = '1'): Promise<Outcome> =>
  runScenario(dumbbell, { seed, settings, files: new MemoryFiles() })

const goodputs = ({ flows, ended }: Outcome): number[] =>
  flows
    .filter(({ protocol }) => protocol === 'tcp')
    .map(({ forward }) => (forward.deliveredBytes * 8e9) / ended)
const sum = (figures: readonly number[]): number => figures.reduce((a, b) => a + b, 0)

describe('the bottleneck', () => {
  test('is filled by one flow, and by several together', { timeout: 60_000 }, async () => {
    // 1448 of every 1514 bytes are the application's: at most 9.56 of 10 Mbit/s.
    for (const flows of ['1', '4']) {
      const outcome = await run({ flows, rate: '10Mbit', time: '20s' })
      const total = sum(goodputs(outcome))
      expect(goodputs(outcome).length).toBe(Number(flows))
      expect(total).toBeGreaterThan(0.9 * 9.56e6)
      expect(total).toBeLessThanOrEqual(9.57e6)
    }
  })

  test('is shared: no flow starves', { timeout: 60_000 }, async () => {
    const each = goodputs(await run({ flows: '4', rate: '10Mbit', time: '40s' }))
    const jain = sum(each) ** 2 / (4 * sum(each.map((x) => x * x)))
    expect(jain).toBeGreaterThan(0.9)
  })

  test('drops what its queue has no room for, and nothing else does', async () => {
    const { links } = await run({ flows: '4', rate: '10Mbit', time: '5s', queue: '20 frames' })
    const bottleneck = links.find(({ name }) => name === 'r1>r2')!
    expect(bottleneck.dropped['queue-full']).toBeGreaterThan(10)
    expect(bottleneck.queueFramesMax).toBe(20)
    for (const link of links) if (link !== bottleneck) expect(link.dropped).toEqual({})
  })
})

test('a flow over an empty path measures the round trip', async () => {
  const { flows } = await run({ flows: '1', rate: '1Gbit', time: '1s', start: '0ms' })
  const tcp = flows.find(({ protocol }) => protocol === 'tcp')!
  // 1 + 8 + 1 ms each way, and some microseconds for the bits that timestamps do not see.
  expect(tcp.forward.rtt!.minNanos).toBeGreaterThanOrEqual(20e6)
  expect(tcp.forward.rtt!.minNanos).toBeLessThan(20.2e6)
})
