import type { Icmpv6Message } from '../icmpv6/message.ts'
import { ALL_NODES, isLinkLocal, isMulticastIpv6, UNSPECIFIED } from '../ipv6/address.ts'
import { HOP_LIMIT_MAX, IPV6_MTU_MIN, type Ipv6Packet } from '../ipv6/packet.ts'
import { solicitationHeard } from '../nd/advertiser.ts'
import { drawReachableTime } from '../nd/cache.ts'
import { readNd } from '../nd/codec.ts'
import type {
  NdMessage,
  NeighbourAdvertisement,
  NeighbourSolicitation,
  Redirect,
  RouterAdvertisement,
  RouterSolicitation,
} from '../nd/message.ts'
import { advertisementArrives, neighbourHeard } from '../nd/neighbours.ts'
import { advertisementHeard, firstDelay } from '../nd/routers.ts'
import { duplicateHeard, prefixAdvertised } from '../slaac/addresses.ts'
import { ms, type Nanos } from '../time.ts'
import { Ipv6Port } from './ipv6-port.ts'
import { redirectWay, wayTo } from './ipv6-ways.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'
import { tcpAddressLost } from './tcp.ts'

/** A message of neighbour discovery came in by an interface. */
export function ndArrives(
  h: HostState,
  now: Nanos,
  port: number,
  packet: Ipv6Packet,
  message: Icmpv6Message,
  out: HostOut,
): void {
  const nd = readNd(message)
  const why = invalidity(packet, nd)
  if (why !== null || typeof nd === 'string') {
    return out.event({ kind: 'dropped', why: `nd ${why}`, packet })
  }
  const at = new Ipv6Port(h, now, port, out)
  const heard = hear(h, at, port, packet, nd)
  at.wake()
  if (!heard) out.event({ kind: 'dropped', why: 'nd not heard', packet })
  for (const address of at.lost) tcpAddressLost(h, now, address, out)
}

/** RFC 4861 §6.1, §7.1, §8.1: nobody further away than this link may say anything. */
function invalidity(packet: Ipv6Packet, nd: NdMessage | string): string | null {
  if (typeof nd === 'string') return nd
  if (packet.hopLimit !== HOP_LIMIT_MAX) return 'from afar'
  return fits(packet, nd) ? null : 'invalid'
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
      return isLinkLocal(source)
    case 'redirect':
      return isLinkLocal(source) && (isLinkLocal(nd.target) || nd.target === nd.destination)
  }
}

/** False: it is not meant for a host like this one. */
function hear(h: HostState, at: Ipv6Port, port: number, packet: Ipv6Packet, nd: NdMessage) {
  switch (nd.kind) {
    case 'neighbour-solicitation':
      return solicited(h, at, packet, nd)
    case 'neighbour-advertisement':
      return advertised(at, nd)
    case 'router-solicitation':
      return routerSolicited(at, packet, nd)
    case 'router-advertisement':
      return routerAdvertised(at, packet, nd)
    case 'redirect':
      return redirected(h, at, port, packet, nd)
  }
}

/** RFC 4861 §7.2.3 and §7.2.4, RFC 4862 §5.4.3. */
function solicited(
  h: HostState,
  at: Ipv6Port,
  { source }: Ipv6Packet,
  { target, sourceMac, nonce }: NeighbourSolicitation,
): boolean {
  const { neighbours, list } = at.ipv6
  const probing = source === UNSPECIFIED
  if (!at.has(target)) {
    const { retransTimer } = neighbours
    return probing && duplicateHeard(list, at.now, retransTimer, target, nonce, null, at)
  }
  if (!probing && sourceMac !== null) {
    neighbourHeard(neighbours, at.now, source, sourceMac, target, at)
  }
  at.send(target, probing ? ALL_NODES : source, {
    kind: 'neighbour-advertisement',
    router: h.forwarding,
    solicited: !probing,
    override: true,
    target,
    targetMac: at.iface.mac,
  })
  return true
}

/** RFC 4861 §7.2.5, RFC 4862 §5.4.4. */
function advertised(at: Ipv6Port, nd: NeighbourAdvertisement): boolean {
  const { neighbours, list } = at.ipv6
  const { target, targetMac } = nd
  const { retransTimer } = neighbours
  if (duplicateHeard(list, at.now, retransTimer, target, undefined, targetMac, at)) return true
  // Another station claims what is ours; RFC 4862 leaves it at a word about that.
  if (at.has(target)) at.conflict(target, targetMac)
  else advertisementArrives(neighbours, at.now, nd, at)
  return true
}

/** RFC 4861 §6.2.6. */
function routerSolicited(
  at: Ipv6Port,
  { source }: Ipv6Packet,
  { sourceMac }: RouterSolicitation,
): boolean {
  const { advertiser, neighbours, linkLocal } = at.ipv6
  if (advertiser === null) return false
  if (source !== UNSPECIFIED && sourceMac !== null) {
    neighbourHeard(neighbours, at.now, source, sourceMac, linkLocal, at).isRouter = false
  }
  solicitationHeard(advertiser, at.now)
  return true
}

/** RFC 4861 §6.3.4, RFC 4862 §5.5.3. */
function routerAdvertised(at: Ipv6Port, { source }: Ipv6Packet, ra: RouterAdvertisement): boolean {
  const { ipv6, now } = at
  const { discovery, neighbours, list, linkLocal } = ipv6
  if (discovery === null) return false
  if (ra.hopLimit !== 0) ipv6.hopLimit = ra.hopLimit
  if (ra.retransTimer !== 0) neighbours.retransTimer = ms(ra.retransTimer)
  const reachable = ms(ra.reachableTime)
  if (reachable !== 0 && reachable !== neighbours.baseReachableTime) {
    neighbours.baseReachableTime = reachable
    drawReachableTime(neighbours, now)
  }
  if (ra.mtu >= IPV6_MTU_MIN && ra.mtu <= at.iface.mtu) ipv6.mtu = ra.mtu
  if (ra.sourceMac !== null) {
    neighbourHeard(neighbours, now, source, ra.sourceMac, linkLocal, at).isRouter = true
  }
  advertisementHeard(discovery, now, source, ra, at)
  // RFC 4862 §5.4.2: everybody heard it at once, and nobody shall answer at once.
  const from = list.transmits === 0 ? now : now + firstDelay(list)
  for (const info of ra.prefixes) prefixAdvertised(list, now, from, at.iface.mac, info, at)
  return true
}

/** RFC 4861 §8.3: only whom we send by may send us elsewhere (§8.1). */
function redirected(
  h: HostState,
  at: Ipv6Port,
  port: number,
  { source }: Ipv6Packet,
  { target, destination, targetMac }: Redirect,
): boolean {
  if (h.forwarding) return false
  const way = wayTo(h, destination)
  if (way === null || way.port !== port || way.nextHop !== source) return false
  const { neighbours, linkLocal } = at.ipv6
  if (targetMac !== null) {
    const entry = neighbourHeard(neighbours, at.now, target, targetMac, linkLocal, at)
    if (target !== destination) entry.isRouter = true
  }
  redirectWay(h, destination, target)
  return true
}
