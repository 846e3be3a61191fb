import {
  ICMPV6_NO_ROUTE,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_TOO_BIG,
  ICMPV6_UNREACHABLE,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_UNKNOWN_HEADER,
} from '../icmpv6/message.ts'
import { isLinkLocal, isMulticastIpv6, LOOPBACK_IPV6, UNSPECIFIED } from '../ipv6/address.ts'
import { headersOf, NO_NEXT_HEADER } from '../ipv6/extensions.ts'
import { IPV6_HEADER, Ipv6Packet } from '../ipv6/packet.ts'
import type { Nanos } from '../time.ts'
import { icmpv6Error } from './icmpv6-errors.ts'
import { icmpv6Arrives } from './icmpv6-input.ts'
import { transmitIpv6 } from './ipv6-output.ts'
import { wayTo } from './ipv6-ways.ts'
import { extensionsPass } from './ipv6-extensions.ts'
import { ipv6FragmentArrives } from './fragments.ts'
import { sendRedirect } from './redirect.ts'
import { isIpv6Fragment } from '../ipv6/fragment.ts'
import type { HostOut } from './output.ts'
import { rawArrives } from './raw.ts'
import { type HostState } from './state.ts'
import { tcpArrives } from './tcp-input.ts'
import { udpArrives } from './udp.ts'

/** A packet came in by an interface, in a frame for us or for a group. */
export function ipv6Arrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv6Packet,
  out: HostOut,
): void {
  const { source, destination } = packet
  const { ipv6 } = h.interfaces[port]!
  if (ipv6 === null) return drop(packet, 'ipv6 not spoken', out)
  // RFC 4291 §2.7 and §2.5.3: no packet comes from a group, or from within somebody else.
  if (isMulticastIpv6(source) || source === LOOPBACK_IPV6) {
    return drop(packet, 'ipv6 bad source', out)
  }
  if (isMulticastIpv6(destination)) {
    if (ipv6.groups.has(destination)) return deliver(h, now, port, packet, true, out)
    return drop(packet, 'ipv6 no group member', out)
  }
  const ours = h.addresses.get(destination)
  // A link-local address is one only on its own link.
  if (ours !== undefined && (ours === port || !isLinkLocal(destination))) {
    return deliver(h, now, port, packet, false, out)
  }
  if (!h.forwarding) return drop(packet, 'ipv6 not for us', out)
  forward(h, now, port, packet, out)
}

function drop(packet: Ipv6Packet, why: string, out: HostOut): void {
  out.event({ kind: 'dropped', why, packet })
}

function deliver(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv6Packet,
  group: boolean,
  out: HostOut,
): void {
  const { payload, details } = packet
  if (details.extensions.length > 0) {
    if (!extensionsPass(h, now, packet, false, out)) return
    if (isIpv6Fragment(packet)) {
      const whole = ipv6FragmentArrives(h, now, packet, out)
      return whole === null ? undefined : deliver(h, now, port, whole, group, out)
    }
  }
  switch (payload.kind) {
    case 'tcp':
      if (group) return drop(packet, 'tcp to a group', out) // RFC 9293 §3.9.2.3
      return tcpArrives(h, now, packet, payload, 0, out)
    case 'udp':
      return udpArrives(h, now, packet, payload, group, out)
    case 'icmpv6':
      return icmpv6Arrives(h, now, port, packet, payload, out)
    case 'malformed':
      return drop(packet, `${payload.protocol} ${payload.why}`, out)
    case 'icmp':
    case 'opaque':
      // RFC 8200 §4.7: nothing follows, and nothing is to be said.
      if (packet.protocol === NO_NEXT_HEADER) return drop(packet, 'ipv6 no next header', out)
      if (payload.kind === 'opaque' && rawArrives(h, packet, payload, out)) return
      drop(packet, 'ipv6 unknown protocol', out)
      return unknownHeader(h, now, packet, out)
  }
}

/** RFC 8200 §4: the pointer names the Next Header field that was not understood. */
function unknownHeader(h: HostState, now: Nanos, packet: Ipv6Packet, out: HostOut): void {
  const code = ICMPV6_UNKNOWN_HEADER
  icmpv6Error(h, now, packet, ICMPV6_PARAMETER_PROBLEM, code, lastNextHeader(packet), out)
}

/** Where the header before the payload says what the payload is. */
function lastNextHeader({ details }: Ipv6Packet): number {
  const NEXT_HEADER = 6
  let at = NEXT_HEADER
  for (const header of headersOf(details.firstHeader, details.extensions)) {
    at = IPV6_HEADER + header.at
  }
  return at
}

/** RFC 8200 §3 and RFC 4291 §2: the packet is a new one, what it carries is shared. */
function forward(h: HostState, now: Nanos, port: number, packet: Ipv6Packet, out: HostOut): void {
  const { source, destination, hopLimit, size } = packet
  // RFC 4291 §2.5.2, §2.5.6: what is of one link stays on it.
  if (source === UNSPECIFIED || isLinkLocal(source) || isLinkLocal(destination)) {
    return drop(packet, 'ipv6 not forwarded', out)
  }
  const hasExtensions = packet.details.extensions.length > 0
  if (hasExtensions && !extensionsPass(h, now, packet, true, out)) return
  if (hopLimit <= 1) {
    drop(packet, 'ipv6 hop limit', out)
    return icmpv6Error(h, now, packet, ICMPV6_TIME_EXCEEDED, 0, 0, out)
  }
  const way = wayTo(h, destination)
  if (way === null) {
    drop(packet, 'ipv6 no route', out)
    return icmpv6Error(h, now, packet, ICMPV6_UNREACHABLE, ICMPV6_NO_ROUTE, 0, out)
  }
  const { mtu } = h.interfaces[way.port]!.ipv6!
  if (size > mtu) {
    drop(packet, 'ipv6 too big', out)
    return icmpv6Error(h, now, packet, ICMPV6_TOO_BIG, 0, mtu, out)
  }
  const { protocol, details, payload } = packet
  const onward = new Ipv6Packet(source, destination, protocol, hopLimit - 1, details, payload, size)
  transmitIpv6(h, now, way.port, way.nextHop, onward, out)
  if (way.port === port) sendRedirect(h, now, port, packet, way.nextHop, out)
}
