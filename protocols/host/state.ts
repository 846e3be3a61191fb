import { BROADCAST_IPV4, type IpAddress, type Ipv4Address, type Mac } from '../address.ts'
import { type ArpState, createArp } from '../arp/cache.ts'
import { type Bytes, i32 } from '../bytes.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import { createRateLimit, type RateLimit } from '../ipv4/rate-limit.ts'
import { addRoute, createRoutes, type Route, type RouteTable } from '../ipv4/routes.ts'
import { maskOf } from '../address.ts'
import { Sha256 } from '../sha256.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import type { TcpState } from '../tcp/state.ts'
import { ms } from '../time.ts'
import { createDemux, type Demux } from './demux.ts'
import type { SocketId } from './socket.ts'

/** Everything a host or router is. Plain data. */
export interface HostState {
  readonly forwarding: boolean
  readonly policy: TcpPolicy
  /** What initial sequence numbers and ports are made from (RFC 6528, RFC 6056). */
  readonly secret: Bytes
  interfaces: Interface[]
  /** Every address of ours with its interface, and every directed broadcast with `BROADCAST`. */
  addresses: Map<IpAddress, number>
  routes: RouteTable
  /** The Identification of the last IPv4 packet. */
  identification: number
  sockets: (Socket | null)[]
  /** Numbers below `sockets.length` that are free again, last freed first. */
  freed: SocketId[]
  tcp: Demux
  udp: Demux
  icmp: Demux
  icmpErrors: RateLimit
  /** Packets to ourselves: they arrive in a step of their own, at the same instant. */
  loopback: Ipv4Packet[]
}

export interface Interface {
  readonly mac: Mac
  /** The largest IP packet, bytes. */
  readonly mtu: number
  readonly addresses: readonly Ipv4Address[]
  readonly arp: ArpState
}

/** A socket that is no TCP connection (yet). */
export type Socket = TcpState | UnboundTcp | Listener | UdpSocket | IcmpSocket

/** Opened and perhaps bound; `connect` or `listen` decides what becomes of it. */
export interface UnboundTcp {
  readonly kind: 'unbound'
  policy: TcpPolicy
  nagle: boolean
  address: IpAddress | null
  port: number
}

export interface Listener {
  readonly kind: 'listener'
  readonly policy: TcpPolicy
  readonly address: IpAddress | null
  readonly port: number
  readonly backlog: number
  /** Connections of this listener that are in SYN-RECEIVED. */
  opening: number
}

export interface UdpSocket {
  readonly kind: 'udp'
  address: IpAddress | null
  port: number
  /** `null`: not connected. */
  remote: { readonly address: IpAddress; readonly port: number } | null
  ttl: number
}

export interface IcmpSocket {
  readonly kind: 'icmp'
  readonly identifier: number
}

export interface HostConfig {
  readonly forwarding: boolean
  readonly policy: TcpPolicy
  /** Any text, different for each host of a run. */
  readonly seed: string
  readonly interfaces: readonly InterfaceConfig[]
  readonly routes: readonly Route[]
}
export interface InterfaceConfig {
  readonly mac: Mac
  readonly mtu: number
  readonly addresses: readonly { readonly address: Ipv4Address; readonly prefixLength: number }[]
}

/** RFC 1812 §4.3.2.8: at most so many ICMP errors, in a burst and then at a steady rate. */
const ICMP_ERROR_INTERVAL = ms(10)
const ICMP_ERROR_BURST = 50

export function createHost(config: HostConfig): HostState {
  const secret = hashOf(config.seed)
  const routes = createRoutes()
  for (const route of config.routes) addRoute(routes, route)
  const addresses = new Map<IpAddress, number>()
  addresses.set(BROADCAST_IPV4, BROADCAST)
  config.interfaces.forEach((each, port) => {
    for (const { address, prefixLength } of each.addresses) {
      addresses.set(address, port)
      // RFC 3021: a network of two has no broadcast address.
      if (prefixLength < 31) addresses.set(address | ~maskOf(prefixLength), BROADCAST)
    }
  })
  return {
    forwarding: config.forwarding,
    policy: config.policy,
    secret,
    interfaces: config.interfaces.map((each) => ({
      mac: each.mac,
      mtu: each.mtu,
      addresses: each.addresses.map(({ address }) => address),
      arp: createArp(),
    })),
    addresses,
    routes,
    identification: 0,
    sockets: [],
    freed: [],
    tcp: createDemux(i32(secret, 0)),
    udp: createDemux(i32(secret, 4)),
    icmp: createDemux(i32(secret, 8)),
    icmpErrors: createRateLimit(ICMP_ERROR_INTERVAL, ICMP_ERROR_BURST),
    loopback: [],
  }
}

function hashOf(seed: string): Bytes {
  const bytes = new Uint8Array(2 * seed.length)
  for (let i = 0; i < seed.length; i++) {
    bytes[2 * i] = seed.charCodeAt(i) >>> 8
    bytes[2 * i + 1] = seed.charCodeAt(i)
  }
  const hash = new Sha256()
  hash.update(bytes)
  return hash.digest()
}

// Owners of timer sets, as `wake` and timer inputs name them: the loopback, the ARP cache of each
// interface, then the sockets.

export const LOOPBACK_OWNER = 0
export const arpOwner = (port: number): number => 1 + port
export const socketOwner = (h: HostState, socket: SocketId): number =>
  1 + h.interfaces.length + socket

/** In place of an interface: a network's broadcast address. */
const BROADCAST = -1

export const isOwn = (h: HostState, address: IpAddress): boolean =>
  (h.addresses.get(address) ?? BROADCAST) !== BROADCAST

export const isBroadcast = (h: HostState, address: IpAddress): boolean =>
  h.addresses.get(address) === BROADCAST

export function addSocket(h: HostState, socket: Socket): SocketId {
  const id = nextSocket(h)
  if (id === h.sockets.length) h.sockets.push(socket)
  else {
    h.freed.pop()
    h.sockets[id] = socket
  }
  return id
}

/** The number that the next socket will get. */
export const nextSocket = (h: HostState): SocketId =>
  h.freed.length > 0 ? h.freed[h.freed.length - 1]! : h.sockets.length

export function removeSocket(h: HostState, id: SocketId): void {
  h.sockets[id] = null
  h.freed.push(id)
}
