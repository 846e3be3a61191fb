import { describe, expect, test } from 'vitest'
import { type Chances, LinkDraws } from '../../sim/link-draws.ts'
import { PERFECT_LINK } from '../../sim/link.ts'
import { namedDistribution } from '../../sim/distribution-tables.ts'
import { fourStates, gilbertElliott, type LossModel, lossShare } from '../../sim/loss-model.ts'
import { longRun, type Matrix, stationary } from './markov.ts'

/*
 * Each statistic over a million frames lies within five standard deviations of what the model says;
 * the deviation is derived, too. Seeds are fixed, so a test passes always or never; five deviations
 * mean that one honest seed in two million would not do.
 */
const COUNT = 1_000_000
const SIGMAS = 5

function drawn(options: Partial<Chances>, seed = '1'): LinkDraws {
  const draws = new LinkDraws(seed, 'a>b')
  draws.configure({ ...PERFECT_LINK, ...options })
  return draws
}

/** Where in so many frames something holds. */
function hits(options: Partial<Chances>, what: (draws: LinkDraws) => boolean): Uint8Array {
  const draws = drawn(options)
  return Uint8Array.from({ length: COUNT }, () => {
    draws.next()
    return what(draws) ? 1 : 0
  })
}
const losses = (options: Partial<Chances>): Uint8Array => hits(options, (draws) => draws.lost)
const sum = (values: Uint8Array): number => values.reduce((total, x) => total + x, 0)

/** Lengths of the runs of ones. */
function bursts(values: Uint8Array): number[] {
  const lengths: number[] = []
  let length = 0
  for (const value of values) {
    if (value === 1) length += 1
    else if (length > 0) {
      lengths.push(length)
      length = 0
    }
  }
  return lengths
}

function expectNear(actual: number, expected: number, deviation: number): void {
  expect(Math.abs(actual - expected) / deviation, `${actual}, not ${expected}`).toBeLessThan(SIGMAS)
}

describe('independent chances: binomial', () => {
  const EVENTS: [string, (p: number) => Partial<Chances>, (draws: LinkDraws) => boolean][] = [
    ['loss', (loss) => ({ loss }), (d) => d.lost],
    ['duplicate', (duplicate) => ({ duplicate }), (d) => d.duplicated],
    ['reorder', (reorder) => ({ reorder }), (d) => d.reordered],
    ['corrupt', (corrupt) => ({ corrupt }), (d) => d.corrupted],
    ['gemodel p', (p) => ({ lossModel: gilbertElliott(p) }), (d) => d.lost],
    ['state p13', (p) => ({ lossModel: fourStates(p) }), (d) => d.lost],
  ]
  test.each(EVENTS)('%s', (_, options, what) => {
    for (const p of [0.3, 0.01]) {
      const list = hits(options(p), what)
      expectNear(sum(list), COUNT * p, Math.sqrt(COUNT * p * (1 - p)))
      // Neighbours know nothing of each other: of n pairs p² hit twice; a pair shares frames with
      // two others, which adds 2 (p³ - p⁴) to the variance.
      const pairs = list.reduce((n, x, i) => n + (x === 1 && list[i + 1] === 1 ? 1 : 0), 0)
      const variance = p ** 2 - p ** 4 + 2 * (p ** 3 - p ** 4)
      expectNear(pairs, COUNT * p ** 2, Math.sqrt(COUNT * variance))
    }
  })

  test('the flipped bit lies anywhere', () => {
    const draws = drawn({ corrupt: 0.5 })
    let total = 0
    for (let i = 0; i < COUNT; i++) {
      draws.next()
      total += draws.corruptPosition
    }
    expectNear(total / COUNT, 0.5, Math.sqrt(1 / 12 / COUNT))
  })
})

const gilbertMatrix = (p: number, r: number): Matrix => [
  [1 - p, p],
  [r, 1 - r],
]

