/*
 * What a finite Markov chain does in the long run, by plain arithmetic on its matrix: the reference
 * that draws are held against.
 */

export type Matrix = readonly (readonly number[])[]

/** The share of the time in each state. */
export function stationary(matrix: Matrix): number[] {
  let shares = matrix.map(() => 1 / matrix.length)
  for (let round = 0; round < 20_000; round++) {
    const next = step(shares, matrix)
    const moved = next.reduce((sum, share, i) => sum + Math.abs(share - shares[i]!), 0)
    shares = next
    if (moved < 1e-15) break
  }
  return shares
}

export interface LongRun {
  readonly mean: number
  /** Of the mean over so many steps: sums the covariances at every distance. */
  readonly deviation: (steps: number) => number
}

/** Of a chain that gives `value[state]` at each step, or 1 with that probability where it is `chance`. */
export function longRun(matrix: Matrix, value: readonly number[], chance = true): LongRun {
  const shares = stationary(matrix)
  const mean = dot(shares, value)
  const second = chance
    ? mean
    : dot(
        shares,
        value.map((x) => x * x),
      )
  let variance = second - mean * mean
  // E[x(0) x(k)] = Σ share × value × P^k value.
  let weighted = shares.map((share, i) => share * value[i]!)
  for (let distance = 1; distance < 20_000; distance++) {
    weighted = step(weighted, matrix)
    const covariance = dot(weighted, value) - mean * mean
    variance += 2 * covariance
    if (Math.abs(covariance) < 1e-12) break
  }
  return { mean, deviation: (steps) => Math.sqrt(variance / steps) }
}

function step(shares: readonly number[], matrix: Matrix): number[] {
  const next = shares.map(() => 0)
  shares.forEach((share, from) => {
    const row = matrix[from]!
    for (let to = 0; to < row.length; to++) next[to]! += share * row[to]!
  })
  return next
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0)
