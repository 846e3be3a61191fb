import type { Ipv4Address } from '../address.ts'
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../ipv4/packet.ts'
import { ACK, FIN, RST, SYN } from '../tcp/segment.ts'
import { type Nanos, s } from '../time.ts'

/*
 * Which inside endpoint stands behind which outside port: the mappings of a NAT, RFC 4787 (UDP),
 * RFC 5382 (TCP) and RFC 5508 (ICMP). Endpoint-independent mapping (REQ-1), whatever the peer; what
 * may come in is a choice of its own (REQ-8).
 */

/** RFC 4787 §5, REQ-8: who may send to a mapping. */
export type NatFiltering =
  /** Anybody, once the inside has sent to anybody. */
  | 'endpoint-independent'
  /** Whoever the inside has sent to, from any port. */
  | 'address-dependent'
  /** The very endpoint that the inside has sent to. */
  | 'address-and-port-dependent'

export interface NatConfig {
  /** The port of the router that leads outside. All others are inside. */
  readonly outside: number
  /** The one address outside that all share. */
  readonly address: Ipv4Address
  readonly filtering: NatFiltering
  /** RFC 4787 REQ-5: at least two minutes, five by default. */
  readonly udpTimeout: Nanos
  /** RFC 5382 REQ-5: at least 2 hours 4 minutes, and 4 minutes before and after. */
  readonly tcpTimeout: Nanos
  readonly tcpTransitory: Nanos
  /** RFC 5508 REQ-2: at least a minute. */
  readonly icmpTimeout: Nanos
  /** Mappings beyond are refused: no stranger fills the memory. */
  readonly mappingsMax: number
}

export const NAT_DEFAULTS = {
  filtering: 'address-and-port-dependent',
  udpTimeout: s(300),
  tcpTimeout: s(7440),
  tcpTransitory: s(240),
  icmpTimeout: s(60),
  mappingsMax: 16_384,
} as const

/** Of one mapping; the oldest goes when there are more. */
const PEERS_MAX = 1024

/** One peer of a mapping, and for TCP how far their connection is. */
export interface NatPeer {
  readonly address: Ipv4Address
  readonly port: number
  until: Nanos
  /** SYNs and FINs seen, by direction. */
  flags: number
}

export interface NatMapping {
  readonly protocol: number
  readonly inside: Ipv4Address
  /** A port, or the identifier of an ICMP query. */
  readonly insidePort: number
  readonly outsidePort: number
  peers: NatPeer[]
}

/** Plain data. */
export interface NatTable {
  readonly config: NatConfig
  /** By inside endpoint, and by outside port: the same mappings. */
  byInside: Map<string, NatMapping>
  byOutside: Map<number, NatMapping>
}

export const createNat = (config: NatConfig): NatTable => ({
  config,
  byInside: new Map(),
  byOutside: new Map(),
})

const SYN_OUT = 1
const SYN_IN = 2
const FIN_OUT = 4
const FIN_IN = 8
const RESET = 16
const ESTABLISHED = SYN_OUT | SYN_IN

const insideKey = (protocol: number, address: Ipv4Address, port: number): string =>
  `${protocol} ${address} ${port}`
const outsideKey = (protocol: number, port: number): number => protocol * 0x10000 + port

/**
 * The mapping for what leaves from an inside endpoint to a peer; made where there is none.
 * `null`: no port is left, or too many mappings stand.
 */
export function mapOut(
  nat: NatTable,
  now: Nanos,
  protocol: number,
  inside: Ipv4Address,
  insidePort: number,
  peer: Ipv4Address,
  peerPort: number,
  tcpFlags = 0,
): NatMapping | null {
  const key = insideKey(protocol, inside, insidePort)
  let mapping = living(nat, now, nat.byInside.get(key))
  if (mapping === null) {
    const outsidePort = freePort(nat, now, protocol, insidePort)
    if (outsidePort === null) return null
    const made: NatMapping = { protocol, inside, insidePort, outsidePort, peers: [] }
    nat.byInside.set(key, made)
    nat.byOutside.set(outsideKey(protocol, outsidePort), made)
    mapping = nat.byInside.get(key)!
  }
  touch(nat, now, mapping, peer, peerPort, outFlags(tcpFlags))
  return mapping
}

/**
 * Who is meant by what a peer sends to an outside port, if it may. RFC 4787 REQ-6: what comes in
 * does not keep a mapping alive, or strangers could.
 */
