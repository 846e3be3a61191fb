import { seqAdd, seqDiff } from '../sequence.ts'
import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { ShutdownHow, SocketCall } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import { firstQueued, isPending, synRoom } from './fast-open.ts'
import { sizeGoal } from './chunks.ts'
import { tcpInfo } from './info.ts'
import { enter, finish, tellConnected } from './lifecycle.ts'
import type { TcpOut } from './output.ts'
import { outside } from './recovery.ts'
import { takeChunks } from './receive-queue.ts'
import { resetOf } from './reset.ts'
import { memoryOf } from './room.ts'
import { createSendQueue, endRecord, pushAt } from './send-queue.ts'
import { readOption, setOption } from './settings.ts'
import type { TcpState } from './state.ts'
import { sendAck, sendSyn, transmit } from './transmit.ts'
import { createTally, nowWaitsFor, WAITS_FOR_ACKS, WAITS_FOR_NOTHING } from './tally.ts'
import { queueUrgent, untilMark, urgentRead } from './urgent.ts'
import { worthUpdating } from './window.ts'

// RFC 9293 §3.10.1 to §3.10.6, the user's calls.

export function callArrives(s: TcpState, now: Nanos, call: SocketCall, out: TcpOut): void {
  switch (call.kind) {
    case 'connect':
      return open(s, now, null, out)
    case 'send-to':
      return open(s, now, call, out)
    case 'send':
      return send(s, now, call, out)
    case 'receive':
      return receive(s, now, call.max, out)
    case 'shutdown':
      return shutdownCall(s, now, call.how ?? 'write', out)
    case 'close':
      return close(s, now, out)
    case 'abort':
      return abort(s, now, out)
    case 'set': {
      const error = setOption(s, now, call, out)
      return error === null ? undefined : reject(s, 'set', error, out)
    }
    case 'get': {
      const value = readOption(s, call.option)
      if (value === null) return reject(s, 'get', 'ENOPROTOOPT', out)
      return out.event({ kind: 'option', socket: s.id, option: call.option, value })
    }
    case 'info':
      return out.event({ kind: 'info', socket: s.id, info: tcpInfo(s, now) })
    default:
      return reject(s, call.kind, 'EOPNOTSUPP', out)
  }
}

function reject(s: TcpState, call: SocketCall['kind'], error: Errno, out: TcpOut): void {
  out.event({ kind: 'rejected', socket: s.id, call, error })
}

/** OPEN, active. `first`: what is to go with it, as far as it may (RFC 7413); `null`: nothing. */
function open(s: TcpState, now: Nanos, first: FirstBytes | null, out: TcpOut): void {
  const call = first === null ? 'connect' : 'send-to'
  const waits = s.fastOpen !== null && s.fastOpen.waits
  if (s.state === 'SYN-SENT' && waits) {
    if (first === null) return reject(s, call, 'EISCONN', out)
    return sendFirst(s, now, first, out)
  }
  if (s.state === 'SYN-SENT' || (s.state === 'SYN-RECEIVED' && !isPending(s))) {
    return reject(s, call, 'EALREADY', out)
  }
  if (s.state !== 'CLOSED') return reject(s, call, 'EISCONN', out)
  const { connectTimeout } = s.policy
  if (connectTimeout > 0) s.timers.keepAlive = now + connectTimeout
  enter(s, 'SYN-SENT', out)
  if (first !== null) return sendFirst(s, now, first, out)
  if (!waits) return sendSyn(s, now, out)
  s.fastOpen!.told = true
  tellConnected(s, out)
}

interface FirstBytes {
  readonly bytes: Bytes
  readonly waits?: boolean
}

/** The first bytes, and the SYN that has waited for them: as many of them as it has room for. */
function sendFirst(s: TcpState, now: Nanos, first: FirstBytes, out: TcpOut): void {
  const { bytes, waits = false } = first
  const { fastOpen, policy } = s
  const room = Math.min(synRoom(s), roomToSend(s))
  const text = queueBytes(s, now, bytes, room)
  if (fastOpen !== null) {
    fastOpen.text = text
    fastOpen.waits = false
    fastOpen.writer = waits && text < bytes.length
  }
  const rest = bytes.subarray(text)
  const more = policy.fastOpen.sendConnects ? queueBytes(s, now, rest, roomToSend(s)) : 0
  if (text + more < bytes.length) s.wantsSpace = true
  out.event({ kind: 'queued', socket: s.id, bytes: text + more })
  if (text + more > 0) firstQueued(s, out)
  sendSyn(s, now, out)
}

