import type { Nanos } from '../protocols/time.ts'
import type { DelaySummary } from './summary.ts'

/** Spans up to this are counted one by one; above, this many steps lie between two powers of two. */
const STEPS = 256

/**
 * How often each delay occurred, in room that does not grow with the number of frames. Smallest,
 * mean (rounded) and largest are exact; a percentile is too large by less than 1/256 of itself, and no
 * larger than the largest.
 */
export class DelayHistogram {
  #counts: number[] = []
  #samples = 0
  #total = 0
  #min: Nanos = Infinity
  #max: Nanos = 0

  /** A whole number of nanoseconds, from 0. */
  add(delay: Nanos): void {
    const bucket = bucketOf(delay)
    while (this.#counts.length <= bucket) this.#counts.push(0)
    this.#counts[bucket]! += 1
    this.#samples += 1
    this.#total += delay
    if (delay < this.#min) this.#min = delay
    if (delay > this.#max) this.#max = delay
  }

  /** `null` where nothing was ever delayed. */
  summary(): DelaySummary | null {
    if (this.#max === 0) return null
    return {
      samples: this.#samples,
      minNanos: this.#min,
      avgNanos: Math.round(this.#total / this.#samples),
      p50Nanos: this.percentile(50),
      p90Nanos: this.percentile(90),
      p99Nanos: this.percentile(99),
      maxNanos: this.#max,
    }
  }

  /** The smallest delay that `rank` percent of all do not exceed (nearest rank). */
  percentile(rank: number): Nanos {
    const wanted = Math.max(Math.ceil((rank * this.#samples) / 100), 1)
    let seen = 0
    const bucket = this.#counts.findIndex((count) => (seen += count) >= wanted)
    return Math.min(largestOf(bucket), this.#max)
  }
}

function bucketOf(delay: Nanos): number {
  let scaled = delay
  let octave = 0
  // Spans beyond 31 bits are rare; 2 s and less take integer arithmetic alone.
  while (scaled > 0x7fff_ffff) {
    scaled = Math.floor(scaled / 2)
    octave += 1
  }
  const shift = Math.max(23 - Math.clz32(scaled), 0)
  return scaled < 2 * STEPS && octave === 0 ? scaled : (octave + shift) * STEPS + (scaled >>> shift)
}

function largestOf(bucket: number): Nanos {
  if (bucket < 2 * STEPS) return bucket
  const octave = Math.floor(bucket / STEPS) - 1
  return (bucket - octave * STEPS + 1) * 2 ** octave - 1
}