export function mapIn(
  nat: NatTable,
  now: Nanos,
  protocol: number,
  outsidePort: number,
  peer: Ipv4Address,
  peerPort: number,
  tcpFlags = 0,
): NatMapping | null {
  const mapping = standing(nat, now, protocol, outsidePort)
  if (mapping === null || !mayEnter(nat.config, now, mapping, peer, peerPort)) return null
  const known = mapping.peers.find((p) => p.address === peer && p.port === peerPort)
  if (known !== undefined && protocol === PROTOCOL_TCP) {
    // A connection is a talk of two: what comes in counts for it (RFC 5382 §5).
    touch(nat, now, mapping, peer, peerPort, inFlags(tcpFlags))
  }
  return mapping
}

/** The mapping of an outside port, whoever asks: for ICMP errors, which have their own rule. */
export const standing = (
  nat: NatTable,
  now: Nanos,
  protocol: number,
  outsidePort: number,
): NatMapping | null => living(nat, now, nat.byOutside.get(outsideKey(protocol, outsidePort)))

function mayEnter(
  { filtering }: NatConfig,
  now: Nanos,
  { peers }: NatMapping,
  address: Ipv4Address,
  port: number,
): boolean {
  switch (filtering) {
    case 'endpoint-independent':
      return true
    case 'address-dependent':
      return peers.some((p) => p.address === address && p.until > now)
    case 'address-and-port-dependent':
      return peers.some((p) => p.address === address && p.port === port && p.until > now)
  }
}

/** The mapping if one of its peers still counts; one that has ended goes. */
function living(nat: NatTable, now: Nanos, mapping: NatMapping | undefined): NatMapping | null {
  if (mapping === undefined) return null
  if (mapping.peers.some(({ until }) => until > now)) return mapping
  remove(nat, mapping)
  return null
}

function remove(nat: NatTable, { protocol, inside, insidePort, outsidePort }: NatMapping): void {
  nat.byInside.delete(insideKey(protocol, inside, insidePort))
  nat.byOutside.delete(outsideKey(protocol, outsidePort))
}

function touch(
  nat: NatTable,
  now: Nanos,
  mapping: NatMapping,
  address: Ipv4Address,
  port: number,
  flags: number,
): void {
  let peer = mapping.peers.find((p) => p.address === address && p.port === port)
  if (peer === undefined) {
    mapping.peers = mapping.peers.filter(({ until }) => until > now).slice(1 - PEERS_MAX)
    mapping.peers.push({ address, port, until: now, flags: 0 })
    peer = mapping.peers[mapping.peers.length - 1]!
  }
  // A SYN begins anew what a reset or both FINs have ended.
  if ((flags & ESTABLISHED) !== 0 && isOver(peer.flags)) peer.flags = 0
  peer.flags |= flags
  peer.until = now + timeoutOf(nat.config, mapping.protocol, peer.flags)
}

const isOver = (flags: number): boolean =>
  (flags & RESET) !== 0 || (flags & (FIN_OUT | FIN_IN)) === (FIN_OUT | FIN_IN)

function timeoutOf(config: NatConfig, protocol: number, flags: number): Nanos {
  if (protocol === PROTOCOL_UDP) return config.udpTimeout
  if (protocol === PROTOCOL_ICMP) return config.icmpTimeout
  const isUp = (flags & ESTABLISHED) === ESTABLISHED && !isOver(flags)
  return isUp ? config.tcpTimeout : config.tcpTransitory
}

const outFlags = (f: number): number =>
  ((f & SYN) !== 0 ? SYN_OUT : 0) | ((f & FIN) !== 0 ? FIN_OUT : 0) | ((f & RST) !== 0 ? RESET : 0)

const inFlags = (f: number): number =>
  ((f & (SYN | ACK)) === (SYN | ACK) || (f & SYN) !== 0 ? SYN_IN : 0) |
  ((f & FIN) !== 0 ? FIN_IN : 0) |
  ((f & RST) !== 0 ? RESET : 0)

/** Well-known ports stay well known, and others others (RFC 4787 REQ-3 b). */
const WELL_KNOWN = 1024
const PORTS = 0x10000

/**
 * The inside port itself where it is free; else the next one of its parity in its range (REQ-4).
 */
function freePort(nat: NatTable, now: Nanos, protocol: number, wanted: number): number | null {
  if (nat.byInside.size >= nat.config.mappingsMax) expire(nat, now)
  if (nat.byInside.size >= nat.config.mappingsMax) return null
  const isLow = wanted < WELL_KNOWN && protocol !== PROTOCOL_ICMP
  const [from, to] = isLow ? [0, WELL_KNOWN] : [protocol === PROTOCOL_ICMP ? 0 : WELL_KNOWN, PORTS]
  for (let step = 0; step < to - from; step += 2) {
    const port = from + ((wanted - from + step) % (to - from))
    if (port !== 0 && standing(nat, now, protocol, port) === null) return port
  }
  return null
}

function expire(nat: NatTable, now: Nanos): void {
  for (const mapping of Array.from(nat.byInside.values())) living(nat, now, mapping)
}
