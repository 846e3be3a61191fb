import type { Mac } from '../address.ts'
import type { ArpPacket } from '../arp/packet.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import type { Ipv6Packet } from '../ipv6/packet.ts'
import type { Malformed, Opaque } from '../payload.ts'

export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_ARP = 0x0806
/** RFC 2464 §3. */
export const ETHERTYPE_IPV6 = 0x86dd

/** Destination, source and type; the frame check sequence is the hardware's and not modelled. */
export const ETHERNET_HEADER = 14

export type EthernetPayload = Ipv4Packet | Ipv6Packet | ArpPacket | Opaque | Malformed

/** An Ethernet II frame. Immutable: a class, so that Immer passes it through as a value. */
export class EthernetFrame {
  readonly destination: Mac
  readonly source: Mac
  readonly etherType: number
  readonly payload: EthernetPayload

  constructor(destination: Mac, source: Mac, etherType: number, payload: EthernetPayload) {
    this.destination = destination
    this.source = source
    this.etherType = etherType
    this.payload = payload
  }

  /** Bytes on the wire, without padding, preamble and check sequence. */
  get size(): number {
    return ETHERNET_HEADER + this.payload.size
  }
}
