import {
  type IpAddress,
  type Ipv4Address,
  type Ipv6Address,
  putIpv6,
} from '../../protocols/address.ts'
import { type Bytes, NO_BYTES, putI32, putU16, u16 } from '../../protocols/bytes.ts'
import {
  echoRest,
  ICMP_UNREACHABLE,
  IcmpMessage,
  isIcmpError,
} from '../../protocols/icmp/message.ts'
import { ICMPV6_TOO_BIG, Icmpv6Message } from '../../protocols/icmpv6/message.ts'
import {
  DEFAULT_TTL,
  IPV4_HEADER,
  Ipv4Details,
  Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TransportPayload,
} from '../../protocols/ipv4/packet.ts'
import { type IpPacket, IPV6_HEADER, Ipv6Details, Ipv6Packet } from '../../protocols/ipv6/packet.ts'
import type { Seq } from '../../protocols/sequence.ts'
import { TCP_HEADER } from '../../protocols/tcp/segment.ts'
import { UDP_HEADER } from '../../protocols/udp/datagram.ts'
import type { IcmpPacket, IpInfo, Ports } from './script.ts'

// The network layer under a script's packets: the one place that knows what family they are of.

/** Whose packets a script is about: the host's address first. */
export interface Ends {
  readonly local: IpAddress
  readonly remote: IpAddress
}

export const ttlIn = (packet: IpPacket): number =>
  packet.kind === 'ipv4' ? packet.ttl : packet.hopLimit

export const flowLabelIn = (packet: IpPacket): number =>
  packet.kind === 'ipv4' ? 0 : packet.details.flowLabel

const ECN_BITS = { noecn: 0, ect1: 1, ect0: 2, ect01: 2, ce: 3 } as const

export const trafficClassOf = ({ ecn, tos }: IpInfo): number =>
  tos >= 0 ? tos : ecn === null ? 0 : ECN_BITS[ecn]

/** What TTL arrives with, where the script does not say. */
const ARRIVING_TTL = 255

/** A packet to the host. */
export function arriving(
  { local, remote }: Ends,
  protocol: number,
  ip: IpInfo,
  payload: TransportPayload,
): IpPacket {
  const ttl = ip.ttl < 0 ? ARRIVING_TTL : ip.ttl
  if (typeof local === 'string') {
    const details = new Ipv6Details(trafficClassOf(ip), Math.max(ip.flowLabel, 0))
    return new Ipv6Packet(remote as Ipv6Address, local, protocol, ttl, details, payload)
  }
  const details = new Ipv4Details(trafficClassOf(ip), false, false, 0, NO_BYTES)
  return new Ipv4Packet(remote as Ipv4Address, local, protocol, ttl, 0, details, payload)
}

/** The same packet with another payload. */
export function withPayload(packet: IpPacket, payload: TransportPayload): IpPacket {
  const { protocol } = packet
  if (packet.kind === 'ipv6') {
    const { source, destination, hopLimit, details } = packet
    return new Ipv6Packet(source, destination, protocol, hopLimit, details, payload)
  }
  const { source, destination, ttl, identification, details } = packet
  return new Ipv4Packet(source, destination, protocol, ttl, identification, details, payload)
}

/**
 * An ICMP message to the host: an echo, or an error about a packet of the host's, with its headers.
 * `seq`: of the quoted segment, on the wire.
 */
export function icmpArriving(
  ends: Ends,
  localPort: number,
  remotePort: number,
  ip: IpInfo,
  packet: IcmpPacket,
  seq: Seq,
): IpPacket {
  const { type, code, mtu, identifier, quoted } = packet
  const isIpv6 = typeof ends.local === 'string'
  const message = (rest: number, data: Bytes): IpPacket =>
    isIpv6
      ? arriving(ends, PROTOCOL_ICMPV6, ip, new Icmpv6Message(type, code, rest, data))
      : arriving(ends, PROTOCOL_ICMP, ip, new IcmpMessage(type, code, rest, data))
  if (quoted === null) return message(echoRest(identifier, 0) | mtu, NO_BYTES)
  if (quoted.kind === 'raw') return message(echoRest(identifier, 0), new Uint8Array(quoted.length))
  const around = quoted.kind === 'tcp' ? quoted.udp : null
  const header =
    (quoted.kind === 'tcp' ? TCP_HEADER : 0) +
    (around !== null || quoted.kind === 'udp' ? UDP_HEADER : 0)
  let at = isIpv6 ? IPV6_HEADER : IPV4_HEADER
  const quote = new Uint8Array(at + header)
  const protocol = quoted.kind === 'tcp' && around === null ? PROTOCOL_TCP : PROTOCOL_UDP
  putNetworkHeader(quote, ends, protocol, header + quoted.length)
  if (around !== null) {
    putU16(quote, at, around.source)
    putU16(quote, at + 2, around.destination)
    putU16(quote, at + 4, header + quoted.length)
    at += UDP_HEADER
  }
  putU16(quote, at, localPort)
  putU16(quote, at + 2, remotePort)
  if (quoted.kind === 'tcp') {
    putI32(quote, at + 4, seq)
    quote[at + 12] = (TCP_HEADER / 4) << 4
  } else putU16(quote, at + 4, UDP_HEADER + quoted.length)
  const carriesMtu = type === (isIpv6 ? ICMPV6_TOO_BIG : ICMP_UNREACHABLE)
  return message(carriesMtu ? mtu : 0, quote)
}

/** Of a packet from the host, as a router quotes it. */
function putNetworkHeader(
  quote: Uint8Array,
  { local, remote }: Ends,
  protocol: number,
  length: number,
): void {
  if (typeof local === 'string') {
    quote[0] = 0x60
    putU16(quote, 4, length)
    quote[6] = protocol
    quote[7] = DEFAULT_TTL
    putIpv6(quote, 8, local)
    putIpv6(quote, 24, remote as Ipv6Address)
    return
  }
  quote[0] = 0x45
  putU16(quote, 2, IPV4_HEADER + length)
  quote[8] = DEFAULT_TTL
  quote[9] = protocol
  putI32(quote, 12, local)
  putI32(quote, 16, remote as Ipv4Address)
}

/** The ports of the packet that an error of the host's is about; `null`: it is none. */
export function quotedPorts({ kind, type, data }: IcmpMessage | Icmpv6Message): Ports | null {
  const isError = kind === 'icmp' ? isIcmpError(type) : type < ICMPV6_INFORMATIONAL
  const at = kind === 'icmp' ? ((data[0] ?? 0) % 16) * 4 : IPV6_HEADER
  if (!isError || data.length < at + 4) return null
  return { source: u16(data, at), destination: u16(data, at + 2) }
}

/** RFC 4443 §2.1: from here on messages are no errors. */
const ICMPV6_INFORMATIONAL = 128
