import { seqDiff, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { frtoSaysSpurious } from './frto.ts'
import type { TcpOut } from './output.ts'
import { prr, prrInSegments } from './prr.ts'
import { rackDetectLoss, rackDuplicate, rackRecovered } from './rack.ts'
import { enterLoss, enterRecovery, leaveEpisode, reduceAgain } from './episode.ts'
import { DISORDER, OPEN, RECOVERY, usesRack } from './recovery.ts'
import { sendMore } from './resend.ts'
import { sackDetectLoss, SAYS_DUPLICATE, SAYS_NEW, takeBlocks } from './sack.ts'
import {
  away,
  forgetSacked,
  markAllLost,
  markLost,
  newAck,
  SACKED,
  type Scoreboard,
  segmentsIn,
  splitAt,
  unknownFlight,
} from './scoreboard.ts'
import type { TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import type { Tally } from './tally.ts'
import { probeAnswered } from './tlp.ts'
import { duplicateTold, forgetUndo, undoLoss } from './undo.ts'

// Loss recovery with a peer that SACKs: RFC 6675, its count of what is lost replaced by RACK
// (RFC 8985) where the policy says so; PRR (RFC 6937) leads the window.

/**
 * What an acceptable ACK means for loss recovery. SND.UNA has moved, and what is acknowledged has left
 * the scoreboard.
 */
export function sackAckArrives(
  s: TcpState,
  now: Nanos,
  seg: TcpSegment,
  acked: number,
  out: TcpOut,
): void {
  const { recovery, rack, snd } = s
  const said = takeBlocks(s, now, seg)
  if (said & SAYS_DUPLICATE) {
    if (rack !== null) rackDuplicate(rack, snd.una, snd.nxt)
    const { sack } = seg.options
    if (s.tally !== null) duplicateCounts(s, s.tally, seqDiff(sack[1]!, sack[0]!))
    if (duplicateTold(s, sack[0]!, sack[1]!)) undoLoss(s, now, acked, NEVER, out)
  }
  probeAnswered(s, now, seg, acked, said)
  if (acked > 0) recovery.dupAcks = 0
  else if (said & SAYS_NEW) recovery.dupAcks += 1
  if (frtoSaysSpurious(s, s.board, acked, (said & SAYS_NEW) !== 0))
    undoLoss(s, now, acked, NEVER, out)
  const wasOpen = recovery.phase === OPEN
  endEpisode(s, now)
  if (s.board !== null) findLoss(s, s.board, now, acked, wasOpen)
  forgetUndo(s)
}

/** A retransmission that was not needed has been delivered as well (tcp_dsack_seen). */
function duplicateCounts({ board, mss, rto }: TcpState, tally: Tally, bytes: number): void {
  tally.duplicates += segmentsIn(bytes, mss)
  if (board !== null && rto.total > 0) board.delivered += bytes
}

/** RFC 6675 §5: everything that was out has arrived. */
function endEpisode(s: TcpState, now: Nanos): void {
  const { recovery, board } = s
  if (recovery.phase >= RECOVERY && !seqLt(s.snd.una, recovery.recover)) {
    const inRecovery = recovery.phase === RECOVERY || !controlOf(s).prr
    if (s.rack !== null) rackRecovered(s.rack)
    leaveEpisode(s)
    if (inRecovery) controlOf(s).recovered(s, now, s.cc.ssthresh)
  } else if (recovery.phase === DISORDER && (board === null || board.sacked === 0)) {
    recovery.phase = OPEN
  }
}

function findLoss(s: TcpState, b: Scoreboard, now: Nanos, acked: number, wasOpen: boolean): void {
  const { recovery, rack } = s
  if (recovery.phase === OPEN) {
    if (b.sacked === 0) {
      // What an episode leaves behind may be late as well.
      if (wasOpen || rack === null || s.tally === null) return
      rackDetectLoss(s, rack, b, now)
      if (b.lost === 0) return
    }
    recovery.phase = DISORDER
    s.timers.tailLoss = NEVER
  }
  if (rack !== null && usesRack(s)) rackDetectLoss(s, rack, b, now)
  else sackDetectLoss(s, b)
  if (recovery.phase === DISORDER) {
    // RFC 6675 §5 (1): so many ACKs with news, though they may be of little segments.
    if (b.lost === 0 && rack === null && recovery.dupAcks >= s.policy.dupAckThreshold) {
      markFirstLost(s, b)
    }
    if (b.lost > 0) enterRecovery(s, now)
  }
  const { episode } = recovery
  if (recovery.phase !== RECOVERY || episode === null) return
  if (s.policy.reducesAgain && b.newlyLost > 0 && b.lostAgain >= episode.reducedAt) {
    reduceAgain(s, now, episode)
  }
  reduce(s, b, acked)
}

function markFirstLost(s: TcpState, b: Scoreboard): void {
  const end = (b.start + s.mss) | 0
  if (seqLt(end, b.ends[b.ends.length - 1]!)) splitAt(b, end)
  markLost(b, b.head)
}

/** RFC 6937 §3. The first retransmission goes out in any case. */
function reduce(s: TcpState, b: Scoreboard, acked: number): void {
  const { cc, recovery, snd, policy } = s
  if (!policy.prr || !controlOf(s).prr) return
  const e = recovery.episode!
  const pipe = seqDiff(snd.max, snd.una) - away(b)
  if (policy.wholeWindows) {
    if (b.delivered === 0) return
    const wins = acked > 0 && b.newlyLost === 0
    cc.cwnd = pipe + prrInSegments(e, b.delivered, pipe, cc.ssthresh, s.mss, wins)
    return
  }
  const sendable = prr(e, b.delivered, pipe, cc.ssthresh, s.mss)
  cc.cwnd = pipe + (e.force ? Math.max(sendable, s.mss) : sendable)
}

/** RFC 8985 §6.3: what might have been late is late now. */
export function reorderingTimeout(s: TcpState, now: Nanos, out: TcpOut): void {
  const { board, recovery } = s
  if (board === null || s.rack === null) return
  newAck(board)
  rackDetectLoss(s, s.rack, board, now)
  const enters = board.lost > 0 && recovery.phase < RECOVERY
  if (enters) enterRecovery(s, now)
  // Linux counts the time that is over as a segment delivered (tcp_rack_reo_timeout).
  if (enters && s.policy.wholeWindows) board.delivered = s.mss
  if (recovery.phase === RECOVERY) reduce(s, board, 0)
  sendMore(s, now, out)
}

/** RFC 6675 §5.1: what the peer holds need not be sent again, unless it has thrown it away. */
export function sackTimeout(s: TcpState, now: Nanos, out: TcpOut): void {
  const { snd } = s
  const b = (s.board ??= unknownFlight(snd.una, snd.nxt))
  // RFC 2018 §8: it holds the first segment and does not acknowledge it.
  if (b.fates[b.head]! & SACKED) forgetSacked(b)
  enterLoss(s, now)
  markAllLost(b)
  s.timers.reorder = s.timers.tailLoss = NEVER
  if (s.rack !== null) s.rack.probing = false
  s.recovery.episode!.force = snd.wnd > 0
  sendMore(s, now, out)
}
