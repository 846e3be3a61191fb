import type { Ipv6Address } from '../address.ts'
import { takeToken } from '../ipv4/rate-limit.ts'
import { isLinkLocal, isMulticastIpv6 } from '../ipv6/address.ts'
import { emitIpv6 } from '../ipv6/codec.ts'
import { IPV6_HEADER, IPV6_MTU_MIN, type Ipv6Packet } from '../ipv6/packet.ts'
import { lookupIpv6Route } from '../ipv6/routes.ts'
import type { Nanos } from '../time.ts'
import { Ipv6Port } from './ipv6-port.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'

/**
 * RFC 4861 §8.2: a packet leaves by the interface that it came in by, so its sender could have sent
 * it there itself. A better router is named by its link-local address; one that is known by another
 * address only cannot be named.
 */
export function sendRedirect(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv6Packet,
  nextHop: Ipv6Address,
  out: HostOut,
): void {
  const { source, destination } = packet
  if (nextHop !== destination && !isLinkLocal(nextHop)) return
  if (isMulticastIpv6(destination)) return
  const route = lookupIpv6Route(h.ipv6.routes, source)
  if (route === null || route.gateway !== null || route.port !== port) return
  if (!takeToken(h.icmpErrors, now)) return
  const at = new Ipv6Port(h, now, port, out)
  const targetMac = at.ipv6.neighbours.entries.get(nextHop)?.mac ?? null
  const nd = { kind: 'redirect', target: nextHop, destination, targetMac } as const
  // §8.2: as much of the packet as leaves the whole within the smallest MTU.
  const room = IPV6_MTU_MIN - IPV6_HEADER - FIXED - (targetMac === null ? 0 : MAC_OPTION)
  at.send(at.ipv6.linkLocal, source, nd, emitIpv6(packet), room)
}

/** Of the message: its header and two addresses; and of the option with the MAC address. */
const FIXED = 8 + 2 * 16
const MAC_OPTION = 8
