import { describe, expect, test } from 'vitest'
import type { BbrState } from '../../../../protocols/tcp/congestion/bbr.ts'
import type { TcpState } from '../../../../protocols/tcp/state.ts'
import { ms, s as seconds, type Nanos } from '../../../../protocols/time.ts'
import { startBulk, startSink } from '../../../../sim/bulk.ts'
import type { LinkSpec } from '../../../../sim/scenario.ts'
import { planNetwork } from '../../../../sim/topology.ts'
import { World } from '../../../../sim/world.ts'

const PORT = 5000

/** One flow of BBR over 10 Mbit/s and 2 x 10 ms, looked at every millisecond. */
function flow(until: Nanos, link: LinkSpec, look: (at: Nanos, b: BbrState, s: TcpState) => void) {
  const host = { kind: 'host', tcp: { congestion: 'bbr' } } as const
  const network = planNetwork({ a: host, b: host }, [
    { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, rate: '10Mbit', delay: '10ms', ...link },
  ])
  const world = new World(network, { seed: '1' })
  const [a, b] = [world.node('a'), world.node('b')]
  startSink(b, PORT)
  startBulk(a, { address: b.state.interfaces[0]!.addresses[0]!, port: PORT }, Infinity)
  for (let at: Nanos = 0; at <= until; at += ms(1)) {
    world.runUntil(at)
    const s = a.state.sockets.find((each) => each?.kind === 'connection')
    if (s?.kind === 'connection' && s.cc.own?.kind === 'bbr') look(at, s.cc.own, s)
  }
}

/** Bytes of payload a second that the link can carry: 1448 of every 1514. */
const BOTTLENECK = (10e6 / 8) * (1448 / 1514)

describe('the phases, on a path with nobody else', () => {
  const phases: { at: number; phase: string }[] = []
  const gains: number[] = []
  const last: { b?: BbrState; s?: TcpState } = {}
  let largestInProbeRtt = 0
  flow(seconds(22), { queue: '100 frames' }, (at, b, s) => {
    if (phases.at(-1)?.phase !== b.phase) phases.push({ at: at / 1e6, phase: b.phase })
    if (b.phase === 'PROBE_BW' && at < seconds(8) && gains.at(-1) !== b.pacingGain) {
      gains.push(b.pacingGain)
    }
    if (b.phase === 'PROBE_RTT') largestInProbeRtt = Math.max(largestInProbeRtt, s.cc.cwnd)
    Object.assign(last, { b, s })
  })

  test('STARTUP, DRAIN, PROBE_BW, and PROBE_RTT for 200 ms every ten seconds', () => {
    const names = phases.map(({ phase }) => phase)
    expect(names.slice(0, 5)).toEqual(['STARTUP', 'DRAIN', 'PROBE_BW', 'PROBE_RTT', 'PROBE_BW'])
    const [, drain, probeBw, probeRtt, again] = phases
    // The rate doubles each round trip of 21 ms from 14 segments in it on; three rounds see no growth.
    expect(drain!.at).toBeGreaterThan(100)
    expect(drain!.at).toBeLessThan(400)
    expect(probeBw!.at - drain!.at).toBeLessThan(200)
    expect(probeRtt!.at).toBeGreaterThan(10_000)
    expect(probeRtt!.at).toBeLessThan(10_500)
    expect(again!.at - probeRtt!.at).toBeGreaterThanOrEqual(200)
    expect(again!.at - probeRtt!.at).toBeLessThan(300)
    expect(largestInProbeRtt).toBe(4 * 1448)
  })

  test('the cycle of gains (§4.3.4.1): up, down, then even', () => {
    const text = gains.join(' ')
    expect(text).toContain('1.25 0.75 1 1.25 0.75 1')
    expect(text).not.toContain('1.25 1 ')
    expect(new Set(gains)).toEqual(new Set([1, 1.25, 0.75]))
  })

  test('the model is the path: bandwidth within 2 %, round trip within 1 %', () => {
    const { b } = last
    expect(b!.btlBw / BOTTLENECK).toBeGreaterThan(0.98)
    expect(b!.btlBw / BOTTLENECK).toBeLessThan(1.02)
    // 20 ms, and the bits of a segment and of an ACK.
    const bits = ((1514 + 66) * 8e9) / 10e6
    expect(b!.rtProp / (ms(20) + bits)).toBeGreaterThan(0.999)
    expect(b!.rtProp / (ms(20) + bits)).toBeLessThan(1.01)
  })

  test('what may be in flight is twice the path, and something for the quanta (§4.2.3.2)', () => {
    const { b, s } = last
    const path = (b!.btlBw * b!.rtProp) / 1e9
    expect(s!.cc.cwnd).toBe(Math.floor(2 * path + 3 * 2 * 1448))
  })
})

test('a path that becomes slower is believed after ten round trips, a faster one at once', () => {
  const seen: number[] = []
  const schedule = [
    { at: '4s', rate: '5Mbit' },
    { at: '8s', rate: '10Mbit' },
  ]
  flow(seconds(10), { schedule }, (at, b) => {
    if ([3, 6, 9.9].includes(at / 1e9)) seen.push(b.btlBw / BOTTLENECK)
  })
  const [before, slow, fast] = seen
  expect(before).toBeCloseTo(1, 1)
  expect(slow).toBeCloseTo(0.5, 1)
  expect(fast).toBeCloseTo(1, 1)
})
