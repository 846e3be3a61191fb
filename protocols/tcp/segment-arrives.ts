import type { Errno } from '../errno.ts'
import { type Seq, seqAdd, seqGeq, seqGt, seqLeq, seqLt } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import { ackArrives } from './ack-arrives.ts'
import { mayChallenge } from './challenge.ts'
import { deferralEnds, waitsForText } from './defer.ts'
import { noteMark } from './ecn.ts'
import {
  handshakeOver,
  isOpening,
  isPending,
  openAtOnce,
  synAnswered,
  wasReset,
} from './fast-open.ts'
import { watchIdleness } from './keep-alive.ts'
import { becomeEstablished, enter, fail, finish, wholeSegments } from './lifecycle.ts'
import { agree } from './negotiate.ts'
import type { TcpOut } from './output.ts'
import { resetAt, resetFor } from './reset.ts'
import { findDuplicate } from './sack-option.ts'
import { ACK, FIN, RST, SYN, type TcpSegment, URG } from './segment.ts'
import type { TcpState } from './state.ts'
import { keepText, keptTextArrives, textArrives } from './text-arrives.ts'
import { timeWaitArrives } from './time-wait.ts'
import { sendAck, sendBareAck, sendSyn, transmit } from './transmit.ts'
import { urgentArrives } from './urgent.ts'
import { MAX_WINDOW } from './window.ts'

// RFC 9293 §3.10.7, SEGMENT ARRIVES: the checks in the order of the text, one function each.

export function segmentArrives(
  s: TcpState,
  now: Nanos,
  seg: TcpSegment,
  codepoint: number,
  out: TcpOut,
): void {
  if (now - s.rcv.heardAt > OUTDATED && seg.options.hasTimestamps) {
    s.tsRecent = seg.options.timestampValue // RFC 7323 §5.5
  }
  s.rcv.heardAt = now
  s.counts.segmentsIn += 1
  if (seg.payload.length > 0) s.counts.dataIn += 1
  if (s.keepProbes > 0) watchIdleness(s, now)
  switch (s.state) {
    case 'CLOSED':
      return inClosed(seg, out)
    case 'LISTEN':
      return inListen(s, now, seg, codepoint, out)
    case 'SYN-SENT':
      return inSynSent(s, now, seg, codepoint, out)
    default:
      return inOtherStates(s, now, seg, codepoint, out)
  }
}

/** §3.10.7.1 */
function inClosed(seg: TcpSegment, out: TcpOut): void {
  const reset = resetFor(seg)
  if (reset !== null) out.send(reset, 0)
}

/** §3.10.7.2. The host hands a listening connection nothing but a SYN; the rest is for the rule. */
function inListen(s: TcpState, now: Nanos, seg: TcpSegment, codepoint: number, out: TcpOut): void {
  if (seg.flags & RST) return
  if (seg.flags & ACK) return inClosed(seg, out)
  if (!(seg.flags & SYN)) return
  takeSyn(s, seg)
  agree(s, seg, codepoint)
  if (s.fastOpen !== null && s.fastOpen.pending) return openAtOnce(s, s.fastOpen, now, seg, out)
  if (s.policy.keepsSynText) keepText(s, seg, out)
  enter(s, 'SYN-RECEIVED', out)
  sendSyn(s, now, out)
}