function roomToSend(s: TcpState): number {
  const { policy, snd } = s
  const free = Math.max(policy.sendBuffer - seqDiff(snd.end, snd.una), 0)
  // Where memory is counted, a bundle that was begun is filled.
  const room = free === 0 || policy.bufferUnit === 1 ? free : roomInBundles(s, free)
  return policy.notSentLowWater < room ? Math.min(room, roomUnsent(s)) : room
}

/** What may be queued until too much waits: what goes out at once, and whole bundles of segments. */
function roomUnsent(s: TcpState): number {
  const { snd, policy } = s
  const waiting = policy.notSentLowWater - seqDiff(snd.end, snd.nxt)
  if (waiting <= 0) return 0
  const goal = sizeGoal(s)
  return leavesAtOnce(s) + Math.ceil(waiting / goal) * goal
}

function leavesAtOnce(s: TcpState): number {
  const { snd, cc } = s
  return Math.max(Math.min(snd.wnd, cc.cwnd + outside(s)) - seqDiff(snd.end, snd.una), 0)
}

function roomInBundles(s: TcpState, free: number): number {
  const goal = sizeGoal(s)
  const now = leavesAtOnce(s)
  return now + Math.max(Math.ceil((free - now) / goal), 1) * goal
}

/** Puts as many into the queue, at most `room`. They are kept as they are, not copied. */
function queueBytes(s: TcpState, now: Nanos, bytes: Bytes, room: number): number {
  const taken = Math.min(bytes.length, room)
  if (taken === 0) return 0
  if (s.policy.tallies) tallyBegins(s, now)
  const queue = (s.sendQueue ??= createSendQueue(s.snd.end))
  queue.chunks.push(taken === bytes.length ? bytes : bytes.subarray(0, taken))
  s.snd.end = seqAdd(s.snd.end, taken)
  return taken
}

function mayQueue(s: TcpState): boolean {
  if (s.finQueued || s.orphan) return false
  switch (s.state) {
    case 'SYN-SENT':
    case 'SYN-RECEIVED':
    case 'ESTABLISHED':
    case 'CLOSE-WAIT':
      return true
    default:
      return false
  }
}

/** SEND: as much as the buffer holds, from the front. */
function send(s: TcpState, now: Nanos, call: SocketCall & { kind: 'send' }, out: TcpOut): void {
  const { bytes, urgent = false, more = false, record = false } = call
  if (!mayQueue(s)) return reject(s, 'send', s.state === 'CLOSED' ? 'ENOTCONN' : 'EPIPE', out)
  if (s.fastOpen !== null && s.fastOpen.waits) return sendFirst(s, now, call, out)
  const { snd } = s
  const taken = queueBytes(s, now, bytes, roomToSend(s))
  if (taken < bytes.length) s.wantsSpace = true
  if (taken > 0 && s.policy.sendsChunks) pushAt(s.sendQueue!, snd.una, snd.nxt, snd.end, !more)
  if (taken === bytes.length && record && s.sendQueue !== null)
    endRecord(s.sendQueue, snd.una, snd.end)
  // An answer: what comes next is likely to be answered too, and its ACK can ride on that.
  if (s.rcv.quick > 0 && now - s.rcv.textAt < ackWait(s) && !isPending(s)) s.rcv.quick = 0
  out.event({ kind: 'queued', socket: s.id, bytes: taken })
  if (urgent && taken > 0) queueUrgent(s)
  if (s.state !== 'ESTABLISHED' && s.state !== 'CLOSE-WAIT') {
    if (isPending(s)) transmitEarly(s, now, out)
    return
  }
  const { nxt } = snd
  if (!more && !s.policy.cork) s.timers.hold = NEVER
  transmit(s, now, out, s.fellBack, more ? 'kept' : 'as set')
  // A window that is closed keeps the bytes back, not the news.
  if (urgent && taken > 0 && snd.nxt === nxt) sendAck(s, now, out)
}

/** How long an ACK would wait. */
const ackWait = ({ policy, room }: TcpState): Nanos =>
  policy.roomInMemory ? (room === null ? 0 : room.ato) : policy.delayedAck

/** RFC 7413 §4.2.2: before the handshake is over. The timers are still those of the SYN,ACK. */
function transmitEarly(s: TcpState, now: Nanos, out: TcpOut): void {
  if (s.snd.wnd === 0) return
  transmit(s, now, out)
  s.timers.tailLoss = NEVER
}

