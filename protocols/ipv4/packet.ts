import type { Ipv4Address } from '../address.ts'
import { type Bytes, NO_BYTES } from '../bytes.ts'
import type { IcmpMessage } from '../icmp/message.ts'
import type { Icmpv6Message } from '../icmpv6/message.ts'
import type { Malformed, Opaque } from '../payload.ts'
import type { TcpSegment } from '../tcp/segment.ts'
import type { UdpDatagram } from '../udp/datagram.ts'

export const PROTOCOL_ICMP = 1
export const PROTOCOL_TCP = 6
export const PROTOCOL_UDP = 17
export const PROTOCOL_ICMPV6 = 58

export const IPV4_HEADER = 20
/** What the Total Length field can say. */
export const IPV4_PACKET_MAX = 65_535
export const DEFAULT_TTL = 64

/** What an IP packet of either family can carry. */
export type TransportPayload =
  | TcpSegment
  | UdpDatagram
  | IcmpMessage
  | Icmpv6Message
  | Opaque
  | Malformed

/** Header fields that most packets leave alone; shared between packets. */
export class Ipv4Details {
  /** The former TOS octet: DSCP (RFC 2474) above, ECN (RFC 3168) in the low two bits. */
  readonly trafficClass: number
  readonly dontFragment: boolean
  readonly moreFragments: boolean
  /** In units of 8 bytes, as on the wire. */
  readonly fragmentOffset: number
  /** As on the wire, padded to a multiple of 4 bytes; at most 40. */
  readonly options: Bytes

  constructor(
    trafficClass: number,
    dontFragment: boolean,
    moreFragments: boolean,
    fragmentOffset: number,
    options: Bytes,
  ) {
    this.trafficClass = trafficClass
    this.dontFragment = dontFragment
    this.moreFragments = moreFragments
    this.fragmentOffset = fragmentOffset
    this.options = options
  }
}

export const DONT_FRAGMENT = new Ipv4Details(0, true, false, 0, NO_BYTES)
/** A segment of a connection that knows explicit congestion notification, RFC 3168 §5. */
export const DONT_FRAGMENT_ECT_0 = new Ipv4Details(2, true, false, 0, NO_BYTES)
export const MAY_FRAGMENT = new Ipv4Details(0, false, false, 0, NO_BYTES)

/** An IPv4 packet, RFC 791. The header checksum exists only on the wire. */
export class Ipv4Packet {
  readonly kind = 'ipv4'
  readonly source: Ipv4Address
  readonly destination: Ipv4Address
  readonly protocol: number
  readonly ttl: number
  readonly identification: number
  readonly details: Ipv4Details
  readonly payload: TransportPayload
  /** The Total Length field. A field of its own: routers ask for it, and look no deeper. */
  readonly size: number

  constructor(
    source: Ipv4Address,
    destination: Ipv4Address,
    protocol: number,
    ttl: number,
    identification: number,
    details: Ipv4Details,
    payload: TransportPayload,
    size: number = IPV4_HEADER + details.options.length + payload.size,
  ) {
    this.source = source
    this.destination = destination
    this.protocol = protocol
    this.ttl = ttl
    this.identification = identification
    this.details = details
    this.payload = payload
    this.size = size
  }
}