/** §3.10.7.3 */
function inSynSent(s: TcpState, now: Nanos, seg: TcpSegment, codepoint: number, out: TcpOut): void {
  const { snd } = s
  const acks = (seg.flags & ACK) !== 0
  if (acks && (seqLeq(seg.ack, s.iss) || seqGt(seg.ack, snd.max))) {
    const reset = resetFor(seg)
    if (reset !== null) out.send(reset, 0)
    const { synAgainAfter } = s.policy
    if (synAgainAfter > 0 && s.rto.retransmits === 0) s.timers.retransmit = now + synAgainAfter
    return
  }
  if (seg.flags & RST) {
    if (acks) fail(s, 'ECONNREFUSED', out)
    return
  }
  if (!(seg.flags & SYN)) return
  takeSyn(s, seg)
  agree(s, seg, codepoint)
  if (s.policy.wholeSegments) s.rcv.buffer = wholeSegments(s)
  if (!acks) {
    keepText(s, seg, out)
    // Simultaneous open: our SYN is answered by theirs.
    enter(s, 'SYN-RECEIVED', out)
    sendSyn(s, now, out)
    return
  }
  takeWindow(s, seg)
  becomeEstablished(s, now, seg, out)
  if (s.fastOpen !== null) synAnswered(s, s.fastOpen, seg, out)
  if (
    (s.policy.takesSynAckText || s.fastOpen !== null) &&
    (seg.payload.length > 0 || seg.flags & FIN)
  ) {
    textArrives(s, now, seg, out)
  }
  if (s.state !== 'CLOSED' && s.rcv.lastAck !== s.rcv.nxt) {
    transmit(s, now, out)
    if (s.rcv.lastAck === s.rcv.nxt) return
    if (s.fastOpen !== null && s.fastOpen.writer) s.timers.delayedAck = now + s.policy.delayedAck
    else if (defersAck(s)) s.timers.delayedAck = now + s.policy.deferredAck
    else sendAck(s, now, out)
  }
}

const defersAck = ({ policy }: TcpState): boolean =>
  policy.deferAccept > 0 && policy.deferredAck > 0

function takeSyn(s: TcpState, seg: TcpSegment): void {
  s.irs = seg.seq
  s.rcv.nxt = seqAdd(seg.seq, 1)
  s.rcv.lastAck = seg.seq
  s.rcv.adv = seqAdd(s.rcv.nxt, Math.min(s.rcv.buffer, MAX_WINDOW))
}

/** The window of a SYN is not scaled. */
function takeWindow(s: TcpState, seg: TcpSegment): void {
  const { snd } = s
  snd.wnd = seg.window
  snd.maxWnd = seg.window
  snd.wl1 = seg.seq
  snd.wl2 = seg.ack
}

/** §3.10.7.4 */
function inOtherStates(
  s: TcpState,
  now: Nanos,
  seg: TcpSegment,
  codepoint: number,
  out: TcpOut,
): void {
  if (s.state === 'TIME-WAIT' && s.policy.timeWaitBySeq) return timeWaitArrives(s, now, seg, out)
  if (s.state === 'TIME-WAIT' && s.policy.timeWaitMute && !(seg.flags & (ACK | RST))) {
    return drop(seg, 'tcp no ack', out)
  }
  // RFC 5961 §4.2: wherever it lies, unless only our answer to it was lost.
  if (seg.flags & SYN && !(s.state === 'SYN-RECEIVED' && seg.seq === s.irs)) {
    return synArrives(s, now, seg, out)
  }
  if (!timestampFits(s, now, seg, out)) return
  if (!isAcceptable(s, seg)) return refuse(s, now, seg, out)
  if (seg.flags & RST) return resetArrives(s, now, seg, out)
  if (!(seg.flags & ACK)) return drop(seg, 'tcp no ack', out)
  if (s.timestamps && seqLeq(seg.seq, s.rcv.lastAck)) rememberTimestamp(s, seg)
  if (s.ecn !== null) noteMark(s, s.ecn, seg, codepoint)
  const opened = s.state !== 'ESTABLISHED' && isOpening(s)
  if (opened && !synAcknowledged(s, now, seg, out)) return
  if (!ackArrives(s, now, seg, out)) return
  if (seg.flags & URG) urgentArrives(s, seg, out)
  if (opened) keptTextArrives(s, now, seg, out)
  textArrives(s, now, seg, out)
}

/** The clock of a peer that has been silent for 24 days may have gone round (RFC 7323 §5.5). */
const OUTDATED: Nanos = 24 * 86_400 * 1e9