/** RECEIVE. Reading may open the window far enough to tell the peer. */
function receive(s: TcpState, now: Nanos, max: number, out: TcpOut): void {
  const queue = s.receiveQueue
  const before = queue === null ? 0 : queue.bytes
  const chunks = queue === null ? [] : takeChunks(queue, untilMark(s, max))
  const left = queue === null ? 0 : queue.bytes
  s.saidReadable = left > 0
  urgentRead(s)
  if (s.room !== null && before > left) s.room.held = memoryHeld(s)
  out.event({
    kind: 'received',
    socket: s.id,
    chunks,
    bytes: before - left,
    ended: (s.rcv.fin || s.readShut) && left === 0,
  })
  if (before > left && hearsWindow(s) && (worthUpdating(s) || owesAck(s))) sendAck(s, now, out)
}

/** Where memory counts, what has been read need not wait for its ACK (tcp_cleanup_rbuf). */
const owesAck = ({ room, rcv, timers }: TcpState): boolean =>
  room !== null && timers.delayedAck !== NEVER && rcv.unacked > rcv.mss

/** What nobody has read takes so much memory. */
function memoryHeld({ receiveQueue, reassembly }: TcpState): number {
  let held = 0
  if (receiveQueue !== null) for (const { length } of receiveQueue.chunks) held += memoryOf(length)
  if (reassembly === null) return held
  for (const { chunks } of reassembly.blocks) {
    for (const { length } of chunks) held += memoryOf(length)
  }
  return held
}

function hearsWindow(s: TcpState): boolean {
  return s.state === 'ESTABLISHED' || s.state === 'FIN-WAIT-1' || s.state === 'FIN-WAIT-2'
}

function shutdownCall(s: TcpState, now: Nanos, how: ShutdownHow, out: TcpOut): void {
  if (s.state === 'CLOSED' || s.state === 'LISTEN') return reject(s, 'shutdown', 'ENOTCONN', out)
  if (how !== 'write' && !s.readShut) {
    // Nothing goes over the wire: whoever reads finds the end behind what has come.
    s.readShut = true
    const available = s.receiveQueue === null ? 0 : s.receiveQueue.bytes
    out.event({ kind: 'readable', socket: s.id, available })
  }
  if (how !== 'read') shutdown(s, now, out)
}

/** CLOSE as RFC 9293 means it: nothing more to send, reading goes on. */
function shutdown(s: TcpState, now: Nanos, out: TcpOut): void {
  if (s.finQueued) return
  switch (s.state) {
    case 'SYN-SENT':
      return finish(s, out)
    case 'SYN-RECEIVED':
      s.finQueued = true // it waits for ESTABLISHED, as §3.10.4 allows
      return
    case 'ESTABLISHED':
      enter(s, 'FIN-WAIT-1', out)
      break
    case 'CLOSE-WAIT':
      enter(s, 'LAST-ACK', out)
      break
    default:
      return
  }
  s.finQueued = true
  transmit(s, now, out)
}

/** The application lets go: unread bytes turn the close into a reset (RFC 2525 §2.17). */
function close(s: TcpState, now: Nanos, out: TcpOut): void {
  if (s.orphan) return
  s.orphan = true
  if (s.state === 'CLOSED' || s.state === 'LISTEN') return finish(s, out)
  const { lingers, lingerTime } = s.policy
  if (lingers && lingerTime === 0) return abort(s, now, out)
  if (s.receiveQueue !== null && s.receiveQueue.bytes > 0) return abort(s, now, out)
  s.receiveQueue = null
  s.timers.hold = lingers ? now + lingerTime : NEVER
  if (s.state === 'SYN-RECEIVED' && isPending(s)) return closeEarly(s, now, out)
  if (s.state === 'FIN-WAIT-2') s.timers.timeWait = now + s.policy.finWait2
  shutdown(s, now, out)
}

/** §3.10.4 lets a FIN go before the handshake is over. */
function closeEarly(s: TcpState, now: Nanos, out: TcpOut): void {
  s.finQueued = true
  enter(s, 'FIN-WAIT-1', out)
  transmitEarly(s, now, out)
}

/** ABORT, §3.10.5. */
function abort(s: TcpState, now: Nanos, out: TcpOut): void {
  switch (s.state) {
    case 'SYN-RECEIVED':
    case 'ESTABLISHED':
    case 'FIN-WAIT-1':
    case 'FIN-WAIT-2':
    case 'CLOSE-WAIT':
      out.send(resetOf(s, now), 0)
      break
    default:
  }
  s.receiveQueue = null
  finish(s, out)
}

/** Text is queued: the figures of a sender begin. */
function tallyBegins(s: TcpState, now: Nanos): void {
  const tally = (s.tally ??= createTally(s, now))
  if (tally.waitsFor === WAITS_FOR_NOTHING) nowWaitsFor(tally, now, WAITS_FOR_ACKS)
}
