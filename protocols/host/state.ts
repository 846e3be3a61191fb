import {
  BROADCAST_IPV4,
  type IpAddress,
  type Ipv4Address,
  type Ipv6Address,
  type Mac,
} from '../address.ts'
import { type ArpState, createArp } from '../arp/cache.ts'
import { type ClaimPolicy, type Claims, createClaims } from '../arp/claim.ts'
import { type Bytes, i32 } from '../bytes.ts'
import { createRateLimit, type RateLimit } from '../ipv4/rate-limit.ts'
import type { RandomWord } from '../random-word.ts'
import { createReassembly, type Reassembly } from '../reassembly.ts'
import { addRoute, createRoutes, type Route, type RouteTable } from '../ipv4/routes.ts'
import { maskOf } from '../address.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import { addIpv6Route, createIpv6Routes } from '../ipv6/routes.ts'
import type { Ipv6Route, Ipv6RouteTable } from '../ipv6/routes.ts'
import { Sha256 } from '../sha256.ts'
import { createNat, type NatConfig, type NatTable } from '../nat/table.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import type { TcpState } from '../tcp/state.ts'
import { ms, type Nanos } from '../time.ts'
import { createDemux, type Demux } from './demux.ts'
import { createIpv6Interface } from './ipv6-interface.ts'
import { createIgmp, type Igmp } from './igmp-state.ts'
import type { Ipv6Interface, Ipv6InterfaceConfig } from './ipv6-interface.ts'
import type { Ipv4Way } from './ipv4-ways.ts'
import { createFastOpenMemory, type FastOpenMemory } from './fast-open-memory.ts'
import type { PathMtu } from './path-mtu.ts'
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
  /** What looking up has given for destinations of late; none where something has changed since. */
  ways: Ipv4Way[]
  /** The Identification of the last IPv4 packet. */
  identification: number
  sockets: (Socket | null)[]
  /** Numbers below `sockets.length` that are free again, last freed first. */
  freed: SocketId[]
  tcp: Demux
  udp: Demux
  icmp: Demux
  /** Raw sockets by IP protocol number, oldest first. */
  raw: Map<number, readonly SocketId[]>
  icmpErrors: RateLimit
  fragments: Reassembly
  /** By destination, oldest first; see `path-mtu.ts`. */
  pathMtus: Map<IpAddress, PathMtu>
  /** Of servers that connections were made to; see `fast-open.ts`. */
  fastOpen: FastOpenMemory
  /** Packets to ourselves: they arrive in a step of their own, at the same instant. */
  loopback: IpPacket[]
  readonly ipv6: Ipv6State
  /** `null`: packets pass with the addresses that they have. */
  readonly nat: NatTable | null
}

export interface Interface {
  readonly mac: Mac
  /** The largest IP packet, bytes. */
  mtu: number
  /** Those that may be used; one that is being claimed is not among them yet. */
  addresses: Ipv4Address[]
  readonly arp: ArpState
  /** `null`: the addresses are simply the interface's own. */
  claims: Claims | null
  /** `null`: it speaks no IPv6. */
  readonly ipv6: Ipv6Interface | null
  readonly igmp: Igmp
  /** `null`: it has a cable. */
  readonly tun: Tun | null
}

/** In place of a cable: a program. */
interface Tun {
  /** Its socket; -1: nobody reads. */
  socket: SocketId
}

/** What a host knows of the ways to others; the random word is behind its fragments' numbers. */
export interface Ipv6State extends RandomWord {
  routes: Ipv6RouteTable
  /** RFC 4861 §5.1, the destination cache: what looking up has given, oldest first. */
  destinations: Map<Ipv6Address, Ipv6Way>
}

export interface Ipv6Way {
  readonly port: number
  readonly nextHop: Ipv6Address
  /** The address of ours that packets carry; `null`: none fits. */
  readonly source: Ipv6Address | null
}

/** A socket that is no TCP connection (yet). */
export type Socket =
  | TcpState
  | UnboundTcp
  | Listener
  | UdpSocket
  | IcmpSocket
  | RawSocket
  | TunSocket

/** Opened and perhaps bound; `connect` or `listen` decides what becomes of it. */
export interface UnboundTcp {
  readonly kind: 'unbound'
  policy: TcpPolicy
  address: IpAddress | null
  port: number
}

export interface Listener {
  readonly kind: 'listener'
  /** What its connections begin with. */
  policy: TcpPolicy
  readonly address: IpAddress | null
  readonly port: number
  readonly backlog: number
  /** The application says `accept` for each connection: so many wait for it at most. */
  readonly queues: boolean
  waiting: number
  /** When a SYN was last answered by a cookie. */
  cookieAt: Nanos
  /** Connections of this listener that are in SYN-RECEIVED. */
  opening: number
  /** RFC 7413: those that are in use by then, and until when each that was reset counts with them. */
  readonly fastOpen: { waiting: number; resets: Nanos[] }
}

