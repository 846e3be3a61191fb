import { type IpAddress, isIpv4 } from '../address.ts'
import { type DestinationCandidate, orderDestinations } from '../ipv6/destination-address.ts'
import { ipv4PathTo } from './ipv4-output.ts'
import { lookUpWay } from './ipv6-ways.ts'
import type { HostState } from './state.ts'

/** In which order a host tries the addresses of a name, RFC 6724 §6. Changes nothing. */
export const orderForHost = (h: HostState, addresses: readonly IpAddress[]): readonly IpAddress[] =>
  orderDestinations(addresses.map((address) => candidate(h, address))).map((each) => each.address)

function candidate(h: HostState, address: IpAddress): DestinationCandidate {
  if (isIpv4(address)) {
    return { address, source: ipv4PathTo(h, address)?.source ?? null, deprecated: false }
  }
  if (h.addresses.has(address)) return { address, source: address, deprecated: false }
  const way = lookUpWay(h, address)
  if (way === null) return { address, source: null, deprecated: false }
  const { port, source } = way
  const own = h.interfaces[port]!.ipv6!.addresses.find((each) => each.address === source)
  return { address, source, deprecated: own?.deprecated ?? false }
}

/** AI_ADDRCONFIG of getaddrinfo(3): is there an IPv6 address beyond the link's? */
export const hasIpv6 = (h: HostState): boolean =>
  h.interfaces.some(
    ({ ipv6 }) => ipv6 !== null && ipv6.addresses.some((a) => a.address !== ipv6.linkLocal),
  )
