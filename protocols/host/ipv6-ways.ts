import type { Ipv6Address } from '../address.ts'
import { isLinkLocal, isMulticastIpv6 } from '../ipv6/address.ts'
import { lookupIpv6Route } from '../ipv6/routes.ts'
import { neighbourConfirm } from '../nd/neighbours.ts'
import type { Nanos } from '../time.ts'
import { defaultRouter } from '../nd/routers.ts'
import { selectSource } from '../ipv6/source-address.ts'
import type { HostState, Ipv6Way } from './state.ts'

/** Destinations. Beyond that the one that was looked up first goes. */
const DESTINATIONS_MAX = 1024

/** The first hop towards a destination and the address to send from; remembered. */
export function wayTo(h: HostState, destination: Ipv6Address): Ipv6Way | null {
  const { destinations } = h.ipv6
  const known = destinations.get(destination)
  if (known !== undefined) return known
  const way = lookUpWay(h, destination)
  if (way === null) return null
  if (destinations.size === DESTINATIONS_MAX) {
    for (const oldest of destinations.keys()) {
      destinations.delete(oldest)
      break
    }
  }
  destinations.set(destination, way)
  return destinations.get(destination)!
}

/** The same from the tables, without a memory. */
export function lookUpWay(h: HostState, destination: Ipv6Address): Ipv6Way | null {
  const hop = firstHop(h, destination)
  if (hop === null) return null
  const { port, nextHop } = hop
  const source = selectSource(h.interfaces[port]!.ipv6!.addresses, destination)
  return { port, nextHop, source }
}

/** What was looked up no longer counts: a route, an address or a router came or went. */
export function forgetWays(h: HostState): void {
  if (h.ipv6.destinations.size > 0) h.ipv6.destinations.clear()
}

/** RFC 4861 §5.2. A link-local address is on the first link that speaks IPv6, as far as it says. */
function firstHop(
  h: HostState,
  destination: Ipv6Address,
): { readonly port: number; readonly nextHop: Ipv6Address } | null {
  if (isOnAnyLink(destination)) {
    const port = h.interfaces.findIndex(({ ipv6 }) => ipv6 !== null)
    return port < 0 ? null : { port, nextHop: destination }
  }
  const route = lookupIpv6Route(h.ipv6.routes, destination)
  if (route !== null) return { port: route.port, nextHop: route.gateway ?? destination }
  for (let port = 0; port < h.interfaces.length; port++) {
    const { ipv6 } = h.interfaces[port]!
    if (ipv6 === null || ipv6.discovery === null) continue
    const { entries } = ipv6.neighbours
    const router = defaultRouter(ipv6.discovery, (address) => {
      const entry = entries.get(address)
      return entry !== undefined && entry.mac !== null
    })
    if (router !== null) return { port, nextHop: router }
  }
  return null
}

/** RFC 4861 §7.3.1: a transport made progress, so the first hop to its peer is there. */
export function confirmWay(h: HostState, now: Nanos, destination: Ipv6Address): void {
  const way = h.ipv6.destinations.get(destination)
  const ipv6 = way === undefined ? null : h.interfaces[way.port]!.ipv6
  if (ipv6 !== null) neighbourConfirm(ipv6.neighbours, now, way!.nextHop)
}

/** RFC 4861 §8.3: a router knows a better first hop to a destination. */
export function redirectWay(h: HostState, destination: Ipv6Address, nextHop: Ipv6Address): void {
  const known = wayTo(h, destination)
  if (known === null) return
  const { port, source } = known
  h.ipv6.destinations.set(destination, { port, nextHop, source })
}

/** Of such an address it does not say on which link it is. */
export const isOnAnyLink = (a: Ipv6Address): boolean => isLinkLocal(a) || isMulticastIpv6(a)
