import { type Seq, seqAdd, seqDiff } from '../sequence.ts'
import { createRoom, edgeByMemory, freeByMemory, type Room } from './room.ts'
import type { ReceiveVariables, TcpState } from './state.ts'

// The receive window, RFC 9293 §3.8.6.

export const MAX_WINDOW = 65_535

/** RFC 7323 §2.3. */
export const MAX_SCALE = 14

/** The smallest shift with which the whole buffer can be offered. */
export function scaleFor(buffer: number): number {
  let shift = 0
  while (shift < MAX_SCALE && buffer >> shift > MAX_WINDOW) shift += 1
  return shift
}

/** Room for what the peer may still send, as far as the window field can say it. */
export function freeSpace(s: TcpState): number {
  const { rcv, receiveQueue } = s
  const free = rcv.buffer - (receiveQueue === null ? 0 : receiveQueue.bytes)
  return Math.max(Math.min(free, MAX_WINDOW << rcv.wndScale), 0)
}

/**
 * The right edge that may be offered now. It never moves back, and forward only by a full segment
 * or half the buffer (silly window avoidance, §3.8.6.2.2).
 */
export function rightEdge(s: TcpState): Seq {
  const rcv = s.rcv
  if (s.policy.roomInMemory) return edgeByMemory(s, (s.room ??= createRoom(s)))
  const offered = seqDiff(rcv.adv, rcv.nxt)
  const free = freeSpace(s)
  if (!s.policy.steadyEdge) {
    // What is little, next to the buffer and to a segment, is not offered at all.
    const offers = free >= rcv.buffer >> 2 || free >= s.mss
    return offers && free > offered ? seqAdd(rcv.nxt, free) : rcv.adv
  }
  const enough = Math.min(rcv.buffer >> 1, s.mss)
  return free - offered >= enough ? seqAdd(rcv.nxt, free) : rcv.adv
}

/** What goes into the window field of the next segment; remembers what it promises. */
export function advertise(s: TcpState): number {
  const rcv = s.rcv
  if (s.room !== null && s.room.isFull) return closeWindow(s.room, rcv)
  const window = Math.max(seqDiff(rightEdge(s), rcv.nxt), 0)
  const field = Math.min(window >> rcv.wndScale, MAX_WINDOW)
  const edge = seqAdd(rcv.nxt, field << rcv.wndScale)
  if (seqDiff(edge, rcv.adv) > 0) rcv.adv = edge
  return field
}

/** There was no memory for what came, though it had been offered. */
function closeWindow(room: Room, rcv: ReceiveVariables): number {
  room.isFull = false
  rcv.adv = rcv.nxt
  return 0
}

/** The window of a SYN is never scaled (RFC 7323 §2.2). */
export function advertiseOnSyn(s: TcpState): number {
  const window = Math.min(freeSpace(s), MAX_WINDOW)
  s.rcv.adv = seqAdd(s.rcv.nxt, window)
  return window
}

/**
 * Whether reading has opened the window so far that the peer should hear of it now: by two full
 * segments, and it has seen less than half of the buffer. Otherwise the next ACK is soon enough.
 */
export function worthUpdating(s: TcpState): boolean {
  const { rcv, room } = s
  const offered = seqDiff(rcv.adv, rcv.nxt)
  if (room !== null) {
    // tcp_cleanup_rbuf: twice as much as the peer knows of.
    const free = 2 * offered <= room.clamp ? freeByMemory(s, room, offered) : 0
    return free > 0 && free >= 2 * offered
  }
  if (s.policy.eagerUpdates) {
    const gained = freeSpace(s) - offered
    return gained >= 2 * s.mss && gained >= rcv.buffer >> 2
  }
  return 2 * offered <= rcv.buffer && freeSpace(s) - offered >= Math.min(rcv.buffer >> 1, 2 * s.mss)
}
