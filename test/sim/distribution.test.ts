import { describe, expect, test } from 'vitest'
import {
  formatDistribution,
  measuredDelay,
  parseDistribution,
  spread,
  tableDistribution,
} from '../../sim/distribution.ts'
import { namedDistribution, normalQuantile, paretoQuantile } from '../../sim/distribution-tables.ts'
import { isRefusal } from '../../sim/user-error.ts'

const table = (entries: readonly number[]) => {
  const made = tableDistribution(entries)
  if (isRefusal(made)) throw new Error(made.error)
  return made
}

describe('tables with a name', () => {
  test('quantiles of the normal distribution', () => {
    // Known to many digits: 0.975 is 1.959963984540054, one half of the quartile range 0.67449.
    expect(normalQuantile(0.975)).toBeCloseTo(1.959_963_984_540_054, 12)
    expect(normalQuantile(0.25)).toBeCloseTo(-0.674_489_750_196_081_7, 12)
    expect(normalQuantile(0.5)).toBe(0)
    expect(normalQuantile(1 / 8192)).toBeCloseTo(-3.668_329_285_121, 9)
  })

  test('quantiles of the Pareto distribution with shape 3', () => {
    for (const share of [0, 0.1, 0.5, 7 / 8, 0.999]) {
      expect(paretoQuantile(share)).toBeCloseTo(((1 - share) ** (-1 / 3) - 1.5) * (4 / 3), 12)
    }
    // The median of 1/∛p is ∛2; at 7/8 it is 2.
    expect(paretoQuantile(7 / 8)).toBeCloseTo(2 / 3, 14)
  })

  test('4096 entries that rise, within the bounds of netem', () => {
    for (const name of ['normal', 'pareto', 'paretonormal'] as const) {
      const entries = [...namedDistribution(name)!.table]
      expect(entries).toHaveLength(4096)
      expect(entries).toEqual(entries.toSorted((a, b) => a - b))
    }
    const normal = [...namedDistribution('normal')!.table]
    expect(normal.map((x) => 0 - x).toReversed()).toEqual(normal)
    expect(namedDistribution('pareto')!.table.at(-1)).toBe(32_767)
    expect(namedDistribution('uniform')).toBeNull()
    expect(namedDistribution('normal')).toBe(namedDistribution('normal'))
  })

  test('the normal one has mean 0 and variance 1, but for the tails it lacks', () => {
    const entries = [...namedDistribution('normal')!.table].map((x) => x / 8192)
    expect(entries.reduce((a, b) => a + b)).toBe(0)
    expect(entries.reduce((a, b) => a + b * b, 0) / 4096).toBeCloseTo(1, 3)
  })
})

describe('picking', () => {
  test('an entry of 8192 is one jitter; halves are rounded away from 0', () => {
    const picks = table([-16_384, -8192, 0, 12_288])
    const at = (jitter: number, draw: number) => spread(picks, jitter, draw)
    expect([0, 0.25, 0.5, 0.75, 0.999].map((draw) => at(1000, draw))).toEqual([
      -2000, -1000, 0, 1500, 1500,
    ])
    expect(at(3, 0.75)).toBe(5) // 4.5
    expect(spread(table([-4096]), 1, 0)).toBe(-1) // -0.5
    expect(Object.is(at(7, 0.5), 0)).toBe(true)
  })

  test('exact for an hour of jitter', () => {
    const hour = 3600e9 + 1
    const exact = (BigInt(hour) * 32_767n * 2n + 8192n) / (2n * 8192n)
    expect(BigInt(spread(table([32_767]), hour, 0))).toBe(exact)
  })
})

describe('tables of the user', () => {
  test('as text, there and back; comments and any order', () => {
    const read = parseDistribution('# measured\n 5 -3\n8192 # one\n')
    if (isRefusal(read)) throw new Error(read.error)
    expect([...read.table]).toEqual([-3, 5, 8192])
    expect(parseDistribution(formatDistribution(read))).toEqual(read)
    const normal = namedDistribution('normal')!
    expect(parseDistribution(formatDistribution(normal))).toEqual({ ...normal, name: 'table' })
  })

  test.each([
    [[], 'a table of 0 entries'],
    [[1.5], '1.5 cannot'],
    [[40_000], '40000 cannot'],
    [[NaN], 'NaN cannot'],
  ])('%j is refused', (entries, error) => {
    expect(tableDistribution(entries)).toMatchObject({ error: expect.stringContaining(error) })
  })

  test('made from measured delays', () => {
    // Mean 20, deviation √(200 / 3) = 8.16 → 8; 10 below is 1.25 × 8192 = 10240.
    const made = measuredDelay([30, 10, 20])
    if (isRefusal(made)) throw new Error(made.error)
    expect([made.delay, made.jitter]).toEqual([20, 8])
    expect([...made.distribution.table]).toEqual([-10_240, 0, 10_240])
    const again = [0, 0.4, 0.9].map((draw) => 20 + spread(made.distribution, made.jitter, draw))
    expect(again).toEqual([10, 20, 30])
    expect(measuredDelay([5])).toMatchObject({ error: '1 delays' })
    expect(measuredDelay([5, -1])).toMatchObject({ error: '-1 is not a delay' })
  })
})
