import type { IpAddress } from '../address.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import { ECN_BITS, NOT_ECT } from '../tcp/codepoints.ts'
import { isn } from '../tcp/isn.ts'
import { finish } from '../tcp/lifecycle.ts'
import { defaultMss } from '../tcp/negotiate.ts'
import { NO_BYTES } from '../bytes.ts'
import { OPTION_MSS, TcpOptions } from '../tcp/options.ts'
import { tcpEngine } from '../tcp/engine.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import { isPending } from '../tcp/fast-open.ts'
import { resetFor } from '../tcp/reset.ts'
import { ACK, FIN, RST, SYN, TCP_HEADER, TcpSegment } from '../tcp/segment.ts'
import { makeCookie, readCookie } from '../tcp/syn-cookie.ts'
import type { TcpState } from '../tcp/state.ts'
import { type Seq, seqAdd, seqGt, seqMax } from '../sequence.ts'
import { NEVER, type Nanos, s as seconds } from '../time.ts'
import { fastOpenFrom } from './fast-open.ts'
import { findConnection, findListener, NO_SOCKET } from './demux.ts'
import { ipHeaderTo, pathTo } from './ip-output.ts'
import type { HostOut } from './output.ts'
import { boundPolicy } from './port-holder.ts'
import { whyUnsigned } from './signing.ts'
import type { SocketId } from './socket.ts'
import { type HostState, type Listener, nextSocket, socketOwner } from './state.ts'
import { overheadOf } from './tcp-in-udp.ts'
import { addTcp, canBePeer, sendTcp, stepTcp, TcpPort } from './tcp.ts'

// Whose segment it is, and what becomes of a SYN: a connection, a cookie, or nothing.

export function tcpArrives(
  h: HostState,
  now: Nanos,
  packet: IpPacket,
  segment: TcpSegment,
  /** Where the datagram came from that it was in; 0: it was in none. */
  udpPort: number,
  out: HostOut,
): void {
  const { source, destination } = packet
  const { destinationPort: port, sourcePort: remotePort, flags } = segment
  if (h.policy.dropSynFin && (flags & (SYN | FIN)) === (SYN | FIN)) {
    return out.event({ kind: 'dropped', why: 'tcp syn and fin', packet })
  }
  const socket = findConnection(h.tcp, port, remotePort, source, destination)
  if (socket !== NO_SOCKET) {
    const s = h.sockets[socket] as TcpState
    if (isRefused(h, s.policy, packet, segment, out)) return
    const strays = udpPort !== s.policy.udpPort
    if (!strays && mustWait(h, s, segment)) {
      return out.event({ kind: 'dropped', why: 'tcp accept queue full', packet })
    }
    if (givesWay(h, now, socket, packet, segment, udpPort, out)) return
    if (strays) return refuse(h, now, s.policy, packet, segment, udpPort, 'tcp other udp port', out)
    const codepoint = packet.details.trafficClass & ECN_BITS
    return stepTcp(h, now, socket, segment, codepoint, out)
  }
  if (!canBePeer(h, source)) return out.event({ kind: 'dropped', why: 'tcp bad source', packet })
  const listener = findListener(h.tcp, destination, port, source, remotePort)
  const policy = holderOf(h, listener, destination, port)
  if (isRefused(h, policy, packet, segment, out)) return
  if (listener !== NO_SOCKET && !(flags & (ACK | RST))) {
    if (flags & SYN) return synArrives(h, now, listener, packet, segment, udpPort, null, out)
    // §3.10.7.2: nothing that was in flight can look like this.
    return out.event({ kind: 'dropped', why: 'tcp no syn', packet })
  }
  if (listener !== NO_SOCKET && cookieArrives(h, now, listener, packet, segment, udpPort, out)) {
    return
  }
  refuse(h, now, policy, packet, segment, udpPort, 'tcp no connection', out)
}

/** A segment that belongs to no connection, or came another way than its connection's. */
function refuse(
  h: HostState,
  now: Nanos,
  policy: TcpPolicy | null,
  packet: IpPacket,
  segment: TcpSegment,
  udpPort: number,
  why: string,
  out: HostOut,
): void {
  out.event({ kind: 'dropped', why, packet })
  const { source, destination } = packet
  const reset = resetFor(segment)
  if (reset === null) return
  const isTheirs = policy !== null && (policy.resetsAsSocket || policy.signs !== 'nobody')
  sendTcp(h, now, destination, source, reset, isTheirs ? policy : null, NOT_ECT, udpPort, out)
}

