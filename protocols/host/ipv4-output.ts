import {
  ANY_IPV4,
  BROADCAST_IPV4,
  BROADCAST_MAC,
  type Ipv4Address,
  isMulticastIpv4,
} from '../address.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../ethernet/frame.ts'
import { fragment } from '../ipv4/fragment.ts'
import {
  DEFAULT_TTL,
  IPV4_PACKET_MAX,
  type Ipv4Details,
  Ipv4Packet,
  type TransportPayload,
} from '../ipv4/packet.ts'
import { lookupRoute, type Route } from '../ipv4/routes.ts'
import type { Nanos } from '../time.ts'
import { sendToNeighbour } from './arp-port.ts'
import type { Path } from './ip-output.ts'
import { multicastMacOf } from './igmp.ts'
import { wayTo } from './ipv4-ways.ts'
import type { HostOut } from './output.ts'
import { BROADCAST, type HostState, isOwn, LOOPBACK_OWNER } from './state.ts'

/** What a packet to ourselves may measure. */
const LOOPBACK_MTU = IPV4_PACKET_MAX

export function ipv4PathTo(h: HostState, destination: Ipv4Address): Path | null {
  if (isOwn(h, destination)) return { source: destination, mtu: LOOPBACK_MTU }
  const route = routeTo(h, destination)
  if (route === null) return null
  const iface = h.interfaces[route.port]!
  // RFC 1122 §3.2.1.3: a host that has no address yet may speak to everybody all the same.
  const none = destination === BROADCAST_IPV4 ? ANY_IPV4 : undefined
  const source = route.source ?? iface.addresses[0] ?? none
  return source === undefined ? null : { source, mtu: iface.mtu }
}

/** The limited broadcast and groups without a route leave by the first interface. */
function routeTo(h: HostState, destination: number): Route | null {
  const route = destination === BROADCAST_IPV4 ? null : lookupRoute(h.routes, destination)
  if (route !== null || (destination !== BROADCAST_IPV4 && !isMulticastIpv4(destination))) {
    return route
  }
  const first = { destination, prefixLength: 32, gateway: null, port: 0, source: null }
  return h.interfaces.length === 0 ? null : first
}

/** Half of `sendIp`. */
export function sendIpv4(
  h: HostState,
  now: Nanos,
  source: Ipv4Address,
  destination: Ipv4Address,
  protocol: number,
  ttl: number,
  details: Ipv4Details,
  payload: TransportPayload,
  out: HostOut,
): boolean {
  h.identification = (h.identification + 1) & 0xffff
  const id = h.identification
  const hops = ttl || DEFAULT_TTL
  const packet = new Ipv4Packet(source, destination, protocol, hops, id, details, payload)
  return sendPacket(h, now, packet, out)
}

/** The same for a packet whose header stands. */
export function sendPacket(h: HostState, now: Nanos, packet: Ipv4Packet, out: HostOut): boolean {
  const { destination, details } = packet
  const way = wayTo(h, now, destination)
  if (way !== null && packet.size <= way.mtu) {
    out.send(new EthernetFrame(way.mac, way.sourceMac, ETHERTYPE_IPV4, packet), way.port)
    return true
  }
  const ours = h.addresses.get(destination | 0) // a number for certain: a cheaper hash
  if (ours !== undefined && ours !== BROADCAST) {
    h.loopback.push(packet)
    out.wake(LOOPBACK_OWNER, now)
    return true
  }
  const route = routeTo(h, destination)
  if (route === null) {
    out.event({ kind: 'dropped', why: 'ipv4 no route', packet })
    return false
  }
  const { mtu } = h.interfaces[route.port]!
  if (packet.size <= mtu) transmit(h, now, route, packet, ours === BROADCAST, out)
  else if (details.dontFragment) out.event({ kind: 'dropped', why: 'ipv4 too big', packet })
  else {
    for (const each of fragment(packet, mtu)) {
      transmit(h, now, route, each, ours === BROADCAST, out)
    }
  }
  return true
}

/** Puts a packet on a link: to everybody, or to the next hop. */
function transmit(
  h: HostState,
  now: Nanos,
  route: Route,
  packet: Ipv4Packet,
  broadcast: boolean,
  out: HostOut,
): void {
  const { port, gateway } = route
  if (broadcast) {
    const { mac } = h.interfaces[port]!
    return out.send(new EthernetFrame(BROADCAST_MAC, mac, ETHERTYPE_IPV4, packet), port)
  }
  if (isMulticastIpv4(packet.destination)) {
    const { mac } = h.interfaces[port]!
    const to = multicastMacOf(packet.destination)
    return out.send(new EthernetFrame(to, mac, ETHERTYPE_IPV4, packet), port)
  }
  sendToNeighbour(h, now, port, gateway ?? packet.destination, packet, out)
}
