import type { Ipv4Address, Mac } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'

export const DHCP_SERVER_PORT = 67
export const DHCP_CLIENT_PORT = 68

/** RFC 2132 §9.6, in the order of their numbers from 1. */
export const DHCP_TYPES = [
  'discover',
  'offer',
  'request',
  'decline',
  'ack',
  'nak',
  'release',
  'inform',
] as const
export type DhcpType = (typeof DHCP_TYPES)[number]

/** A lease that never ends, in seconds as on the wire (RFC 2131 §3.3). */
export const INFINITE_LEASE = 0xffffffff

/** The options of RFC 2132 that clients and servers here know; `null` or empty: not there. */
export interface DhcpOptions {
  readonly mask: Ipv4Address | null
  readonly routers: readonly Ipv4Address[]
  readonly dns: readonly Ipv4Address[]
  readonly hostName: string | null
  readonly domainName: string | null
  readonly requestedAddress: Ipv4Address | null
  /** Whole seconds, as on the wire. */
  readonly leaseSeconds: number | null
  readonly renewalSeconds: number | null
  readonly rebindingSeconds: number | null
  readonly serverId: Ipv4Address | null
  /** Why a server says no, or a client declines. */
  readonly message: string | null
  /** RFC 2131 §2: what a server knows the client by, in the place of its hardware address. */
  readonly clientId: Bytes | null
  /** Numbers of the options that the client asks for. */
  readonly parameters: readonly number[]
}

export const NO_DHCP_OPTIONS: DhcpOptions = {
  mask: null,
  routers: [],
  dns: [],
  hostName: null,
  domainName: null,
  requestedAddress: null,
  leaseSeconds: null,
  renewalSeconds: null,
  rebindingSeconds: null,
  serverId: null,
  message: null,
  clientId: null,
  parameters: [],
}

/** A message of RFC 2131 §2, its fields under whole names. Immutable. */
export interface DhcpMessage {
  /** `true`: from a server (BOOTREPLY). */
  readonly reply: boolean
  readonly type: DhcpType
  /** xid, as a signed 32-bit integer. */
  readonly transaction: number
  /** secs: since the client began. */
  readonly seconds: number
  /** The client cannot take unicast yet. */
  readonly broadcast: boolean
  /** ciaddr: the client's, where it may use it. */
  readonly clientAddress: Ipv4Address
  /** yiaddr: the client's from now on. */
  readonly yourAddress: Ipv4Address
  /** siaddr */
  readonly nextServer: Ipv4Address
  /** giaddr: the relay that the client's message came through. */
  readonly relay: Ipv4Address
  /** chaddr */
  readonly hardware: Mac
  readonly options: DhcpOptions
}

const SECOND: Nanos = 1_000_000_000

interface Granted {
  readonly address: Ipv4Address
  readonly prefixLength: number
  readonly routers: readonly Ipv4Address[]
  readonly dns: readonly Ipv4Address[]
  readonly domainName: string | null
  readonly serverId: Ipv4Address
  /** T1, RFC 2131 §4.4.5: from then on its server is asked to renew it, */
  readonly renewAt: Nanos
  /** T2: from then on any server is. */
  readonly rebindAt: Nanos
  readonly expiresAt: Nanos
}

/**
 * What a server granted. Times are instants of the client's clock, `NEVER` for no end. Immutable; a
 * class, so that Immer passes it through as one value.
 */
export class Lease implements Granted {
  readonly address: Ipv4Address
  readonly prefixLength: number
  readonly routers: readonly Ipv4Address[]
  readonly dns: readonly Ipv4Address[]
  readonly domainName: string | null
  readonly serverId: Ipv4Address
  readonly renewAt: Nanos
  readonly rebindAt: Nanos
  readonly expiresAt: Nanos

  constructor(granted: Granted) {
    this.address = granted.address
    this.prefixLength = granted.prefixLength
    this.routers = granted.routers
    this.dns = granted.dns
    this.domainName = granted.domainName
    this.serverId = granted.serverId
    this.renewAt = granted.renewAt
    this.rebindAt = granted.rebindAt
    this.expiresAt = granted.expiresAt
  }
}

/** The lease that an ACK grants to a request that was sent at `requestedAt` (§4.4.1). */
export function leaseOf({ yourAddress, options }: DhcpMessage, requestedAt: Nanos): Lease | null {
  const { leaseSeconds: length, serverId, renewalSeconds, rebindingSeconds } = options
  if (length === null || serverId === null || yourAddress === 0) return null
  const isEndless = length === INFINITE_LEASE
  const after = (seconds: number) => (isEndless ? Infinity : requestedAt + seconds * SECOND)
  // §4.4.5: half of the lease, and seven eighths, where the server does not say.
  const rebind = Math.min(rebindingSeconds ?? length * 0.875, length)
  const renew = Math.min(renewalSeconds ?? length * 0.5, rebind)
  return new Lease({
    address: yourAddress,
    prefixLength: prefixOf(options.mask, yourAddress),
    routers: options.routers,
    dns: options.dns,
    domainName: options.domainName,
    serverId,
    renewAt: after(renew),
    rebindAt: after(rebind),
    expiresAt: after(length),
  })
}

/** Without a mask, or with one that has holes: the network's class decides, as of old. */
function prefixOf(mask: Ipv4Address | null, address: Ipv4Address): number {
  if (mask !== null) {
    const length = Math.clz32(~mask)
    if (length === 32 || mask << length === 0) return length
  }
  const first = address >>> 24
  return first < 128 ? 8 : first < 192 ? 16 : 24
}