/** Whose a segment without a connection is all the same; `null`: nobody's. */
function holderOf(
  h: HostState,
  listener: SocketId,
  address: IpAddress,
  port: number,
): TcpPolicy | null {
  if (listener !== NO_SOCKET) return (h.sockets[listener] as Listener).policy
  return h.policy.resetsAsSocket ? boundPolicy(h, address, port) : null
}

/** RFC 2385: whether the signature, or that there is none, keeps a segment from being looked at. */
function isRefused(
  h: HostState,
  policy: TcpPolicy | null,
  packet: IpPacket,
  segment: TcpSegment,
  out: HostOut,
): boolean {
  if (segment.options.unknown.length === 0 && (policy === null || policy.signs === 'nobody')) {
    return false
  }
  const why = whyUnsigned(h, policy, packet, segment)
  if (why !== null) out.event({ kind: 'dropped', why, packet })
  return why !== null
}

/**
 * Whether a SYN opens the connection anew that waits here for its last stragglers (RFC 1122 §4.2.2.13,
 * RFC 6191 §2): it has to be newer than all that was sent before. Then the new one has taken its place.
 */
function givesWay(
  h: HostState,
  now: Nanos,
  socket: SocketId,
  packet: IpPacket,
  segment: TcpSegment,
  udpPort: number,
  out: HostOut,
): boolean {
  const s = h.sockets[socket] as TcpState
  if (s.state !== 'TIME-WAIT' || !s.policy.timeWaitReuse) return false
  if ((segment.flags & (SYN | ACK | RST)) !== SYN || !isNewer(s, segment)) return false
  const listener = findListener(h.tcp, s.localAddress, s.localPort, s.remoteAddress, s.remotePort)
  if (listener === NO_SOCKET) return false
  const { max } = s.snd
  finish(s, new TcpPort(h, now, s, out))
  out.wake(socketOwner(h, socket), NEVER)
  synArrives(h, now, listener, packet, segment, udpPort, max, out)
  return true
}

function isNewer(s: TcpState, { seq, options }: TcpSegment): boolean {
  if (s.timestamps && options.hasTimestamps && options.timestampValue !== s.tsRecent) {
    return seqGt(options.timestampValue, s.tsRecent)
  }
  return seqGt(seq, s.rcv.nxt)
}

/** A new connection for a listener, unless too many are half open (RFC 9293 §3.10.1, backlog). */
function synArrives(
  h: HostState,
  now: Nanos,
  listenerId: SocketId,
  packet: IpPacket,
  segment: TcpSegment,
  udpPort: number,
  /** The last number of a connection that it follows; `null`: it follows none. */
  after: Seq | null,
  out: HostOut,
): void {
  const listener = h.sockets[listenerId] as Listener
  if (segment.flags & FIN && listener.policy.listenSkipsSynFin) {
    return out.event({ kind: 'dropped', why: 'tcp syn and fin', packet })
  }
  if (isFull(listener)) {
    return out.event({ kind: 'dropped', why: 'tcp accept queue full', packet })
  }
  if (listener.opening >= listener.backlog) {
    if (listener.policy.synCookies) {
      return answerByCookie(h, now, listener, packet, segment, udpPort, out)
    }
    return out.event({ kind: 'dropped', why: 'tcp backlog full', packet })
  }
  const { local, remote } = endpointsOf(packet, segment)
  const id = nextSocket(h)
  const iss =
    after === null ? null : seqMax(isn(now, h.secret, local, remote), seqAdd(after, BEYOND_LAST))
  const wanted = listener.policy.fastOpen.server
  const fastOpen = wanted ? fastOpenFrom(h, now, listener, { local, remote }, segment) : null
  const attempt = fastOpen === null ? null : { fastOpen }
  const s = addTcp(h, now, id, policyOf(listener, udpPort), local, remote, listenerId, iss, attempt)
  if (s === null) return
  if (isPending(s)) listener.fastOpen.waiting += 1
  else listener.opening += 1
  stepTcp(h, now, s.id, segment, packet.details.trafficClass & ECN_BITS, out)
}

/** A connection answers the way that its SYN came. */
const policyOf = ({ policy }: Listener, udpPort: number): TcpPolicy =>
  udpPort === policy.udpPort ? policy : policy.with({ udpPort })

