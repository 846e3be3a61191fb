import { type Bytes, NO_BYTES } from '../bytes.ts'
import { type Seq, seqAdd, seqDiff, seqGt, seqLeq, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { withCounters } from './accurate-ecn.ts'
import { NO_OPTIONS, timestampOptions, type TcpOptions } from './options.ts'
import { controlOf } from './congestion/control-of.ts'
import { mustWait, paced } from './pacing.ts'
import { rateAppLimited, rateSent } from './rate.ts'
import { inNetwork } from './delivery.ts'
import { ECT_0, NOT_ECT } from './codepoints.ts'
import { type Ecn, marksOf, synEcnFlags } from './ecn.ts'
import { synOptions } from './negotiate.ts'
import type { TcpOut } from './output.ts'
import { createRack } from './rack.ts'
import { outside } from './recovery.ts'
import { ackOptions } from './sack-option.ts'
import { ACK, CWR, FIN, PSH, SYN, TcpSegment, URG } from './segment.ts'
import { append, endOf, RETRANSMITTED, unknownFlight } from './scoreboard.ts'
import { leftOfRecord, sliceAt } from './send-queue.ts'
import type { RetransmitCause, TcpState } from './state.ts'
import { scheduleProbe } from './tail-timer.ts'
import { noteSending } from './tally.ts'
import { urgentPointer } from './urgent.ts'
import { chunkOf, defers } from './chunks.ts'
import { advertise, advertiseOnSyn } from './window.ts'

// Deciding what to send, RFC 9293 §3.8, and sending it.

/** RFC 7323 §5.4: the timestamp clock ticks once a millisecond. */
export const TIMESTAMP_TICK = 1_000_000

export const timestampAt = (s: TcpState, now: Nanos): number =>
  (Math.floor(now / TIMESTAMP_TICK) + (s.iss & 0xffff)) | 0

function optionsAt(s: TcpState, now: Nanos): TcpOptions {
  if (!s.timestamps) return NO_OPTIONS
  const value = timestampAt(s, now)
  const queue = s.sendQueue
  if (queue === null) return timestampOptions(value, s.tsRecent)
  const sent = queue.options
  if (sent.timestampValue === value && sent.timestampEcho === s.tsRecent && sent !== NO_OPTIONS)
    return sent
  return (queue.options = timestampOptions(value, s.tsRecent))
}

/** Puts one segment on its way. Whatever it is, it acknowledges what has come. */
function emit(
  s: TcpState,
  seq: Seq,
  flags: number,
  window: number,
  options: TcpOptions,
  payload: Bytes,
  codepoint: number,
  out: TcpOut,
): void {
  const { rcv, ecn, counts } = s
  counts.segmentsOut += 1
  if (payload.length > 0) {
    counts.dataOut += 1
    counts.bytesSent += payload.length
  }
  rcv.unacked = 0
  rcv.lastAck = rcv.nxt
  s.timers.delayedAck = NEVER
  const urgent = flags & SYN ? 0 : urgentPointer(s, seq)
  if (urgent > 0) flags |= URG
  out.send(
    new TcpSegment(
      s.localPort,
      s.remotePort,
      seq,
      flags & ACK ? rcv.nxt : 0,
      ecn !== null && !(flags & SYN) ? flags | marksOf(ecn) : flags,
      window,
      urgent,
      options,
      payload,
    ),
    codepoint,
  )
}

/**
 * Behind all that was sent, for the peer takes nothing of what is old: after a timeout SND.NXT is.
 * Within its window all the same: a probe went one byte beyond.
 */
export function sendAck(s: TcpState, now: Nanos, out: TcpOut): void {
  const { snd } = s
  if (s.policy.finRides && snd.nxt === snd.max && isFinOut(s)) {
    return emit(s, snd.end, ACK | FIN, advertise(s), optionsAt(s, now), NO_BYTES, NOT_ECT, out)
  }
  sendBareAck(s, now, out)
}

/** Our FIN has been sent, and nobody has acknowledged it. */
const isFinOut = ({ snd }: TcpState): boolean => seqGt(snd.max, snd.end) && seqLeq(snd.una, snd.end)

export function sendBareAck(s: TcpState, now: Nanos, out: TcpOut): void {
  const { snd } = s
  const edge = seqAdd(snd.una, snd.wnd)
  // Before the handshake is over there is no window yet.
  const seq = seqGt(snd.max, edge) && s.state !== 'SYN-RECEIVED' ? edge : snd.max
  const plain = s.reassembly === null && s.rcv.dupStart === s.rcv.dupEnd
  const known = plain ? optionsAt(s, now) : ackOptions(s, timestampAt(s, now))
  const options = s.ecn === null ? known : withMarks(s, s.ecn, known)
  emit(s, seq, ACK, advertise(s), options, NO_BYTES, NOT_ECT, out)
}

/** RFC 9768 §3.2.3: ACKs without text have the option once the peer's has come through. */
const withMarks = (s: TcpState, { accurate }: Ecn, options: TcpOptions): TcpOptions =>
  accurate !== null && accurate.optionCame && s.policy.accurateEcnOption
    ? withCounters(options, accurate)
    : options

/** `<SYN>` or `<SYN,ACK>`, first or again: the state says which. */
export function sendSyn(s: TcpState, now: Nanos, out: TcpOut): void {
  const { snd } = s
  const flags = (s.state === 'SYN-SENT' ? SYN : SYN | ACK) | synEcnFlags(s)
  let text = NO_BYTES
  if (snd.max === s.iss) {
    startTiming(s, now, seqAdd(s.iss, 1))
    snd.max = snd.nxt = seqAdd(s.iss, 1)
    if (s.fastOpen !== null && s.fastOpen.text > 0 && s.state === 'SYN-SENT') {
      text = synText(s, s.fastOpen.text)
    }
  } else if (s.state === 'SYN-RECEIVED' && s.listener < 0 && s.rto.retransmits === 0) {
    s.rto.timedAt = NEVER // simultaneous open: which of the two will be answered is not known
  } else {
    noteRetransmission(s, now, s.iss, 'rto', out)
  }
  const { synSchedule } = s.policy
  if (s.state === 'SYN-SENT' && synSchedule.length > 0) {
    s.rto.rto = synSchedule[Math.min(s.rto.retransmits, synSchedule.length - 1)]!
  }
  s.timers.retransmit = now + s.rto.rto
  if (s.rto.retransmits === 0) s.rto.stuckAt = now
  const window = advertiseOnSyn(s)
  emit(s, s.iss, flags, window, synOptions(s, timestampAt(s, now)), text, NOT_ECT, out)
}

/** RFC 7413 §4.2.2: the first of our SYNs has text. */
function synText(s: TcpState, length: number): Bytes {
  const { snd } = s
  const text = sliceAt(s.sendQueue!, snd.nxt, length)
  snd.max = snd.nxt = seqAdd(snd.nxt, length)
  return text
}

/** RFC 6298 §3: one segment at a time is timed, and none that was sent twice. */
function startTiming(s: TcpState, now: Nanos, end: Seq): void {
  if (s.rto.timedAt !== NEVER) return
  s.rto.timedAt = now
  s.rto.timedEnd = end
}

export function noteRetransmission(
  s: TcpState,
  now: Nanos,
  seq: Seq,
  cause: RetransmitCause,
  out: TcpOut,
): void {
  const { rto } = s
  rto.timedAt = NEVER // Karn's algorithm
  rto.total += 1
  if (s.recovery.undo !== null) s.recovery.undo.resent += 1
  if (s.timestamps) {
    rto.latestTs = timestampAt(s, now)
    if (!rto.watching) {
      rto.retransmitTs = rto.latestTs
      rto.retransmitSeq = seq
    }
    rto.watching = true
  }
  out.event({
    kind: 'retransmit',
    socket: s.id,
    cause,
    seq,
    count: cause === 'rto' ? Math.max(rto.retransmits, 1) : 1,
    rto: rto.rto,
  })
}

/** Sends `length` bytes from `seq` on, which may have been sent before, and the FIN if `fin`. */
export function sendData(
  s: TcpState,
  now: Nanos,
  seq: Seq,
  length: number,
  fin: boolean,
  cause: RetransmitCause,
  out: TcpOut,
  push = false,
): void {
  const { snd, rto, ecn, cc } = s
  const end = seqAdd(seq, length + (fin ? 1 : 0))
  const again = seqLt(seq, snd.max)
  if (again) {
    noteRetransmission(s, now, seq, cause, out)
    s.counts.bytesAgain += length
  } else startTiming(s, now, end)
  if (cc.rate !== null) rateSent(cc.rate, now, end, snd.max === snd.una, again)
  if (cc.pacer !== null) paced(s, cc.pacer, now, length)
  if (s.sackPermitted) track(s, now, seq, end)
  if (seqGt(end, snd.max)) snd.max = end
  rto.sentAt = now
  const { episode } = s.recovery
  if (episode !== null) episode.prrOut += length
  if (ecn !== null && ecn.reduction !== null) ecn.reduction.prrOut += length
  let flags = ACK
  if (fin) flags |= FIN
  // RFC 9293 §3.9.1.2: PSH on the segment that empties the queue.
  if (length > 0 && (push || pushes(s, seqAdd(seq, length)))) flags |= PSH
  let codepoint = NOT_ECT
  // RFC 3168 §6.1.5, §6.1.6: neither what is sent again nor a probe.
  if (ecn !== null && length > 0 && !again && cause !== 'probe') {
    codepoint = ecn.accurate !== null && ecn.accurate.mute ? NOT_ECT : ECT_0
    if (ecn.cwr) flags |= CWR
    ecn.cwr = false
  }
  const payload = length === 0 ? NO_BYTES : sliceAt(s.sendQueue!, seq, length)
  emit(s, seq, flags, advertise(s), optionsAt(s, now), payload, codepoint, out)
}

/** What ends there was not queued with more to come. */
const pushes = ({ snd, sendQueue }: TcpState, end: Seq): boolean =>
  sendQueue!.pushes === null ? end === snd.end : sendQueue!.pushes.includes(end)

/** Into the scoreboard with it, where there is one or RACK wants one. */
function track(s: TcpState, now: Nanos, seq: Seq, end: Seq): void {
  const { snd } = s
  if (s.board === null) {
    if (!s.policy.rack) return
    s.rack ??= createRack(snd.una)
    if (s.tally !== null && s.tally.minRtt < s.rack.minRtt) s.rack.minRtt = s.tally.minRtt
    s.board = unknownFlight(snd.una, seq)
  }
  if (seq !== endOf(s.board)) return
  append(s.board, end, now, seqLt(seq, snd.max) ? RETRANSMITTED : 0, s.mss)
}

/** The FIN's sequence number is the end of the queue. */
const finAt = (s: TcpState, seq: Seq): boolean => s.finQueued && seq === s.snd.end

/** What becomes of less than a full segment: as the socket is set, sent at once, kept for more. */
type Remainder = 'as set' | 'sent' | 'kept'

/**
 * Sends everything that the windows, Nagle and silly window avoidance let go. `cause` is why, where
 * SND.NXT has fallen back to what was sent before.
 */
export function transmit(
  s: TcpState,
  now: Nanos,
  out: TcpOut,
  cause: RetransmitCause = s.fellBack,
  remainder: Remainder = 'as set',
): void {
  const { snd, cc, timers } = s
  if (snd.nxt === snd.max && seqDiff(snd.end, snd.nxt) <= 0 && !finAt(s, snd.nxt)) return
  if (s.recovery.episode !== null && lossComesFirst(s)) return
  if (cc.pacer !== null && mustWait(s, cc.pacer, now)) return
  if (snd.nxt === snd.una) controlOf(s).resumed(s, now, now - s.rto.sentAt > s.rto.rto)
  // What has left the network makes room: RFC 5681 §3.2 step 4 inflates the window instead.
  const room = cc.cwnd + outside(s)
  const counts = s.policy.wholeWindows && s.board !== null
  const before = snd.nxt
  const fresh = snd.max === snd.una
  let chunk = 0
  let left = 0
  let deferred = false
  for (;;) {
    const unsent = seqDiff(snd.end, snd.nxt)
    if (unsent < 0) break // the FIN is out
    // Small segments count as full ones where windows are counted in segments.
    const window = Math.min(snd.wnd, counts ? room - s.board!.padding : room)
    const usable = window - seqDiff(snd.nxt, snd.una)
    const within = s.sendQueue === null ? Infinity : leftOfRecord(s.sendQueue, snd.nxt)
    const length = Math.max(Math.min(unsent, s.mss, usable, within), 0)
    // The FIN takes a place in the window as a byte does (RFC 9293 §3.4).
    const fin = s.finQueued && length === unsent && seqDiff(snd.nxt, snd.una) + length < snd.wnd
    const isRecord = length === within && length < unsent
    if (length < s.mss && !fin && !isRecord && !worthSending(s, length, unsent, remainder, fresh)) {
      cc.limited = unsent >= usable && cc.cwnd <= snd.wnd
      if (cc.rate !== null && unsent < usable) rateAppLimited(cc.rate, inNetwork(s))
      break
    }
    if (s.policy.sendsChunks && left === 0) {
      if (defers(s, now, unsent, usable)) {
        deferred = cc.limited = true
        break
      }
      const tail = within < unsent || (usable >= unsent && (!mustGather(s) || s.finQueued))
      chunk = left = chunkOf(s, Math.min(unsent, usable, within), tail)
    }
    left -= 1
    if (length < s.mss && snd.nxt === snd.max) snd.small = seqAdd(snd.nxt, length)
    const seq = snd.nxt
    snd.nxt = seqAdd(seq, length + (fin ? 1 : 0))
    sendData(s, now, seq, length, fin, cause, out, isRecord || (chunk > 1 && left === 0))
    if (cc.pacer !== null && mustWait(s, cc.pacer, now)) break
  }
  if (snd.nxt !== before) {
    timers.persist = NEVER
    if (timers.retransmit === NEVER) timers.retransmit = now + s.rto.rto // RFC 6298 (5.1)
    if (fresh) s.rto.stuckAt = now
    scheduleProbe(s, now)
  }
  if (s.tally !== null) noteSending(s, s.tally, now, deferred)
  const keeps = remainder === 'kept' || (s.policy.cork && remainder !== 'sent')
  if (keeps && timers.hold === NEVER && seqGt(snd.end, snd.nxt)) {
    timers.hold = now + (s.policy.corkTime || s.rto.rto)
  } else if (snd.nxt === before && snd.nxt === snd.una && timers.persist === NEVER && waits(s)) {
    if (timers.hold !== NEVER && keeps) return // it is not the window that keeps it back
    timers.retransmit = NEVER
    timers.persist = now + s.rto.rto // RFC 9293 §3.8.6.1
    if (fresh) s.rto.stuckAt = now
  }
}

/** RFC 6675 §4: nothing new while there is something to send again, but where F-RTO asks for it. */
function lossComesFirst({ board, recovery }: TcpState): boolean {
  return board !== null && board.lost > 0 && recovery.episode!.frto !== 2
}

/** Whether something has not been sent, be it the FIN alone. */
const waits = (s: TcpState): boolean => seqDiff(s.snd.end, s.snd.nxt) > 0 || finAt(s, s.snd.nxt)

/** RFC 9293 §3.7.4, Nagle: something is in flight, or something small. What was sent before goes again. */
function mustGather({ snd, policy }: TcpState): boolean {
  if (!policy.nagle || snd.nxt === snd.una || snd.nxt !== snd.max) return false
  return !policy.minshall || seqGt(snd.small, snd.una)
}

/** RFC 9293 §3.8.6.2.1 and §3.7.4 for less than a full segment. */
function worthSending(
  s: TcpState,
  length: number,
  unsent: number,
  remainder: Remainder,
  wasIdle: boolean,
): boolean {
  const { snd } = s
  if (length === 0) return false
  // What is urgent does not wait, as in Linux: neither for an acknowledgment nor for more.
  if ((remainder === 'sent' || snd.up !== null) && length === unsent) return true
  if (s.policy.cork || remainder === 'kept') return false
  if (length === unsent && ((wasIdle && s.policy.nagleAsksOnce) || !mustGather(s))) return true
  return length < unsent && length >= snd.maxWnd / 2
}

/** Sends the first unacknowledged segment again, whatever the window says. */
export function retransmitFirst(
  s: TcpState,
  now: Nanos,
  cause: RetransmitCause,
  out: TcpOut,
): void {
  const { snd } = s
  const record = leftOfRecord(s.sendQueue, snd.una)
  const length = Math.min(s.mss, seqDiff(snd.end, snd.una), seqDiff(snd.max, snd.una), record)
  const fin = finAt(s, seqAdd(snd.una, length)) && seqGt(snd.max, snd.end)
  sendData(s, now, snd.una, Math.max(length, 0), fin, cause, out)
}

/** RFC 9293 §3.8.4: a segment without text, one number before what the peer expects; it must answer. */
export function sendKeepAlive(s: TcpState, now: Nanos, out: TcpOut): void {
  emit(s, seqAdd(s.snd.nxt, -1), ACK, advertise(s), optionsAt(s, now), NO_BYTES, NOT_ECT, out)
}

/** An old number without text, to hear of the window (tcp_xmit_probe_skb). */
export function sendWindowProbe(s: TcpState, now: Nanos, out: TcpOut): void {
  emit(s, seqAdd(s.snd.una, -1), ACK, advertise(s), optionsAt(s, now), NO_BYTES, NOT_ECT, out)
}

/** One byte, or the FIN, past a closed window, to hear of its opening (RFC 9293 §3.8.6.1). */
export function sendProbe(s: TcpState, now: Nanos, out: TcpOut): void {
  const { snd } = s
  const unsent = seqDiff(snd.end, snd.una)
  const length = Math.min(Math.max(snd.wnd, 1), s.mss, unsent)
  const fin = unsent === 0
  sendData(s, now, snd.una, length, fin, 'probe', out)
  snd.nxt = seqAdd(snd.una, length + (fin ? 1 : 0))
  s.rto.timedAt = NEVER // the answer waits for a reader, it says nothing of the path
}
