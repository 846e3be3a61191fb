import type { Endpoint, IpAddress } from '../address.ts'
import type { Errno } from '../errno.ts'
import type { SocketId } from '../host/socket.ts'
import type { Seq } from '../sequence.ts'
import { NEVER, type Nanos, UNMADE } from '../time.ts'
import type { Timers } from '../engine.ts'
import { type CongestionState, createCongestion } from './congestion/congestion.ts'
import type { Ecn } from './ecn.ts'
import type { FastOpen } from './fast-open.ts'
import type { TcpPolicy } from './policy.ts'
import type { Reassembly } from './reassembly.ts'
import type { ReceiveQueue } from './receive-queue.ts'
import { type Counts, createCounts } from './counts.ts'
import { type Recovery, createRecovery } from './recovery.ts'
import type { Rack } from './rack.ts'
import { type RtoState, createRto } from './rto.ts'
import type { Room } from './room.ts'
import type { Scoreboard } from './scoreboard.ts'
import type { SendQueue } from './send-queue.ts'
import type { Tally } from './tally.ts'

/** The eleven states of RFC 9293 §3.3.2. */
export type TcpStateName =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT'

/** Why a segment was sent again. */
export type RetransmitCause = 'rto' | 'fast' | 'rack' | 'tlp' | 'probe' | 'mtu'

/**
 * `keepAlive` also bounds an attempt to connect. `hold` is for what an application waits with: the
 * acceptance of a connection without data, a cork, a close that lingers, in this order in its life.
 */
export type TcpTimerName =
  | 'retransmit'
  | 'reorder'
  | 'tailLoss'
  | 'persist'
  | 'delayedAck'
  | 'pacing'
  | 'timeWait'
  | 'keepAlive'
  | 'hold'

/**
 * One connection: the transmission control block of RFC 9293 §3.3.1, its names kept. Plain data of
 * a fixed shape; what an idle connection does not need is `null` until it is.
 */
export interface TcpState {
  readonly kind: 'connection'
  readonly id: SocketId
  /** Socket options are changes of it. */
  policy: TcpPolicy
  readonly localAddress: IpAddress
  readonly remoteAddress: IpAddress
  readonly localPort: number
  readonly remotePort: number
  /** The listening socket that a SYN from outside came to; -1 for a connection opened here. */
  readonly listener: SocketId
  state: TcpStateName
  iss: Seq
  irs: Seq
  snd: SendVariables
  rcv: ReceiveVariables
  /** `null`: not agreed on. */
  ecn: Ecn | null
  /** `null`: it has nothing to do with it. */
  fastOpen: FastOpen | null
  rto: RtoState
  cc: CongestionState
  recovery: Recovery
  /** What is in flight: with RACK from the first segment on, otherwise from the first SACK on. */
  board: Scoreboard | null
  rack: Rack | null
  counts: Counts
  tally: Tally | null
  room: Room | null
  timers: Timers<TcpTimerName>
  /** Payload bytes of a full segment: the peer's MSS and the path's, less the options we send. */
  mss: number
  /** The MSS that the link to the peer allows, and what we tell the peer. */
  readonly pathMss: number
  /** What limits `mss`, options not deducted: the peer's SYN (0 before it), what ICMP said of the
   * path, what a black hole swallowed. */
  peerMss: number
  routeMss: number
  holeMss: number
  /** What an ICMP error that may pass has said: the name of a later timeout (RFC 5461 §4). */
  softError: Errno | null
  /** What both SYNs offered: window scale, SACK, timestamps. */
  scaled: boolean
  sackPermitted: boolean
  timestamps: boolean
  /** TS.Recent, RFC 7323 §3. */
  tsRecent: number
  /** Probes of an idle connection that nobody has answered. */
  keepProbes: number
  /** The listener has not been told of this connection (TCP_DEFER_ACCEPT). */
  unaccepted: boolean
  /** The application reads no more (SHUT_RD). */
  readShut: boolean
  /** Why SND.NXT last fell back behind what was sent. */
  fellBack: RetransmitCause
  /** The application asked for no more sending (shutdown, close): FIN follows the queue. */
  finQueued: boolean
  /** The application has closed: nobody reads any more. */
  orphan: boolean
  /** A `send` was not taken whole, so `writable` is owed. */
  wantsSpace: boolean
  /** `readable` was said and nothing received since. */
  saidReadable: boolean
  sendQueue: SendQueue | null
  receiveQueue: ReceiveQueue | null
  reassembly: Reassembly | null
}

/** RFC 9293 §3.3.1, send sequence variables. */
export interface SendVariables {
  una: Seq
  nxt: Seq
  wnd: number
  wl1: Seq
  wl2: Seq
  /** The highest sequence number sent so far: `nxt` falls back behind it after a timeout. */
  max: Seq
  /** The end of what the application queued, the FIN not counted. */
  end: Seq
  /** The largest window the peer ever offered (RFC 9293 §3.8.6.2.1). */
  maxWnd: number
  wndScale: number
  /** Behind the last segment that was not full. */
  small: Seq
  /** Behind the last urgent byte that nobody has acknowledged; `null`: there is none. */
  up: Seq | null
}

