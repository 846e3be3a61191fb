import { type Seq, seqGeq } from '../../sequence.ts'
import { ms, type Nanos } from '../../time.ts'

// HyStart++, RFC 9406: slow start ends when round trips become longer, before anything is lost.
// Section 4.2 and its names; section 4.3 for the constants.

export interface HystartState {
  /** The round ends when this is acknowledged. */
  windowEnd: Seq
  lastRoundMinRtt: Nanos
  currentRoundMinRtt: Nanos
  rttSampleCount: number
  /** Infinity in slow start itself; in Conservative Slow Start, what made it so. */
  cssBaselineMinRtt: Nanos
  /** Rounds begun in Conservative Slow Start. */
  cssRounds: number
}

const MIN_RTT_THRESH: Nanos = ms(4)
const MAX_RTT_THRESH: Nanos = ms(16)
const MIN_RTT_DIVISOR = 8
const N_RTT_SAMPLE = 8
const CSS_GROWTH_DIVISOR = 4
const CSS_ROUNDS = 5

/** The first round ends with what has been sent when it begins. */
export function createHystart(nxt: Seq): HystartState {
  return {
    windowEnd: nxt,
    lastRoundMinRtt: Infinity,
    currentRoundMinRtt: Infinity,
    rttSampleCount: 0,
    cssBaselineMinRtt: Infinity,
    cssRounds: 0,
  }
}

/**
 * What of `credit`, the bytes by which slow start would grow, it may grow by; -1: slow start is over,
 * and `ssthresh` becomes `cwnd`.
 *
 * @param ack what the segment acknowledges
 * @param nxt SND.NXT
 * @param rtt measured by this acknowledgement; -1 where it measures nothing
 */
export function hystartGrowth(
  h: HystartState,
  ack: Seq,
  nxt: Seq,
  rtt: Nanos,
  credit: number,
): number {
  if (rtt >= 0) {
    if (rtt < h.currentRoundMinRtt) h.currentRoundMinRtt = rtt
    h.rttSampleCount += 1
    look(h)
  }
  const growth = h.cssRounds === 0 ? credit : Math.floor(credit / CSS_GROWTH_DIVISOR)
  if (!seqGeq(ack, h.windowEnd)) return growth
  h.windowEnd = nxt
  h.lastRoundMinRtt = h.currentRoundMinRtt
  h.currentRoundMinRtt = Infinity
  h.rttSampleCount = 0
  if (h.cssRounds === 0) return growth
  // The round in which it began counts, however little of it was left.
  h.cssRounds += 1
  return h.cssRounds > CSS_ROUNDS ? -1 : growth
}

/** Into Conservative Slow Start where the round trip has grown, out of it where that was a mistake. */
function look(h: HystartState): void {
  if (h.rttSampleCount < N_RTT_SAMPLE) return
  if (h.cssRounds > 0) {
    if (h.currentRoundMinRtt >= h.cssBaselineMinRtt) return
    h.cssBaselineMinRtt = Infinity
    h.cssRounds = 0
    return
  }
  if (h.lastRoundMinRtt === Infinity) return
  const grown = Math.min(h.lastRoundMinRtt / MIN_RTT_DIVISOR, MAX_RTT_THRESH)
  const threshold = Math.max(MIN_RTT_THRESH, grown)
  if (h.currentRoundMinRtt < h.lastRoundMinRtt + threshold) return
  h.cssBaselineMinRtt = h.currentRoundMinRtt
  h.cssRounds = 1
}
