import { type Seq, seqDiff, seqGt, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import type { TcpChoices } from './policy.ts'
import { inNetwork } from './delivery.ts'
import { RETRANSMITTED, SACKED, type Scoreboard, startOf } from './scoreboard.ts'
import type { TcpState } from './state.ts'

// What Linux counts of a connection beyond the variables of the RFCs: round trips for its estimate of
// the timeout, what of the window was used, and the figures that TCP_INFO alone tells. It begins with
// the first text, where the policy asks for it.

export interface Tally {
  /** What the timeout adds to SRTT: no less than the least timeout. */
  rttvar: Nanos
  /** The largest deviation of the round trip at hand, which ends when `rttEnd` is acknowledged. */
  deviation: Nanos
  rttEnd: Seq
  minRtt: Nanos
  /** Timeouts, each twice the one before, since a round trip was measured. */
  backOff: number
  /** The most that was in flight, bytes, before `usageEnd` was acknowledged; whether the window was full. */
  mostOut: number
  usageEnd: Seq
  isFull: boolean
  /** Duplicates that mean loss, as reordering has shown. */
  reordering: number
  /** Events and segments that TCP_INFO tells of. */
  reordered: number
  delivered: number
  deliveredMarked: number
  duplicates: number
  timeouts: number
  timeoutEpisodes: number
  timeoutTime: Nanos
  timeoutSince: Nanos
  /** What the sender waits for since `since`, and for how long it has waited for each. */
  waitsFor: WaitsFor
  since: Nanos
  readonly waited: [busy: Nanos, window: Nanos, buffer: Nanos]
}

/** Nothing, ACKs, the peer's window, room in the send buffer. */
export const WAITS_FOR_NOTHING = -1
export const WAITS_FOR_ACKS = 0
export const WAITS_FOR_WINDOW = 1
export const WAITS_FOR_BUFFER = 2
export type WaitsFor = -1 | 0 | 1 | 2

export function createTally({ rto, policy, snd }: TcpState, now: Nanos): Tally {
  const rttvar = Math.max(4 * rto.rttvar, policy.rtoMin)
  return {
    rttvar,
    deviation: rttvar,
    rttEnd: snd.nxt,
    minRtt: rto.srtt < 0 ? NEVER : rto.srtt,
    backOff: 0,
    mostOut: 0,
    usageEnd: snd.una,
    isFull: false,
    reordering: policy.dupAckThreshold,
    reordered: 0,
    delivered: 1, // the SYN
    deliveredMarked: 0,
    duplicates: 0,
    timeouts: 0,
    timeoutEpisodes: 0,
    timeoutTime: 0,
    timeoutSince: NEVER,
    waitsFor: WAITS_FOR_NOTHING,
    since: now,
    waited: [0, 0, 0],
  }
}

/** Linux's tcp_rtt_estimator: deviations that grow count at once, those that shrink by and by. */
export function sampleByRound(s: TcpState, t: Tally, rtt: Nanos): void {
  const { rto, snd, policy } = s
  if (rtt < t.minRtt) t.minRtt = rtt
  const error = rtt - rto.srtt
  rto.srtt += error / 8
  let mdev = 4 * rto.rttvar
  const excess = Math.abs(error) - rto.rttvar
  // A round trip that becomes shorter is no reason to wait longer.
  mdev += error < 0 && excess > 0 ? excess / 8 : excess
  rto.rttvar = mdev / 4
  if (mdev > t.deviation) {
    t.deviation = mdev
    if (mdev > t.rttvar) t.rttvar = mdev
  }
  if (seqGt(snd.una, t.rttEnd)) {
    if (t.deviation < t.rttvar) t.rttvar -= (t.rttvar - t.deviation) / 4
    t.rttEnd = snd.nxt
    t.deviation = policy.rtoMin
  }
  t.backOff = 0
  rto.rto = timeoutOf(s, t, policy)
}

export const timeoutOf = ({ rto }: TcpState, t: Tally, policy: TcpChoices): Nanos =>
  Math.round(Math.min(rto.srtt + t.rttvar, policy.rtoMax))

/** Since when the first of what `ack` newly acknowledges was on its way; NEVER: it says nothing. */
export function firstSentAt(b: Scoreboard, ack: Seq): Nanos {
  let first = NEVER
  for (let i = b.head; i < b.ends.length && seqLt(startOf(b, i), ack); i++) {
    const fate = b.fates[i]!
    if (fate & RETRANSMITTED) return NEVER // Karn's algorithm
    if (first === NEVER && (fate & SACKED) === 0) first = b.times[i]!
  }
  return first
}

/** The retransmission timer fires, for the `count`th time in a row. */
export function noteTimeout(t: Tally, now: Nanos, count: number): void {
  t.backOff += 1
  t.timeouts += 1
  if (count > 1) return
  t.timeoutSince = now
  t.timeoutEpisodes += 1
}

/** Something sent has been acknowledged. */
export function noteProgress(t: Tally, now: Nanos): void {
  if (t.timeoutSince !== NEVER) t.timeoutTime += now - t.timeoutSince
  t.timeoutSince = NEVER
}

/** The sender has sent what it could; `deferred`: and kept back what waits for the next ACK. */
export function noteSending(s: TcpState, t: Tally, now: Nanos, deferred: boolean): void {
  noteUse(s, t, deferred)
  noteWait(s, t, now)
}

/** Something was sent, or would have been had the window had room (tcp_cwnd_validate). */
function noteUse(s: TcpState, t: Tally, deferred: boolean): void {
  const { snd, cc } = s
  const flight = seqDiff(snd.max, snd.una)
  const padding = s.board === null ? 0 : s.board.padding
  const out = flight + padding
  const isFull = deferred || inNetwork(s) + padding + s.mss > cc.cwnd
  if (!seqLt(snd.una, t.usageEnd) || isFull || (!t.isFull && out > t.mostOut)) {
    t.isFull = isFull
    t.mostOut = out
    t.usageEnd = snd.max
  }
}

/**
 * What keeps the sender back now: the peer's window, if it does not take what is next; the send buffer, if all of it is
 * out and the congestion window would take more.
 */
function noteWait(s: TcpState, t: Tally, now: Nanos): void {
  const { snd, mss, wantsSpace } = s
  if (t.waitsFor === WAITS_FOR_NOTHING) return
  const unsent = seqDiff(snd.end, snd.nxt)
  const offered = snd.wnd - seqDiff(snd.nxt, snd.una)
  const isWindow = unsent > 0 && offered < Math.min(unsent, mss)
  const isBuffer = unsent === 0 && wantsSpace && !isWindowUsed(s, t)
  nowWaitsFor(t, now, isWindow ? WAITS_FOR_WINDOW : isBuffer ? WAITS_FOR_BUFFER : WAITS_FOR_ACKS)
}

/** RFC 7661 §4.3, as Linux has it: in slow start half of the window is enough (tcp_is_cwnd_limited). */
export const isWindowUsed = ({ cc }: TcpState, t: Tally): boolean =>
  t.isFull || (cc.cwnd < cc.ssthresh && cc.cwnd < 2 * t.mostOut)

/** From `low` on it was late, though `fack` had come (tcp_check_sack_reordering). */
export function noteReordering(t: Tally, low: Seq, fack: Seq, mss: number): void {
  const metric = seqDiff(fack, low)
  if (metric <= 0) return
  t.reordering = Math.min(Math.max(t.reordering, Math.ceil(metric / mss)), MOST_REORDERING)
  t.reordered += 1
}

/** tcp_max_reordering */
const MOST_REORDERING = 300

/** The sender waits for something else from now on. */
export function nowWaitsFor(t: Tally, now: Nanos, what: WaitsFor): void {
  if (t.waitsFor === what) return
  if (t.waitsFor >= 0) t.waited[t.waitsFor as 0 | 1 | 2] += now - t.since
  t.waitsFor = what
  t.since = now
}

/** For how long the sender has waited for `what`. */
export const waitedFor = (t: Tally, now: Nanos, what: 0 | 1 | 2): Nanos =>
  t.waited[what] + (t.waitsFor === what ? now - t.since : 0)

export const waitedAtAll = (t: Tally, now: Nanos): Nanos =>
  waitedFor(t, now, WAITS_FOR_ACKS) +
  waitedFor(t, now, WAITS_FOR_WINDOW) +
  waitedFor(t, now, WAITS_FOR_BUFFER)

/** The one under way counts. */
export const timeInTimeouts = (t: Tally, now: Nanos): Nanos =>
  t.timeoutTime + (t.timeoutSince === NEVER ? 0 : now - t.timeoutSince)