export interface UdpSocket {
  readonly kind: 'udp'
  address: IpAddress | null
  port: number
  /** `null`: not connected. */
  remote: { readonly address: IpAddress; readonly port: number } | null
  ttl: number
  /** SO_BROADCAST */
  broadcast: boolean
  /** IP_MTU_DISCOVER: datagrams stay whole, and what is too big for the path is refused. */
  dontFragment: boolean
  /** IP_MULTICAST_TTL, of datagrams to groups. */
  groupTtl: number
  /** What it listens to, and where. */
  groups: readonly { readonly group: IpAddress; readonly port: number }[]
  /** SO_RCVBUF, and what of it is taken by datagrams that the application holds unread. */
  receiveBuffer: number
  held: number
  /** SO_REUSEADDR, SO_REUSEPORT */
  reuseAddress: boolean
  reusePort: boolean
}

export interface IcmpSocket {
  readonly kind: 'icmp'
  identifier: number
  /** Only this host's replies are heard; `null`: everybody's. */
  remote: IpAddress | null
}

/** Hears and sends packets of one IP protocol. */
export interface RawSocket {
  readonly kind: 'raw'
  readonly protocol: number
  /** Only what comes to this address is heard, and it is what packets carry; `null`: any. */
  address: IpAddress | null
  /** Only this host is heard; `null`: everybody. */
  remote: IpAddress | null
  ttl: number
  /** IP_MTU_DISCOVER */
  dontFragment: boolean
  /** IP_HDRINCL */
  header: boolean
}

/** The program's end of a TUN. */
export interface TunSocket {
  readonly kind: 'tun'
  /** The interface. */
  readonly port: number
}

export interface HostConfig {
  readonly forwarding: boolean
  readonly policy: TcpPolicy
  /** Any text, different for each host of a run. */
  readonly seed: string
  readonly interfaces: readonly InterfaceConfig[]
  readonly routes: readonly Route[]
  readonly ipv6Routes?: readonly Ipv6Route[]
  readonly nat?: NatConfig | null
  /** When it starts. */
  readonly now: Nanos
}
export interface InterfaceConfig {
  readonly mac: Mac
  readonly mtu: number
  readonly addresses: readonly { readonly address: Ipv4Address; readonly prefixLength: number }[]
  /** How the IPv4 addresses are claimed (RFC 5227); `null`: they are simply its own. */
  readonly claim: ClaimPolicy | null
  /** `null`, or left out: it speaks no IPv6. */
  readonly ipv6?: Ipv6InterfaceConfig | null
  /** It ends in a program, and not in a cable. */
  readonly tun?: boolean
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
      if (each.claim === null) addresses.set(address, port)
      // RFC 3021: a network of two has no broadcast address.
      if (prefixLength < 31) addresses.set(address | ~maskOf(prefixLength), BROADCAST)
    }
  })
  const interfaces = config.interfaces.map((each, port) =>
    createInterface(each, port, config.now, secret),
  )
  const ipv6Routes = createIpv6Routes()
  for (const route of config.ipv6Routes ?? []) addIpv6Route(ipv6Routes, route)
  interfaces.forEach(({ ipv6 }, port) => {
    for (const { address } of ipv6?.addresses ?? []) addresses.set(address, port)
  })
  return {
    forwarding: config.forwarding,
    policy: config.policy,
    secret,
    interfaces,
    addresses,
    routes,
    ways: [],
    identification: 0,
    sockets: [],
    freed: [],
    tcp: createDemux(i32(secret, 0)),
    udp: createDemux(i32(secret, 4)),
    icmp: createDemux(i32(secret, 8)),
    raw: new Map(),
    icmpErrors: createRateLimit(ICMP_ERROR_INTERVAL, ICMP_ERROR_BURST),
    fragments: createReassembly(),
    pathMtus: new Map(),
    fastOpen: createFastOpenMemory(),
    loopback: [],
    ipv6: { random: i32(secret, 20), routes: ipv6Routes, destinations: new Map() },
    nat: config.nat === undefined || config.nat === null ? null : createNat(config.nat),
  }
}

/** Bits of the seed, apart from those of the other generators. */
const IGMP_PURPOSE = 0x2545f491

function createInterface(
  { mac, mtu, addresses, claim, ipv6: ipv6Config = null, tun: isTun = false }: InterfaceConfig,
  port: number,
  now: Nanos,
  secret: Bytes,
): Interface {
  const own = addresses.map(({ address }) => address)
  const seed = i32(secret, 16) ^ Math.imul(port, 0x9e3779b1)
  const igmp = createIgmp(seed ^ IGMP_PURPOSE)
  const ipv6 = ipv6Config === null ? null : createIpv6Interface(ipv6Config, mac, mtu, now, seed)
  const tun = isTun ? { socket: -1 } : null
  if (claim === null)
    return { mac, mtu, addresses: own, arp: createArp(), claims: null, ipv6, igmp, tun }
  const policy = { ...claim, from: Math.max(claim.from, now) }
  const claims = createClaims(policy, own, i32(secret, 12) ^ Math.imul(port, 0x9e3779b1))
  return { mac, mtu, addresses: [], arp: createArp(), claims, ipv6, igmp, tun }
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

// Owners of timer sets, as `wake` and timer inputs name them: the loopback, reassembly, the ARP of
// each interface, then the sockets.

export const LOOPBACK_OWNER = 0
export const REASSEMBLY_OWNER = 1
const FIRST_ARP_OWNER = 2
export const arpOwner = (port: number): number => FIRST_ARP_OWNER + port
export const socketOwner = (h: HostState, socket: SocketId): number =>
  FIRST_ARP_OWNER + h.interfaces.length + socket

/** In place of an interface: a network's broadcast address. */
export const BROADCAST = -1

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
