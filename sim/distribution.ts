import type { Nanos } from '../protocols/time.ts'
import { type Refusal, isRefusal } from './user-error.ts'

/**
 * How a delay spreads, as netem has it: a table of the inverse of the distribution function, in
 * units of the jitter's 1/8192. A draw picks an entry; the delay is the mean plus jitter × entry /
 * 8192. `sim/distribution-tables.ts` has the ones with a name.
 */
export interface Distribution {
  /** `normal` and so on; `table` for one that the user gave. */
  readonly name: string
  /** Ascending, from -32768 to 32767. */
  readonly table: Int16Array
}

/** What an entry of 1 × jitter is. */
export const DISTRIBUTION_SCALE = 8192
const SMALLEST = -32_768
const LARGEST = 32_767
/** netem takes no larger one. */
const LONGEST = 16_384

/**
 * What a draw from 0 to 1 adds to the mean, rounded to whole nanoseconds away from 0 at halves.
 *
 * netem picks by the lowest bits of its 32-bit draw and we by the highest: that is the same to
 * independent draws, and lets correlated ones be correlated.
 */
export function spread({ table }: Distribution, jitter: Nanos, draw: number): Nanos {
  const entry = table[Math.floor(draw * table.length)]!
  // In two parts: jitter × entry may lie beyond the integers that are exact.
  const rest = (jitter % DISTRIBUTION_SCALE) * entry
  const half = rest >= 0 ? DISTRIBUTION_SCALE / 2 : -DISTRIBUTION_SCALE / 2
  const whole = Math.floor(jitter / DISTRIBUTION_SCALE) * entry
  // `+ 0` because a truncated negative may be -0.
  return whole + Math.trunc((rest + half) / DISTRIBUTION_SCALE) + 0
}

/** Up to ± `jitter`, each whole nanosecond equally likely. */
export const uniformSpread = (jitter: Nanos, draw: number): Nanos =>
  Math.floor(draw * (2 * jitter + 1)) - jitter

/** A table of the user's own, in any order: whole numbers in 1/8192 of the jitter. */
export function tableDistribution(entries: readonly number[]): Distribution | Refusal {
  const expected = `expected 1 to ${LONGEST} whole numbers from ${SMALLEST} to ${LARGEST}`
  if (entries.length === 0 || entries.length > LONGEST) {
    return { error: `a table of ${entries.length} entries`, suggestion: expected }
  }
  const wrong = entries.find((n) => !Number.isInteger(n) || n < SMALLEST || n > LARGEST)
  if (wrong !== undefined) {
    return { error: `${String(wrong)} cannot stand in a delay table`, suggestion: expected }
  }
  return { name: 'table', table: Int16Array.from(entries).sort() }
}

/** The text of a `.dist` file of tc(8): white space between numbers, comments from `#` on. */
export function parseDistribution(text: string): Distribution | Refusal {
  const words = text.replace(/#.*/g, '').split(/\s+/)
  return tableDistribution(words.filter((word) => word !== '').map(Number))
}

/** The same text, for `/usr/lib/tc/NAME.dist`. */
export function formatDistribution({ name, table }: Distribution): string {
  const lines = [`# ${name}: the inverse of a distribution function, 1 is ${DISTRIBUTION_SCALE}`]
  for (let at = 0; at < table.length; at += 8) lines.push(table.slice(at, at + 8).join(' '))
  return `${lines.join('\n')}\n`
}

/** What measured delays say: their mean, their standard deviation, and how they spread. */
export interface MeasuredDelay {
  readonly delay: Nanos
  readonly jitter: Nanos
  readonly distribution: Distribution
}

/** Makes an empirical table of delays in nanoseconds, at least two of them. */
export function measuredDelay(delays: readonly Nanos[]): MeasuredDelay | Refusal {
  const wrong = delays.find((t) => !Number.isSafeInteger(t) || t < 0)
  if (wrong !== undefined || delays.length < 2) {
    const error = wrong === undefined ? `${delays.length} delays` : `${wrong} is not a delay`
    return { error, suggestion: 'expected two or more delays in nanoseconds' }
  }
  const sorted = Float64Array.from(delays).sort()
  const mean = sorted.reduce((sum, t) => sum + t, 0) / sorted.length
  const variance = sorted.reduce((sum, t) => sum + (t - mean) * (t - mean), 0) / sorted.length
  const jitter = Math.round(Math.sqrt(variance))
  const size = Math.min(sorted.length, MEASURED_ENTRIES)
  const entries = Array.from({ length: size }, (_, i) => {
    const at = Math.floor(((i + 0.5) * sorted.length) / size)
    const off = jitter === 0 ? 0 : Math.round(((sorted[at]! - mean) / jitter) * DISTRIBUTION_SCALE)
    return Math.max(SMALLEST, Math.min(LARGEST, off))
  })
  const distribution = tableDistribution(entries)
  if (isRefusal(distribution)) return distribution
  return { delay: Math.round(mean), jitter, distribution }
}

const MEASURED_ENTRIES = 4096
