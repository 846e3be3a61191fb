import { assert } from '../assert.ts'
import { type Bytes, viewOf } from '../bytes.ts'
import { Opaque } from '../payload.ts'
import { writeTransport } from '../transport-codec.ts'
import { copiedOptions, malformedOptionAt } from './options.ts'
import { IPV4_HEADER, Ipv4Details, Ipv4Packet } from './packet.ts'

/** RFC 791 §3.1: what every link carries in one piece. */
export const IPV4_MTU_MIN = 68

export const isFragment = ({ details }: Ipv4Packet): boolean =>
  details.moreFragments || details.fragmentOffset !== 0

/** The bytes behind the header. */
export function payloadBytes(packet: Ipv4Packet): Bytes {
  const { payload } = packet
  if (payload.kind === 'opaque' || payload.kind === 'malformed') return payload.bytes
  const bytes = new Uint8Array(payload.size)
  writeTransport(bytes, 0, payload, packet.source, packet.destination)
  return bytes
}

/**
 * Cuts a packet for a link, RFC 791 §3.2, "An Example Fragmentation Procedure": as many bytes into
 * each piece as fit, the last one takes the rest. A fragment can be cut again.
 *
 * The packet may be fragmented, its options are well-formed, and the `mtu` is at least 68 bytes.
 */
export function fragment(packet: Ipv4Packet, mtu: number): Ipv4Packet[] {
  const { details } = packet
  assert(!details.dontFragment && mtu >= IPV4_MTU_MIN, 'a packet is cut where that is allowed')
  assert(malformedOptionAt(details.options) < 0, 'only well-formed options are copied')
  const bytes = payloadBytes(packet)
  const copied = copiedOptions(details.options)
  const pieces: Ipv4Packet[] = []
  let from = 0
  while (from < bytes.length) {
    const options = from === 0 ? details.options : copied
    const room = mtu - IPV4_HEADER - options.length
    const last = bytes.length - from <= room
    const to = last ? bytes.length : from + (room & ~7)
    pieces.push(piece(packet, options, from, viewOf(bytes, from, to), !last))
    from = to
  }
  return pieces
}

function piece(
  packet: Ipv4Packet,
  options: Bytes,
  from: number,
  bytes: Bytes,
  moreFollow: boolean,
): Ipv4Packet {
  const { details } = packet
  return new Ipv4Packet(
    packet.source,
    packet.destination,
    packet.protocol,
    packet.ttl,
    packet.identification,
    new Ipv4Details(
      details.trafficClass,
      false,
      moreFollow || details.moreFragments,
      details.fragmentOffset + from / 8,
      options,
    ),
    new Opaque(bytes),
  )
}
