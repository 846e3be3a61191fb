import { type IpAddress, readIpv6 } from '../address.ts'
import { u16 } from '../bytes.ts'
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_TOO_BIG,
  ICMPV6_UNREACHABLE,
  Icmpv6Message,
  isIcmpv6Error,
  ND_NEIGHBOUR_ADVERTISEMENT,
  ND_NEIGHBOUR_SOLICITATION,
  ND_REDIRECT,
  ND_ROUTER_ADVERTISEMENT,
  ND_ROUTER_SOLICITATION,
} from '../icmpv6/message.ts'
import { MAY_FRAGMENT, PROTOCOL_ICMPV6 } from '../ipv4/packet.ts'
import { isMulticastIpv6, UNSPECIFIED } from '../ipv6/address.ts'
import { readExtensions } from '../ipv6/extensions.ts'
import {
  DEFAULT_HOP_LIMIT,
  HOP_LIMIT_MAX,
  IPV6_HEADER,
  IPV6_MTU_MIN,
  type Ipv6Packet,
} from '../ipv6/packet.ts'
import { readNd } from '../nd/codec.ts'
import type { NdMessage } from '../nd/message.ts'
import type { Nanos } from '../time.ts'
import { echoReplyArrives } from './echo.ts'
import { ipv4NumberOf, problemOfIcmpv6 } from './icmp-errno.ts'
import { pathTo, sendIp } from './ip-output.ts'
import { NdPort } from './nd-port.ts'
import type { HostOut } from './output.ts'
import { socketError } from './socket-error.ts'
import type { HostState } from './state.ts'

export function icmpv6Arrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv6Packet,
  message: Icmpv6Message,
  out: HostOut,
): void {
  switch (message.type) {
    case ICMPV6_ECHO_REQUEST:
      return answerEcho(h, now, packet, message, out)
    case ICMPV6_ECHO_REPLY:
      return echoReplyArrives(h, packet, packet.hopLimit, message, out)
    case ND_ROUTER_SOLICITATION:
    case ND_ROUTER_ADVERTISEMENT:
    case ND_NEIGHBOUR_SOLICITATION:
    case ND_NEIGHBOUR_ADVERTISEMENT:
    case ND_REDIRECT:
      return ndArrives(h, now, port, packet, message, out)
    default:
      if (isIcmpv6Error(message.type)) return errorArrives(h, now, packet.source, message, out)
      out.event({ kind: 'dropped', why: 'icmpv6 unknown type', packet })
  }
}

/** RFC 4443 §4.2: what was sent to a group is answered from an address of our own. */
function answerEcho(
  h: HostState,
  now: Nanos,
  packet: Ipv6Packet,
  request: Icmpv6Message,
  out: HostOut,
): void {
  const { source, destination } = packet
  if (source === UNSPECIFIED) return
  const from = isMulticastIpv6(destination) ? pathTo(h, source)?.source : destination
  if (from === undefined) return
  const reply = new Icmpv6Message(ICMPV6_ECHO_REPLY, 0, request.rest, request.data)
  const [protocol, hopLimit] = [PROTOCOL_ICMPV6, DEFAULT_HOP_LIMIT]
  sendIp(h, now, from, source, protocol, hopLimit, MAY_FRAGMENT, reply, out)
}

function ndArrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv6Packet,
  message: Icmpv6Message,
  out: HostOut,
): void {
  const nd = readNd(message)
  // RFC 4861 §6.1, §7.1, §8.1: nobody further away than this link may say anything.
  const valid = packet.hopLimit === HOP_LIMIT_MAX && typeof nd !== 'string' && fits(packet, nd)
  if (!valid) {
    const why =
      typeof nd === 'string' ? nd : packet.hopLimit === HOP_LIMIT_MAX ? 'invalid' : 'from afar'
    return out.event({ kind: 'dropped', why: `nd ${why}`, packet })
  }
  const at = new NdPort(h, now, port, out)
  switch (nd.kind) {
    case 'neighbour-solicitation':
      return at.solicitationArrives(packet, nd)
    case 'neighbour-advertisement':
      return at.advertisementArrives(nd)
    case 'router-solicitation':
    case 'router-advertisement':
    case 'redirect':
      return out.event({ kind: 'dropped', why: 'nd not heard', packet })
  }
}

/** What a message says has to agree with the addresses of its packet. */
function fits({ source, destination }: Ipv6Packet, nd: NdMessage): boolean {
  switch (nd.kind) {
    case 'neighbour-solicitation':
      // §7.1.1: one that looks for duplicates goes to the group and names no MAC address.
      if (source !== UNSPECIFIED) return true
      return nd.sourceMac === null && isMulticastIpv6(destination)
    case 'neighbour-advertisement':
      return !(nd.solicited && isMulticastIpv6(destination))
    case 'router-solicitation':
      return source !== UNSPECIFIED || nd.sourceMac === null
    case 'router-advertisement':
    case 'redirect':
      return source.startsWith('fe8')
  }
}

/** An error about a packet of ours: the headers that it quotes name the socket. */
export function errorArrives(
  h: HostState,
  now: Nanos,
  from: IpAddress,
  message: Icmpv6Message,
  out: HostOut,
): void {
  const { type, code, data: quote } = message
  const problem = problemOfIcmpv6(type, code)
  if (problem === null || quote.length < IPV6_HEADER) return
  const chain = readExtensions(quote, quote[NEXT_HEADER]!, IPV6_HEADER, quote.length)
  const isFirst = chain.why === null && chain.fragmentOffset === 0
  if (!isFirst || quote.length < chain.at + 8) return
  const about = {
    from,
    local: readIpv6(quote, 8),
    remote: readIpv6(quote, 24),
    protocol: chain.protocol,
    quote,
    at: chain.at,
    type,
    code,
    ...problem,
    number: ipv4NumberOf(type, code),
    unreachable: type === ICMPV6_UNREACHABLE,
    tooBig: type === ICMPV6_TOO_BIG,
    mtu: type === ICMPV6_TOO_BIG ? meantIpv6Mtu(message) : 0,
  }
  socketError(h, now, about, out)
}

const NEXT_HEADER = 6

/** RFC 8201 §4: nothing below what every link carries; nor what the packet would have fit into. */
function meantIpv6Mtu({ rest, data }: Icmpv6Message): number {
  const said = rest >>> 0
  return said < IPV6_MTU_MIN || said >= IPV6_HEADER + u16(data, 4) ? 0 : said
}
