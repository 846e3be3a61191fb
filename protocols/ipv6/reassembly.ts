import { concatBytes, viewOf } from '../bytes.ts'
import { addFragment, joined, joinedClass, type PartialDatagram } from '../reassembly.ts'
import type { Reassembly, ReassemblyOut } from '../reassembly.ts'
import { type Nanos, s } from '../time.ts'
import { readIpv6Packet } from './codec.ts'
import { FRAGMENT, FRAGMENT_HEADER, headersOf } from './extensions.ts'
import { ipv6PayloadBytes } from './fragment.ts'
import { emitIpv6 } from './codec.ts'
import { IPV6_HEADER, IPV6_PAYLOAD_MAX, Ipv6Details, Ipv6Packet } from './packet.ts'
import { Opaque } from '../payload.ts'

/** What IPv6 has of its own about fragments: see `../reassembly.ts`. */

/** RFC 8200 §4.5. */
export const IPV6_REASSEMBLY_TIMEOUT: Nanos = s(60)

/** What is wrong with a fragment by itself; `report`: where the error to its sender points. */
export interface FragmentRefusal {
  readonly why: string
  /** The offset of the field at fault; -1: the sender hears nothing. */
  readonly pointer: number
}

const PAYLOAD_LENGTH = 4

/** RFC 8200 §4.5; RFC 7112: all headers are in the first piece. */
export function refuseFragment(packet: Ipv6Packet): FragmentRefusal | null {
  const { details, payload } = packet
  const { fragmentOffset, moreFragments, extensions } = details
  const { size } = payload
  if (moreFragments && size % 8 !== 0) return { why: 'ipv6 odd fragment', pointer: PAYLOAD_LENGTH }
  if (size === 0) return { why: 'ipv6 empty fragment', pointer: -1 }
  const before = extensions.length - FRAGMENT_HEADER
  if (before + fragmentOffset * 8 + size > IPV6_PAYLOAD_MAX) {
    const pointer = IPV6_HEADER + before + 2
    return { why: 'ipv6 fragment too long', pointer }
  }
  return null
}

/** Takes a fragment; gives back the whole packet once this was its last missing piece. */
export function reassembleIpv6(
  state: Reassembly,
  now: Nanos,
  packet: Ipv6Packet,
  out: ReassemblyOut,
): Ipv6Packet | null {
  const { source, destination, details } = packet
  const { fragmentOffset, moreFragments: moreFollow, identification } = details
  // §4.5: the same source, destination and identification.
  const key = `${source} ${destination} ${identification}`
  const bytes = ipv6PayloadBytes(packet)
  const piece = { packet, key, from: fragmentOffset * 8, bytes, moreFollow }
  const datagram = addFragment(state, now, IPV6_REASSEMBLY_TIMEOUT, piece, out)
  return datagram === null ? null : assemble(datagram, out)
}

/** The headers before the fragment header are those of the first piece; the rest is read anew. */
function assemble(datagram: PartialDatagram, out: ReassemblyOut): Ipv6Packet | null {
  const header = datagram.header as Ipv6Packet
  const { source, destination, protocol, hopLimit, details } = header
  const { extensions, firstHeader, flowLabel } = details
  const trafficClass = joinedClass(datagram)
  const before = extensions.length - FRAGMENT_HEADER
  if (trafficClass === null || before + datagram.length > IPV6_PAYLOAD_MAX) {
    const why = trafficClass === null ? 'mixed congestion marks' : 'fragment too long'
    out.dropped(header, `ipv6 ${why}`)
    return null
  }
  const chain = Uint8Array.from(viewOf(extensions, 0, before))
  const next = extensions[before]!
  let first = firstHeader
  if (before === 0) first = next
  else
    for (const { type, namedAt } of headersOf(firstHeader, extensions)) {
      if (type === FRAGMENT) chain[namedAt] = next
    }
  const whole = concatBytes([chain, joined(datagram)])
  const bare = new Ipv6Details(trafficClass, flowLabel)
  const opaque = new Ipv6Packet(source, destination, first, hopLimit, bare, new Opaque(whole))
  const bytes = emitIpv6(opaque)
  const read = readIpv6Packet(bytes, 0, bytes.length)
  return typeof read === 'string'
    ? new Ipv6Packet(source, destination, protocol, hopLimit, bare, new Opaque(whole))
    : read
}
