import type { Ipv6Address, Mac } from '../address.ts'
import { linkLocalOf, solicitedNode } from '../ipv6/address.ts'
import { DEFAULT_HOP_LIMIT } from '../ipv6/packet.ts'
import type { SourceCandidate } from '../ipv6/source-address.ts'
import { createNeighbours, type NeighbourCache } from '../nd/cache.ts'
import type { Nanos } from '../time.ts'

/** What one interface is in IPv6. Plain data. */
export interface Ipv6Interface {
  /** RFC 4291 §2.1: every interface has one. */
  readonly linkLocal: Ipv6Address
  /** Those that may be used, as sources are chosen from. */
  addresses: SourceCandidate[]
  /** Groups that are listened to, with the number of those who want it. */
  groups: Map<Ipv6Address, number>
  readonly neighbours: NeighbourCache
  /** For packets of our own, RFC 4861 §6.3.2. */
  hopLimit: number
}

export interface Ipv6InterfaceConfig {
  readonly addresses: readonly { readonly address: Ipv6Address; readonly prefixLength: number }[]
}

export function createIpv6Interface(
  { addresses }: Ipv6InterfaceConfig,
  mac: Mac,
  now: Nanos,
  seed: number,
): Ipv6Interface {
  const linkLocal = linkLocalOf(mac)
  const own = [linkLocal, ...addresses.map(({ address }) => address)]
  const groups = new Map<Ipv6Address, number>()
  for (const address of own) joinGroup(groups, solicitedNode(address))
  return {
    linkLocal,
    addresses: [...new Set(own)].map((address) => ({ address, deprecated: false })),
    groups,
    neighbours: createNeighbours(seed, now),
    hopLimit: DEFAULT_HOP_LIMIT,
  }
}

/** True where nobody had wanted it before. */
export function joinGroup(groups: Map<Ipv6Address, number>, group: Ipv6Address): boolean {
  const wanted = groups.get(group) ?? 0
  groups.set(group, wanted + 1)
  return wanted === 0
}
