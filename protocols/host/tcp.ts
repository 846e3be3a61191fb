import { type Endpoint, type IpAddress } from '../address.ts'
import { arpSuspect } from '../arp/cache.ts'
import { NO_BYTES } from '../bytes.ts'
import {
  DEFAULT_TTL,
  DONT_FRAGMENT,
  DONT_FRAGMENT_ECT_0,
  Ipv4Details,
  PROTOCOL_TCP,
} from '../ipv4/packet.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import { lookupRoute } from '../ipv4/routes.ts'
import { ECN_BITS, ECT_0, NOT_ECT } from '../tcp/ecn.ts'
import { tcpEngine } from '../tcp/engine.ts'
import { type Seq, seqAdd, seqGt, seqMax } from '../sequence.ts'
import { isn } from '../tcp/isn.ts'
import { finish } from '../tcp/lifecycle.ts'
import type { TcpOut } from '../tcp/output.ts'
import { pathKnown, pathShrinks } from '../tcp/path-mtu.ts'
import { resetFor } from '../tcp/reset.ts'
import { ACK, FIN, RST, SYN, TCP_HEADER, type TcpSegment } from '../tcp/segment.ts'
import { createTcp, nextDue, type TcpState } from '../tcp/state.ts'
import { NEVER, type Nanos } from '../time.ts'
import {
  addConnection,
  findConnection,
  findListener,
  NO_SOCKET,
  removeConnection,
} from './demux.ts'
import type { HostEvent } from './event.ts'
import { confirmWay } from './ipv6-ways.ts'
import type { HostOut } from './output.ts'
import { ipHeaderTo, pathTo, sendIp } from './ip-output.ts'
import { pathMtuTo } from './path-mtu.ts'
import type { SocketCall, SocketId } from './socket.ts'
import {
  addSocket,
  type HostState,
  type Listener,
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
    const trafficClass = policy.trafficClass === 0 ? codepoint : marked(policy, codepoint)
    sendTcp(this.h, this.now, localAddress, remoteAddress, segment, trafficClass, this.out)
  }

  event(event: HostEvent): void {
    if (event.kind === 'closed') forget(this.h, this.s)
    else if (event.kind === 'tcp-state' && event.from === 'SYN-RECEIVED') {
      const listener = this.h.sockets[this.s.listener]
      if (listener?.kind === 'listener') listener.opening -= 1
    }
    this.out.event(event)
  }

  wake(socket: SocketId, at: Nanos): void {
    this.out.wake(socketOwner(this.h, socket), at)
  }
}

const marked = ({ trafficClass }: TcpState['policy'], codepoint: number): number =>
  (trafficClass & ~ECN_BITS) | codepoint

function sendTcp(
  h: HostState,
  now: Nanos,
  from: IpAddress,
  to: IpAddress,
  segment: TcpSegment,
  trafficClass: number,
  out: HostOut,
): void {
  const details =
    trafficClass === NOT_ECT
      ? DONT_FRAGMENT
      : trafficClass === ECT_0
        ? DONT_FRAGMENT_ECT_0
        : new Ipv4Details(trafficClass, true, false, 0, NO_BYTES)
  sendIp(h, now, from, to, PROTOCOL_TCP, DEFAULT_TTL, details, segment, out)
}

/** A half-open connection ends without a word to its peer. */
export function tcpForget(h: HostState, now: Nanos, s: TcpState, out: HostOut): void {
  finish(s, new TcpPort(h, now, s, out))
}

function forget(h: HostState, s: TcpState): void {
  removeConnection(h.tcp, s.localPort, s.remotePort, s.remoteAddress, s.localAddress)
  removeSocket(h, s.id)
}

