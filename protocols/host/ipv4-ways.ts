import type { Ipv4Address, Mac } from '../address.ts'
import type { Nanos } from '../time.ts'
import type { HostState } from './state.ts'

// Between two news of a route, a neighbour or an address, every packet to a destination takes the same
// way. What looking up has given is kept, so that the next packet asks once instead of three times.

/** How packets to a destination leave, which is neither an address of ours nor a group. */
export interface Ipv4Way {
  readonly destination: Ipv4Address
  /** The interface, and the largest IP packet on its link, bytes. */
  readonly port: number
  readonly mtu: number
  /** Of the next hop; as far as is known it does not change before `until`. */
  readonly mac: Mac
  readonly until: Nanos
  /** The interface's own. */
  readonly sourceMac: Mac
}

/** Each destination has one place in the list, which it may have to leave to another. */
const PLACES_OF_HOST = 8
const PLACES_OF_ROUTER = 256

const NOBODY: Ipv4Way = { destination: -1, port: 0, mtu: 0, mac: '', until: 0, sourceMac: '' }

/** The hash is multiplicative, of whatever bits the destinations differ in. */
const placeOf = (destination: Ipv4Address, places: number): number =>
  (Math.imul(destination, 0x9e3779b1) >>> 24) & (places - 1)

/** `null`: not known, or not any more. */
export function wayTo({ ways }: HostState, now: Nanos, destination: Ipv4Address): Ipv4Way | null {
  if (ways.length === 0) return null
  const way = ways[placeOf(destination, ways.length)]!
  return way.destination === destination && now < way.until ? way : null
}

export function keepWay(h: HostState, way: Ipv4Way): void {
  if (h.ways.length === 0) {
    h.ways = Array.from({ length: h.forwarding ? PLACES_OF_ROUTER : PLACES_OF_HOST }, () => NOBODY)
  }
  h.ways[placeOf(way.destination, h.ways.length)] = way
}

/** Whoever changes a route, a neighbour or an address of ours says so. */
export function forgetWays(h: HostState): void {
  if (h.ways.length > 0) h.ways = []
}
