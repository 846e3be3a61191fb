import { formatIp, readIpv4, readIpv6, readMac } from '../protocols/address.ts'
import { type Bytes, toHex, u16 } from '../protocols/bytes.ts'
import { checksum, fold, sumRange } from '../protocols/checksum.ts'
import {
  IPV4_HEADER,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../protocols/ipv4/packet.ts'
import { readExtensions } from '../protocols/ipv6/extensions.ts'
import { IPV6_HEADER } from '../protocols/ipv6/packet.ts'
import { pseudoHeaderSum } from '../protocols/pseudo-header.ts'
import { add, defect, type Dissection, hex } from './dissect-layers.ts'
import { dissectIcmp, dissectTcp, dissectUdp } from './dissect-transport.ts'
import { ipv6Chain } from './ipv6-text.ts'

// ARP, IPv4 and IPv6 headers. The checks and their order are those of the codecs, so that what is
// called a defect here is what a host drops.

const ARP_LENGTH = 28

export function dissectArp(found: Dissection, b: Bytes): void {
  if (b.length < ARP_LENGTH) {
    return defect(found, 'arp', 'truncated', `${b.length} of ${ARP_LENGTH} bytes`)
  }
  const kinds = { hardwareType: u16(b, 0), protocolType: hex(u16(b, 2), 4) }
  const lengths = { hardwareLength: b[4]!, protocolLength: b[5]! }
  const operation = u16(b, 6)
  if (u16(b, 0) !== 1 || u16(b, 2) !== 0x0800 || u16(b, 4) !== 0x0604) {
    add(found, 'arp', { ...kinds, ...lengths, operation })
    return defect(found, 'arp', 'unsupported', 'not IPv4 over Ethernet')
  }
  add(found, 'arp', {
    ...kinds,
    operation,
    senderMac: readMac(b, 8),
    senderIp: formatIp(readIpv4(b, 14)),
    targetMac: readMac(b, 18),
    targetIp: formatIp(readIpv4(b, 24)),
  })
}

/** RFC 791 §3.1. */
export function dissectIpv4(found: Dissection, b: Bytes): void {
  if (b.length < IPV4_HEADER) {
    return defect(found, 'ipv4', 'truncated', `${b.length} of ${IPV4_HEADER} bytes`)
  }
  const version = b[0]! >> 4
  if (version !== 4) return defect(found, 'ipv4', 'bad-version', `${version}`)
  const header = (b[0]! & 15) * 4
  const total = u16(b, 2)
  const fragment = u16(b, 6)
  const offset = 8 * (fragment & 0x1fff)
  const more = (fragment & 0x2000) !== 0
  const protocol = b[9]!
  const source = readIpv4(b, 12)
  const destination = readIpv4(b, 16)
  add(found, 'ipv4', {
    headerLength: header,
    dscp: b[1]! >> 2,
    ecn: b[1]! & 3,
    totalLength: total,
    identification: u16(b, 4),
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: more,
    fragmentOffset: offset,
    ttl: b[8]!,
    protocol,
    checksum: hex(u16(b, 10), 4),
    source: formatIp(source),
    destination: formatIp(destination),
    ...(header > IPV4_HEADER && header <= b.length
      ? { options: toHex(b.subarray(IPV4_HEADER, header)) }
      : {}),
  })
  if (header < IPV4_HEADER || total < header || total > b.length) {
    const detail = `header ${header}, total ${total}, ${b.length} there`
    defect(found, 'ipv4', 'bad-length', detail)
    // Beyond the end of the capture the header may still be whole.
    if (!found.cut || header < IPV4_HEADER || total < header || header > b.length) return
  }
  if (fold(sumRange(b, 0, header, 0)) !== 0xffff) {
    const right = checksum(sumRange(b, 0, header, 0) - u16(b, 10))
    defect(found, 'ipv4', 'bad-checksum', `${hex(u16(b, 10), 4)}, should be ${hex(right, 4)}`)
    return
  }
  if (more || offset > 0) return
  const inner = b.subarray(header, total)
  const length = total - header
  transport(
    found,
    inner,
    protocol,
    pseudoHeaderSum(source, destination, protocol, length),
    length,
    true,
  )
}

/** RFC 8200 §3. */
export function dissectIpv6(found: Dissection, b: Bytes): void {
  if (b.length < IPV6_HEADER) {
    return defect(found, 'ipv6', 'truncated', `${b.length} of ${IPV6_HEADER} bytes`)
  }
  const version = b[0]! >> 4
  if (version !== 6) return defect(found, 'ipv6', 'bad-version', `${version}`)
  const payload = u16(b, 4)
  const source = readIpv6(b, 8)
  const destination = readIpv6(b, 24)
  const trafficClass = (u16(b, 0) >> 4) & 0xff
  add(found, 'ipv6', {
    dscp: trafficClass >> 2,
    ecn: trafficClass & 3,
    flowLabel: hex(((b[1]! & 15) << 16) | u16(b, 2), 5),
    payloadLength: payload,
    nextHeader: b[6]!,
    hopLimit: b[7]!,
    source,
    destination,
  })
  const total = IPV6_HEADER + payload
  if (total > b.length) {
    defect(found, 'ipv6', 'bad-length', `payload ${payload}, ${b.length - IPV6_HEADER} there`)
    if (!found.cut) return
  }
  const packet = b.subarray(0, total)
  const { words } = ipv6Chain(packet)
  if (words.length > 0) add(found, 'ipv6-extension', { headers: words })
  const chain = readExtensions(packet, b[6]!, IPV6_HEADER, packet.length)
  if (chain.why !== null) {
    return defect(found, 'ipv6-extension', chain.why, `header ${chain.protocol} at ${chain.at}`)
  }
  if (chain.moreFragments || chain.fragmentOffset > 0) return
  const length = total - chain.at
  const sum = pseudoHeaderSum(source, destination, chain.protocol, length)
  transport(found, packet.subarray(chain.at), chain.protocol, sum, length, false)
}

function transport(
  found: Dissection,
  b: Bytes,
  protocol: number,
  pseudoSum: number,
  length: number,
  v4: boolean,
): void {
  if (protocol === PROTOCOL_TCP) dissectTcp(found, b, pseudoSum, length)
  else if (protocol === PROTOCOL_UDP) dissectUdp(found, b, pseudoSum, length, v4)
  else if (!v4 && protocol === PROTOCOL_ICMPV6) {
    dissectIcmp(found, 'icmpv6', b, pseudoSum, length)
  } else if (v4 && protocol === PROTOCOL_ICMP) dissectIcmp(found, 'icmp', b, 0, length)
}
