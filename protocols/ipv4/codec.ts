import { putIpv4, readIpv4 } from '../address.ts'
import { assert } from '../assert.ts'
import { type Bytes, NO_BYTES, putBytes, putI32, putU16, u16, viewOf } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import { type Malformation, type Parsed, toParsed } from '../parsed.ts'
import { Opaque } from '../payload.ts'
import { readTransport, writeTransport } from '../transport-codec.ts'
import { DONT_FRAGMENT, IPV4_HEADER, Ipv4Details, Ipv4Packet, MAY_FRAGMENT } from './packet.ts'

/*
 * RFC 791 §3.1, with the traffic class of RFC 2474 and RFC 3168.
 *
 *   0       1       2               4
 *   +---+---+-------+---------------+
 * 0 | 4 |IHL| class | total length  |
 *   +---+---+-------+-+-+-+---------+
 * 4 | identification|0|D|M| offset  |
 *   +-------+-------+-+-+-+---------+
 * 8 | TTL   | proto | checksum      |
 *   +-------+-------+---------------+
 *12 | source                        |
 *   +-------------------------------+
 *16 | destination                   |
 *   +-------------------------------+
 *20 | options, up to 40 bytes       |
 */
const VERSION_AND_IHL = 0
const TRAFFIC_CLASS = 1
const TOTAL_LENGTH = 2
const IDENTIFICATION = 4
const FRAGMENT = 6
const TTL = 8
const PROTOCOL = 9
const CHECKSUM = 10
const SOURCE = 12
const DESTINATION = 16

/** In the fragment word. The bit above these two is reserved; it is ignored and sent as zero. */
const DONT_FRAGMENT_BIT = 0x4000
const MORE_FRAGMENTS_BIT = 0x2000
const OFFSET_BITS = 0x1fff
/** The header length counts 32-bit words in four bits. */
const OPTIONS_MAX = 40
const TOTAL_LENGTH_MAX = 0xffff

/**
 * Reads a packet with what it carries. Bytes behind the total length are Ethernet padding. A
 * transport header that its codec refuses, or that is split over fragments, stays bytes.
 */
export const parseIpv4 = (bytes: Bytes): Parsed<Ipv4Packet> =>
  toParsed(readIpv4Packet(bytes, 0, bytes.length))

export function emitIpv4(packet: Ipv4Packet): Uint8Array {
  const b = new Uint8Array(packet.size)
  writeIpv4Packet(b, 0, packet)
  return b
}

export function readIpv4Packet(b: Bytes, at: number, end: number): Ipv4Packet | Malformation {
  if (end - at < IPV4_HEADER) return 'truncated'
  const versionAndIhl = b[at + VERSION_AND_IHL]!
  if (versionAndIhl >>> 4 !== 4) return 'bad-version'
  const headerBytes = (versionAndIhl & 15) * 4
  const total = u16(b, at + TOTAL_LENGTH)
  if (headerBytes < IPV4_HEADER || total < headerBytes || total > end - at) return 'bad-length'
  if (fold(sumRange(b, at, at + headerBytes, 0)) !== 0xffff) return 'bad-checksum'

  const source = readIpv4(b, at + SOURCE)
  const destination = readIpv4(b, at + DESTINATION)
  const protocol = b[at + PROTOCOL]!
  const details = readDetails(b, at, headerBytes)
  const from = at + headerBytes
  const to = at + total
  return new Ipv4Packet(
    source,
    destination,
    protocol,
    b[at + TTL]!,
    u16(b, at + IDENTIFICATION),
    details,
    details.moreFragments || details.fragmentOffset !== 0
      ? new Opaque(viewOf(b, from, to))
      : readTransport(b, from, to, protocol, source, destination),
  )
}

export function writeIpv4Packet(b: Uint8Array, at: number, packet: Ipv4Packet): void {
  const details = packet.details
  const options = details.options
  const total = packet.size
  assert(options.length <= OPTIONS_MAX && options.length % 4 === 0, 'IPv4 options are whole words')
  assert(total <= TOTAL_LENGTH_MAX, 'an IPv4 packet has at most 65,535 bytes')
  const headerBytes = IPV4_HEADER + options.length
  b[at + VERSION_AND_IHL] = 0x40 | (headerBytes >>> 2)
  b[at + TRAFFIC_CLASS] = details.trafficClass
  putU16(b, at + TOTAL_LENGTH, total)
  putU16(b, at + IDENTIFICATION, packet.identification)
  putU16(b, at + FRAGMENT, fragmentWord(details))
  putI32(b, at + TTL, (packet.ttl << 24) | (packet.protocol << 16))
  putIpv4(b, at + SOURCE, packet.source)
  putIpv4(b, at + DESTINATION, packet.destination)
  putBytes(b, at + IPV4_HEADER, options)
  putU16(b, at + CHECKSUM, checksum(sumRange(b, at, at + headerBytes, 0)))
  writeTransport(b, at + headerBytes, packet.payload, packet.source, packet.destination)
}

function readDetails(b: Bytes, at: number, headerBytes: number): Ipv4Details {
  const trafficClass = b[at + TRAFFIC_CLASS]!
  const fragment = u16(b, at + FRAGMENT) & (DONT_FRAGMENT_BIT | MORE_FRAGMENTS_BIT | OFFSET_BITS)
  if (trafficClass === 0 && headerBytes === IPV4_HEADER) {
    if (fragment === DONT_FRAGMENT_BIT) return DONT_FRAGMENT
    if (fragment === 0) return MAY_FRAGMENT
  }
  return new Ipv4Details(
    trafficClass,
    (fragment & DONT_FRAGMENT_BIT) !== 0,
    (fragment & MORE_FRAGMENTS_BIT) !== 0,
    fragment & OFFSET_BITS,
    headerBytes === IPV4_HEADER ? NO_BYTES : b.subarray(at + IPV4_HEADER, at + headerBytes),
  )
}

const fragmentWord = (details: Ipv4Details): number =>
  (details.dontFragment ? DONT_FRAGMENT_BIT : 0) |
  (details.moreFragments ? MORE_FRAGMENTS_BIT : 0) |
  (details.fragmentOffset & OFFSET_BITS)