describe('loss models', () => {
  const ELLIOTT: [number, number, number, number][] = [
    [0.01, 0.25, 1, 0],
    [0.02, 0.1, 0.7, 0],
    [0.001, 0.05, 0.5, 0.01],
    [0.3, 0.9, 0.8, 0.1],
  ]
  test.each(ELLIOTT)('gemodel %d %d %d %d: the share that is lost', (p, r, bad, good) => {
    const model = gilbertElliott(p, r, bad, good)
    const { mean, deviation } = longRun(gilbertMatrix(p, r), [good, bad])
    expect(mean).toBeCloseTo((good * r + bad * p) / (p + r), 12)
    expect(lossShare(model)).toBeCloseTo(mean, 12)
    const share = sum(losses({ lossModel: model })) / COUNT
    // It starts in the good state: 1 / (p + r) frames at most differ by that.
    expectNear(share, mean, deviation(COUNT) + 1 / (p + r) / COUNT / SIGMAS)
  })

  test.each([
    [0.01, 0.25],
    [0.05, 0.5],
    [0.001, 0.02],
  ])('simple Gilbert %d %d: bursts are geometric', (p, r) => {
    const list = losses({ lossModel: gilbertElliott(p, r) })
    const lengths = bursts(list)
    const mean = lengths.reduce((a, b) => a + b) / lengths.length
    expectNear(mean, 1 / r, Math.sqrt((1 - r) / r ** 2 / lengths.length))
    const single = lengths.filter((length) => length === 1).length
    expectNear(single, lengths.length * r, Math.sqrt(lengths.length * r * (1 - r)))
    // One burst per stay in the bad state: a renewal process of p-geometric gaps and r-geometric bursts.
    const cycle = 1 / p + 1 / r
    const spread = (1 - p) / p ** 2 + (1 - r) / r ** 2
    expectNear(lengths.length, COUNT / cycle, Math.sqrt((COUNT * spread) / cycle ** 3) + 1)
  })

  test('Gilbert with losses in half of the bad state: what follows a loss', () => {
    const [p, r, bad] = [0.02, 0.1, 0.5]
    const list = losses({ lossModel: gilbertElliott(p, r, bad) })
    // A loss says that the state was bad; the next frame is lost with (1 - r) × ½.
    const after = list.filter((_, i) => i > 0 && list[i - 1] === 1)
    const chance = (1 - r) * bad
    expectNear(sum(after), after.length * chance, Math.sqrt(after.length * chance * (1 - chance)))
  })

  const STATES: [string, LossModel][] = [
    ['2 states', fourStates(0.01, 0.25)],
    ['3 states', fourStates(0.02, 0.2, 0.3, 0.4)],
    ['4 states', fourStates(0.01, 0.15, 0.25, 0.35, 0.02)],
    ['p13 and p14 are all there is', fourStates(0.6, 0.5, 0.5, 0.1, 0.4)],
  ]
  test.each(STATES)('state, %s', (_, model) => {
    if (model.kind !== 'state') throw new Error('not this kind')
    const { p13, p31, p32, p23, p14 } = model
    const matrix: Matrix = [
      [1 - p13 - p14, 0, p13, p14],
      [0, 1 - p23, p23, 0],
      [p31, p32, 1 - p31 - p32, 0],
      [1, 0, 0, 0],
    ]
    const { mean, deviation } = longRun(matrix, [0, 0, 1, 1])
    expect(lossShare(model)).toBeCloseTo(mean, 10)
    const list = losses({ lossModel: model })
    expectNear(sum(list) / COUNT, mean, deviation(COUNT) + 1e-6)
    // What follows a loss: from 3 it stays or goes, from 4 it is always over.
    const shares = stationary(matrix)
    const lostNext = shares[2]! * (1 - p31 - p32)
    const pairs = list.reduce((n, x, i) => n + (x === 1 && list[i + 1] === 1 ? 1 : 0), 0)
    // Pairs cluster as bursts do: bounded by the deviation of the losses themselves.
    expect(Math.abs(pairs / COUNT - lostNext)).toBeLessThan(SIGMAS * 2 * deviation(COUNT))
  })
})

/**
 * netem's correlated result is x' = (1 - ρ) v + ρ x. Cut into cells it is a Markov chain: from the
 * middle of a cell it goes to a stretch of width 1 - ρ, evenly.
 */
function correlatedMatrix(rho: number, cells: number): Matrix {
  return Array.from({ length: cells }, (_, from) => {
    const start = (rho * (from + 0.5)) / cells
    const end = start + 1 - rho
    return Array.from({ length: cells }, (_unused, to) => {
      const overlap = Math.min(end, (to + 1) / cells) - Math.max(start, to / cells)
      return Math.max(overlap, 0) / (1 - rho)
    })
  })
}

