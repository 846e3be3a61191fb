import { type IpAddress, readIpv6 } from '../address.ts'
import { u16 } from '../bytes.ts'
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_TOO_BIG,
  ICMPV6_UNREACHABLE,
  Icmpv6Message,
  isIcmpv6Error,
  MLD_DONE_V1,
  MLD_QUERY,
  MLD_REPORT_V1,
  MLD_REPORT_V2,
  ND_NEIGHBOUR_ADVERTISEMENT,
  ND_NEIGHBOUR_SOLICITATION,
  ND_REDIRECT,
  ND_ROUTER_ADVERTISEMENT,
  ND_ROUTER_SOLICITATION,
} from '../icmpv6/message.ts'
import { MAY_FRAGMENT, PROTOCOL_ICMPV6 } from '../ipv4/packet.ts'
import { isLinkLocal, isMulticastIpv6, UNSPECIFIED } from '../ipv6/address.ts'
import { readExtensions } from '../ipv6/extensions.ts'
import { IPV6_HEADER, IPV6_MTU_MIN, type Ipv6Packet } from '../ipv6/packet.ts'
import { readQuery } from '../mld/codec.ts'
import { queryHeard } from '../mld/listener.ts'
import type { Nanos } from '../time.ts'
import { echoReplyArrives } from './echo.ts'
import { ipv4NumberOf, problemOfIcmpv6 } from './icmp-errno.ts'
import { HOST_TTL, pathTo, sendIp } from './ip-output.ts'
import { Ipv6Port } from './ipv6-port.ts'
import { ndArrives } from './nd-input.ts'
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
    case MLD_QUERY:
      return queryArrives(h, now, port, packet, message, out)
    case MLD_REPORT_V1:
    case MLD_DONE_V1:
    case MLD_REPORT_V2:
      return // for routers that care which groups are wanted
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
  const [protocol, hopLimit] = [PROTOCOL_ICMPV6, HOST_TTL]
  sendIp(h, now, from, source, protocol, hopLimit, MAY_FRAGMENT, reply, out)
}

/** RFC 3810 §6.2: one that did not come from this link is no query. */
function queryArrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv6Packet,
  message: Icmpv6Message,
  out: HostOut,
): void {
  const query = readQuery(message)
  if (typeof query === 'string' || packet.hopLimit !== 1 || !isLinkLocal(packet.source)) {
    const why = typeof query === 'string' ? query : 'from afar'
    return out.event({ kind: 'dropped', why: `mld ${why}`, packet })
  }
  queryHeard(h.interfaces[port]!.ipv6!.mld, now, query)
  new Ipv6Port(h, now, port, out).wake()
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
    mtu: type === ICMPV6_TOO_BIG ? meantIpv6Mtu(message, h.policy.provesIpv6TooBig) : 0,
  }
  socketError(h, now, about, out)
}

const NEXT_HEADER = 6

/** RFC 8201 §4: nothing below what every link carries; nor what the packet would have fit into. */
function meantIpv6Mtu({ rest, data }: Icmpv6Message, proven: boolean): number {
  const said = rest >>> 0
  if (said < IPV6_MTU_MIN) return 0
  return proven && said >= IPV6_HEADER + u16(data, 4) ? 0 : said
}