/** RFC 9293 §3.3.1, receive sequence variables. */
export interface ReceiveVariables {
  nxt: Seq
  /** The right edge we promised: it never moves back. */
  adv: Seq
  wndScale: number
  /** Bytes, or segments, received in order and not acknowledged yet. */
  unacked: number
  /** Last.ACK.sent of RFC 7323 §4.3. */
  lastAck: Seq
  /** The largest segment the peer sent, taken for its full size. */
  mss: number
  buffer: number
  /** Bytes that came again, of which the next ACK tells (RFC 2883); none where both are equal. */
  dupStart: Seq
  dupEnd: Seq
  /** The peer has closed its side: `nxt` includes the FIN. */
  fin: boolean
  /** Behind the last urgent byte that has not been read; `null`: there is none. */
  up: Seq | null
  /** When anything came, and when text did. */
  heardAt: Nanos
  textAt: Nanos
  /** So many more segments are acknowledged at once. */
  quick: number
  /** Challenge ACKs since `challengesFrom` (RFC 5961 §7). */
  challenges: number
  challengesFrom: Nanos
}

export interface NewConnection {
  readonly id: SocketId
  readonly policy: TcpPolicy
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly iss: Seq
  /** From the path's MTU, options not deducted. */
  readonly pathMss: number
  /** The same from what ICMP errors said of the path before. Default: `pathMss`. */
  readonly routeMss?: number
  /** -1: CLOSED, and `connect` opens it. Otherwise LISTEN, and a SYN does. */
  readonly listener: SocketId
  /** Default: none. */
  readonly fastOpen?: FastOpen | null
  /** What the peer took before (RFC 7413 §4.1.3). Default: not known. */
  readonly peerMss?: number
}

export function createTcp(c: NewConnection): TcpState {
  const pathMss = Math.min(c.pathMss, c.policy.mss)
  return {
    kind: 'connection',
    id: c.id,
    policy: c.policy,
    localAddress: c.local.address,
    remoteAddress: c.remote.address,
    localPort: c.local.port,
    remotePort: c.remote.port,
    listener: c.listener,
    state: c.listener < 0 ? 'CLOSED' : 'LISTEN',
    iss: c.iss,
    irs: 0,
    snd: createSend(c.iss),
    rcv: createReceive(c.policy.receiveBuffer),
    ecn: null,
    fastOpen: c.fastOpen ?? null,
    rto: createRto(c.policy.rtoInitial),
    cc: createCongestion(c.policy.congestion),
    recovery: createRecovery(c.iss),
    board: null,
    rack: null,
    counts: createCounts(),
    tally: null,
    room: null,
    timers: createTimers(),
    mss: pathMss,
    pathMss,
    peerMss: c.peerMss ?? 0,
    routeMss: c.routeMss ?? pathMss,
    holeMss: pathMss,
    softError: null,
    scaled: false,
    sackPermitted: false,
    timestamps: false,
    tsRecent: 0,
    keepProbes: 0,
    unaccepted: false,
    readShut: false,
    fellBack: 'rto',
    finQueued: false,
    orphan: false,
    wantsSpace: false,
    saidReadable: false,
    sendQueue: null,
    receiveQueue: null,
    reassembly: null,
  }
}

const createSend = (iss: Seq): SendVariables => ({
  una: iss,
  nxt: iss,
  wnd: 0,
  wl1: 0,
  wl2: 0,
  max: iss,
  end: (iss + 1) | 0,
  maxWnd: 0,
  wndScale: 0,
  small: iss,
  up: null,
})

const createReceive = (buffer: number): ReceiveVariables => ({
  nxt: 0,
  adv: 0,
  wndScale: 0,
  unacked: 0,
  lastAck: 0,
  mss: 0,
  buffer,
  dupStart: 0,
  dupEnd: 0,
  fin: false,
  up: null,
  heardAt: 0,
  textAt: 0,
  quick: 0,
  challenges: 0,
  challengesFrom: 0,
})

function createTimers(): Timers<TcpTimerName> {
  const timers = {
    retransmit: UNMADE,
    reorder: UNMADE,
    tailLoss: UNMADE,
    persist: UNMADE,
    delayedAck: UNMADE,
    pacing: UNMADE,
    timeWait: UNMADE,
    keepAlive: UNMADE,
    hold: UNMADE,
  }
  timers.retransmit = timers.persist = timers.delayedAck = timers.timeWait = NEVER
  timers.reorder = timers.tailLoss = timers.pacing = timers.keepAlive = timers.hold = NEVER
  return timers
}

/** The earliest deadline of the connection. */
export function nextDue(timers: Timers<TcpTimerName>): Nanos {
  let at = timers.retransmit
  if (timers.reorder < at) at = timers.reorder
  if (timers.tailLoss < at) at = timers.tailLoss
  if (timers.persist < at) at = timers.persist
  if (timers.delayedAck < at) at = timers.delayedAck
  if (timers.pacing < at) at = timers.pacing
  if (timers.timeWait < at) at = timers.timeWait
  if (timers.keepAlive < at) at = timers.keepAlive
  if (timers.hold < at) at = timers.hold
  return at
}
