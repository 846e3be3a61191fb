import { DISTRIBUTION_SCALE, type Distribution } from './distribution.ts'

/*
 * The distributions that netem knows by name, made when first asked for. Only + - × ÷ and √ are
 * used, which IEEE 754 leaves no choice about: every machine makes the same tables. Entry i stands
 * for the middle of its share of the probability, (i + ½) / 4096.
 */

const SIZE = 4096
/** netem's tables end here: a delay is at most 4 jitters above the mean. */
const LARGEST = 32_767
const SMALLEST = -32_768

export const DISTRIBUTION_NAMES = ['uniform', 'normal', 'pareto', 'paretonormal'] as const
export type DistributionName = (typeof DISTRIBUTION_NAMES)[number]

const made = new Map<DistributionName, Distribution>()

/** `null` for `uniform`, which needs no table. */
export function namedDistribution(name: DistributionName): Distribution | null {
  if (name === 'uniform') return null
  let distribution = made.get(name)
  if (distribution === undefined) {
    distribution = { name, table: Int16Array.from({ length: SIZE }, (_, i) => entry(name, i)) }
    made.set(name, distribution)
  }
  return distribution
}

function entry(name: Exclude<DistributionName, 'uniform'>, index: number): number {
  const share = (index + 0.5) / SIZE
  switch (name) {
    case 'normal':
      return clipped(normalQuantile(share))
    case 'pareto':
      return clipped(paretoQuantile(share))
    case 'paretonormal': {
      // A quarter of the one and three quarters of the other, entry by entry.
      const [normal, pareto] = [clipped(normalQuantile(share)), clipped(paretoQuantile(share))]
      return Math.round((normal + 3 * pareto) / 4)
    }
  }
}

const clipped = (deviations: number): number =>
  Math.max(SMALLEST, Math.min(LARGEST, Math.round(deviations * DISTRIBUTION_SCALE)))

/** netem's: shape 3, from which the mean of 1.5 is taken off, times 4/3. */
export function paretoQuantile(share: number): number {
  return (1 / cubeRoot(1 - share) - 1.5) * (4 / 3)
}

/** Newton's method, from 0 < x <= 1. */
function cubeRoot(x: number): number {
  let root = 1
  for (;;) {
    const next = (2 * root + x / (root * root)) / 3
    // From above it falls, until rounding stops it.
    if (next >= root) return root
    root = next
  }
}

/** By Newton's method on the distribution function; exact to about 1e-14 for 1e-4 < share < 1 - 1e-4. */
export function normalQuantile(share: number): number {
  if (share > 0.5) return -normalQuantile(1 - share)
  let x = 0
  for (let step = 0; step < 40; step++) {
    const next = x - (normalShare(x) - share) / normalDensity(x)
    // On this side the function is convex: the steps go one way and end.
    if (next >= x) return x
    x = next
  }
  return x
}

const SQRT_2_PI = Math.sqrt(2 * Math.PI)

/** e^(-x²/2) / √2π. */
const normalDensity = (x: number): number => 1 / (exponential((x * x) / 2) * SQRT_2_PI)

/** P(X <= x) = ½ + density × (x + x³/3 + x⁵/(3·5) + …), all terms of one sign. */
function normalShare(x: number): number {
  let term = x
  let sum = x
  for (let n = 3; sum + term !== sum; n += 2) {
    term *= (x * x) / n
    sum += term
  }
  return 0.5 + sum * normalDensity(x)
}

/** The power series, for x >= 0. */
function exponential(x: number): number {
  let term = 1
  let sum = 1
  for (let n = 1; sum + term !== sum; n++) {
    term *= x / n
    sum += term
  }
  return sum
}
