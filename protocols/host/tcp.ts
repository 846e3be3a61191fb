import { ANY_IPV4, type Endpoint, type IpAddress, isMulticastIpv4 } from '../address.ts'
import { arpSuspect } from '../arp/cache.ts'
import { NO_BYTES } from '../bytes.ts'
import { DONT_FRAGMENT, DONT_FRAGMENT_ECT_0, Ipv4Details, PROTOCOL_TCP } from '../ipv4/packet.ts'
import { isMulticastIpv6, UNSPECIFIED } from '../ipv6/address.ts'
import { lookupRoute } from '../ipv4/routes.ts'
import { ECN_BITS, ECT_0, NOT_ECT } from '../tcp/codepoints.ts'
import { tcpEngine } from '../tcp/engine.ts'
import { isEarly } from '../tcp/fast-open.ts'
import type { Seq } from '../sequence.ts'
import { isn } from '../tcp/isn.ts'
import { finish } from '../tcp/lifecycle.ts'
import type { TcpOut } from '../tcp/output.ts'
import { pathKnown, pathShrinks } from '../tcp/path-mtu.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import { TCP_HEADER, type TcpSegment } from '../tcp/segment.ts'
import { policyFor } from '../tcp/signature.ts'
import { createTcp, nextDue, type TcpState } from '../tcp/state.ts'
import type { Nanos } from '../time.ts'
import { addConnection, removeConnection } from './demux.ts'
import type { HostEvent } from './event.ts'
import { type FastOpenAttempt, fastOpenSaid, pendingEnds } from './fast-open.ts'
import { confirmWay } from './ipv6-ways.ts'
import { forgetWays } from './ipv4-ways.ts'
import type { HostOut } from './output.ts'
import { HOST_TTL, ipHeaderTo, pathTo, sendIp } from './ip-output.ts'
import { pathMtuTo } from './path-mtu.ts'
import { signed } from './signing.ts'
import { overheadOf, sendInUdp } from './tcp-in-udp.ts'
import type { SocketCall, SocketId } from './socket.ts'
import {
  addSocket,
  type HostState,
  isBroadcast,
  isOwn,
  nextSocket,
  removeSocket,
  socketOwner,
} from './state.ts'

/** One connection for the time of one step: its segments become packets here. */
export class TcpPort implements TcpOut {
  private readonly h: HostState
  private readonly now: Nanos
  private readonly s: TcpState
  private readonly out: HostOut

  constructor(h: HostState, now: Nanos, s: TcpState, out: HostOut) {
    this.h = h
    this.now = now
    this.s = s
    this.out = out
  }

  send(segment: TcpSegment, codepoint: number): void {
    const { localAddress, remoteAddress, policy } = this.s
    const { h, now, out } = this
    const { udpPort } = policy
    sendTcp(h, now, localAddress, remoteAddress, segment, policy, codepoint, udpPort, out)
  }

  event(event: HostEvent): void {
    if (event.kind === 'closed') {
      if (this.s.fastOpen !== null) pendingEnds(this.h, this.now, this.s)
      forget(this.h, this.s)
    } else if (event.kind === 'fast-open') fastOpenSaid(this.h, this.now, this.s, event)
    else if (event.kind === 'tcp-state' && event.from === 'SYN-RECEIVED') {
      const listener = this.h.sockets[this.s.listener]
      if (listener?.kind === 'listener' && !isEarly(this.s)) listener.opening -= 1
    } else if (event.kind === 'accepted') {
      const listener = this.h.sockets[event.listener]
      if (listener?.kind === 'listener') listener.waiting += 1
    }
    this.out.event(event)
  }

  wake(socket: SocketId, at: Nanos): void {
    this.out.wake(socketOwner(this.h, socket), at)
  }
}

/**
 * `policy`: of the socket that a segment is from; `null`: it is nobody's. `udpPort`: where a datagram takes
 * it; 0: it goes by itself.
 */
export function sendTcp(
  h: HostState,
  now: Nanos,
  from: IpAddress,
  to: IpAddress,
  segment: TcpSegment,
  policy: TcpPolicy | null,
  codepoint: number,
  udpPort: number,
  out: HostOut,
): void {
  let hops = HOST_TTL
  let trafficClass = codepoint
  if (policy !== null) {
    hops = policy.hopLimit
    if (policy.trafficClass !== 0) trafficClass = (policy.trafficClass & ~ECN_BITS) | codepoint
    if (policy.signs !== 'nobody') {
      const whole = signed(h, policy, from, to, segment)
      if (whole === null)
        return out.event({ kind: 'dropped', why: 'tcp md5 no key', packet: segment })
      segment = whole
    }
  }
  const details =
    trafficClass === NOT_ECT
      ? DONT_FRAGMENT
      : trafficClass === ECT_0
        ? DONT_FRAGMENT_ECT_0
        : new Ipv4Details(trafficClass, true, false, 0, NO_BYTES)
  if (udpPort !== 0) return sendInUdp(h, now, from, to, segment, udpPort, hops, details, out)
  sendIp(h, now, from, to, PROTOCOL_TCP, hops, details, segment, out)
}

/** A half-open connection ends without a word to its peer. */
export function tcpForget(h: HostState, now: Nanos, s: TcpState, out: HostOut): void {
  finish(s, new TcpPort(h, now, s, out))
}