describe('correlation', () => {
  test.each([0.25, 0.5, 0.9])('of %d: mean, variance and correlation of the results', (rho) => {
    // A jitter of 2^30 shows the result itself, from -2^30 to 2^30.
    const half = 2 ** 30
    const draws = drawn({ jitter: half, jitterCorrelation: rho })
    const x = Float64Array.from({ length: COUNT }, () => {
      draws.next()
      return draws.jitter / half / 2
    })
    const mean = x.reduce((a, b) => a + b) / COUNT
    // Σ x is Σ v but for the ends: the draws' own deviation.
    expectNear(mean, 0, Math.sqrt(1 / 12 / COUNT))
    const covariance = (lag: number) => {
      let total = 0
      for (let i = 0; i + lag < COUNT; i++) total += (x[i]! - mean) * (x[i + lag]! - mean)
      return total / COUNT
    }
    // An autoregression of uniform draws, whose fourth moment is 9/5 of the variance squared.
    const variance = (1 - rho) / (1 + rho) / 12
    const wobble = -1.2 + (2 * (1 + rho ** 2)) / (1 - rho ** 2)
    expectNear(covariance(0), variance, variance * Math.sqrt(wobble / COUNT))
    // Bartlett: the sample correlation deviates by √((1 - ρ²) / n).
    expectNear(covariance(1) / covariance(0), rho, Math.sqrt((1 - rho ** 2) / COUNT))
    // At 2 by √((1 - ρ²)(1 + 3 ρ²) / n).
    const atTwo = Math.sqrt(((1 - rho ** 2) * (1 + 3 * rho ** 2)) / COUNT)
    expectNear(covariance(2) / covariance(0), rho ** 2, atTwo)
  })

  test.each([
    [0.3, 0.25],
    [0.3, 0.5],
    [0.1, 0.25],
  ])('a loss of %d with %d is what the chain of results makes of it', (p, rho) => {
    const cells = 400
    const lostCells = Array.from({ length: cells }, (_, cell) => (cell + 0.5 < p * cells ? 1 : 0))
    const { mean, deviation } = longRun(correlatedMatrix(rho, cells), lostCells, false)
    // Less than p is lost where p is below a half.
    expect(mean).toBeLessThan(p)
    const share = sum(losses({ loss: p, lossCorrelation: rho })) / COUNT
    expectNear(share, mean, deviation(COUNT))
  })

  test('100 %: all as the first', () => {
    for (const name of ['loss', 'duplicate', 'corrupt', 'reorder']) {
      const options = { [name]: 0.5, [`${name}Correlation`]: 1 }
      const draws = drawn(options)
      const seen = Array.from({ length: 10_000 }, () => {
        draws.next()
        return draws.lost || draws.duplicated || draws.corrupted || draws.reordered
      })
      expect(new Set(seen).size).toBe(1)
    }
  })
})

describe('reorder with a gap', () => {
  test.each([
    [0.25, 5],
    [0.5, 2],
  ])('%d gap %d: a renewal process', (p, gap) => {
    const list = hits({ reorder: p, reorderGap: gap }, (d) => d.reordered)
    const cycle = gap - 1 + 1 / p
    expectNear(sum(list), COUNT / cycle, Math.sqrt((COUNT * (1 - p)) / p ** 2 / cycle ** 3))
    const places = [...list.keys()].filter((i) => list[i] === 1)
    const shortest = Math.min(...places.slice(1, 10_000).map((at, i) => at - places[i]!))
    expect(shortest).toBe(gap)
  })

  test('always with a gap of 5: every fifth', () => {
    const draws = drawn({ reorder: 1, reorderGap: 5 })
    const list = Array.from({ length: 12 }, () => {
      draws.next()
      return draws.reordered ? 1 : 0
    })
    expect(list).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0])
  })
})

