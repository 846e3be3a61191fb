import { type Bytes } from '../bytes.ts'
import { type Seq, seqAdd, seqDiff, seqGt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { acceptLate, enter, startTimeWait } from './lifecycle.ts'
import type { TcpOut } from './output.ts'
import { createReassembly, finReached, fits, insertPiece, takeInOrder } from './reassembly.ts'
import { createReceiveQueue } from './receive-queue.ts'
import { resetAt } from './reset.ts'
import {
  ackDelay,
  createRoom,
  freeByMemory,
  hasRoom,
  memoryOf,
  noteEcho,
  noteInterval,
  openFurther,
  type Room,
  segmentGrows,
} from './room.ts'
import { findDuplicate } from './sack-option.ts'
import { FIN, RST, SYN, type TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import { finish } from './lifecycle.ts'
import { sendAck, TIMESTAMP_TICK, timestampAt } from './transmit.ts'

// RFC 9293 §3.10.7.4, "seventh, process the segment text" and "eighth, check the FIN bit".

/** Takes text and FIN of an acceptable segment, and acknowledges as RFC 5681 §4.2 says. */
export function textArrives(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  const { rcv } = s
  const fin = (seg.flags & FIN) !== 0
  if (seg.payload.length === 0 && !fin) return
  if (rcv.fin) return again(s, now, seg, out)
  const from = textAt(seg)
  const skip = seqDiff(rcv.nxt, from)
  const payload = trim(s, seg, skip)
  const interval = now - rcv.textAt
  if (payload.length > 0) rcv.textAt = now
  if (s.orphan && payload.length > 0) return refuseText(s, seg, out)
  const finSeq = seqAdd(from, seg.payload.length)
  const inWindow = !seqGt(finSeq, rcv.adv)
  if (skip !== 0 || s.reassembly !== null) {
    findDuplicate(s, from, seqAdd(from, seg.payload.length))
  }
  const room = (s.room ??= s.policy.roomInMemory ? createRoom(s) : null)
  if (room !== null && payload.length > 0 && !hasRoom(s, room)) {
    sendAck(s, now, out)
    return out.event({ kind: 'dropped', why: 'tcp buffer full', packet: seg })
  }
  if (skip < 0) {
    hold(s, seg, payload, fin && inWindow ? finSeq : null, out)
    return sendAck(s, now, out) // a duplicate ACK, at once
  }
  if (room !== null) takesMemory(s, room, payload.length, interval)
  if (room !== null && s.timestamps && payload.length >= rcv.mss) measureEcho(s, room, now, seg)
  if (payload.length > rcv.mss) rcv.mss = payload.length
  deliver(s, payload)
  const filled = fillGap(s)
  const ended = (fin && inWindow && rcv.nxt === finSeq) || earlyFin(s)
  if (ended) {
    rcv.nxt = seqAdd(rcv.nxt, 1)
    rcv.fin = true
  }
  tellReader(s, out)
  // A gap filled, wholly or in part, and a FIN are acknowledged at once.
  const later = ended && s.policy.delaysFinAck && s.state === 'ESTABLISHED'
  if (later) rcv.quick = 0
  const atOnce = filled || s.reassembly !== null || rcv.dupStart !== rcv.dupEnd
  if (atOnce || (ended && !later)) sendAck(s, now, out)
  else acknowledgeLater(s, now, payload.length, out)
  if (ended) finArrives(s, now, out)
}

/** A SYN takes the number before the first byte. */
const textAt = (seg: TcpSegment): Seq => (seg.flags & SYN ? seqAdd(seg.seq, 1) : seg.seq)

/** Text and FIN of a SYN wait for the connection to stand (RFC 9293 §3.10.7.2, §3.10.7.3). */
export function keepText(s: TcpState, seg: TcpSegment, out: TcpOut): void {
  const fin = (seg.flags & FIN) !== 0
  if (seg.payload.length === 0 && !fin) return
  const payload = trim(s, seg, 0)
  const whole = payload.length === seg.payload.length
  hold(s, seg, payload, fin && whole ? seqAdd(textAt(seg), payload.length) : null, out)
}

/** RFC 7413 §4.2.2: text on a SYN may be read at once; how much there was. A FIN waits as above. */
export function synTextArrives(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): number {
  keepText(s, seg, out)
  const before = s.rcv.nxt
  if (fillGap(s)) s.rcv.textAt = now
  if (s.reassembly !== null && !s.reassembly.hasFin) s.reassembly = null
  return seqDiff(s.rcv.nxt, before)
}

/** They have waited; `seg` is what came last, and is acknowledged with them if it has to be. */
export function keptTextArrives(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  if (s.reassembly === null) return
  const before = s.rcv.nxt
  fillGap(s)
  const bytes = seqDiff(s.rcv.nxt, before)
  if (bytes > s.rcv.mss) s.rcv.mss = bytes
  const ended = earlyFin(s)
  if (ended) {
    s.rcv.nxt = seqAdd(s.rcv.nxt, 1)
    s.rcv.fin = true
  }
  tellReader(s, out)
  if (!ended) return acknowledgeLater(s, now, bytes, out)
  if (seg.length === 0) sendAck(s, now, out)
  finArrives(s, now, out)
}

/** After the peer's FIN there is nothing to read: only the FIN itself may come again. */
function again(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  if (s.state === 'TIME-WAIT' && seg.flags & FIN) s.timers.timeWait = now + 2 * s.policy.msl
  sendAck(s, now, out)
}

/** What of the text is new and lies in the window. */
function trim(s: TcpState, seg: TcpSegment, skip: number): Bytes {
  const { payload } = seg
  const from = Math.min(Math.max(skip, 0), payload.length)
  const room = seqDiff(s.rcv.adv, textAt(seg))
  const to = Math.max(Math.min(payload.length, room), from)
  return from === 0 && to === payload.length ? payload : payload.subarray(from, to)
}

/** RFC 9293 §3.6.1, SHLD-3: nobody will read this, and the peer should know. */
function refuseText(s: TcpState, seg: TcpSegment, out: TcpOut): void {
  out.send(resetAt(s.localPort, s.remotePort, s.policy.resetAtAck ? seg.ack : s.snd.max, 0, RST), 0)
  finish(s, out)
}

/** Beyond a gap. What does not fit is dropped, and no block tells of it. */
function hold(
  s: TcpState,
  seg: TcpSegment,
  payload: Bytes,
  finSeq: number | null,
  out: TcpOut,
): void {
  s.reassembly ??= createReassembly()
  if (!fits(s.reassembly, payload.length, s.rcv.buffer)) {
    return out.event({ kind: 'dropped', why: 'tcp reassembly full', packet: seg })
  }
  if (payload.length > 0) insertPiece(s.reassembly, textAt(seg), payload)
  if (s.room !== null && payload.length > 0) {
    s.room.held += memoryOf(payload.length)
    s.room.outOfOrder += 1
    openFurther(s, s.room, payload.length)
  }
  if (finSeq === null) return
  s.reassembly.hasFin = true
  s.reassembly.finSeq = finSeq
}

/** Text in order: what it takes, and what it shows of how text fits into memory. */
function takesMemory(s: TcpState, room: Room, bytes: number, interval: Nanos): void {
  if (bytes === 0) return
  noteInterval(s, room, interval)
  room.held += memoryOf(bytes)
  segmentGrows(s, room, bytes)
  if (bytes >= SHORT) openFurther(s, room, bytes)
}

function measureEcho(s: TcpState, room: Room, now: Nanos, { options }: TcpSegment): void {
  if (!options.hasTimestamps) return
  const ticks = (timestampAt(s, now) - options.timestampEcho) | 0
  noteEcho(room, options.timestampEcho, Math.max(ticks, 1) * TIMESTAMP_TICK)
}

/** tcp_event_data_recv: less says nothing. */
const SHORT = 128

function deliver(s: TcpState, payload: Bytes): void {
  if (payload.length === 0) return
  const queue = (s.receiveQueue ??= createReceiveQueue())
  // An empty array that grows takes room for seventeen; most readers come after every segment.
  if (queue.chunks.length === 0) queue.chunks = [payload]
  else queue.chunks.push(payload)
  queue.bytes += payload.length
  s.counts.bytesReceived += payload.length
  s.rcv.nxt = seqAdd(s.rcv.nxt, payload.length)
}

/** Whether pieces beyond a gap have become deliverable. */
function fillGap(s: TcpState): boolean {
  const held = s.reassembly
  if (held === null || held.blocks.length === 0) return false
  const before = s.rcv.nxt
  takeInOrder(held, before, (payload) => deliver(s, payload))
  return s.rcv.nxt !== before
}

/** A FIN that came before its turn, whose turn it is. Forgets an empty reassembly. */
function earlyFin(s: TcpState): boolean {
  const held = s.reassembly
  if (held === null) return false
  const reached = finReached(held, s.rcv.nxt)
  if (reached || (held.blocks.length === 0 && !held.hasFin)) s.reassembly = null
  return reached
}

export function tellReader(s: TcpState, out: TcpOut): void {
  if (s.unaccepted) acceptLate(s, out)
  const available = s.receiveQueue === null ? 0 : s.receiveQueue.bytes
  if (s.orphan || s.saidReadable || (available === 0 && !s.rcv.fin)) return
  s.saidReadable = true
  out.event({ kind: 'readable', socket: s.id, available })
}

/** RFC 9293 §3.8.6.3, RFC 5681 §4.2: every second full segment at the latest, or after a while. */
function acknowledgeLater(s: TcpState, now: Nanos, bytes: number, out: TcpOut): void {
  const { rcv, policy } = s
  if (rcv.quick > 0) {
    rcv.quick -= 1
    return sendAck(s, now, out)
  }
  rcv.unacked += policy.countsSegments ? 1 : bytes
  if (s.room !== null) {
    const delay = ackDelay(s, s.room)
    // An ACK that is due within a quarter of the wait does not wait (tcp_send_delayed_ack).
    const soon = s.timers.delayedAck <= now + delay / 4
    if (soon || hearsAtOnce(s, s.room)) return sendAck(s, now, out)
    s.timers.delayedAck = Math.min(s.timers.delayedAck, now + delay)
    return
  }
  if (rcv.unacked >= policy.ackEvery * (policy.countsSegments ? 1 : rcv.mss))
    return sendAck(s, now, out)
  const { timers } = s
  if (timers.delayedAck === NEVER) timers.delayedAck = now + policy.delayedAck
}

/** __tcp_ack_snd_check: more than a full segment, and the window has not become smaller. */
function hearsAtOnce(s: TcpState, room: Room): boolean {
  const { rcv } = s
  if (rcv.unacked <= Math.max(rcv.mss, DEFAULT_MSS)) return false
  return freeByMemory(s, room, seqDiff(rcv.adv, rcv.nxt)) >= seqDiff(rcv.adv, rcv.lastAck)
}

const DEFAULT_MSS = 536

/** §3.10.7.4, eighth. */
function finArrives(s: TcpState, now: Nanos, out: TcpOut): void {
  switch (s.state) {
    case 'SYN-RECEIVED':
    case 'ESTABLISHED':
      return enter(s, 'CLOSE-WAIT', out)
    case 'FIN-WAIT-1':
      return enter(s, 'CLOSING', out) // its ACK of our FIN would have moved us on before
    case 'FIN-WAIT-2':
      return startTimeWait(s, now, out)
    default:
  }
}
