import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { stream } from '../../../sim/random.ts'
import { exponential, naturalLogarithm } from '../../../sim/traffic/exponential.ts'
import { packetsOf, replayOf, type TrafficPacket } from '../../../sim/traffic/packets.ts'
import { readTraffic, type TrafficSpec } from '../../../sim/traffic/spec.ts'

const first = (spec: TrafficSpec, count: number, seed = '1'): TrafficPacket[] => {
  const packets = packetsOf(readTraffic(spec), stream(seed, 'traffic'))
  return Array.from({ length: count }, () => packets.next().value!)
}
const to = '10.0.0.2:9'

describe('the logarithm', () => {
  test('is that of mathematics, to the last bits', () => {
    for (let x = 2 ** -33; x < 4; x *= 1.0003) {
      const expected = Math.log(x)
      expect(Math.abs(naturalLogarithm(x) - expected)).toBeLessThanOrEqual(
        4 * Number.EPSILON * Math.max(Math.abs(expected), 2 ** -4),
      )
    }
    expect(naturalLogarithm(1)).toBe(0)
    expect(naturalLogarithm(2 ** -20)).toBe(-20 * Math.LN2)
  })

  test('draws of the exponential distribution: the ends, the middle, the mean and the variance', () => {
    expect(exponential(1 - 2 ** -32)).toBeCloseTo(33 * Math.LN2, 12)
    expect(exponential(0)).toBeCloseTo(2 ** -33, 15)
    expect(exponential(0.5)).toBeCloseTo(Math.LN2, 9)
    const draw = stream('1', 'exponential')
    const n = 1e6
    let [sum, squares, beyond] = [0, 0, 0]
    for (let i = 0; i < n; i++) {
      const x = exponential(draw())
      sum += x
      squares += x * x
      if (x > 3) beyond += 1
    }
    // Deviations over n draws: of the mean 1, of the second moment (24 - 4) and of the binomial.
    expect(Math.abs(sum / n - 1)).toBeLessThan(5 / Math.sqrt(n))
    expect(Math.abs(squares / n - 2)).toBeLessThan((5 * Math.sqrt(20)) / Math.sqrt(n))
    const p = Math.exp(-3)
    expect(Math.abs(beyond / n - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n))
  })
})

describe('cbr', () => {
  test('every size / rate, with no error that adds up', () => {
    // 1000 bytes at 3 Mbit/s: 2,666,666 and two thirds nanoseconds.
    const spec: TrafficSpec = { kind: 'cbr', to, rate: '3Mbit', size: '1000B' }
    expect(first(spec, 4)).toEqual([
      { at: 0, bytes: 1000 },
      { at: 2_666_666, bytes: 1000 },
      { at: 5_333_333, bytes: 1000 },
      { at: 8_000_000, bytes: 1000 },
    ])
    expect(first(spec, 300_001).at(-1)!.at).toBe(800_000_000_000)
  })
})

test('poisson: the mean rate, gaps of which e⁻¹ are longer than the mean', () => {
  const n = 200_000
  const packets = first({ kind: 'poisson', to, rate: '8Mbit', size: '1000B' }, n)
  const mean = 1e6
  expect(Math.abs(packets.at(-1)!.at / n / mean - 1)).toBeLessThan(5 / Math.sqrt(n))
  const long = packets.filter(({ at }, i) => at - (packets[i - 1]?.at ?? 0) > mean).length
  const p = Math.exp(-1)
  expect(Math.abs(long / n - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n))
})

test('on-off: spells of packets at the rate, silence between, in the ratio of the means', () => {
  const spec: TrafficSpec = {
    kind: 'on-off',
    to,
    rate: '8Mbit',
    size: '1000B',
    on: '100ms',
    off: '300ms',
  }
  const packets = first(spec, 200_000)
  const gaps = packets.slice(1).map(({ at }, i) => at - packets[i]!.at)
  // Within a spell they are 1 ms apart; between two spells less is possible, but rare.
  const steady = gaps.filter((gap) => gap === 1e6).length
  expect(steady / gaps.length).toBeGreaterThan(0.98)
  // The share of time in which it is on: a quarter, over about 2000 pairs of spells. Each pair's
  // on-time less a quarter of its whole has deviation √(75² + 75²) = 106 ms; of 400 ms · 2000, five
  // times √2000 such is 3 %.
  expect(Math.abs((packets.length * 1e6) / packets.at(-1)!.at / 0.25 - 1)).toBeLessThan(0.13)
})

test('another seed gives other times, the same seed the same', () => {
  const spec: TrafficSpec = { kind: 'poisson', to, rate: '1Mbit' }
  expect(first(spec, 50, '1')).toEqual(first(spec, 50, '1'))
  expect(first(spec, 50, '2')).not.toEqual(first(spec, 50, '1'))
})

describe('replay', () => {
  const capture = Uint8Array.from(
    readFileSync(join(import.meta.dirname, '../../data/mixed.pcapng')),
  )

  test('frames as long and as far apart as those of the capture', () => {
    // 47, 1514 and 834 bytes at …300888, …301129 and …301134 µs; less 42 of headers.
    expect(replayOf(capture, 'ip proto 17 and src 10.0.0.1', 'x').slice(0, 3)).toEqual([
      { at: 0, bytes: 5 },
      { at: 241_000, bytes: 1472 },
      { at: 246_000, bytes: 520 },
    ])
    expect(replayOf(capture, '', 'x')).toHaveLength(78)
  })

  test('what cannot be replayed is said', () => {
    expect(() => replayOf(capture, 'vlan', 'x')).toThrow('there is no frame to replay')
    expect(() => replayOf(capture, 'tpc', 'x')).toThrow("'tpc' is unknown")
    expect(() => replayOf(capture.subarray(0, 3), '', 'x')).toThrow('neither pcap nor pcapng')
  })
})

test.each([
  [{ kind: 'cbs', to, rate: '1Mbit' }, "'cbs' is no kind of traffic", "did you mean 'cbr'?"],
  [{ kind: 'cbr', to, rat: '1Mbit' }, "unknown key 'rat'", "did you mean 'rate'?"],
  [{ kind: 'cbr', to }, "'rate' is missing", 'it needs to, rate'],
  [
    { kind: 'cbr', to: '10.0.0.2', rate: 1 },
    "'10.0.0.2' is not an address with its port",
    "write one such as '10.0.0.2:9'",
  ],
  [{ kind: 'cbr', to, rate: '10' }, "'10' has no unit", "write '10Mbit' or '10kbit'"],
  [{ kind: 'cbr', to, rate: 'unlimited' }, "'unlimited' is too little", undefined],
  [
    { kind: 'cbr', to, rate: '1Mbit', size: '70kB' },
    'a datagram cannot hold 70000 bytes',
    'at most 65507 bytes',
  ],
  [{ kind: 'cbr', to, rate: '1Mbit', protocol: 'sctp' }, "'sctp' is not udp or tcp", undefined],
  [{ kind: 'respond', port: 0 }, '0 is not a port', undefined],
])('%j is refused', (spec, message, hint) => {
  const refused = (): unknown => {
    try {
      return readTraffic(spec as unknown as TrafficSpec)
    } catch (e) {
      return e
    }
  }
  const error = refused() as { message: string; hint?: string }
  expect([error.message, error.hint]).toEqual([message, hint])
})