/** RFC 1122 §4.2.2.13: numbers of the connection before must not fit into this one's window. */
const BEYOND_LAST = 65_537

const endpointsOf = (packet: IpPacket, segment: TcpSegment) => ({
  local: { address: packet.destination, port: segment.destinationPort },
  remote: { address: packet.source, port: segment.sourcePort },
})

/** Nobody accepts: as many wait as may. */
const isFull = ({ queues, waiting, backlog }: Listener): boolean => queues && waiting >= backlog

/** The ACK that would complete a handshake comes again, for the SYN,ACK does. */
function mustWait(h: HostState, s: TcpState, segment: TcpSegment): boolean {
  if (s.state !== 'SYN-RECEIVED' || s.listener < 0 || segment.flags & RST) return false
  if (isPending(s)) return false // it has been let in
  const listener = h.sockets[s.listener]
  return listener?.kind === 'listener' && isFull(listener)
}

/** RFC 4987 §3.6: a SYN,ACK, and nothing is remembered. */
function answerByCookie(
  h: HostState,
  now: Nanos,
  listener: Listener,
  packet: IpPacket,
  syn: TcpSegment,
  udpPort: number,
  out: HostOut,
): void {
  const { local, remote } = endpointsOf(packet, syn)
  const { mss } = syn.options
  const iss = makeCookie(now, h.secret, local, remote, syn.seq, mss, defaultMss(remote.address))
  listener.cookieAt = now
  const policy = policyOf(listener, udpPort)
  const { receiveBuffer, mss: most } = policy
  const answer = new TcpSegment(
    local.port,
    remote.port,
    iss,
    seqAdd(syn.seq, 1),
    SYN | ACK,
    Math.min(receiveBuffer, 0xffff),
    0,
    mssOption(Math.min(most, offeredMss(h, remote.address) - overheadOf(h, policy))),
    NO_BYTES,
  )
  out.event({ kind: 'dropped', why: 'tcp backlog full, cookie sent', packet })
  sendTcp(h, now, local.address, remote.address, answer, policy, NOT_ECT, udpPort, out)
}

/** Cookies of before this are too old in any case. */
const COOKIE_AGE: Nanos = seconds(128)

/** Whether the ACK brings a cookie of ours back: then the connection is as if it had been there. */
function cookieArrives(
  h: HostState,
  now: Nanos,
  listenerId: SocketId,
  packet: IpPacket,
  segment: TcpSegment,
  udpPort: number,
  out: HostOut,
): boolean {
  const listener = h.sockets[listenerId] as Listener
  if ((segment.flags & (SYN | ACK | RST)) !== ACK || now - listener.cookieAt > COOKIE_AGE)
    return false
  const { local, remote } = endpointsOf(packet, segment)
  const irs = seqAdd(segment.seq, -1)
  const iss = seqAdd(segment.ack, -1)
  const mss = readCookie(now, h.secret, local, remote, irs, iss)
  if (mss === 0) return false
  if (isFull(listener)) {
    out.event({ kind: 'dropped', why: 'tcp accept queue full', packet })
    return true
  }
  const policy = policyOf(listener, udpPort)
  const s = addTcp(h, now, nextSocket(h), policy, local, remote, listenerId, iss)
  if (s === null) return true
  listener.opening += 1
  // The SYN as it must have been. Its answer was sent long ago, and nobody knows when.
  const syn = new TcpSegment(remote.port, local.port, irs, 0, SYN, 0, 0, mssOption(mss), NO_BYTES)
  const input = { kind: 'packet', packet: syn, port: NOT_ECT } as const
  tcpEngine.step(s, now, input, new MutePort(h, now, s, out))
  s.rto.timedAt = NEVER
  stepTcp(h, now, s.id, segment, packet.details.trafficClass & ECN_BITS, out)
  return true
}

/** What a connection would send now was sent before. */
class MutePort extends TcpPort {
  override send(): void {}
}

const LAYOUT = [OPTION_MSS] as const
const NONE: readonly never[] = []
const mssOption = (mss: number): TcpOptions => new TcpOptions(LAYOUT, mss, -1, 0, 0, NONE, NONE)

function offeredMss(h: HostState, remote: IpAddress): number {
  const path = pathTo(h, remote)
  return path === null ? 0 : path.mtu - ipHeaderTo(remote) - TCP_HEADER
}
