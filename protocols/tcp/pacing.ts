import { type Nanos } from '../time.ts'
import type { TcpState } from './state.ts'

// Segments leave one after the other at a rate instead of in bursts. A model of the path says at which
// (`rate`); without one it is the window for each round trip, and some more.

const SECOND = 1e9
/** In slow start the window doubles within a round trip; otherwise it grows by less than a fifth. */
const SLOW_START_GAIN = 2
const GAIN = 1.2

export interface Pacer {
  /** Bytes a second; 0: there is no model of the path that says. */
  rate: number
  /** When the next segment may leave. */
  at: Nanos
}

export const createPacer = (rate: number, now: Nanos): Pacer => ({ rate, at: now })

/** Bytes a second; 0: not paced yet. */
export const pacingRate = (s: TcpState, pacer: Pacer): number =>
  pacer.rate > 0 ? pacer.rate : windowRate(s)

/** What the window comes to, and some more, bytes a second; 0: nothing was measured yet. */
export function windowRate({ cc, rto }: TcpState): number {
  if (rto.srtt <= 0) return 0
  const gain = cc.cwnd < cc.ssthresh / 2 ? SLOW_START_GAIN : GAIN
  return (gain * cc.cwnd * SECOND) / rto.srtt
}

/** Slower than this, in bytes a second, segments go out one by one; below the other two by two. */
const ONE_BY_ONE = 1.2e6 / 8
const TWO_BY_TWO = 24e6 / 8
const QUANTUM_MAX = 65_536

/** What may go out at once, bytes: a millisecond's worth where the path is fast. */
export function sendQuantum(rate: number, mss: number): number {
  if (rate < ONE_BY_ONE) return mss
  if (rate < TWO_BY_TWO) return 2 * mss
  return Math.max(Math.min(rate / 1000, QUANTUM_MAX), 2 * mss)
}

/** Whether the next segment has to wait; then the timer is set for it. */
export function mustWait(s: TcpState, pacer: Pacer, now: Nanos): boolean {
  const { timers, mss } = s
  if (pacer.at <= now) return false
  const rate = pacingRate(s, pacer)
  if (rate === 0) return false
  const early = Math.ceil(((sendQuantum(rate, mss) - mss) * SECOND) / rate)
  if (pacer.at <= now + early) return false
  timers.pacing = pacer.at
  return true
}

/** A segment of so many bytes goes out now. */
export function paced(s: TcpState, pacer: Pacer, now: Nanos, bytes: number): void {
  const rate = pacingRate(s, pacer)
  if (rate === 0) return
  pacer.at = Math.max(pacer.at, now) + Math.ceil((bytes * SECOND) / rate)
}
