import { type Bytes, i32, u16 } from '../protocols/bytes.ts'
import { readIpv6 } from '../protocols/address.ts'
import {
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
} from '../protocols/ethernet/frame.ts'
import { IPV6_HEADER } from '../protocols/ipv6/packet.ts'
import { ipv6Chain } from './ipv6-text.ts'
import { isVlanType } from './packet-text.ts'

/** What filters ask about a frame. Offsets are -1 where there is no such header. */
export interface FrameFacts {
  readonly bytes: Bytes
  /** On the wire. */
  readonly length: number
  /** Behind the VLAN tags. */
  readonly etherType: number
  readonly vlans: readonly number[]
  readonly network: number
  readonly family: 'ip' | 'ip6' | 'arp' | null
  /** Addresses as `protocols/address.ts` has them; of ARP the protocol addresses. */
  readonly source: number | string | null
  readonly destination: number | string | null
  /** -1 where there is none. */
  readonly protocol: number
  /** The transport header; -1 also in every fragment but the first. */
  readonly transport: number
}

export function factsOf(bytes: Bytes, length: number): FrameFacts {
  const vlans: number[] = []
  let etherType = bytes.length < ETHERNET_HEADER ? -1 : u16(bytes, 12)
  let network = ETHERNET_HEADER
  while (isVlanType(etherType) && network + 4 <= bytes.length) {
    vlans.push(u16(bytes, network) & 0xfff)
    etherType = u16(bytes, network + 2)
    network += 4
  }
  const link = { bytes, length, etherType, vlans, network, ...NOTHING }
  const b = bytes.subarray(network)
  if (etherType === ETHERTYPE_ARP) {
    if (b.length < 28) return { ...link, family: 'arp' }
    return { ...link, family: 'arp', source: i32(b, 14), destination: i32(b, 24) }
  }
  if (etherType === ETHERTYPE_IPV4) {
    if (b.length < 20) return { ...link, family: 'ip' }
    const header = (b[0]! & 15) * 4
    const first = (u16(b, 6) & 0x1fff) === 0
    return {
      ...link,
      family: 'ip',
      source: i32(b, 12),
      destination: i32(b, 16),
      protocol: b[9]!,
      transport: first && header <= b.length ? network + header : -1,
    }
  }
  if (etherType !== ETHERTYPE_IPV6 || b.length < IPV6_HEADER) {
    return etherType === ETHERTYPE_IPV6 ? { ...link, family: 'ip6' } : link
  }
  const chain = ipv6Chain(b)
  const first = chain.cut === null && chain.fragmentOffset === 0
  return {
    ...link,
    family: 'ip6',
    source: readIpv6(b, 8),
    destination: readIpv6(b, 24),
    protocol: chain.protocol,
    transport: first ? network + chain.at : -1,
  }
}

const NOTHING = {
  family: null,
  source: null,
  destination: null,
  protocol: -1,
  transport: -1,
} as const
