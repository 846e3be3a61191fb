import { type IpAddress, type Ipv4Address } from '../../protocols/address.ts'
import { type Bytes, NO_BYTES, putI32, putU16 } from '../../protocols/bytes.ts'
import { echoRest, ICMP_UNREACHABLE, IcmpMessage } from '../../protocols/icmp/message.ts'
import {
  DEFAULT_TTL,
  IPV4_HEADER,
  Ipv4Details,
  Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TransportPayload,
} from '../../protocols/ipv4/packet.ts'
import type { Seq } from '../../protocols/sequence.ts'
import { TCP_HEADER } from '../../protocols/tcp/segment.ts'
import { UDP_HEADER } from '../../protocols/udp/datagram.ts'
import type { IcmpPacket, IpInfo } from './script.ts'

// The network layer under a script's packets: the one place that knows what family they are of.

export type IpPacket = Ipv4Packet

/** Whose packets a script is about: the host's address first. */
export interface Ends {
  readonly local: IpAddress
  readonly remote: IpAddress
}

export const trafficClassIn = ({ details }: IpPacket): number => details.trafficClass

export const ttlIn = ({ ttl }: IpPacket): number => ttl

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
  const details = new Ipv4Details(trafficClassOf(ip), false, false, 0, NO_BYTES)
  const ttl = ip.ttl < 0 ? ARRIVING_TTL : ip.ttl
  return new Ipv4Packet(
    remote as Ipv4Address,
    local as Ipv4Address,
    protocol,
    ttl,
    0,
    details,
    payload,
  )
}

/** The same packet with another payload. */
export function withPayload(packet: IpPacket, payload: TransportPayload): IpPacket {
  const { source, destination, protocol, ttl, identification, details } = packet
  return new Ipv4Packet(source, destination, protocol, ttl, identification, details, payload)
}

/**
 * An ICMP message to the host: an echo, or an error about a packet of the host's, with its header
 * and the first eight bytes behind. `seq`: of the quoted segment, on the wire.
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
  const message = (rest: number, data: Bytes) =>
    arriving(ends, PROTOCOL_ICMP, ip, new IcmpMessage(type, code, rest, data))
  if (quoted === null) return message(echoRest(identifier, 0) | mtu, NO_BYTES)
  if (quoted.kind === 'raw') return message(echoRest(identifier, 0), new Uint8Array(quoted.length))
  const header = quoted.kind === 'tcp' ? TCP_HEADER : UDP_HEADER
  const quote = new Uint8Array(IPV4_HEADER + header)
  quote[0] = 0x45
  putU16(quote, 2, IPV4_HEADER + header + quoted.length)
  quote[8] = DEFAULT_TTL
  quote[9] = quoted.kind === 'tcp' ? PROTOCOL_TCP : PROTOCOL_UDP
  putI32(quote, 12, ends.local as Ipv4Address)
  putI32(quote, 16, ends.remote as Ipv4Address)
  putU16(quote, IPV4_HEADER, localPort)
  putU16(quote, IPV4_HEADER + 2, remotePort)
  if (quoted.kind === 'tcp') {
    putI32(quote, IPV4_HEADER + 4, seq)
    quote[IPV4_HEADER + 12] = (TCP_HEADER / 4) << 4
  } else putU16(quote, IPV4_HEADER + 4, UDP_HEADER + quoted.length)
  return message(type === ICMP_UNREACHABLE ? mtu : 0, quote)
}
