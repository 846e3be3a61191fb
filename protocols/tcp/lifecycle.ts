import type { Errno } from '../errno.ts'
import { seqAdd, seqGt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { startCongestion } from './congestion/control-of.ts'
import type { TcpOut } from './output.ts'
import { takeChunks } from './receive-queue.ts'
import { initialWindow } from './room.ts'
import { sampleRtt } from './rto.ts'
import type { TcpSegment } from './segment.ts'
import type { TcpState, TcpStateName } from './state.ts'

// How a connection moves through the states of RFC 9293 figure 5, and how it ends.

export function enter(s: TcpState, to: TcpStateName, out: TcpOut): void {
  const from = s.state
  s.state = to
  out.event({ kind: 'tcp-state', socket: s.id, from, to })
  if (to === 'FIN-WAIT-2' || to === 'TIME-WAIT') lingerOver(s, out)
}

/** A close that lingers ends when our FIN is acknowledged, or the connection is no more. */
function lingerOver(s: TcpState, out: TcpOut): void {
  const waits = s.orphan && s.timers.hold !== NEVER
  s.timers.hold = NEVER
  if (!waits) return
  out.event({ kind: 'lingered', socket: s.id, done: seqGt(s.snd.una, s.snd.end) })
}

/** The three-way handshake is complete from this side. The window has been taken. */
export function becomeEstablished(s: TcpState, now: Nanos, seg: TcpSegment, out: TcpOut): void {
  const { snd, rto, cc, policy } = s
  snd.una = seg.ack
  if (rto.timedAt !== NEVER) {
    const rtt = now - rto.timedAt
    sampleRtt(rto, rtt, policy)
    out.event({ kind: 'rtt', socket: s.id, rtt, srtt: Math.round(rto.srtt) })
  } else if (rto.retransmits > 0) {
    rto.rto = Math.max(policy.rtoInitial, RTO_AFTER_LOST_SYN) // RFC 6298 (5.7)
  }
  // RFC 5681 §3.1: one segment only, if the SYN or its answer was lost.
  const most = s.listener < 0 ? policy.oneAfterSyns : policy.oneAfterSynAcks
  cc.cwnd = (rto.retransmits >= most ? 1 : policy.initialWindow) * s.mss
  startCongestion(s, now)
  rto.timedAt = NEVER
  rto.retransmits = 0
  s.timers.retransmit = NEVER
  const isWatched = policy.keepAlive || policy.alwaysKeepAlive
  s.timers.keepAlive = isWatched ? now + policy.keepIdle : NEVER
  s.rcv.quick = policy.quickAcks
  if (policy.tallies) s.rcv.textAt = rto.sentAt = now
  if (policy.wholeSegments) s.rcv.buffer = wholeSegments(s)
  if (policy.roomInMemory) s.rcv.adv = seqAdd(s.rcv.nxt, initialWindow(s))
  enter(s, 'ESTABLISHED', out)
  if (s.listener >= 0) {
    if (policy.deferAccept === 0 || policy.defersHandshake) return accept(s, out)
    s.unaccepted = true
    s.timers.hold = now + policy.deferAccept
    return
  }
  if (s.fastOpen === null || !s.fastOpen.told) tellConnected(s, out)
}

export function tellConnected(s: TcpState, out: TcpOut): void {
  const { local, remote } = endpoints(s)
  out.event({ kind: 'connected', socket: s.id, local, remote })
}

export const endpoints = (s: TcpState) => ({
  local: { address: s.localAddress, port: s.localPort },
  remote: { address: s.remoteAddress, port: s.remotePort },
})

export function accept(s: TcpState, out: TcpOut): void {
  const { local, remote } = endpoints(s)
  out.event({ kind: 'accepted', socket: s.id, listener: s.listener, local, remote })
}

/** The listener hears of a connection that has waited for its first bytes (TCP_DEFER_ACCEPT). */
export function acceptLate(s: TcpState, out: TcpOut): void {
  s.unaccepted = false
  s.timers.hold = NEVER
  accept(s, out)
}

const RTO_AFTER_LOST_SYN = 3e9

export const wholeSegments = ({ rcv, mss }: TcpState): number => Math.ceil(rcv.buffer / mss) * mss

/** The connection breaks: the application hears why, and the socket is gone. */
export function fail(s: TcpState, error: Errno, out: TcpOut): void {
  out.event({ kind: 'failed', socket: s.id, error })
  finish(s, out)
}

/**
 * The end of the connection. The host lets the socket go when it hears `closed`, so what the
 * application has not read yet is handed to it before.
 */
export function finish(s: TcpState, out: TcpOut): void {
  const { timers } = s
  timers.retransmit = NEVER
  timers.reorder = NEVER
  timers.tailLoss = NEVER
  timers.persist = NEVER
  timers.delayedAck = NEVER
  timers.timeWait = NEVER
  timers.pacing = NEVER
  timers.keepAlive = NEVER
  lingerOver(s, out)
  s.sendQueue = null
  s.board = null
  s.reassembly = null
  s.finQueued = false
  s.snd.end = s.snd.nxt
  const left = s.receiveQueue
  if (left !== null && left.bytes > 0) {
    const { bytes } = left
    const chunks = takeChunks(left, bytes)
    out.event({ kind: 'received', socket: s.id, chunks, bytes, ended: s.rcv.fin })
  }
  enter(s, 'CLOSED', out)
  out.event({ kind: 'closed', socket: s.id })
}

export function startTimeWait(s: TcpState, now: Nanos, out: TcpOut): void {
  s.timers.retransmit = NEVER
  s.timers.reorder = NEVER
  s.timers.tailLoss = NEVER
  s.timers.persist = NEVER
  s.timers.keepAlive = NEVER
  s.timers.timeWait = now + 2 * s.policy.msl
  enter(s, 'TIME-WAIT', out)
}
