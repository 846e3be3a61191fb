import { seqDiff, seqGeq, seqGt, seqLeq, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { noteDelivery } from './delivery.ts'
import { echoArrives, marksIn, shrinkOn } from './ecn.ts'
import { enter, finish, startTimeWait } from './lifecycle.ts'
import type { TcpOut } from './output.ts'
import { growsWindow } from './episode.ts'
import { LOSS, OPEN, startOver } from './recovery.ts'
import { renoAckArrives, renoDuplicate } from './reno-recovery.ts'
import { sendMore } from './resend.ts'
import { endBackOff, sampleRtt } from './rto.ts'
import { newAck, type Scoreboard, segmentsIn } from './scoreboard.ts'
import { acknowledge, tellsDuplicate } from './sack.ts'
import { sackAckArrives } from './sack-recovery.ts'
import { FIN, SYN, type TcpSegment } from './segment.ts'
import { dropBefore } from './send-queue.ts'
import type { TcpState } from './state.ts'
import { scheduleProbe } from './tail-timer.ts'
import {
  firstSentAt,
  isWindowUsed,
  noteProgress,
  nowWaitsFor,
  sampleByRound,
  type Tally,
  WAITS_FOR_NOTHING,
} from './tally.ts'
import { sendAck, TIMESTAMP_TICK, timestampAt, transmit } from './transmit.ts'
import { eifelDetects, undoLoss } from './undo.ts'
import { urgentAcknowledged } from './urgent.ts'

// RFC 9293 §3.10.7.4, "fifth, check the ACK field", for the synchronized states; RFC 5681 and 6582.

/** Takes what the segment acknowledges. False where nothing else of it may be looked at. */
export function ackArrives(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): boolean {
  const { snd } = s
  if (seqGt(seg.ack, snd.max) || seqDiff(snd.una, seg.ack) > snd.maxWnd) {
    sendAck(s, now, out) // RFC 5961 §5.2: nothing that we sent, or long ago
    out.event({ kind: 'dropped', why: 'tcp bad ack', packet: seg })
    return false
  }
  const acked = seqDiff(seg.ack, snd.una)
  const { tally } = s
  if (tally !== null) s.rto.latest = -1
  const marks = s.ecn === null ? 0 : marksIn(s, s.ecn, seg, acked)
  if (s.ecn !== null && marks > 0) echoArrives(s, now, s.ecn, seg.ack)
  if (s.board !== null) newAck(s.board)
  if (acked > 0) {
    newDataAcknowledged(s, now, seg, acked, marks, out)
    if (s.state === 'CLOSED') return false
  } else if (acked === 0 && !s.sackPermitted && isDuplicate(s, seg)) {
    renoDuplicate(s, now, out)
  }
  if (s.sackPermitted && acked >= 0 && mattersToRecovery(s, seg)) {
    sackAckArrives(s, now, seg, acked, out)
  }
  if (tally !== null && acked >= 0) ackTallied(s, tally, now, acked, marks)
  if (acked > 0) scheduleProbe(s, now)
  if (s.cc.rate !== null) noteDelivery(s, s.cc.rate, now, acked)
  updateWindow(s, now, seg, out)
  sendMore(s, now, out)
  if (tally !== null && snd.una === snd.max) s.board = null
  return true
}

/** The common case is an ACK that says nothing of loss while nothing is thought to be lost. */
function mattersToRecovery({ recovery, rack }: TcpState, seg: TcpSegment): boolean {
  if (recovery.phase !== OPEN || recovery.undo !== null) return true
  return seg.options.sack.length > 0 || (rack !== null && rack.probing)
}

/** RFC 5681 §2. */
function isDuplicate(s: TcpState, seg: TcpSegment): boolean {
  const { snd } = s
  return (
    seqGt(snd.max, snd.una) &&
    s.timers.persist === NEVER && // answers to probes are all alike
    seg.payload.length === 0 &&
    (seg.flags & (SYN | FIN)) === 0 &&
    seg.window << snd.wndScale === snd.wnd
  )
}

function newDataAcknowledged(
  s: TcpState,
  now: Nanos,
  seg: TcpSegment,
  acked: number,
  marks: number,
  out: TcpOut,
): void {
  const { snd, rto, timers } = s
  const finAcked = s.finQueued && seqGt(seg.ack, snd.end)
  const clock = s.timestamps ? timestampAt(s, now) : 0
  measure(s, now, seg, clock, out)
  const delay = eifelDetects(s, now, seg, clock)
  // What was sent again had arrived, and it is its copy that is answered: ACKs were lost, the path takes
  // no longer than before, and there is no reason to wait longer.
  if (delay !== NEVER && s.recovery.phase === LOSS && tellsDuplicate(seg)) endBackOff(rto, s.policy)
  if (s.tally === null && s.cc.limited && marks === 0 && growsWindow(s)) {
    controlOf(s).acked(s, now, acked)
  }
  snd.una = seg.ack
  if (s.board !== null) acknowledge(s, s.board, now, seg)
  if (seqLt(snd.nxt, snd.una)) snd.nxt = snd.una
  rto.retransmits = 0
  rto.stuckAt = now
  urgentAcknowledged(s)
  s.counts.bytesAcked += finAcked ? acked - 1 : acked
  if (s.sendQueue !== null) {
    if (seqGeq(snd.una, snd.end)) s.sendQueue = null
    else dropBefore(s.sendQueue, snd.una)
  }
  // RFC 6298 (5.2), (5.3); in recovery only the first partial ACK restarts it (RFC 6582 §3.2).
  if (snd.una === snd.max) nothingInFlight(s)
  else if (!s.recovery.partial) timers.retransmit = now + rto.rto
  if (delay !== NEVER) undoLoss(s, now, acked, delay, out)
  if (!s.sackPermitted) renoAckArrives(s, now, acked, out)
  if (s.wantsSpace) offerSpace(s, out)
  if (finAcked) finAcknowledged(s, now, out)
}

function nothingInFlight(s: TcpState): void {
  const { timers } = s
  if (s.tally === null) s.board = null
  timers.retransmit = timers.reorder = timers.tailLoss = NEVER
}

/** RFC 6298 §3 and RFC 7323 §4: a timed segment, or else the echo of a timestamp. */
function measure(s: TcpState, now: Nanos, seg: TcpSegment, clock: number, out: TcpOut): void {
  const { rto } = s
  if (s.tally !== null && s.board !== null) return measureFlight(s, s.tally, s.board, now, seg, out)
  const timing = rto.timedAt !== NEVER
  let rtt = -1
  if (timing && seqGeq(seg.ack, rto.timedEnd)) {
    rtt = now - rto.timedAt
    // The ACK that was meant was lost, if this one answers something later (RFC 7323 §4.1).
    if (s.timestamps && seqGt(seg.options.timestampEcho, timestampAt(s, rto.timedAt))) {
      rtt = ((clock - seg.options.timestampEcho) | 0) * TIMESTAMP_TICK
    }
    rto.timedAt = NEVER
  } else if (s.timestamps && echoesLatest(s, seg)) {
    rtt = ((clock - seg.options.timestampEcho) | 0) * TIMESTAMP_TICK
  }
  rto.latest = rtt > now ? -1 : rtt // an echo of nothing that we sent
  if (rto.latest < 0 || (timing && rto.timedAt !== NEVER)) return
  if (s.tally === null) sampleRtt(rto, rtt, s.policy)
  else sampleByRound(s, s.tally, rtt)
  out.event({ kind: 'rtt', socket: s.id, rtt, srtt: Math.round(rto.srtt) })
}

/** Every ACK measures: since when the first was on its way that it acknowledges (tcp_clean_rtx_queue). */
function measureFlight(
  s: TcpState,
  t: Tally,
  b: Scoreboard,
  now: Nanos,
  seg: TcpSegment,
  out: TcpOut,
): void {
  const sentAt = firstSentAt(b, seg.ack)
  let rtt = sentAt === NEVER ? -1 : now - sentAt
  if (rtt < 0 && s.timestamps && seg.options.hasTimestamps && seg.options.timestampEcho !== 0) {
    rtt = ((timestampAt(s, now) - seg.options.timestampEcho) | 0) * TIMESTAMP_TICK
  }
  if (rtt < 0 || rtt > now) return
  s.rto.latest = rtt
  sampleByRound(s, t, rtt)
  out.event({ kind: 'rtt', socket: s.id, rtt, srtt: Math.round(s.rto.srtt) })
}

/** Of an ACK that has been dealt with: figures, and what the window may grow by (tcp_cong_control). */
function ackTallied(s: TcpState, t: Tally, now: Nanos, acked: number, marks: number): void {
  const { board, rto } = s
  const delivered = board === null ? acked : board.delivered + board.unpadded
  t.delivered += segmentsIn(delivered, s.mss)
  t.deliveredMarked += Math.min(marks, segmentsIn(delivered, s.mss))
  if (board !== null && board.sackedAt !== NEVER && rto.latest < 0) {
    rto.latest = now - board.sackedAt
    sampleByRound(s, t, rto.latest)
  }
  const shrinks = s.ecn !== null && s.ecn.reduction !== null
  if (shrinks) shrinkOn(s, s.ecn!, delivered, acked > 0)
  const grows = marks === 0 && (!shrinks || s.ecn!.reduction === null) && growsWindow(s)
  if (acked > 0 && delivered > 0 && grows && isWindowUsed(s, t)) {
    controlOf(s).acked(s, now, delivered)
  }
  if (acked > 0) noteProgress(t, now)
  if (acked > 0 && s.snd.una === s.snd.end) nowWaitsFor(t, now, WAITS_FOR_NOTHING)
}

/**
 * An ACK that echoes something older than the last retransmission may be one whose first copy was
 * lost: the wait for the timeout is in it, and would come into every later RTO.
 */
const echoesLatest = (s: TcpState, seg: TcpSegment): boolean =>
  seg.options.hasTimestamps &&
  (s.rto.total === 0 || seqGeq(seg.options.timestampEcho, s.rto.latestTs))

function updateWindow(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  const { snd } = s
  if (seqLt(seg.ack, snd.una)) return
  // RFC 9293 §3.10.7.4 orders by SEG.SEQ first, but a retransmission carries an old one beside a new
  // ACK: with the window of before, that would reach beyond what the peer offers.
  if (!(seqLt(snd.wl2, seg.ack) || (snd.wl2 === seg.ack && seqLeq(snd.wl1, seg.seq)))) return
  snd.wnd = seg.window << snd.wndScale
  if (snd.wnd > snd.maxWnd) snd.maxWnd = snd.wnd
  snd.wl1 = seg.seq
  snd.wl2 = seg.ack
  if (s.timers.persist === NEVER) return
  s.rto.retransmits = 0 // the peer answers: probing may go on for ever
  if (snd.wnd === 0 && s.policy.probesOldNumber) probeAgain(s, now)
  if (snd.wnd > 0) {
    s.timers.persist = NEVER
    s.rto.probes = 0
    if (s.board !== null) startOver(s)
    snd.nxt = snd.una
    transmit(s, now, out, 'probe')
  }
}

/** The peer has answered that its window is closed: the wait begins anew (tcp_ack_probe). */
function probeAgain({ rto, timers, policy }: TcpState, now: Nanos): void {
  timers.persist = now + Math.min(rto.rto * 2 ** rto.probes, policy.rtoMax)
}

/** RFC 9293 §3.10.7.4: the states in which our FIN waits for its acknowledgement. */
function finAcknowledged(s: TcpState, now: Nanos, out: TcpOut): void {
  switch (s.state) {
    case 'FIN-WAIT-1':
      enter(s, 'FIN-WAIT-2', out)
      if (s.orphan) s.timers.timeWait = now + s.policy.finWait2
      return
    case 'CLOSING':
      return startTimeWait(s, now, out)
    case 'LAST-ACK':
      return finish(s, out)
    default:
  }
}

/**
 * A sixteenth of the buffer free, two segments at least: then it is worth waking the application. Later,
 * and a buffer that just holds what is in flight would run dry.
 */
export function offerSpace(s: TcpState, out: TcpOut): void {
  const { sendBuffer } = s.policy
  const space = sendBuffer - seqDiff(s.snd.end, s.snd.una)
  if (space < Math.min(Math.max(sendBuffer >> 4, 2 * s.mss), sendBuffer >> 1)) return
  s.wantsSpace = false
  out.event({ kind: 'writable', socket: s.id, space })
}