function forget(h: HostState, s: TcpState): void {
  removeConnection(h.tcp, s.localPort, s.remotePort, s.remoteAddress, s.localAddress)
  removeSocket(h, s.id)
}

export function stepTcp(
  h: HostState,
  now: Nanos,
  socket: SocketId,
  segment: TcpSegment,
  codepoint: number,
  out: HostOut,
): void {
  const s = h.sockets[socket] as TcpState
  const input = { kind: 'packet', packet: segment, port: codepoint } as const
  const { una } = s.snd
  const { nxt } = s.rcv
  tcpEngine.step(s, now, input, new TcpPort(h, now, s, out))
  const { remoteAddress } = s
  if (typeof remoteAddress === 'string' && (s.snd.una !== una || s.rcv.nxt !== nxt)) {
    confirmWay(h, now, remoteAddress)
  }
}

/** One host that packets can come from: RFC 9293 §3.9.2.3, RFC 1122 §3.2.1.3. */
export const canBePeer = (h: HostState, address: IpAddress): boolean =>
  typeof address === 'number'
    ? address !== ANY_IPV4 &&
      !isBroadcast(h, address) &&
      !isMulticastIpv4(address) &&
      (address >>> 24 !== LOOPBACK_NET || isOwn(h, address))
    : address !== UNSPECIFIED && !isMulticastIpv6(address)

const LOOPBACK_NET = 127

/** Makes the connection and puts it where its segments find it. `null`: unreachable, or taken. */
export function addTcp(
  h: HostState,
  now: Nanos,
  id: SocketId,
  policy: TcpPolicy,
  local: Endpoint,
  remote: Endpoint,
  listener: SocketId,
  iss: Seq | null = null,
  attempt: Partial<FastOpenAttempt> | null = null,
): TcpState | null {
  const path = pathTo(h, remote.address)
  if (path === null) return null
  if (!addConnection(h.tcp, local.port, remote.port, remote.address, local.address, id)) return null
  const headers = ipHeaderTo(remote.address) + TCP_HEADER + overheadOf(h, policy)
  const s = createTcp({
    id,
    policy: policyFor(policy, remote.address),
    local,
    remote,
    iss: iss ?? isn(now, h.secret, local, remote),
    pathMss: path.mtu - headers,
    routeMss: pathMtuTo(h, now, remote.address, path.mtu) - headers,
    listener,
    ...attempt,
  })
  if (id === nextSocket(h)) addSocket(h, s)
  else h.sockets[id] = s
  return h.sockets[id] as TcpState
}

export function tcpCall(
  h: HostState,
  now: Nanos,
  s: TcpState,
  call: SocketCall,
  out: HostOut,
): void {
  if (call.kind === 'send' && h.pathMtus.size > 0) pathKnown(s, routeMss(h, now, s))
  tcpEngine.step(s, now, { kind: 'call', call }, new TcpPort(h, now, s, out))
}

/** What fits into a segment to the peer, as far as the host knows its path. */
function routeMss(h: HostState, now: Nanos, s: TcpState): number {
  const { remoteAddress, pathMss, policy } = s
  const headers = ipHeaderTo(remoteAddress) + TCP_HEADER + overheadOf(h, policy)
  return pathMtuTo(h, now, remoteAddress, pathMss + headers) - headers
}

/** The segment in flight that began at `seq` was too big for the path. */
export function tcpPathShrinks(
  h: HostState,
  now: Nanos,
  s: TcpState,
  seq: Seq,
  out: HostOut,
): void {
  const port = new TcpPort(h, now, s, out)
  pathShrinks(s, now, routeMss(h, now, s), seq, port)
  port.wake(s.id, nextDue(s.timers))
}

export function tcpTimer(h: HostState, now: Nanos, socket: SocketId, out: HostOut): void {
  const s = h.sockets[socket]
  if (s?.kind !== 'connection') return
  const before = s.rto.retransmits
  // RFC 1122 §2.3.2.1 (4): too many retransmissions cast doubt on the neighbour.
  if (before >= s.policy.suspectAfter && s.timers.retransmit <= now) suspect(h, now, s)
  tcpEngine.step(s, now, { kind: 'timer', owner: socket }, new TcpPort(h, now, s, out))
}

function suspect(h: HostState, now: Nanos, s: TcpState): void {
  const { remoteAddress } = s
  if (typeof remoteAddress !== 'number') return
  const route = lookupRoute(h.routes, remoteAddress)
  if (route === null) return
  forgetWays(h)
  arpSuspect(h.interfaces[route.port]!.arp, now, route.gateway ?? remoteAddress)
}

/** RFC 5227 §2.4: an address is no longer ours, so its connections are reset. */
export function tcpAddressLost(h: HostState, now: Nanos, address: IpAddress, out: HostOut): void {
  for (const s of h.sockets) {
    if (s?.kind !== 'connection' || s.localAddress !== address) continue
    const port = new TcpPort(h, now, s, out)
    port.event({ kind: 'failed', socket: s.id, error: 'EADDRNOTAVAIL' })
    tcpEngine.step(s, now, { kind: 'call', call: { kind: 'abort', socket: s.id } }, port)
  }
}
