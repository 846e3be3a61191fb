import type { Mac } from '../address.ts'
import type { ArpPacket } from '../arp/packet.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import type { Ipv6Packet } from '../ipv6/packet.ts'
import type { Malformed, Opaque } from '../payload.ts'

export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_ARP = 0x0806
/** RFC 2464 §3. */
export const ETHERTYPE_IPV6 = 0x86dd

/** IEEE 802.1Q-2018 §9.5: the type that says that a tag follows. */
export const ETHERTYPE_VLAN = 0x8100
/** In the place of a tag: there is none. */
export const NO_TAG = -1

/** Destination, source and type; the frame check sequence is the hardware's and not modelled. */
export const ETHERNET_HEADER = 14
/** The same with a tag. */
export const TAGGED_HEADER = 18

export type EthernetPayload = Ipv4Packet | Ipv6Packet | ArpPacket | Opaque | Malformed

/** An Ethernet II frame, perhaps with a tag of IEEE 802.1Q. Immutable: a class, so that Immer passes it through as a value. */
export class EthernetFrame {
  readonly destination: Mac
  readonly source: Mac
  readonly etherType: number
  readonly payload: EthernetPayload
  /** Priority, drop eligibility and VLAN, 16 bits as on the wire; `NO_TAG` for most. */
  readonly tag: number

  constructor(
    destination: Mac,
    source: Mac,
    etherType: number,
    payload: EthernetPayload,
    tag: number = NO_TAG,
  ) {
    this.destination = destination
    this.source = source
    this.etherType = etherType
    this.payload = payload
    this.tag = tag
  }

  /** Bytes on the wire, without padding, preamble and check sequence. */
  get size(): number {
    const { size } = this.payload
    return (this.tag === NO_TAG ? ETHERNET_HEADER : TAGGED_HEADER) + size
  }
}
