import { type IpAddress, readIpv4 } from '../address.ts'
import { i32, u16 } from '../bytes.ts'
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_UNREACHABLE,
  IcmpMessage,
  isIcmpError,
  UNREACHABLE_HOST,
  UNREACHABLE_NET,
  UNREACHABLE_PORT,
  UNREACHABLE_PROTOCOL,
} from '../icmp/message.ts'
import {
  DEFAULT_TTL,
  IPV4_HEADER,
  type Ipv4Packet,
  MAY_FRAGMENT,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../ipv4/packet.ts'
import type { Errno } from '../errno.ts'
import { seqGt, seqLt } from '../sequence.ts'
import { fail } from '../tcp/lifecycle.ts'
import type { Nanos } from '../time.ts'
import { findConnection, findListener, NO_SOCKET } from './demux.ts'
import type { HostOut } from './output.ts'
import { sendIp } from './ipv4-output.ts'
import type { HostState } from './state.ts'
import { TcpPort } from './tcp.ts'

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
  const reply = new IcmpMessage(ICMP_ECHO_REPLY, 0, request.rest, request.data)
  sendIp(
    h,
    now,
    packet.destination,
    packet.source,
    PROTOCOL_ICMP,
    DEFAULT_TTL,
    MAY_FRAGMENT,
    reply,
    out,
  )
}

function echoReplyArrives(
  h: HostState,
  packet: Ipv4Packet,
  message: IcmpMessage,
  out: HostOut,
): void {
  const socket = findListener(h.icmp, packet.destination, message.identifier)
  if (socket === NO_SOCKET) {
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

/** An error about a packet of ours: the header that it quotes names the socket. */
export function errorArrives(
  h: HostState,
  now: Nanos,
  from: IpAddress,
  message: IcmpMessage,
  out: HostOut,
): void {
  const quote = message.data
  const header = quote.length < IPV4_HEADER ? 0 : (quote[0]! & 15) * 4
  if (header < IPV4_HEADER || quote.length < header + 8) return
  const local = readIpv4(quote, 12)
  const remote = readIpv4(quote, 16)
  const [first, second] = [u16(quote, header), u16(quote, header + 2)]
  const { type, code } = message
  const event = { kind: 'icmp-error', from, type, code } as const
  switch (quote[9]) {
    case PROTOCOL_TCP: {
      const socket = findConnection(h.tcp, first, second, remote, local)
      if (socket === NO_SOCKET) return
      return tcpError(
        h,
        now,
        socket,
        i32(quote, header + 4),
        { ...event, socket, sequence: 0 },
        out,
      )
    }
    case PROTOCOL_UDP: {
      let socket = findConnection(h.udp, first, second, remote, local)
      if (socket === NO_SOCKET) socket = findListener(h.udp, local, first)
      if (socket !== NO_SOCKET) out.event({ ...event, socket, sequence: 0 })
      return
    }
    case PROTOCOL_ICMP: {
      const socket = findListener(h.icmp, local, u16(quote, header + 4))
      if (socket === NO_SOCKET) return
      return out.event({ ...event, socket, sequence: u16(quote, header + 6) })
    }
    default:
  }
}

interface TcpError {
  readonly kind: 'icmp-error'
  readonly socket: number
  readonly from: IpAddress
  readonly type: number
  readonly code: number
  readonly sequence: number
}

/**
 * RFC 5927 §4.1: only an error about data in flight is heard. RFC 1122 §4.2.3.9 and RFC 5461: an
 * established connection rides it out, an attempt to connect gives up.
 */
function tcpError(
  h: HostState,
  now: Nanos,
  socket: number,
  seq: number,
  event: TcpError,
  out: HostOut,
): void {
  const s = h.sockets[socket]
  if (s?.kind !== 'connection') return
  if (seqLt(seq, s.snd.una) || !seqGt(s.snd.max, seq)) return
  out.event(event)
  if (s.state !== 'SYN-SENT' || event.type !== ICMP_UNREACHABLE) return
  const error = errnoOf(event.code)
  if (error === null) return
  const port = new TcpPort(h, now, s, out)
  fail(s, error, port)
}

/** Linux's names for the codes of "destination unreachable". */
export function errnoOf(code: number): Errno | null {
  switch (code) {
    case UNREACHABLE_NET:
      return 'ENETUNREACH'
    case UNREACHABLE_HOST:
      return 'EHOSTUNREACH'
    case UNREACHABLE_PROTOCOL:
    case UNREACHABLE_PORT:
      return 'ECONNREFUSED'
    default:
      return null
  }
}
