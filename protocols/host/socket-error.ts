import { type IpAddress, isIpv4 } from '../address.ts'
import { type Bytes, i32, u16 } from '../bytes.ts'
import { ICMP_ECHO_REQUEST } from '../icmp/message.ts'
import { ICMPV6_ECHO_REQUEST } from '../icmpv6/message.ts'
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../ipv4/packet.ts'
import { seqGt, seqLt } from '../sequence.ts'
import { isPending, synUnanswered } from '../tcp/fast-open.ts'
import { fail } from '../tcp/lifecycle.ts'
import type { Nanos } from '../time.ts'
import { UDP_HEADER } from '../udp/datagram.ts'
import { findConnection, findListener, NO_SOCKET } from './demux.ts'
import { isForEcho } from './echo.ts'
import type { SocketProblem } from './icmp-errno.ts'
import { pathTo } from './ip-output.ts'
import type { HostOut } from './output.ts'
import { learnPathMtu } from './path-mtu.ts'
import { rawError } from './raw.ts'
import type { SocketEvent } from './socket.ts'
import type { HostState } from './state.ts'
import { isTunnelPort, QUOTED_IN_UDP } from './tcp-in-udp.ts'
import { TcpPort, tcpPathShrinks } from './tcp.ts'

/** An ICMP or ICMPv6 error about a packet of ours, in the words of both. */
export interface QuotedError extends SocketProblem {
  readonly from: IpAddress
  /** The addresses of the packet that it quotes: ours, and where it was going. */
  readonly local: IpAddress
  readonly remote: IpAddress
  /** What the packet carried, `quote` from `at` on: 8 bytes at least. */
  readonly protocol: number
  readonly quote: Bytes
  readonly at: number
  readonly type: number
  readonly code: number
  /** 256 × type + code, in the numbers of IPv4: that is how policies name errors. */
  readonly number: number
  /** A "destination unreachable" of any kind. */
  readonly unreachable: boolean
  /** The packet did not fit into the path; `mtu` would have, 0 where that makes no sense. */
  readonly tooBig: boolean
  readonly mtu: number
}

type IcmpErrorEvent = SocketEvent & { readonly kind: 'icmp-error' }

/** Tells the socket whose packet it was. */
export function socketError(h: HostState, now: Nanos, about: QuotedError, out: HostOut): void {
  const { from, local, remote, protocol, quote, at, type, code, error, hard } = about
  const [first, second] = [u16(quote, at), u16(quote, at + 2)]
  const event = { kind: 'icmp-error', from, remote, type, code, error, hard } as const
  switch (protocol) {
    case PROTOCOL_TCP: {
      const socket = findConnection(h.tcp, first, second, remote, local)
      if (socket !== NO_SOCKET) tcpError(h, now, { ...event, socket, sequence: 0 }, about, 0, out)
      return
    }
    case PROTOCOL_UDP: {
      if (isTunnelPort(h, first)) return tunnelError(h, now, second, event, about, out)
      let socket = findConnection(h.udp, first, second, remote, local)
      if (socket === NO_SOCKET) socket = findListener(h.udp, local, first, remote, second)
      if (socket !== NO_SOCKET) udpError(h, now, { ...event, socket, sequence: 0 }, about, out)
      return
    }
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6: {
      const socket = findListener(h.icmp, local, u16(quote, at + 4))
      const isRequest = quote[at] === (isIpv4(local) ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST)
      if (!isRequest || !isForEcho(h, socket, remote)) return
      if (about.tooBig && !isIpv4(remote)) believe(h, now, about, out)
      return out.event({ ...event, socket, sequence: u16(quote, at + 6) })
    }
    default: {
      if (!h.raw.has(protocol)) return
      if (about.tooBig && !believe(h, now, about, out)) return
      rawError(h, protocol, event, about.tooBig, out)
    }
  }
}

/** About a segment within a datagram. */
function tunnelError(
  h: HostState,
  now: Nanos,
  udpPort: number,
  event: Omit<IcmpErrorEvent, 'socket' | 'sequence'>,
  about: QuotedError,
  out: HostOut,
): void {
  const { local, remote, quote, at } = about
  if (quote.length < at + QUOTED_IN_UDP) return
  const inside = at + UDP_HEADER
  const ports = [u16(quote, inside), u16(quote, inside + 2)] as const
  const socket = findConnection(h.tcp, ...ports, remote, local)
  if (socket === NO_SOCKET) return
  tcpError(h, now, { ...event, socket, sequence: 0 }, { ...about, at: inside }, udpPort, out)
}

/** A datagram that must stay whole was too big: its sender learns how big one may be. */
function udpError(
  h: HostState,
  now: Nanos,
  event: IcmpErrorEvent,
  about: QuotedError,
  out: HostOut,
): void {
  const socket = h.sockets[event.socket]
  if (!about.tooBig) return out.event(event)
  if (socket?.kind !== 'udp') return
  // Routers cut IPv4 datagrams, and we IPv6 ones: only the latter need to know the size for that.
  if (!socket.dontFragment && isIpv4(event.remote)) return
  const isNews = believe(h, now, about, out)
  // RFC 8085 §3.2 leaves it to the application what to do about it.
  if (isNews && socket.dontFragment) out.event({ ...event, hard: true })
}

/** Takes the path MTU that the error tells of; `false` where it tells nothing new. */
function believe(h: HostState, now: Nanos, { remote, mtu }: QuotedError, out: HostOut): boolean {
  const path = pathTo(h, remote)
  if (path === null || mtu === 0) return false
  if (!learnPathMtu(h, now, remote, mtu, path.mtu)) return false
  out.event({ kind: 'path-mtu', address: remote, mtu })
  return true
}

/**
 * RFC 5927 §4.1: only an error about data in flight is heard. RFC 1122 §4.2.3.9 and RFC 5461: an
 * established connection rides it out, and remembers why; an attempt to connect gives up.
 */
function tcpError(
  h: HostState,
  now: Nanos,
  event: IcmpErrorEvent,
  about: QuotedError,
  udpPort: number,
  out: HostOut,
): void {
  const s = h.sockets[event.socket]
  // What went another way is not this connection's.
  if (s?.kind !== 'connection' || s.policy.udpPort !== udpPort) return
  const seq = i32(about.quote, about.at + 4)
  // To whoever sends, the SYN of a connection in use counts as acknowledged before it is (RFC 7413).
  const from = isPending(s) ? s.iss : s.snd.una
  if (seqLt(seq, from) || !seqGt(s.snd.max, seq)) return
  if (about.tooBig) {
    // A packet that would have passed was not too big: nobody who forwards has said so.
    if (about.mtu === 0) return
    believe(h, now, about, out)
    return tcpPathShrinks(h, now, s, seq, out)
  }
  out.event(event)
  const { icmpEndsConnect, icmpConnectError } = s.policy
  const opens = s.state === 'SYN-SENT' || (isPending(s) && !s.fastOpen!.accepted)
  const ends = opens && icmpEndsConnect.includes(about.number)
  if (ends) synUnanswered(s, new TcpPort(h, now, s, out))
  if (ends) return fail(s, icmpConnectError ?? event.error, new TcpPort(h, now, s, out))
  if (about.unreachable) s.softError = event.error
}
