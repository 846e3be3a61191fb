import { BROADCAST_IPV4, isMulticastIpv4 } from '../address.ts'
import {
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  UNREACHABLE_FRAGMENTATION_NEEDED,
  UNREACHABLE_NET,
  UNREACHABLE_PROTOCOL,
} from '../icmp/message.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../ethernet/frame.ts'
import { fragment } from '../ipv4/fragment.ts'
import { Ipv4Packet } from '../ipv4/packet.ts'
import { lookupRoute } from '../ipv4/routes.ts'
import type { Nanos } from '../time.ts'
import { sendToNeighbour } from './arp-port.ts'
import { type Ipv4Way, wayTo } from './ipv4-ways.ts'
import type { HostOut } from './output.ts'
import { icmpArrives } from './icmp-input.ts'
import { igmpArrives } from './igmp.ts'
import { PROTOCOL_IGMP } from '../igmp/codec.ts'
import { icmpError } from './icmp-errors.ts'
import { fragmentArrives } from './fragments.ts'
import { optionsPass } from './ipv4-options.ts'
import { natArrives, natLeaves } from './nat.ts'
import { rawArrives } from './raw.ts'
import { BROADCAST, type HostState } from './state.ts'
import { tcpArrives } from './tcp-input.ts'
import { udpArrives } from './udp.ts'

/** A packet came in, in a broadcast frame or not; at no interface where we sent it ourselves. */
export function ipv4Arrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv4Packet,
  broadcastFrame: boolean,
  out: HostOut,
): void {
  if (h.nat === null) return packetArrives(h, now, packet, broadcastFrame, out)
  const seen = natArrives(h, h.nat, now, port, packet, out)
  if (seen !== null) packetArrives(h, now, seen, broadcastFrame, out)
}

/** A packet came in that a group gets, one that somebody here listens to (RFC 1112 §7.2). */
export function ipv4GroupArrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv4Packet,
  out: HostOut,
): void {
  const { source, payload, protocol } = packet
  if (source === BROADCAST_IPV4 || isMulticastIpv4(source)) {
    return drop(packet, 'ipv4 bad source', out)
  }
  if (protocol === PROTOCOL_IGMP && payload.kind === 'opaque') {
    return igmpArrives(h, now, port, packet, payload.bytes, out)
  }
  deliver(h, now, packet, true, out)
}

function packetArrives(
  h: HostState,
  now: Nanos,
  packet: Ipv4Packet,
  broadcastFrame: boolean,
  out: HostOut,
): void {
  const { source, destination } = packet
  // RFC 1122 §3.2.1.3: no packet comes from a group.
  if (source === BROADCAST_IPV4 || isMulticastIpv4(source)) {
    return drop(packet, 'ipv4 bad source', out)
  }
  if (h.forwarding && !broadcastFrame && h.nat === null) {
    const way = wayTo(h, now, destination)
    if (way !== null && passes(packet, way)) return passOn(packet, way, out)
  }
  const ours = h.addresses.get(destination | 0) // a number for certain: a cheaper hash
  if (ours !== undefined) {
    const broadcast = ours === BROADCAST
    // RFC 1122 §3.3.6: a host is not meant by what everybody gets.
    if (broadcastFrame && !broadcast) return drop(packet, 'ipv4 unicast to all', out)
    return deliver(h, now, packet, broadcast, out)
  }
  if (!h.forwarding) return drop(packet, 'ipv4 not for us', out)
  if (broadcastFrame || isMulticastIpv4(destination)) return drop(packet, 'ipv4 not forwarded', out)
  forward(h, now, packet, out)
}

function drop(packet: Ipv4Packet, why: string, out: HostOut): void {
  out.event({ kind: 'dropped', why, packet })
}

function deliver(
  h: HostState,
  now: Nanos,
  packet: Ipv4Packet,
  broadcast: boolean,
  out: HostOut,
): void {
  const { payload, details } = packet
  if (details.options.length > 0 && !optionsPass(h, now, packet, out)) return
  if (details.moreFragments || details.fragmentOffset !== 0) {
    const whole = fragmentArrives(h, now, packet, out)
    return whole === null ? undefined : deliver(h, now, whole, broadcast, out)
  }
  switch (payload.kind) {
    case 'tcp':
      if (broadcast) return drop(packet, 'tcp to a group', out) // RFC 9293 §3.9.2.3
      return tcpArrives(h, now, packet, payload, 0, out)
    case 'udp':
      return udpArrives(h, now, packet, payload, broadcast, out)
    case 'icmp':
      return icmpArrives(h, now, packet, payload, broadcast, out)
    case 'malformed':
      return drop(packet, `${payload.protocol} ${payload.why}`, out)
    case 'icmpv6':
    case 'opaque':
      if (payload.kind === 'opaque' && rawArrives(h, packet, payload, out)) return
      drop(packet, 'ipv4 unknown protocol', out)
      if (!broadcast) {
        icmpError(h, now, packet, ICMP_UNREACHABLE, UNREACHABLE_PROTOCOL, 0, out)
      }
  }
}

/** Whether there is nothing to be said about a packet but where it goes. */
const passes = ({ ttl, size, details }: Ipv4Packet, { mtu }: Ipv4Way): boolean =>
  ttl > 1 && size <= mtu && details.options.length === 0

function passOn(packet: Ipv4Packet, { port, mac, sourceMac }: Ipv4Way, out: HostOut): void {
  out.send(new EthernetFrame(mac, sourceMac, ETHERTYPE_IPV4, onward(packet)), port)
}

/** RFC 1812 §5.3.1: the packet is a new one, what it carries is shared. */
const onward = (p: Ipv4Packet): Ipv4Packet =>
  new Ipv4Packet(
    p.source,
    p.destination,
    p.protocol,
    p.ttl - 1,
    p.identification,
    p.details,
    p.payload,
    p.size,
  )

/** RFC 1812 §5.2 and §5.3. */
function forward(h: HostState, now: Nanos, packet: Ipv4Packet, out: HostOut): void {
  const { destination, ttl, details, size } = packet
  if (details.options.length > 0 && !optionsPass(h, now, packet, out)) return
  if (ttl <= 1) {
    drop(packet, 'ipv4 ttl', out)
    return icmpError(h, now, packet, ICMP_TIME_EXCEEDED, 0, 0, out)
  }
  const route = lookupRoute(h.routes, destination)
  if (route === null) {
    drop(packet, 'ipv4 no route', out)
    return icmpError(h, now, packet, ICMP_UNREACHABLE, UNREACHABLE_NET, 0, out)
  }
  const { mtu } = h.interfaces[route.port]!
  if (size > mtu && details.dontFragment) {
    drop(packet, 'ipv4 too big', out)
    const code = UNREACHABLE_FRAGMENTATION_NEEDED
    return icmpError(h, now, packet, ICMP_UNREACHABLE, code, mtu, out) // RFC 1191 §4
  }
  const leaving = h.nat === null ? packet : natLeaves(h, h.nat, now, route.port, packet, out)
  if (leaving === null) return
  const next = onward(leaving)
  const nextHop = route.gateway ?? destination
  if (next.size <= mtu) return sendToNeighbour(h, now, route.port, nextHop, next, out)
  for (const each of fragment(next, mtu)) {
    sendToNeighbour(h, now, route.port, nextHop, each, out)
  }
}
