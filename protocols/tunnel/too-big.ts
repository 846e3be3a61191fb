import { ANY_IPV4, BROADCAST_IPV4, type Ipv4Address, isMulticastIpv4 } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import { ICMP_UNREACHABLE, IcmpMessage, isIcmpError } from '../icmp/message.ts'
import { UNREACHABLE_FRAGMENTATION_NEEDED } from '../icmp/message.ts'
import { ICMPV6_TOO_BIG, Icmpv6Message, isIcmpv6Error } from '../icmpv6/message.ts'
import { emitIpv4, parseIpv4 } from '../ipv4/codec.ts'
import { fragment, IPV4_MTU_MIN } from '../ipv4/fragment.ts'
import { malformedOptionAt } from '../ipv4/options.ts'
import { DEFAULT_TTL, Ipv4Packet, MAY_FRAGMENT, PROTOCOL_ICMP } from '../ipv4/packet.ts'
import { PROTOCOL_ICMPV6 } from '../ipv4/packet.ts'
import { isMulticastIpv6, UNSPECIFIED } from '../ipv6/address.ts'
import { emitIpv6, parseIpv6 } from '../ipv6/codec.ts'
import { DEFAULT_HOP_LIMIT, IPV6_HEADER, IPV6_MTU_MIN } from '../ipv6/packet.ts'
import { Ipv6Packet, PLAIN_IPV6 } from '../ipv6/packet.ts'

/*
 * A packet that is longer than the tunnel carries. The kernel or router in front of it has been told the
 * MTU and seldom lets one through: just after the path has become narrower, for instance.
 */

export type TooBig =
  /** It may be cut: these go in its place. */
  | { readonly kind: 'cut'; readonly pieces: readonly Bytes[] }
  /** It may not: this goes back to its sender (RFC 1191 §4, RFC 4443 §3.2). */
  | { readonly kind: 'answer'; readonly packet: Bytes }
  /** Nobody may be told (RFC 1122 §3.2.2), or it is no packet. */
  | { readonly kind: 'nothing' }

const NOTHING: TooBig = { kind: 'nothing' }
/** RFC 1812 §4.3.2.3: the whole error within 576 bytes. */
const QUOTE_MAX = 576 - 28

/** `own`: whom the answer is from; 192.0.0.8 is nobody's and meant for this (RFC 7600 §4.8). */
export function tooBig(bytes: Bytes, mtu: number, own: Ipv4Address): TooBig {
  return (bytes[0] ?? 0) >> 4 === 6 ? tooBigIpv6(bytes, mtu) : tooBigIpv4(bytes, mtu, own)
}

function tooBigIpv4(bytes: Bytes, mtu: number, own: Ipv4Address): TooBig {
  const parsed = parseIpv4(bytes)
  if (!parsed.ok || mtu < IPV4_MTU_MIN) return NOTHING
  const packet = parsed.value
  const { details, payload, source, destination } = packet
  if (!details.dontFragment) {
    if (malformedOptionAt(details.options) >= 0) return NOTHING
    return { kind: 'cut', pieces: fragment(packet, mtu).map((each) => emitIpv4(each)) }
  }
  const isError = payload.kind === 'icmp' && isIcmpError(payload.type)
  const toNobody = [ANY_IPV4, BROADCAST_IPV4].includes(source) || isMulticastIpv4(source)
  const toMany = destination === BROADCAST_IPV4 || isMulticastIpv4(destination)
  if (isError || toNobody || toMany || details.fragmentOffset !== 0) return NOTHING
  const code = UNREACHABLE_FRAGMENTATION_NEEDED
  const message = new IcmpMessage(ICMP_UNREACHABLE, code, mtu, bytes.subarray(0, QUOTE_MAX))
  const [protocol, ttl] = [PROTOCOL_ICMP, DEFAULT_TTL]
  const answer = new Ipv4Packet(own, source, protocol, ttl, 0, MAY_FRAGMENT, message)
  return { kind: 'answer', packet: emitIpv4(answer) }
}

function tooBigIpv6(bytes: Bytes, mtu: number): TooBig {
  const parsed = parseIpv6(bytes)
  if (!parsed.ok) return NOTHING
  const { source, destination, payload } = parsed.value
  const isError = payload.kind === 'icmpv6' && isIcmpv6Error(payload.type)
  if (isError || source === UNSPECIFIED || isMulticastIpv6(source)) return NOTHING
  const quoted = bytes.subarray(0, IPV6_MTU_MIN - IPV6_HEADER - 8)
  const message = new Icmpv6Message(ICMPV6_TOO_BIG, 0, mtu, quoted)
  // As from the packet's destination: the tunnel has no address of its own here.
  const [protocol, hopLimit] = [PROTOCOL_ICMPV6, DEFAULT_HOP_LIMIT]
  const from = isMulticastIpv6(destination) ? source : destination
  const answer = new Ipv6Packet(from, source, protocol, hopLimit, PLAIN_IPV6, message)
  return { kind: 'answer', packet: emitIpv6(answer) }
}
