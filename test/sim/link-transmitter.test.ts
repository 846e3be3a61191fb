import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Transmitter } from '../../sim/link-transmitter.ts'

function transmitter(rate: number): Transmitter {
  const made = new Transmitter()
  made.configure(rate, Infinity, Infinity)
  return made
}

/** When so many bytes, sent without a gap from 0 on, are through: in exact arithmetic. */
const exactEnd = (bytes: number, rate: number): number =>
  Number((BigInt(bytes) * 8_000_000_000n + BigInt(rate) - 1n) / BigInt(rate))

describe('serialisation', () => {
  test('does not drift: a million frames whose time is not a whole number of nanoseconds', () => {
    const rate = 7_000_003
    const link = transmitter(rate)
    let end = 0
    for (let n = 1; n <= 1_000_000; n++) end = link.accept(0, 1000)
    // 8e18 / 7,000,003 = 1,142,856,653,061.43…. Each rounded up for itself, they would take
    // 1,142,857 ns: together 0.3 ms more.
    expect(end).toBe(exactEnd(1_000_000_000, rate))
    expect(end).toBe(1_142_856_653_062)
  })

  test('a pause ends the sum: the next frame takes its own time, rounded up', () => {
    const link = transmitter(3_000_000_000)
    expect([link.accept(0, 1), link.accept(0, 1), link.accept(0, 1)]).toEqual([3, 6, 8])
    expect(link.accept(100, 1)).toBe(103)
    // On the end of the one before: back to back, 2.67 ns each from 100 on.
    expect([link.accept(103, 1), link.accept(106, 1)]).toEqual([106, 108])
    expect(link.accept(109, 1)).toBe(112)
  })

  test('any mixture of sizes and rates ends at the exact instant, rounded up once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400_000_000_000 }),
        fc.array(fc.integer({ min: 14, max: 65_549 }), { minLength: 1, maxLength: 60 }),
        (rate, sizes) => {
          const link = transmitter(rate)
          let bytes = 0
          for (const size of sizes) {
            bytes += size
            const expected = exactEnd(bytes, rate)
            fc.pre(expected < Number.MAX_SAFE_INTEGER)
            expect(link.accept(0, size)).toBe(expected)
          }
        },
      ),
      { seed: 3, numRuns: 300 },
    )
  })
})

/** Every frame that was accepted, in a list; what waits is counted anew each time. */
class ListedQueue {
  readonly frames: { start: number; end: number; size: number }[] = []

  waiting(now: number): { start: number; size: number }[] {
    return this.frames.filter(({ start }) => start > now)
  }
}

describe('the drop-tail queue against a list', () => {
  test('the same frames are refused, the same counts wait', () => {
    const offers = fc.array(
      fc.record({
        gap: fc.constantFrom(0, 0, 100, 100, 250, 1000),
        size: fc.constantFrom(25, 100),
      }),
      { minLength: 20, maxLength: 200 },
    )
    const limits = fc.tuple(fc.constantFrom(0, 1, 3, 40), fc.constantFrom(100, 250, Infinity))
    fc.assert(
      fc.property(offers, limits, (script, [frameLimit, byteLimit]) => {
        const link = new Transmitter()
        link.configure(4_000_000_000, frameLimit, byteLimit) // a byte takes 2 ns
        const list = new ListedQueue()
        let now = 0
        for (const { gap, size } of script) {
          now += gap
          const free = list.frames.at(-1)?.end ?? 0
          const before = list.waiting(now)
          const bytes = before.reduce((all, frame) => all + frame.size, 0)
          const room = before.length < frameLimit && bytes + size <= byteLimit
          const start = Math.max(now, free)
          const end = free <= now || room ? start + 2 * size : -1
          if (end >= 0) list.frames.push({ start, end, size })
          expect(link.accept(now, size)).toBe(end)
          const after = list.waiting(now)
          expect(link.frames).toBe(after.length)
          expect(link.bytes).toBe(after.reduce((all, frame) => all + frame.size, 0))
        }
      }),
      { seed: 4, numRuns: 200 },
    )
  })
})
