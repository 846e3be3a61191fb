import type { Ipv6Address } from '../address.ts'
import { assert } from '../assert.ts'
import { networkOfIpv6 } from './address.ts'

/**
 * Longest-prefix match for IPv6 (RFC 4861 §5.2, RFC 8504 §5.12): as `ipv4/routes.ts`. A look-up cuts
 * the address once for each prefix length in use, so hosts remember what came out (§5.1, the
 * destination cache).
 */
export interface Ipv6Route {
  /** The network's address: the bits behind the prefix are zero. */
  readonly destination: Ipv6Address
  /** Bits, 0 to 128. */
  readonly prefixLength: number
  /** The next hop; `null`: the destination itself, on the link. */
  readonly gateway: Ipv6Address | null
  /** The index of the interface to leave by. */
  readonly port: number
}

export interface Ipv6RouteTable {
  /** By falling `prefixLength`; none is empty. */
  levels: Ipv6RouteLevel[]
}

interface Ipv6RouteLevel {
  prefixLength: number
  table: Map<Ipv6Address, Ipv6Route>
}

export const createIpv6Routes = (): Ipv6RouteTable => ({ levels: [] })

/** Adds a route, or replaces the one for the same prefix. Bits behind the prefix are cleared. */
export function addIpv6Route(state: Ipv6RouteTable, route: Ipv6Route): void {
  const { prefixLength, gateway, port } = route
  const valid = Number.isInteger(prefixLength) && prefixLength >= 0 && prefixLength <= 128
  assert(valid, `a prefix length is 0 to 128, not ${prefixLength}`)
  const destination = networkOfIpv6(route.destination, prefixLength)
  // The state holds an object of its own: a caller's would be frozen or written behind our back.
  const own: Ipv6Route = { destination, prefixLength, gateway, port }
  const levels = state.levels
  let index = 0
  while (index < levels.length && levels[index]!.prefixLength > prefixLength) index++
  if (levels[index]?.prefixLength !== prefixLength) {
    levels.splice(index, 0, { prefixLength, table: new Map() })
  }
  levels[index]!.table.set(destination, own)
}

/** `false` where there was no such route. */
export function removeIpv6Route(
  state: Ipv6RouteTable,
  destination: Ipv6Address,
  prefixLength: number,
): boolean {
  const index = state.levels.findIndex((level) => level.prefixLength === prefixLength)
  const level = state.levels[index]
  if (level === undefined || !level.table.delete(networkOfIpv6(destination, prefixLength))) {
    return false
  }
  if (level.table.size === 0) state.levels.splice(index, 1)
  return true
}

/** The most specific route, or `null`. It belongs to the table: copy what has to be kept. */
export function lookupIpv6Route(state: Ipv6RouteTable, destination: Ipv6Address): Ipv6Route | null {
  for (const { prefixLength, table } of state.levels) {
    const route = table.get(networkOfIpv6(destination, prefixLength))
    if (route !== undefined) return route
  }
  return null
}