/** First, RFC 7323 §5.3 R1: protection against wrapped sequence numbers. */
function timestampFits(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): boolean {
  if (!s.timestamps || seg.flags & (RST | SYN)) return true
  if (!seg.options.hasTimestamps) {
    if (s.policy.stampsMayMiss) return true
    drop(seg, 'tcp no timestamp', out) // RFC 7323 §3.2
    return false
  }
  if (seqGeq(seg.options.timestampValue, s.tsRecent)) return true
  sendAck(s, now, out)
  drop(seg, 'tcp old timestamp', out)
  return false
}

function rememberTimestamp(s: TcpState, seg: TcpSegment): void {
  if (!seg.options.hasTimestamps) return
  if (seqGeq(seg.options.timestampValue, s.tsRecent)) s.tsRecent = seg.options.timestampValue
}

/** RFC 9293 table 6. The window is what we promised, not what we could promise now. */
function isAcceptable(s: TcpState, seg: TcpSegment): boolean {
  const { nxt, adv } = s.rcv
  const length = seg.length
  const start = seg.seq
  // An ACK of a peer that has filled the window stands at its right edge. Table 6 would refuse it;
  // two such peers that both miss a segment would answer each other without end.
  if (seg.flags & RST && isAtFin(s, start)) return true
  if (seg.flags & (RST | SYN)) return start === nxt || isInside(s, start)
  if (length === 0) return seqGeq(start, nxt) && seqLeq(start, adv)
  if (adv === nxt) return false
  const last = seqAdd(start, length - 1)
  return (
    (seqGeq(start, nxt) && seqLt(start, adv)) ||
    (seqGeq(last, nxt) && seqLt(last, adv)) ||
    // It begins before and ends beyond the window, as a probe by a peer with large segments may.
    (seqLt(start, nxt) && seqGeq(last, adv))
  )
}

/** Whether a control bit stands in the window that was offered, or in all that could be. */
function isInside(s: TcpState, at: Seq): boolean {
  const { nxt, adv, buffer } = s.rcv
  const held = s.receiveQueue === null ? 0 : s.receiveQueue.bytes
  // Half a connection, and what is left of one, have only what was offered.
  const isPart = s.state === 'TIME-WAIT' || (s.state === 'SYN-RECEIVED' && s.listener >= 0)
  const isOurs = s.policy.freeIsWindow && !isPart
  const free = isOurs ? seqAdd(nxt, buffer - held) : adv
  return seqGeq(at, nxt) && seqLt(at, seqGt(free, adv) ? free : adv)
}

/** Whether a number is that of the peer's FIN, which is enough for a reset where the policy says so. */
function isAtFin({ state, rcv, policy }: TcpState, at: Seq): boolean {
  if (!policy.resetAtFin || at !== seqAdd(rcv.nxt, -1)) return false
  return state === 'CLOSE-WAIT' || state === 'CLOSING' || state === 'LAST-ACK'
}

/** An old or foreign segment is answered by an ACK, so that the peer learns where we are. */
function refuse(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  if (!(seg.flags & RST)) {
    // A zero window lets nothing in, but what the segment acknowledges still counts, and URG (MUST-66).
    if (s.rcv.adv === s.rcv.nxt && seg.seq === s.rcv.nxt && seg.flags & ACK && !(seg.flags & SYN)) {
      if (s.state !== 'SYN-RECEIVED' && !ackArrives(s, now, seg, out)) return
      urgentArrives(s, seg, out)
    }
    if (s.state === 'TIME-WAIT' && seg.flags & FIN) s.timers.timeWait = now + 2 * s.policy.msl
    if (s.state !== 'CLOSED') {
      if (s.state === 'SYN-RECEIVED' && (seg.flags & (SYN | ACK)) === SYN && seg.seq === s.irs) {
        return sendSyn(s, now, out) // our SYN,ACK was lost
      }
      if (seg.payload.length > 0 && seqLt(seg.seq, s.rcv.nxt))
        findDuplicate(s, seg.seq, seqAdd(seg.seq, seg.payload.length))
      // Two peers that disagree must not answer each other's empty segments for ever.
      if (seg.length > 0 || mayChallenge(s, now)) sendAck(s, now, out)
    }
  }
  drop(seg, 'tcp outside window', out)
}

