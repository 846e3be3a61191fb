import type { Ipv4Address } from '../address.ts'
import { createGroups, type Groups, groupsNextDue } from '../mld/listener.ts'
import type { Nanos } from '../time.ts'

/** Which IPv4 groups one interface listens to, and what is told of it. Plain data. */
export interface Igmp {
  /** With the number of those who want it. */
  joined: Map<Ipv4Address, number>
  readonly told: Groups<Ipv4Address>
  /** Until then a router is there that speaks IGMPv2 at most. */
  olderUntil: Nanos
}

/** RFC 1112 §4: everybody listens to it. */
export const ALL_SYSTEMS: Ipv4Address = 0xe0000001 | 0
export const createIgmp = (seed: number): Igmp => ({
  joined: new Map([[ALL_SYSTEMS, 1]]),
  told: createGroups(seed),
  olderUntil: 0,
})

export const igmpNextDue = ({ told }: Igmp): Nanos => groupsNextDue(told)
