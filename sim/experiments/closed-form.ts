import type { Nanos } from '../../protocols/time.ts'

/*
 * Stop-and-wait to n receivers, each of which loses a data packet with probability p; nothing is
 * lost on the way back. Every segment takes a round trip, and a timeout for each time that somebody
 * has to be sent it again:
 *
 *   delay = ⌈F / MSS⌉ · (R + T · E(n, p)),   E(n, p) = Σ k≥1 of 1 − (1 − p^k)^n
 */

/** Terms beyond this one add less than a double can tell. */
const TERMS = 400

/** Mean and standard deviation of the timeouts that one segment costs. */
export function timeoutsOf(receivers: number, p: number): { mean: number; deviation: number } {
  let [mean, square, power] = [0, 0, 1]
  for (let k = 1; k <= TERMS; k++) {
    power *= p
    let all = 1
    for (let i = 0; i < receivers; i++) all *= 1 - power
    // That somebody still misses it after k attempts.
    const missing = 1 - all
    mean += missing
    square += (2 * k - 1) * missing
  }
  return { mean, deviation: Math.sqrt(square - mean * mean) }
}

export interface StopAndWait {
  readonly bytes: number
  readonly unitBytes: number
  readonly receivers: number
  readonly p: number
  readonly roundTrip: Nanos
  readonly timeout: Nanos
}

/** What one transfer takes: mean and standard deviation, in nanoseconds. */
export function stopAndWaitDelay(of: StopAndWait): { mean: number; deviation: number } {
  const units = Math.ceil(of.bytes / of.unitBytes)
  const each = timeoutsOf(of.receivers, of.p)
  return {
    mean: units * (of.roundTrip + of.timeout * each.mean),
    deviation: Math.sqrt(units) * of.timeout * each.deviation,
  }
}
