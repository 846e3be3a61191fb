import { putIpv6, readIpv6 } from '../address.ts'
import { assert } from '../assert.ts'
import { type Bytes, putBytes, putI32, putU16, u16, viewOf } from '../bytes.ts'
import { type Malformation, type Parsed, toParsed } from '../parsed.ts'
import { Malformed, Opaque } from '../payload.ts'
import { readTransport, writeTransport } from '../transport-codec.ts'
import { isExtension, readExtensions } from './extensions.ts'
import { IPV6_HEADER, IPV6_PAYLOAD_MAX, Ipv6Details, Ipv6Packet, PLAIN_IPV6 } from './packet.ts'

/*
 * RFC 8200 §3.
 *
 *   0       1       2               4
 *   +---+-------+---+---------------+
 * 0 | 6 | class | flow label        |
 *   +---+-------+---+-------+-------+
 * 4 | payload length| next  | hops  |
 *   +---------------+-------+-------+
 * 8 | source, 16 bytes              …
 *   +-------------------------------+
 *24 | destination, 16 bytes         …
 *   +-------------------------------+
 *40 | extension headers, payload
 */
const PAYLOAD_LENGTH = 4
const NEXT_HEADER = 6
const HOP_LIMIT = 7
const SOURCE = 8
const DESTINATION = 24

const FLOW_LABEL_BITS = 0xfffff

/**
 * Reads a packet with what it carries. Bytes behind the payload length are Ethernet padding. A
 * transport header that its codec refuses, or that is split over fragments, stays bytes; so does
 * everything from an extension header on that cannot be read.
 */
export const parseIpv6 = (bytes: Bytes): Parsed<Ipv6Packet> =>
  toParsed(readIpv6Packet(bytes, 0, bytes.length))

export function emitIpv6(packet: Ipv6Packet): Uint8Array {
  const b = new Uint8Array(packet.size)
  writeIpv6Packet(b, 0, packet)
  return b
}

export function readIpv6Packet(b: Bytes, at: number, end: number): Ipv6Packet | Malformation {
  if (end - at < IPV6_HEADER) return 'truncated'
  if (b[at]! >>> 4 !== 6) return 'bad-version'
  const from = at + IPV6_HEADER
  const to = from + u16(b, at + PAYLOAD_LENGTH)
  if (to > end) return 'bad-length'
  const source = readIpv6(b, at + SOURCE)
  const destination = readIpv6(b, at + DESTINATION)
  const next = b[at + NEXT_HEADER]!
  const hopLimit = b[at + HOP_LIMIT]!
  const trafficClass = (u16(b, at) >>> 4) & 0xff
  const flowLabel = ((b[at + 1]! & 15) << 16) | u16(b, at + 2)
  if (!isExtension(next)) {
    const isPlain = trafficClass === 0 && flowLabel === 0
    const details = isPlain ? PLAIN_IPV6 : new Ipv6Details(trafficClass, flowLabel)
    const payload = readTransport(b, from, to, next, source, destination)
    return new Ipv6Packet(source, destination, next, hopLimit, details, payload)
  }
  const chain = readExtensions(b, next, from, to)
  const { protocol, fragmentOffset, moreFragments, identification, why } = chain
  const details = new Ipv6Details(
    trafficClass,
    flowLabel,
    next,
    viewOf(b, from, chain.at),
    fragmentOffset,
    moreFragments,
    identification,
  )
  const payload =
    why !== null
      ? new Malformed('ipv6-extension', why, viewOf(b, chain.at, to))
      : moreFragments || fragmentOffset !== 0
        ? new Opaque(viewOf(b, chain.at, to))
        : readTransport(b, chain.at, to, protocol, source, destination)
  return new Ipv6Packet(source, destination, protocol, hopLimit, details, payload)
}

export function writeIpv6Packet(b: Uint8Array, at: number, packet: Ipv6Packet): void {
  const { details, protocol, source, destination } = packet
  const { extensions, trafficClass, flowLabel } = details
  const length = packet.size - IPV6_HEADER
  assert(extensions.length % 8 === 0, 'IPv6 extension headers are multiples of 8 bytes')
  assert(length <= IPV6_PAYLOAD_MAX, 'an IPv6 packet carries at most 65,535 bytes')
  putI32(b, at, 0x60000000 | (trafficClass << 20) | (flowLabel & FLOW_LABEL_BITS))
  putU16(b, at + PAYLOAD_LENGTH, length)
  b[at + NEXT_HEADER] = extensions.length === 0 ? protocol : details.firstHeader
  b[at + HOP_LIMIT] = packet.hopLimit
  putIpv6(b, at + SOURCE, source)
  putIpv6(b, at + DESTINATION, destination)
  putBytes(b, at + IPV6_HEADER, extensions)
  writeTransport(b, at + IPV6_HEADER + extensions.length, packet.payload, source, destination)
}
