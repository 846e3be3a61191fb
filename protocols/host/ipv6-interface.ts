import type { Ipv6Address, Mac } from '../address.ts'
import {
  ALL_NODES,
  ALL_ROUTERS,
  linkLocalOf,
  SCOPE_LINK,
  scopeOf,
  solicitedNode,
} from '../ipv6/address.ts'
import { DEFAULT_HOP_LIMIT } from '../ipv6/packet.ts'
import type { SourceCandidate } from '../ipv6/source-address.ts'
import { createGroups, type Groups, groupsNextDue, wantGroup } from '../mld/listener.ts'
import { type AdvertiseConfig, type Advertiser, createAdvertiser } from '../nd/advertiser.ts'
import { startAdvertising } from '../nd/advertiser.ts'
import { createNeighbours, type NeighbourCache, neighboursNextDue } from '../nd/cache.ts'
import {
  createRouterDiscovery,
  firstDelay,
  type RouterDiscovery,
  routersNextDue,
  startSoliciting,
} from '../nd/routers.ts'
import {
  type Addresses,
  addressesNextDue,
  assign,
  createAddresses,
  DUP_ADDR_DETECT_TRANSMITS,
} from '../slaac/addresses.ts'
import { NEVER, type Nanos } from '../time.ts'

/** What one interface is in IPv6. Plain data. */
export interface Ipv6Interface {
  /** RFC 4291 §2.1: every interface has one. */
  readonly linkLocal: Ipv6Address
  /** Those that may be used, as sources are chosen from. */
  addresses: SourceCandidate[]
  /** All of them, with what becomes of them. */
  readonly list: Addresses
  /** Groups that are listened to, with the number of those who want it. */
  groups: Map<Ipv6Address, number>
  readonly mld: Groups<Ipv6Address>
  readonly neighbours: NeighbourCache
  /** What routers advertise; `null`: nobody listens to that. */
  readonly discovery: RouterDiscovery | null
  /** `null`: it is not a router that tells of itself. */
  readonly advertiser: Advertiser | null
  /** For packets of our own, RFC 4861 §6.3.2; bytes, at most what the link carries. */
  hopLimit: number
  mtu: number
}

export interface Ipv6InterfaceConfig {
  readonly addresses: readonly { readonly address: Ipv6Address; readonly prefixLength: number }[]
  /** Addresses are looked for before they are used (RFC 4862 §5.4). */
  readonly detectDuplicates?: boolean
  /** Addresses and routers are learned from advertisements. */
  readonly autoconfigure?: boolean
  readonly advertise?: AdvertiseConfig | null
}

/** Bits of the seed for each of the generators. */
const PURPOSES = [0x1b873593, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f, 0x165667b1] as const

export function createIpv6Interface(
  config: Ipv6InterfaceConfig,
  mac: Mac,
  mtu: number,
  now: Nanos,
  seed: number,
): Ipv6Interface {
  const { detectDuplicates = false, autoconfigure = false, advertise = null } = config
  const [forNeighbours, forAddresses, forRouters, forAdvertising, forMld] = PURPOSES.map(
    (purpose) => seed ^ purpose,
  ) as [number, number, number, number, number]
  const linkLocal = linkLocalOf(mac)
  const ipv6: Ipv6Interface = {
    linkLocal,
    addresses: [],
    list: createAddresses(detectDuplicates ? DUP_ADDR_DETECT_TRANSMITS : 0, forAddresses),
    groups: new Map(),
    mld: createGroups(forMld),
    neighbours: createNeighbours(forNeighbours, now),
    discovery: autoconfigure ? createRouterDiscovery(forRouters) : null,
    advertiser: advertise === null ? null : createAdvertiser(advertise, forAdvertising),
    hopLimit: DEFAULT_HOP_LIMIT,
    mtu,
  }
  want(ipv6, now, ALL_NODES, true, true)
  if (advertise !== null) want(ipv6, now, ALL_ROUTERS, true, true)
  const delay = detectDuplicates || autoconfigure ? firstDelay(ipv6.list) : 0
  takeAddresses(ipv6, config, now + delay)
  if (detectDuplicates) return ipv6
  if (ipv6.discovery !== null) startSoliciting(ipv6.discovery, now + delay)
  if (ipv6.advertiser !== null) startAdvertising(ipv6.advertiser, now)
  return ipv6
}

/** RFC 4862 §5.4.2: what was switched on together does not speak at once: all begins at `from`. */
function takeAddresses(ipv6: Ipv6Interface, config: Ipv6InterfaceConfig, from: Nanos): void {
  const atOnce = {
    listen: (address: Ipv6Address, wanted: boolean) => {
      want(ipv6, from, solicitedNode(address), wanted, true)
    },
    usable: (address: Ipv6Address) => ipv6.addresses.push({ address, deprecated: false }),
    probe: () => undefined,
    conflict: () => undefined,
  }
  const linkLocal = { address: ipv6.linkLocal, prefixLength: 64, origin: 'link-local' } as const
  assign(ipv6.list, from, linkLocal, NEVER, NEVER, atOnce)
  for (const { address, prefixLength } of config.addresses) {
    assign(ipv6.list, from, { address, prefixLength, origin: 'static' }, NEVER, NEVER, atOnce)
  }
}

/** RFC 3810 §6: all nodes listen to some groups, and what stays within a node concerns nobody else. */
const isTold = (group: Ipv6Address): boolean => group !== ALL_NODES && scopeOf(group) >= SCOPE_LINK

/** Somebody wants to listen to a group, or no longer. The first and the last one are told. */
export function want(
  { groups, mld }: Ipv6Interface,
  at: Nanos,
  group: Ipv6Address,
  joined: boolean,
  quiet: boolean,
): void {
  const before = groups.get(group) ?? 0
  const after = joined ? before + 1 : Math.max(before - 1, 0)
  if (after === 0) groups.delete(group)
  else groups.set(group, after)
  if (!isTold(group)) return
  if ((before === 0) !== (after === 0)) wantGroup(mld, at, group, joined, quiet)
}

/** The earliest deadline of all that happens on the interface. */
export function ipv6NextDue(ipv6: Ipv6Interface): Nanos {
  const { neighbours, list, discovery, advertiser, mld } = ipv6
  let earliest = Math.min(neighboursNextDue(neighbours), addressesNextDue(list), groupsNextDue(mld))
  if (discovery !== null) earliest = Math.min(earliest, routersNextDue(discovery))
  if (advertiser !== null) earliest = Math.min(earliest, advertiser.due)
  return earliest
}
