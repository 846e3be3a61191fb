import { type Ipv4Address, maskOf } from '../address.ts'
import { assert } from '../assert.ts'

/**
 * Longest-prefix match (RFC 1122 §3.3.1, RFC 1812 §5.2.4.3): one hash table for each prefix length
 * in use, longest first. A host has two or three lengths, so a lookup is two or three probes.
 */
export interface Route {
  /** The network's address: the bits behind the prefix are zero. */
  readonly destination: Ipv4Address
  /** Bits, 0 to 32. */
  readonly prefixLength: number
  /** The next hop; `null`: the destination itself, on the link. */
  readonly gateway: Ipv4Address | null
  /** The index of the interface to leave by. */
  readonly port: number
  /** The source address that packets of our own prefer; `null`: the interface's. */
  readonly source: Ipv4Address | null
}

export interface RouteTable {
  /** By falling `prefixLength`; none is empty. */
  levels: RouteLevel[]
}

interface RouteLevel {
  prefixLength: number
  mask: number
  table: Map<Ipv4Address, Route>
}

export const createRoutes = (): RouteTable => ({ levels: [] })

/** Adds a route, or replaces the one for the same prefix. Bits behind the prefix are cleared. */
export function addRoute(state: RouteTable, route: Route): void {
  const { prefixLength, gateway, port, source } = route
  const valid = Number.isInteger(prefixLength) && prefixLength >= 0 && prefixLength <= 32
  assert(valid, `a prefix length is 0 to 32, not ${prefixLength}`)
  const mask = maskOf(prefixLength)
  const destination = route.destination & mask
  // The state holds an object of its own: a caller's would be frozen or written behind our back.
  const own: Route = { destination, prefixLength, gateway, port, source }
  const levels = state.levels
  let index = 0
  while (index < levels.length && levels[index]!.prefixLength > prefixLength) index++
  if (levels[index]?.prefixLength !== prefixLength) {
    levels.splice(index, 0, { prefixLength, mask, table: new Map() })
  }
  levels[index]!.table.set(destination, own)
}

/** `false` where there was no such route. */
export function removeRoute(
  state: RouteTable,
  destination: Ipv4Address,
  prefixLength: number,
): boolean {
  const index = state.levels.findIndex((level) => level.prefixLength === prefixLength)
  const level = state.levels[index]
  if (level === undefined || !level.table.delete(destination & level.mask)) return false
  if (level.table.size === 0) state.levels.splice(index, 1)
  return true
}

/** The most specific route, or `null`. It belongs to the table: copy what has to be kept. */
export function lookupRoute(state: RouteTable, destination: Ipv4Address): Route | null {
  const levels = state.levels
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]!
    const route = level.table.get(destination & level.mask)
    if (route !== undefined) return route
  }
  return null
}
