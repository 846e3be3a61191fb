import type { Ipv6Address } from '../address.ts'
import type { Ipv4Details, TransportPayload } from '../ipv4/packet.ts'
import { isMulticastIpv6, multicastMac } from '../ipv6/address.ts'
import { fragmentIpv6 } from '../ipv6/fragment.ts'
import { drawWord } from '../random-word.ts'
import { pathMtuTo } from './path-mtu.ts'
import { DEFAULT_HOP_LIMIT, ipv6DetailsOf, Ipv6Packet } from '../ipv6/packet.ts'
import { ETHERTYPE_IPV6, EthernetFrame } from '../ethernet/frame.ts'
import { IPV6_PAYLOAD_MAX } from '../ipv6/packet.ts'
import type { Nanos } from '../time.ts'
import type { Path } from './ip-output.ts'
import { isOnAnyLink, wayTo } from './ipv6-ways.ts'
import { sendToIpv6Neighbour } from './ipv6-port.ts'
import type { HostOut } from './output.ts'
import { type HostState, isOwn, LOOPBACK_OWNER } from './state.ts'

/** Half of `pathTo`. */
export function ipv6PathTo(h: HostState, destination: Ipv6Address): Path | null {
  if (isOwn(h, destination)) return { source: destination, mtu: IPV6_PAYLOAD_MAX }
  const way = wayTo(h, destination)
  if (way === null || way.source === null) return null
  return { source: way.source, mtu: h.interfaces[way.port]!.ipv6!.mtu }
}

/** Half of `sendIp`. */
export function sendIpv6(
  h: HostState,
  now: Nanos,
  source: Ipv6Address,
  destination: Ipv6Address,
  protocol: number,
  hopLimit: number,
  { trafficClass, dontFragment }: Ipv4Details,
  payload: TransportPayload,
  out: HostOut,
): boolean {
  const packetWith = (hops: number): Ipv6Packet =>
    new Ipv6Packet(source, destination, protocol, hops, ipv6DetailsOf(trafficClass), payload)
  if (isOwn(h, destination)) {
    h.loopback.push(packetWith(hopLimit || DEFAULT_HOP_LIMIT))
    out.wake(LOOPBACK_OWNER, now)
    return true
  }
  // An address on the link is on that of the address we send from.
  const from = isOnAnyLink(destination) ? h.addresses.get(source) : undefined
  const way = from === undefined ? wayTo(h, destination) : null
  const port = from ?? way?.port
  if (port === undefined) {
    const packet = packetWith(hopLimit || DEFAULT_HOP_LIMIT)
    out.event({ kind: 'dropped', why: 'ipv6 no route', packet })
    return false
  }
  const nextHop = way?.nextHop ?? destination
  const { mtu, hopLimit: advertised } = h.interfaces[port]!.ipv6!
  const packet = packetWith(hopLimit || advertised)
  const room = dontFragment ? mtu : pathMtuTo(h, now, destination, mtu)
  if (packet.size <= room) transmitIpv6(h, now, port, nextHop, packet, out)
  else if (dontFragment) out.event({ kind: 'dropped', why: 'ipv6 too big', packet })
  else {
    // RFC 7739 §3: nobody shall guess the next one.
    for (const each of fragmentIpv6(packet, room, drawWord(h.ipv6))) {
      transmitIpv6(h, now, port, nextHop, each, out)
    }
  }
  return true
}

/** Puts a packet on a link: to a group, or to the next hop. */
export function transmitIpv6(
  h: HostState,
  now: Nanos,
  port: number,
  nextHop: Ipv6Address,
  packet: Ipv6Packet,
  out: HostOut,
): void {
  if (!isMulticastIpv6(nextHop)) return sendToIpv6Neighbour(h, now, port, nextHop, packet, out)
  const { mac } = h.interfaces[port]!
  out.send(new EthernetFrame(multicastMac(nextHop), mac, ETHERTYPE_IPV6, packet), port)
}
