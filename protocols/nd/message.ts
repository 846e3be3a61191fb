import type { Ipv6Address, Mac } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import { NEVER, type Nanos, s } from '../time.ts'

/** The messages of neighbour discovery, RFC 4861 §4, with the options that are understood. */
export type NdMessage =
  | RouterSolicitation
  | RouterAdvertisement
  | NeighbourSolicitation
  | NeighbourAdvertisement
  | Redirect

export interface RouterSolicitation {
  readonly kind: 'router-solicitation'
  readonly sourceMac: Mac | null
}

export interface RouterAdvertisement {
  readonly kind: 'router-advertisement'
  /** 0: not said. */
  readonly hopLimit: number
  /** Addresses, or other configuration, are to be had by DHCPv6. */
  readonly managed: boolean
  readonly other: boolean
  /** Seconds for which it is a default router; 0: it is none. */
  readonly lifetime: number
  /** Milliseconds; 0: not said. */
  readonly reachableTime: number
  readonly retransTimer: number
  readonly sourceMac: Mac | null
  /** Bytes; 0: not said. */
  readonly mtu: number
  readonly prefixes: readonly PrefixInformation[]
}

/** RFC 4861 §4.6.2. Lifetimes in seconds; `INFINITE` is for ever. */
export interface PrefixInformation {
  readonly prefix: Ipv6Address
  readonly prefixLength: number
  readonly onLink: boolean
  readonly autonomous: boolean
  readonly validLifetime: number
  readonly preferredLifetime: number
}
export const INFINITE = 0xffffffff

/** When a lifetime of so many seconds is over. */
export const untilOf = (now: Nanos, seconds: number): Nanos =>
  seconds === INFINITE ? NEVER : now + s(seconds)

export interface NeighbourSolicitation {
  readonly kind: 'neighbour-solicitation'
  readonly target: Ipv6Address
  readonly sourceMac: Mac | null
  /** RFC 7527 §4.1: tells a solicitation of one's own that came back; `null` without. */
  readonly nonce: Bytes | null
}

export interface NeighbourAdvertisement {
  readonly kind: 'neighbour-advertisement'
  readonly router: boolean
  readonly solicited: boolean
  readonly override: boolean
  readonly target: Ipv6Address
  readonly targetMac: Mac | null
}

export interface Redirect {
  readonly kind: 'redirect'
  /** The better first hop; the destination itself where it is on the link. */
  readonly target: Ipv6Address
  readonly destination: Ipv6Address
  readonly targetMac: Mac | null
}
