/** Figures of a series of spans, nanoseconds: exact, from all of them. */
export interface SampleSummary {
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Values that programs collected, by name, in the order in which they came. */
export class Samples {
  readonly #values = new Map<string, number[]>()

  add(name: string, value: number): void {
    const values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, [value])
    else values.push(value)
  }

  /** The values in rising order. */
  sorted(name: string): readonly number[] {
    return (this.#values.get(name) ?? []).toSorted((a, b) => a - b)
  }

  summaries(): { [name: string]: SampleSummary } {
    return Object.fromEntries(
      [...this.#values.keys()].map((name) => [name, summaryOf(this.sorted(name))]),
    )
  }
}

function summaryOf(sorted: readonly number[]): SampleSummary {
  const total = sorted.reduce((sum, value) => sum + value, 0)
  return {
    count: sorted.length,
    min: sorted[0]!,
    mean: total / sorted.length,
    p50: percentile(sorted, 50),
    p90: percentile(sorted, 90),
    p99: percentile(sorted, 99),
    max: sorted.at(-1)!,
  }
}

/** The smallest value that is not exceeded by `rank` percent of them (nearest rank). */
export function percentile(sorted: readonly number[], rank: number): number {
  const index = Math.ceil((rank / 100) * sorted.length) - 1
  return sorted[Math.min(Math.max(index, 0), sorted.length - 1)]!
}