export function tcpArrives(
  h: HostState,
  now: Nanos,
  packet: IpPacket,
  segment: TcpSegment,
  out: HostOut,
): void {
  const { source, destination } = packet
  const { destinationPort: port, sourcePort: remotePort, flags } = segment
  if (h.policy.dropSynFin && (flags & (SYN | FIN)) === (SYN | FIN)) {
    return out.event({ kind: 'dropped', why: 'tcp syn and fin', packet })
  }
  const socket = findConnection(h.tcp, port, remotePort, source, destination)
  if (socket !== NO_SOCKET) {
    if (givesWay(h, now, socket, packet, segment, out)) return
    const codepoint = packet.details.trafficClass & ECN_BITS
    return stepTcp(h, now, socket, segment, codepoint, out)
  }
  const listener = findListener(h.tcp, destination, port)
  if (listener !== NO_SOCKET && !(flags & (ACK | RST))) {
    if (flags & SYN) return synArrives(h, now, listener, packet, segment, null, out)
    // §3.10.7.2: nothing that was in flight can look like this.
    return out.event({ kind: 'dropped', why: 'tcp no syn', packet })
  }
  out.event({ kind: 'dropped', why: 'tcp no connection', packet })
  const reset = resetFor(segment)
  if (reset !== null) sendTcp(h, now, destination, source, reset, NOT_ECT, out)
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
  out: HostOut,
): boolean {
  const s = h.sockets[socket] as TcpState
  if (s.state !== 'TIME-WAIT' || !s.policy.timeWaitReuse) return false
  if ((segment.flags & (SYN | ACK | RST)) !== SYN || !isNewer(s, segment)) return false
  const listener = findListener(h.tcp, s.localAddress, s.localPort)
  if (listener === NO_SOCKET) return false
  const { max } = s.snd
  finish(s, new TcpPort(h, now, s, out))
  out.wake(socketOwner(h, socket), NEVER)
  synArrives(h, now, listener, packet, segment, max, out)
  return true
}

function isNewer(s: TcpState, { seq, options }: TcpSegment): boolean {
  if (s.timestamps && options.hasTimestamps && options.timestampValue !== s.tsRecent) {
    return seqGt(options.timestampValue, s.tsRecent)
  }
  return seqGt(seq, s.rcv.nxt)
}

function stepTcp(
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

/** A new connection for a listener, unless too many are half open (RFC 9293 §3.10.1, backlog). */
function synArrives(
  h: HostState,
  now: Nanos,
  listenerId: SocketId,
  packet: IpPacket,
  segment: TcpSegment,
  /** The last number of a connection that it follows; `null`: it follows none. */
  after: Seq | null,
  out: HostOut,
): void {
  const listener = h.sockets[listenerId] as Listener
  if (listener.opening >= listener.backlog) {
    return out.event({ kind: 'dropped', why: 'tcp backlog full', packet })
  }
  const local = { address: packet.destination, port: segment.destinationPort }
  const remote = { address: packet.source, port: segment.sourcePort }
  const s = addTcp(h, now, nextSocket(h), listener.policy, local, remote, listenerId, after)
  if (s === null) return
  listener.opening += 1
  stepTcp(h, now, s.id, segment, NOT_ECT, out)
}

/** Makes the connection and puts it where its segments find it. `null`: unreachable, or taken. */
export function addTcp(
  h: HostState,
  now: Nanos,
  id: SocketId,
  policy: TcpState['policy'],
  local: Endpoint,
  remote: Endpoint,
  listener: SocketId,
  after: Seq | null = null,
): TcpState | null {
  const path = pathTo(h, remote.address)
  if (path === null) return null
  if (!addConnection(h.tcp, local.port, remote.port, remote.address, local.address, id)) return null
  const chosen = isn(now, h.secret, local, remote)
  const headers = ipHeaderTo(remote.address) + TCP_HEADER
  const s = createTcp({
    id,
    policy,
    local,
    remote,
    iss: after === null ? chosen : seqMax(chosen, seqAdd(after, BEYOND_LAST)),
    pathMss: path.mtu - headers,
    routeMss: pathMtuTo(h, now, remote.address, path.mtu) - headers,
    listener,
  })
  if (id === nextSocket(h)) addSocket(h, s)
  else h.sockets[id] = s
  return h.sockets[id] as TcpState
}

/** RFC 1122 §4.2.2.13: numbers of the connection before must not fit into this one's window. */
const BEYOND_LAST = 65_537

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
function routeMss(h: HostState, now: Nanos, { remoteAddress, pathMss }: TcpState): number {
  const headers = ipHeaderTo(remoteAddress) + TCP_HEADER
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
