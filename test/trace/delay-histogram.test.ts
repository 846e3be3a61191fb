import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DelayHistogram } from '../../trace/delay-histogram.ts'

function histogram(delays: readonly number[]): DelayHistogram {
  const made = new DelayHistogram()
  for (const delay of delays) made.add(delay)
  return made
}

describe('small figures are exact', () => {
  test('by nearest rank', () => {
    const figures = histogram([50, 10, 40, 20, 30])
    const at = (rank: number) => figures.percentile(rank)
    expect([1, 20, 21, 50, 80, 99, 100].map(at)).toEqual([10, 10, 20, 30, 40, 50, 50])
  })

  test('a summary; nothing where nothing was delayed', () => {
    expect(histogram([0, 0]).summary()).toBeNull()
    expect(histogram([]).summary()).toBeNull()
    expect(histogram([0, 300, 600]).summary()).toEqual({
      samples: 3,
      minNanos: 0,
      avgNanos: 300,
      p50Nanos: 300,
      p90Nanos: 600,
      p99Nanos: 600,
      maxNanos: 600,
    })
  })
})

test('large ones are too large by less than 1/256, and never more than the largest', () => {
  const delay = fc.oneof(
    fc.integer({ min: 0, max: 2000 }),
    fc.integer({ min: 0, max: 10_000_000_000 }),
    fc.maxSafeInteger().map(Math.abs),
  )
  fc.assert(
    fc.property(
      fc.array(delay, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 100 }),
      (delays, rank) => {
        const sorted = delays.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil((rank * sorted.length) / 100) - 1]!
        const said = histogram(delays).percentile(rank)
        expect(said).toBeGreaterThanOrEqual(exact)
        expect(said - exact).toBeLessThanOrEqual(exact / 256)
        expect(said).toBeLessThanOrEqual(sorted.at(-1)!)
      },
    ),
    { seed: 6, numRuns: 500 },
  )
})
