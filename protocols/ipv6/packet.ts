import type { Ipv6Address } from '../address.ts'
import { type Bytes, NO_BYTES } from '../bytes.ts'
import type { Ipv4Packet, TransportPayload } from '../ipv4/packet.ts'

export const IPV6_HEADER = 40
/** RFC 8200 §5: what every link carries in one piece. */
export const IPV6_MTU_MIN = 1280
/** What the Payload Length field can say; jumbograms (RFC 2675) are left out. */
export const IPV6_PAYLOAD_MAX = 65_535
export const DEFAULT_HOP_LIMIT = 64
/** RFC 4861 §11.2: a packet that has this much left was sent on the link it came by. */
export const HOP_LIMIT_MAX = 255

/** Header fields that most packets leave alone; shared between packets. */
export class Ipv6Details {
  /** DSCP (RFC 2474) above, ECN (RFC 3168) in the low two bits. */
  readonly trafficClass: number
  /** 20 bits, RFC 6437. */
  readonly flowLabel: number
  /** The base header's Next Header where there are extension headers; -1 without. */
  readonly firstHeader: number
  /** All extension headers before the payload, as on the wire: a multiple of 8 bytes. */
  readonly extensions: Bytes
  /** From the fragment header, in units of 8 bytes; 0 without one. */
  readonly fragmentOffset: number
  readonly moreFragments: boolean
  /** Of the fragment header, as a signed 32-bit integer; 0 without one. */
  readonly identification: number

  constructor(
    trafficClass: number,
    flowLabel: number,
    firstHeader: number = -1,
    extensions: Bytes = NO_BYTES,
    fragmentOffset: number = 0,
    moreFragments: boolean = false,
    identification: number = 0,
  ) {
    this.trafficClass = trafficClass
    this.flowLabel = flowLabel
    this.firstHeader = firstHeader
    this.extensions = extensions
    this.fragmentOffset = fragmentOffset
    this.moreFragments = moreFragments
    this.identification = identification
  }
}

export const PLAIN_IPV6 = new Ipv6Details(0, 0)
const ECT_0 = 2
const PLAIN_ECT_0 = new Ipv6Details(ECT_0, 0)

/** The details of a packet that only its traffic class sets apart. */
export const ipv6DetailsOf = (trafficClass: number): Ipv6Details =>
  trafficClass === 0
    ? PLAIN_IPV6
    : trafficClass === ECT_0
      ? PLAIN_ECT_0
      : new Ipv6Details(trafficClass, 0)

/** An IPv6 packet, RFC 8200. */
export class Ipv6Packet {
  readonly kind = 'ipv6'
  readonly source: Ipv6Address
  readonly destination: Ipv6Address
  /** What `payload` is: the Next Header of the last header before it. */
  readonly protocol: number
  readonly hopLimit: number
  readonly details: Ipv6Details
  readonly payload: TransportPayload
  /** With the header, bytes. A field of its own: routers ask for it, and look no deeper. */
  readonly size: number

  constructor(
    source: Ipv6Address,
    destination: Ipv6Address,
    protocol: number,
    hopLimit: number,
    details: Ipv6Details,
    payload: TransportPayload,
    size: number = IPV6_HEADER + details.extensions.length + payload.size,
  ) {
    this.source = source
    this.destination = destination
    this.protocol = protocol
    this.hopLimit = hopLimit
    this.details = details
    this.payload = payload
    this.size = size
  }
}

/** A packet of either family: the class tells them apart, and so does the type of its addresses. */
export type IpPacket = Ipv4Packet | Ipv6Packet

export const isIp = (packet: { readonly kind: string }): packet is IpPacket =>
  packet.kind === 'ipv4' || packet.kind === 'ipv6'
