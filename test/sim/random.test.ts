import { describe, expect, test } from 'vitest'
import { restoreStream, stream } from '../../sim/random.ts'

const take = (draw: () => number, count: number): number[] => Array.from({ length: count }, draw)

describe('random streams', () => {
  test('known draws, as multiples of 2^-32', () => {
    // Worked out from the generator's published recurrence by another program.
    const ints = take(stream('1', 'a>b/loss'), 4).map((u) => u * 2 ** 32)
    expect(ints).toEqual([3178786662, 4280265469, 1673458229, 2788166430])
  })

  test('one seed and name, one sequence; another seed or name, another', () => {
    const first = take(stream('7', 'a>b/loss'), 20)
    expect(take(stream('7', 'a>b/loss'), 20)).toEqual(first)
    expect(take(stream('8', 'a>b/loss'), 20)).not.toEqual(first)
    expect(take(stream('7', 'a>b/jitter'), 20)).not.toEqual(first)
    expect(take(stream('7', 'b>a/loss'), 20)).not.toEqual(first)
  })

  test('a saved position goes on with the same draws, after plain JSON', () => {
    const draw = stream('1', 'x')
    take(draw, 1000)
    const state = JSON.parse(JSON.stringify(draw.state()))
    const rest = take(draw, 50)
    expect(take(restoreStream(state), 50)).toEqual(rest)
    expect(take(restoreStream(state), 50)).toEqual(rest)
  })

  // Neighbouring seeds must not give neighbouring draws: a sweep over seeds 1 … n relies on it.
  // A draw is uniform, so 10,000 of them fall into each tenth 1000 ± 5 × 30 times, and two
  // successive seeds' draws have a correlation of 0 ± 5 / 100.
  test('the first draws of successive seeds are uniform and uncorrelated', () => {
    for (const skip of [0, 1, 2]) {
      const draws = Array.from({ length: 10_000 }, (_, seed) => {
        return take(stream(String(seed), 'a>b/loss'), skip + 1)[skip]!
      })
      const tenths = Array.from({ length: 10 }, () => 0)
      for (const u of draws) tenths[Math.floor(u * 10)]! += 1
      for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThanOrEqual(150)
      let covariance = 0
      for (let i = 1; i < draws.length; i++) covariance += (draws[i]! - 0.5) * (draws[i - 1]! - 0.5)
      expect(Math.abs((covariance / draws.length) * 12)).toBeLessThan(0.05)
    }
  })
})
