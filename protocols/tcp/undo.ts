import { type Seq, seqAdd, seqDiff, seqGeq, seqGt, seqLt, seqMax } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import type { TcpOut } from './output.ts'
import { leaveEpisode } from './episode.ts'
import { LOSS, OPEN, RECOVERY } from './recovery.ts'
import { adaptToDelay } from './rto.ts'
import { away, endOf, segmentsIn, unmarkLost } from './scoreboard.ts'
import type { TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import { noteReordering } from './tally.ts'

// What was taken for lost had only been late: RFC 3522 and RFC 2883 find it, RFC 4015 answers, and so
// F-RTO (`frto.ts`) does.

/**
 * Eifel detection, RFC 3522 §3.2: the first ACK for what was sent again echoes a timestamp from before.
 * What the original took is handed on, NEVER where nothing is to be undone.
 */
export function eifelDetects(s: TcpState, now: Nanos, seg: TcpSegment, clock: number): Nanos {
  const { rto } = s
  if (!rto.watching || !seg.options.hasTimestamps) return NEVER
  if (!seqGt(seg.ack, rto.retransmitSeq)) return NEVER // it is not about that
  rto.watching = false
  if (!seqLt(seg.options.timestampEcho, rto.retransmitTs)) return NEVER
  return Math.min(seqDiff(clock, seg.options.timestampEcho) * TICK, now)
}

/**
 * Whether the ACK at hand can only be the original's. An ACK of the retransmission echoes the original
 * too where that had arrived and its ACK was lost: then it says nothing of the path.
 */
const answersOriginal = (s: TcpState, now: Nanos): boolean => {
  const fastest = s.rack === null ? s.rto.srtt / 2 : s.rack.minRtt
  return now - s.rto.sentAt < fastest
}

const TICK = 1_000_000

/** RFC 2883 §5: of every retransmission a duplicate was told of. Then none was needed. */
export function duplicateTold(s: TcpState, start: Seq, end: Seq): boolean {
  const { undo } = s.recovery
  if (undo === null || undo.resent === 0 || seqLt(start, undo.una)) return false
  if (seqGt(end, undo.until)) return false
  undo.resent = Math.max(undo.resent - segmentsIn(seqDiff(end, start), s.mss), 0)
  return undo.resent === 0
}

/**
 * The response, RFC 4015 §4: the window of before, and the rest of what was taken for lost is in flight
 * after all.
 *
 * @param acked bytes that the ACK at hand acknowledges
 * @param rtt how long the original took; NEVER where that is not known
 */
export function undoLoss(s: TcpState, now: Nanos, acked: number, rtt: Nanos, out: TcpOut): void {
  const { recovery, snd, board, policy } = s
  const before = recovery.undo
  out.event({ kind: 'spurious', socket: s.id, seq: snd.una })
  if (before === null) return
  recovery.undo = null
  const { tally } = s
  if (tally !== null && board !== null && rtt !== NEVER && recovery.phase === RECOVERY) {
    noteReordering(
      tally,
      seqAdd(snd.una, -acked),
      board.sacked === 0 ? snd.una : board.highSacked,
      s.mss,
    )
  }
  const timedOut = recovery.phase === LOSS
  if (board !== null) unmarkLost(board)
  if (timedOut) {
    // Step 5: nothing of it is sent again, but what a narrower path had made begin anew before.
    snd.nxt = board === null ? snd.max : seqMax(snd.nxt, endOf(board))
    const adapts = rtt !== NEVER && !policy.undoesWholly
    if (adapts && answersOriginal(s, now)) adaptToDelay(s.rto, rtt, policy) // step 9
  }
  if (recovery.phase !== OPEN) leaveEpisode(s)
  const flight = seqDiff(snd.max, snd.una) - (board === null ? 0 : away(board))
  // Step 8: after a timeout the flight has drained, and a burst must not follow.
  const drained = timedOut && !policy.undoesWholly
  const cwnd = drained
    ? Math.min(flight + Math.min(acked, policy.initialWindow * s.mss), before.cwnd)
    : before.cwnd
  const ssthresh = drained ? Math.max(before.flight, before.ssthresh) : before.ssthresh
  controlOf(s).undone(s, now, cwnd, ssthresh)
}

/** Everything after which a duplicate could have been told of is acknowledged. */
export function forgetUndo(s: TcpState): void {
  const { recovery, snd } = s
  if (recovery.undo === null || recovery.phase !== OPEN) return
  if (seqGeq(snd.una, recovery.undo.until) && seqGt(snd.una, recovery.recover)) recovery.undo = null
}
