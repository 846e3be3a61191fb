import type { Nanos } from '../time.ts'
import type { ArqTimeout } from './policy.ts'

// RFC 6298, the arithmetic alone. Section numbers are its own.

export interface Estimate {
  /** -1 before the first sample. */
  srtt: Nanos
  rttvar: Nanos
  /** The timeout in force, back-off included. */
  rto: Nanos
}

export const createEstimate = (timeout: ArqTimeout): Estimate => ({
  srtt: -1,
  rttvar: 0,
  rto: timeout.initial,
})

/** Takes a round trip of a unit that went once (Karn's rule, section 3), and ends any back-off. */
export function sampleRoundTrip(e: Estimate, rtt: Nanos, timeout: ArqTimeout): void {
  if (e.srtt < 0) {
    e.srtt = rtt // (2.2)
    e.rttvar = Math.round(rtt / 2)
  } else {
    e.rttvar = Math.round(0.75 * e.rttvar + 0.25 * Math.abs(e.srtt - rtt)) // (2.3)
    e.srtt = Math.round(0.875 * e.srtt + 0.125 * rtt)
  }
  if (!timeout.fixed) e.rto = estimated(e, timeout)
}

/** (5.5) */
export function backOff(e: Estimate, timeout: ArqTimeout): void {
  if (timeout.backOff) e.rto = Math.min(2 * e.rto, timeout.max)
}

/** Progress without a sample: Karn's rule forbids one, but the peer is there. */
export function endBackOff(e: Estimate, timeout: ArqTimeout): void {
  if (!timeout.backOff) return
  e.rto = e.srtt < 0 || timeout.fixed ? timeout.initial : estimated(e, timeout)
}

/** (2.3), (2.4): `min` takes the place of the clock granularity. */
const estimated = ({ srtt, rttvar }: Estimate, { min, max }: ArqTimeout): Nanos =>
  Math.min(srtt + Math.max(min, 4 * rttvar), max)
