import { type IpAddress, readIpv4 } from '../address.ts'
import { u16 } from '../bytes.ts'
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
} from '../ipv4/packet.ts'
import { echoedOptions } from '../ipv4/options.ts'
import type { Nanos } from '../time.ts'
import { echoReplyArrives } from './echo.ts'
import { problemOf } from './icmp-errno.ts'
import { sendIp } from './ip-output.ts'
import type { HostOut } from './output.ts'
import { meantMtu } from './path-mtu.ts'
import { socketError } from './socket-error.ts'
import type { HostState } from './state.ts'

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
  if (message.type === ICMP_ECHO_REPLY) {
    return echoReplyArrives(h, packet, packet.ttl, message, out)
  }
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

/** An error about a packet of ours: the header that it quotes names the socket. */
export function errorArrives(
  h: HostState,
  now: Nanos,
  from: IpAddress,
  message: IcmpMessage,
  out: HostOut,
): void {
  const { type, code, rest, data: quote } = message
  const problem = problemOf(type, code)
  const header = quote.length < IPV4_HEADER ? 0 : (quote[0]! & 15) * 4
  if (problem === null || header < IPV4_HEADER || quote.length < header + 8) return
  const unreachable = type === ICMP_UNREACHABLE
  const tooBig = unreachable && code === UNREACHABLE_FRAGMENTATION_NEEDED
  const about = {
    from,
    local: readIpv4(quote, 12),
    remote: readIpv4(quote, 16),
    protocol: quote[9]!,
    quote,
    at: header,
    type,
    code,
    ...problem,
    number: 256 * type + code,
    unreachable,
    tooBig,
    mtu: tooBig ? meantMtu(rest & 0xffff, u16(quote, QUOTED_LENGTH)) : 0,
  }
  socketError(h, now, about, out)
}

/** The Total Length of the quoted IPv4 header. */
const QUOTED_LENGTH = 2
