import {
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_TOO_BIG,
  ICMPV6_UNKNOWN_OPTION,
  Icmpv6Message,
  isIcmpv6Error,
  ND_REDIRECT,
} from '../icmpv6/message.ts'
import { MAY_FRAGMENT, PROTOCOL_ICMPV6 } from '../ipv4/packet.ts'
import { takeToken } from '../ipv4/rate-limit.ts'
import { isMulticastIpv6, UNSPECIFIED } from '../ipv6/address.ts'
import { emitIpv6 } from '../ipv6/codec.ts'
import { IPV6_HEADER, IPV6_MTU_MIN, type Ipv6Packet } from '../ipv6/packet.ts'
import type { Nanos } from '../time.ts'
import { errorArrives } from './icmpv6-input.ts'
import { HOST_TTL, pathTo, sendIp } from './ip-output.ts'
import type { HostOut } from './output.ts'
import { type HostState, isOwn } from './state.ts'

/** RFC 4443 §2.4 (c): as much of the packet as fits, the whole error within the smallest MTU. */
const QUOTE_MAX = IPV6_MTU_MIN - IPV6_HEADER - 8

/** Says to a packet's sender what became of it, where RFC 4443 §2.4 (e) allows. */
export function icmpv6Error(
  h: HostState,
  now: Nanos,
  packet: Ipv6Packet,
  type: number,
  code: number,
  rest: number,
  out: HostOut,
): void {
  const quoted = emitIpv6(packet).subarray(0, QUOTE_MAX)
  const message = new Icmpv6Message(type, code, rest, quoted)
  // A packet of our own: its socket hears it directly.
  if (isOwn(h, packet.source)) return errorArrives(h, now, packet.source, message, out)
  if (!mayAnswer(packet, type, code) || !takeToken(h.icmpErrors, now)) return
  const path = pathTo(h, packet.source)
  if (path === null) return
  // §2.2 (a): it comes from the address that the packet was for.
  const source = isOwn(h, packet.destination) ? packet.destination : path.source
  const [protocol, hopLimit] = [PROTOCOL_ICMPV6, HOST_TTL]
  sendIp(h, now, source, packet.source, protocol, hopLimit, MAY_FRAGMENT, message, out)
}

/** No error about an error, a redirect or nobody's packet; about one to a group only two of them. */
function mayAnswer({ payload, source, destination }: Ipv6Packet, type: number, code: number) {
  if (payload.kind === 'icmpv6') {
    if (isIcmpv6Error(payload.type) || payload.type === ND_REDIRECT) return false
  }
  if (source === UNSPECIFIED || isMulticastIpv6(source)) return false
  if (!isMulticastIpv6(destination)) return true
  const isOption = type === ICMPV6_PARAMETER_PROBLEM && code === ICMPV6_UNKNOWN_OPTION
  return type === ICMPV6_TOO_BIG || isOption
}
