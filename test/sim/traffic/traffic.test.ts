import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MemoryFiles } from '../../../sim/files.ts'
import { runScenario } from '../../../sim/run.ts'
import { defineScenario, type LinkSpec } from '../../../sim/scenario.ts'
import type { Traffic } from '../../../sim/traffic/place.ts'
import type { TrafficSpec } from '../../../sim/traffic/spec.ts'
import { verifyScenario } from '../../../sim/verify.ts'

/** Traffic from a to b, where everything is thrown away; its figures and the run's. */
async function run(specs: readonly TrafficSpec[], link: LinkSpec = {}, until = '10s') {
  const figures: Traffic[] = []
  const scenario = defineScenario({
    name: 'traffic',
    topology: { a: 'host', b: 'host' },
    links: [
      { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '1ms', rate: '100Mbit', ...link },
    ],
    programs: {
      a: (host) => void figures.push(...specs.map((spec) => host.traffic(spec))),
      b: (host) => {
        host.serve('discard')
        host.traffic({ kind: 'respond', port: 80, request: '1kB', response: '5kB' })
      },
    },
    until,
  })
  const capture = readFileSync(join(import.meta.dirname, '../../data/mixed.pcapng'))
  const files = new MemoryFiles({ 'mixed.pcapng': Uint8Array.from(capture) })
  const outcome = await runScenario(scenario, { seed: '1', files })
  expect(outcome.failure).toBe(null)
  const counted = figures.map((each) => ({ ...each }))
  expect((await verifyScenario(scenario, { seed: '1', files })).digest).toBe(outcome.digest)
  return { figures: counted, flows: outcome.flows, samples: outcome.samples }
}

const to = '10.0.0.2:9'

test('cbr over UDP, from its start to its stop', async () => {
  const { figures, flows } = await run([
    { kind: 'cbr', to, rate: '8Mbit', size: '1000B', start: '1s', stop: '2s' },
  ])
  // One each millisecond, 1000 in a second; the one at the very end is not sent.
  expect(figures).toEqual([{ packets: 1000, bytes: 1_000_000 }])
  expect(flows[0]).toMatchObject({
    protocol: 'udp',
    forward: { deliveredBytes: 1_000_000, segments: 1000 },
  })
  expect(flows[0]!.firstNanos).toBeGreaterThanOrEqual(1e9)
})

test('cbr over TCP: what is written arrives, in segments of TCP', async () => {
  const { flows } = await run(
    [{ kind: 'cbr', to, rate: '2Mbit', size: '500B', protocol: 'tcp', stop: '1s' }],
    { loss: '1%' },
  )
  expect(flows[0]).toMatchObject({ protocol: 'tcp', forward: { deliveredBytes: 250_000 } })
  // The connection ends in order when the traffic does: one FIN each way, long before the run does.
  expect(flows[0]!.lastNanos).toBeLessThan(3e9)
})

test('poisson and on-off keep within what they were asked for', async () => {
  const { figures } = await run([
    { kind: 'poisson', to, rate: '800kbit', size: '1000B', name: 'first' },
    { kind: 'on-off', to, rate: '800kbit', size: '1000B', on: '50ms', off: '50ms' },
  ])
  // 1000 packets in 10 s, with deviation √1000; half of that, in some hundred spells.
  expect(Math.abs(figures[0]!.packets - 1000)).toBeLessThan(160)
  expect(figures[1]!.packets).toBeGreaterThan(300)
  expect(figures[1]!.packets).toBeLessThan(700)
})

test('other traffic on the same host leaves the draws of the first where they were', async () => {
  const spec: TrafficSpec = { kind: 'poisson', to, rate: '1Mbit', name: 'first' }
  const alone = await run([spec], {}, '2s')
  const beside = await run([spec, { ...spec, name: 'second' }], {}, '2s')
  expect(beside.figures[0]).toEqual(alone.figures[0])
  expect(beside.figures[1]).not.toEqual(alone.figures[0])
})

test('request-response: a request, its answer, a pause; each answer time is a sample', async () => {
  const { figures, samples } = await run([
    {
      kind: 'request-response',
      to: '10.0.0.2:80',
      request: '1kB',
      response: '5kB',
      count: 20,
      name: 'page',
    },
  ])
  expect(figures).toEqual([{ packets: 20, bytes: 20_000 }])
  // 2 ms of delay both ways; 1066 and at least 5000 bytes take 85 and 400 µs at 100 Mbit/s.
  expect(samples['page']!.count).toBe(20)
  expect(samples['page']!.p50).toBeGreaterThan(2_485_000)
  expect(samples['page']!.p50).toBeLessThan(2_700_000)
})

test('bulk ends with its bytes; replay sends what the capture has', async () => {
  const { flows, figures } = await run([
    { kind: 'bulk', to, bytes: '1MB' },
    { kind: 'replay', to, capture: 'mixed.pcapng', filter: 'tcp and less 1400' },
  ])
  expect(flows.find(({ protocol }) => protocol === 'tcp')).toMatchObject({
    forward: { deliveredBytes: 1_000_000 },
  })
  expect(figures[1]!.packets).toBeGreaterThan(30)
  expect(flows.find(({ protocol }) => protocol === 'udp')).toMatchObject({
    forward: { segments: figures[1]!.packets, deliveredBytes: figures[1]!.bytes },
  })
})
