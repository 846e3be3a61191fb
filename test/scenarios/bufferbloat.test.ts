import { describe, expect, test } from 'vitest'
import bufferbloat from '../../scenarios/bufferbloat.ts'
import { MemoryFiles } from '../../sim/files.ts'
import type { Outcome } from '../../sim/outcome.ts'
import { runScenario } from '../../sim/run.ts'

const run = (settings: { readonly [name: string]: string }, seed = '1'): Promise<Outcome> =>
  runScenario(bufferbloat, { seed, settings, files: new MemoryFiles() })

const delay = ({ samples }: Outcome) => samples['queueing delay']!
const bottleneck = ({ links }: Outcome) => links.find(({ name }) => name === 'r1>r2')!
const MS = 1e6

describe('a sparse flow beside ten bulk flows on 10 Mbit/s', () => {
  test.each(['1', '2'])('FQ-CoDel keeps its p99 below 10 ms, seed %s', async (seed) => {
    const outcome = await run({ queue: 'fq_codel', time: '10s' }, seed)
    expect(outcome.verdict).toBe('passed')
    expect(delay(outcome).p99).toBeLessThan(10 * MS)
    // One in 20 ms from 0.5 s on: none is lost.
    expect(delay(outcome).count).toBe(475)
    const { dropped, utilisation, queueing } = bottleneck(outcome)
    expect(Object.keys(dropped)).toEqual(['fq-codel'])
    expect(utilisation).toBeGreaterThan(0.9)
    // The bulk flows wait in queues of their own.
    expect(queueing!.p50Nanos).toBeGreaterThan(10 * MS)
  })

  test.each(['1', '2'])('drop-tail does not, seed %s', async (seed) => {
    const outcome = await run({ queue: 'drop-tail', time: '10s' }, seed)
    expect(outcome.verdict).toBe('passed')
    expect(delay(outcome).p50).toBeGreaterThan(100 * MS)
    expect(Object.keys(bottleneck(outcome).dropped)).toEqual(['queue-full'])
    // 500 frames of 1514 bytes and the one on the link.
    expect(delay(outcome).max).toBeLessThan((501 * 1514 * 8 * 1e9) / 10e6)
  })

  test.each(['codel', 'pie', 'red'])('%s lies between', async (queue) => {
    const outcome = await run({ queue })
    expect(outcome.verdict).toBe('passed')
    expect(delay(outcome).p50).toBeGreaterThan(2 * MS)
    expect(delay(outcome).p50).toBeLessThan(25 * MS)
    expect(delay(outcome).p90).toBeLessThan(80 * MS)
    expect(bottleneck(outcome).dropped[queue]).toBeGreaterThan(300)
  })
})

describe('the same with ECN: what would be dropped is marked', () => {
  test('FQ-CoDel drops nothing, and the sparse flow is as well off', async () => {
    const outcome = await run({ queue: 'fq_codel', ecn: 'true', time: '10s' })
    expect(outcome.verdict).toBe('passed')
    const { dropped, marked, utilisation } = bottleneck(outcome)
    expect(dropped).toEqual({})
    expect(marked).toBeGreaterThan(300)
    expect(utilisation).toBeGreaterThan(0.9)
    expect(delay(outcome).p99).toBeLessThan(10 * MS)
    // Nothing was lost, so nothing is sent again.
    for (const { forward } of outcome.flows.filter(({ protocol }) => protocol === 'tcp')) {
      for (const each of Object.values(forward.retransmissions)) expect(each).toBe(0)
    }
  })

  test('hosts that do not ask have their frames dropped by the same queue', async () => {
    const outcome = await run({ queue: 'fq_codel', options: 'ecn', time: '5s' })
    const { dropped, marked } = bottleneck(outcome)
    expect(marked).toBe(0)
    expect(dropped['fq-codel']).toBeGreaterThan(100)
  })
})

test('a discipline that cannot be is refused where it was written', async () => {
  const refused = run({ queue: 'codel', options: 'taget 5ms', time: '1s' })
  await expect(refused).rejects.toMatchObject({
    message: "codel has no option 'taget'",
    hint: "did you mean 'target'?",
    where: 'link r1-r2: to r2: queue',
  })
})
