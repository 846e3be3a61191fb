import { type IpAddress, readIpv4 } from '../address.ts'
import { i32, u16 } from '../bytes.ts'
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  ICMP_UNREACHABLE,
  IcmpMessage,
  isIcmpError,
  UNREACHABLE_FRAGMENTATION_NEEDED,
} from '../icmp/message.ts'
import {
  DEFAULT_TTL,
  IPV4_HEADER,
  Ipv4Details,
  type Ipv4Packet,
  MAY_FRAGMENT,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../ipv4/packet.ts'
import { echoedOptions } from '../ipv4/options.ts'
import { seqGt, seqLt } from '../sequence.ts'
import { fail } from '../tcp/lifecycle.ts'
import type { Nanos } from '../time.ts'
import { findConnection, findListener, NO_SOCKET } from './demux.ts'
import type { HostOut } from './output.ts'
import { problemOf } from './icmp-errno.ts'
import { pathTo, sendIp } from './ipv4-output.ts'
import { learnPathMtu, meantMtu } from './path-mtu.ts'
import { rawError } from './raw.ts'
import type { SocketEvent, SocketId } from './socket.ts'
import type { HostState } from './state.ts'
import { TcpPort, tcpPathShrinks } from './tcp.ts'

export function icmpArrives(
  h: HostState,
  now: Nanos,
  packet: Ipv4Packet,
  message: IcmpMessage,
  broadcast: boolean,
  out: HostOut,
): void {
  if (message.type === ICMP_ECHO_REQUEST) {
    if (!broadcast) answerEcho(h, now, packet, message, out) // RFC 1122 §3.2.2.6 lets a host choose
    return
  }
  if (message.type === ICMP_ECHO_REPLY) return echoReplyArrives(h, packet, message, out)
  // RFC 6633 §3: whoever still says so is not obeyed. Redirects: a host's routes are its plan's.
  if (message.type === ICMP_SOURCE_QUENCH || message.type === ICMP_REDIRECT) {
    const why = message.type === ICMP_SOURCE_QUENCH ? 'icmp source quench' : 'icmp redirect'
    return out.event({ kind: 'dropped', why, packet })
  }
  if (isIcmpError(message.type)) return errorArrives(h, now, packet.source, message, out)
  out.event({ kind: 'dropped', why: 'icmp unknown type', packet })
}

function answerEcho(
  h: HostState,
  now: Nanos,
  packet: Ipv4Packet,
  request: IcmpMessage,
  out: HostOut,
): void {
  const { source, destination, details } = packet
  const reply = new IcmpMessage(ICMP_ECHO_REPLY, 0, request.rest, request.data)
  const options = echoedOptions(details.options, destination, now)
  const header = options.length === 0 ? MAY_FRAGMENT : new Ipv4Details(0, false, false, 0, options)
  sendIp(h, now, destination, source, PROTOCOL_ICMP, DEFAULT_TTL, header, reply, out)
}

function echoReplyArrives(
  h: HostState,
  packet: Ipv4Packet,
  message: IcmpMessage,
  out: HostOut,
): void {
  const socket = findListener(h.icmp, packet.destination, message.identifier)
  if (!isForEcho(h, socket, packet.source)) {
    return out.event({ kind: 'dropped', why: 'icmp no socket', packet })
  }
  out.event({
    kind: 'echo-reply',
    socket,
    remote: packet.source,
    sequence: message.sequence,
    ttl: packet.ttl,
    payload: message.data,
  })
}

/** Whether the socket with the message's identifier listens to this host. */
function isForEcho(h: HostState, id: SocketId, remote: IpAddress): boolean {
  const socket = h.sockets[id]
  return socket?.kind === 'icmp' && (socket.remote === null || socket.remote === remote)
}

/** An error about a packet of ours: the header that it quotes names the socket. */
export function errorArrives(
  h: HostState,
  now: Nanos,
  from: IpAddress,
  message: IcmpMessage,
  out: HostOut,
): void {
  const { type, code, data: quote } = message
  const problem = problemOf(type, code)
  const header = quote.length < IPV4_HEADER ? 0 : (quote[0]! & 15) * 4
  if (problem === null || header < IPV4_HEADER || quote.length < header + 8) return
  const local = readIpv4(quote, 12)
  const remote = readIpv4(quote, 16)
  const [first, second] = [u16(quote, header), u16(quote, header + 2)]
  const event = { kind: 'icmp-error', from, remote, type, code, ...problem } as const
  switch (quote[9]) {
    case PROTOCOL_TCP: {
      const socket = findConnection(h.tcp, first, second, remote, local)
      if (socket !== NO_SOCKET) tcpError(h, now, { ...event, socket, sequence: 0 }, message, out)
      return
    }
    case PROTOCOL_UDP: {
      let socket = findConnection(h.udp, first, second, remote, local)
      if (socket === NO_SOCKET) socket = findListener(h.udp, local, first)
      if (socket !== NO_SOCKET) udpError(h, now, { ...event, socket, sequence: 0 }, message, out)
      return
    }
    case PROTOCOL_ICMP: {
      const socket = findListener(h.icmp, local, u16(quote, header + 4))
      if (quote[header] !== ICMP_ECHO_REQUEST || !isForEcho(h, socket, remote)) return
      return out.event({ ...event, socket, sequence: u16(quote, header + 6) })
    }
    default: {
      if (!h.raw.has(quote[9]!)) return
      const tooBig = isTooBig(type, code)
      if (tooBig && !believe(h, now, remote, message, out)) return
      rawError(h, quote[9]!, event, tooBig, out)
    }
  }
}

type IcmpErrorEvent = SocketEvent & { readonly kind: 'icmp-error' }

const isTooBig = (type: number, code: number): boolean =>
  type === ICMP_UNREACHABLE && code === UNREACHABLE_FRAGMENTATION_NEEDED

/** A datagram that must stay whole was too big: its sender learns how big one may be. */
function udpError(
  h: HostState,
  now: Nanos,
  event: IcmpErrorEvent,
  message: IcmpMessage,
  out: HostOut,
): void {
  const socket = h.sockets[event.socket]
  if (!isTooBig(event.type, event.code)) return out.event(event)
  if (socket?.kind !== 'udp' || !socket.dontFragment) return
  // RFC 8085 §3.2 leaves it to the application what to do about it.
  if (believe(h, now, event.remote, message, out)) out.event({ ...event, hard: true })
}

/** Takes the path MTU that the error tells of; `false` where it tells nothing new. */
function believe(
  h: HostState,
  now: Nanos,
  destination: IpAddress,
  { rest, data }: IcmpMessage,
  out: HostOut,
): boolean {
  const path = pathTo(h, destination)
  const mtu = meantMtu(rest & 0xffff, u16(data, QUOTED_LENGTH))
  if (path === null || mtu === 0) return false
  if (!learnPathMtu(h, now, destination, mtu, path.mtu)) return false
  out.event({ kind: 'path-mtu', address: destination, mtu })
  return true
}

/** The Total Length of the quoted IPv4 header. */
const QUOTED_LENGTH = 2

/**
 * RFC 5927 §4.1: only an error about data in flight is heard. RFC 1122 §4.2.3.9 and RFC 5461: an
 * established connection rides it out, and remembers why; an attempt to connect gives up.
 */
function tcpError(
  h: HostState,
  now: Nanos,
  event: IcmpErrorEvent,
  message: IcmpMessage,
  out: HostOut,
): void {
  const s = h.sockets[event.socket]
  if (s?.kind !== 'connection') return
  const { data: quote } = message
  const seq = i32(quote, (quote[0]! & 15) * 4 + 4)
  if (seqLt(seq, s.snd.una) || !seqGt(s.snd.max, seq)) return
  if (isTooBig(event.type, event.code)) {
    // A packet that would have passed was not too big: nobody who forwards has said so.
    if (meantMtu(message.rest & 0xffff, u16(quote, QUOTED_LENGTH)) === 0) return
    believe(h, now, event.remote, message, out)
    return tcpPathShrinks(h, now, s, seq, out)
  }
  out.event(event)
  const { icmpEndsConnect, icmpConnectError } = s.policy
  const ends = s.state === 'SYN-SENT' && icmpEndsConnect.includes(256 * event.type + event.code)
  if (ends) return fail(s, icmpConnectError ?? event.error, new TcpPort(h, now, s, out))
  if (event.type === ICMP_UNREACHABLE) s.softError = event.error
}
