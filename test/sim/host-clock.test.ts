import fc from 'fast-check'
import { expect, test } from 'vitest'
import { s } from '../../protocols/time.ts'
import { HostClock } from '../../sim/host-clock.ts'

test('50 ppm fast gains 50 µs a second, from where the skew put it', () => {
  const clock = new HostClock(7, 50_000)
  expect(clock.toLocal(0)).toBe(7)
  expect(clock.toLocal(s(1))).toBe(s(1) + 50_000 + 7)
  expect(clock.toLocal(s(100_000))).toBe(s(100_000) + 5_000_000_000 + 7)
  expect(clock.toLocal(10_000)).toBe(10_007) // half a nanosecond is not shown yet
  expect(clock.toLocal(20_000)).toBe(20_008)
})

test('slow: the clock never goes back', () => {
  const clock = new HostClock(0, -100_000)
  for (let t = 0; t < 50_000; t++) {
    expect(clock.toLocal(t + 1)).toBeGreaterThanOrEqual(clock.toLocal(t))
  }
  expect(clock.toLocal(s(10))).toBe(s(10) - 1_000_000)
})

test('toWorld is the first instant at which the clock shows a time', () => {
  const instant = fc.integer({ min: 0, max: 1e14 })
  const drift = fc.integer({ min: -5_000_000, max: 5_000_000 })
  const skew = fc.integer({ min: -1e9, max: 1e9 })
  fc.assert(
    fc.property(instant, drift, skew, (local, ppb, off) => {
      const clock = new HostClock(off, ppb)
      const world = clock.toWorld(local)
      expect(clock.toLocal(world)).toBeGreaterThanOrEqual(local)
      if (world > 0) expect(clock.toLocal(world - 1)).toBeLessThan(local)
    }),
    { seed: 7, numRuns: 500 },
  )
  expect(new HostClock(0, 3).toWorld(Infinity)).toBe(Infinity)
})