describe('delay distributions', () => {
  const JITTER = 8_192_000
  function moments(values: ArrayLike<number>) {
    const n = values.length
    let [mean, variance, fourth] = [0, 0, 0]
    for (let i = 0; i < n; i++) mean += values[i]! / n
    for (let i = 0; i < n; i++) variance += (values[i]! - mean) ** 2 / n
    for (let i = 0; i < n; i++) fourth += (values[i]! - mean) ** 4 / n
    return { mean, variance, fourth }
  }
  function sample(options: Partial<Chances>): Float64Array {
    const draws = drawn({ jitter: JITTER, ...options })
    return Float64Array.from({ length: COUNT }, () => {
      draws.next()
      return draws.jitter
    })
  }
  function check(values: Float64Array, expected: ReturnType<typeof moments>) {
    const actual = moments(values)
    expectNear(actual.mean, expected.mean, Math.sqrt(expected.variance / COUNT))
    const wobble = Math.sqrt((expected.fourth - expected.variance ** 2) / COUNT)
    expectNear(actual.variance, expected.variance, wobble)
  }
  const below = (values: Float64Array, limit: number): number =>
    values.reduce((n, x) => n + (x < limit ? 1 : 0), 0)

  test('uniform', () => {
    const values = sample({})
    // Of 2j + 1 whole numbers: j (j + 1) / 3, and for the fourth moment j⁴ / 5 to seven digits.
    const variance = (JITTER * (JITTER + 1)) / 3
    check(values, { mean: 0, variance, fourth: JITTER ** 4 / 5 })
    for (const share of [0.01, 0.25, 0.5, 0.9]) {
      const limit = (2 * share - 1) * JITTER
      expectNear(below(values, limit), COUNT * share, Math.sqrt(COUNT * share * (1 - share)))
    }
    expect(Math.max(...values.subarray(0, 100_000).map(Math.abs))).toBeLessThanOrEqual(JITTER)
  })

  // Closed forms. Beyond four jitters a table ends: what lies there is counted at the edge.
  const PARETO = (share: number) => ((1 - share) ** (-1 / 3) - 1.5) * (4 / 3)
  const QUANTILES: { [name: string]: readonly [share: number, value: number][] } = {
    // Abramowitz and Stegun, table 26.1, and its inverse.
    normal: [
      [0.001, -3.090_232],
      [0.025, -1.959_964],
      [0.25, -0.674_490],
      [0.5, 0],
      [0.9, 1.281_552],
      [0.99, 2.326_348],
    ],
    pareto: [0.01, 0.25, 0.5, 0.9, 0.98].map((share) => [share, PARETO(share)] as const),
    paretonormal: [
      [0.25, 0.25 * -0.674_490 + 0.75 * PARETO(0.25)],
      [0.5, 0.75 * PARETO(0.5)],
      [0.9, 0.25 * 1.281_552 + 0.75 * PARETO(0.9)],
    ],
  }
  test.each(['normal', 'pareto', 'paretonormal'] as const)('%s', (name) => {
    const distribution = namedDistribution(name)!
    const values = sample({ distribution })
    // With 8192 as its unit a jitter of 1000 × 8192 multiplies each entry by 1000.
    check(values, moments([...distribution.table].map((entry) => entry * 1000)))
    for (const [share, value] of QUANTILES[name]!) {
      // A table is a staircase: half an entry's probability and its rounding besides.
      const stairs = COUNT / 4096
      const deviation = Math.sqrt(COUNT * share * (1 - share)) + stairs / SIGMAS
      expectNear(below(values, value * JITTER), COUNT * share, deviation)
    }
  })

  test('the copy has a draw of its own of the same distribution', () => {
    const distribution = namedDistribution('normal')!
    const draws = drawn({ jitter: JITTER, distribution, duplicate: 0.5 })
    let [both, squares] = [0, 0]
    for (let i = 0; i < COUNT; i++) {
      draws.next()
      both += (draws.jitter / JITTER) * (draws.copyJitter / JITTER)
      squares += (draws.copyJitter / JITTER) ** 2
    }
    expectNear(both / COUNT, 0, Math.sqrt(1 / COUNT))
    expectNear(squares / COUNT, 1, Math.sqrt(2 / COUNT))
  })
})

describe('streams', () => {
  const IMPAIRMENTS: Partial<Chances>[] = [
    { loss: 0.2 },
    { loss: 0.2, lossCorrelation: 0.3 },
    { lossModel: gilbertElliott(0.1, 0.3, 0.9, 0.05) },
    { lossModel: fourStates(0.1, 0.3, 0.2, 0.4, 0.05) },
    { duplicate: 0.2, duplicateCorrelation: 0.3 },
    { reorder: 0.2, reorderCorrelation: 0.3, reorderGap: 3 },
    { corrupt: 0.2, corruptCorrelation: 0.3 },
    { jitter: 500, jitterCorrelation: 0.3 },
    { jitter: 500, distribution: namedDistribution('pareto') },
  ]
  const VIEWS: readonly ((d: LinkDraws) => unknown)[] = [
    (d) => d.lost,
    (d) => d.duplicated,
    (d) => d.reordered,
    (d) => [d.corrupted, d.corruptPosition],
    (d) => d.jitter,
  ]
  const changes = (options: Partial<Chances>): number => {
    if ('loss' in options || 'lossModel' in options) return 0
    return ['lost', 'duplicate', 'reorder', 'corrupt', 'jitter'].findIndex((key) => key in options)
  }
  const seen = (options: Partial<Chances>, view: (d: LinkDraws) => unknown) => {
    const draws = drawn(options, 'streams')
    return Array.from({ length: 2000 }, () => {
      draws.next()
      return view(draws)
    })
  }

  test.each(IMPAIRMENTS)('switching on %j leaves all the others where they were', (extra) => {
    const own = changes(extra)
    for (const base of IMPAIRMENTS) {
      const view = changes(base)
      if (view === own) continue
      expect(seen({ ...base, ...extra }, VIEWS[view]!)).toEqual(seen(base, VIEWS[view]!))
    }
    // And it does do something.
    expect(seen(extra, VIEWS[own]!)).not.toEqual(seen({}, VIEWS[own]!))
  })

  test('off and on again: the stream goes on where it stood', () => {
    const through = seen({ loss: 0.3 }, (d) => d.lost)
    const draws = drawn({ loss: 0.3 }, 'streams')
    const next = (count: number) =>
      Array.from({ length: count }, () => {
        draws.next()
        return draws.lost
      })
    expect(next(100)).toEqual(through.slice(0, 100))
    draws.configure(PERFECT_LINK)
    expect(next(50)).not.toContain(true)
    draws.configure({ ...PERFECT_LINK, loss: 0.3 })
    expect(next(100)).toEqual(through.slice(100, 200))
  })
})