/** Second, §3.10.7.4 with RFC 5961 §3.2: only the exact sequence number resets. */
function resetArrives(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  const { policy } = s
  const isHalf = s.state === 'SYN-RECEIVED' && s.listener >= 0 && policy.looseHalfOpenReset
  if (isHalf && !isPending(s) && seg.flags & ACK && seg.ack !== seqAdd(s.iss, 1))
    return drop(seg, 'tcp bad ack', out)
  const counts = seg.seq === s.rcv.nxt || policy.insecureReset || isHalf || isAtFin(s, seg.seq)
  if (!counts) return challenge(s, now, seg, out)
  if (isPending(s)) return pendingReset(s, out)
  switch (s.state) {
    case 'SYN-RECEIVED':
      return s.listener >= 0 ? finish(s, out) : fail(s, 'ECONNREFUSED', out)
    case 'CLOSE-WAIT':
      return resetEnds(s, s.policy.resetInCloseWait, out)
    case 'CLOSING':
      return resetEnds(s, s.policy.resetInClosing, out)
    case 'LAST-ACK':
      return resetEnds(s, s.policy.resetInLastAck, out)
    case 'TIME-WAIT':
      return s.policy.timeWaitStays ? drop(seg, 'tcp reset in time-wait', out) : finish(s, out)
    default:
      return fail(s, 'ECONNRESET', out)
  }
}

/** The application has it, and hears of its end. */
function pendingReset(s: TcpState, out: TcpOut): void {
  wasReset(s, out)
  fail(s, 'ECONNRESET', out)
}

const resetEnds = (s: TcpState, error: Errno | null, out: TcpOut): void =>
  error === null ? finish(s, out) : fail(s, error, out)

/** Fourth: a SYN in a synchronized state. */
function synArrives(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  if (!s.policy.insecureSyn || !isAcceptable(s, seg)) return challenge(s, now, seg, out)
  // RFC 793: an error of the peer's, which ends the connection.
  out.send(resetAt(s.localPort, s.remotePort, s.snd.max, s.rcv.nxt, RST | ACK), 0)
  fail(s, 'ECONNRESET', out)
}

/** RFC 5961 §3.2, §4.2: answered by an ACK, which shows a peer in earnest where we are; never obeyed. */
function challenge(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  if (mayChallenge(s, now)) sendBareAck(s, now, out)
  drop(seg, seg.flags & RST ? 'tcp challenged reset' : 'tcp challenged syn', out)
}

/** Fifth, for SYN-RECEIVED: whether the ACK is for our SYN. */
function synAcknowledged(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): boolean {
  const { snd } = s
  if (!(seqGt(seg.ack, s.iss) && seqLeq(seg.ack, snd.max))) {
    const reset = resetFor(seg)
    if (reset !== null) out.send(reset, 0)
    drop(seg, 'tcp bad ack', out)
    return false
  }
  if (s.fastOpen !== null && s.fastOpen.pending) {
    handshakeOver(s, s.fastOpen, now, seg, out)
    return true
  }
  if (waitsForText(s, seg)) {
    s.unaccepted = true
    drop(seg, 'tcp accept deferred', out)
    return false
  }
  deferralEnds(s)
  takeWindow(s, seg)
  snd.wnd = seg.window << snd.wndScale
  snd.maxWnd = snd.wnd
  becomeEstablished(s, now, seg, out)
  if (s.fastOpen !== null && s.listener < 0) synAnswered(s, s.fastOpen, seg, out)
  if (s.finQueued) enter(s, 'FIN-WAIT-1', out)
  return true
}

function drop(seg: TcpSegment, why: string, out: TcpOut): void {
  out.event({ kind: 'dropped', why, packet: seg })
}
