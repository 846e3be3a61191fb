import { readTransport } from '../transport-codec.ts'
import { addFragment, joined, joinedClass, type PartialDatagram } from '../reassembly.ts'
import type { Reassembly, ReassemblyOut } from '../reassembly.ts'
import { type Nanos, s } from '../time.ts'
import { payloadBytes } from './fragment.ts'
import {
  IPV4_HEADER,
  IPV4_PACKET_MAX,
  Ipv4Details,
  Ipv4Packet,
  MAY_FRAGMENT,
  PROTOCOL_TCP,
} from './packet.ts'

/** What IPv4 has of its own about fragments: see `../reassembly.ts`. */

/** From the first piece to come; then the datagram is given up (Linux's value). */
export const REASSEMBLY_TIMEOUT: Nanos = s(30)

/** RFC 1858 §3.2.1: the octets of a TCP header up to its flags. */
const TCP_START_MIN = 16

/** Takes a fragment; gives back the whole datagram once this was its last missing piece. */
export function reassemble(
  state: Reassembly,
  now: Nanos,
  packet: Ipv4Packet,
  out: ReassemblyOut,
): Ipv4Packet | null {
  const bytes = payloadBytes(packet)
  const refusal = refuse(packet, bytes.length)
  if (refusal !== null) return drop(packet, refusal, out)
  const { fragmentOffset, moreFragments: moreFollow } = packet.details
  const piece = { packet, key: keyOf(packet), from: fragmentOffset * 8, bytes, moreFollow }
  const datagram = addFragment(state, now, REASSEMBLY_TIMEOUT, piece, out)
  return datagram === null ? null : assemble(datagram, out)
}

function drop(packet: Ipv4Packet, why: string, out: ReassemblyOut): null {
  out.dropped(packet, why)
  return null
}

/** What no sender makes, and what attacks are made of. */
function refuse({ details, protocol }: Ipv4Packet, length: number): string | null {
  const { fragmentOffset, moreFragments, options } = details
  if (length === 0) return 'ipv4 empty fragment'
  if (moreFragments && length % 8 !== 0) return 'ipv4 odd fragment' // RFC 791 §3.2
  const end = fragmentOffset * 8 + length
  if (end > IPV4_PACKET_MAX - IPV4_HEADER - options.length) return 'ipv4 fragment too long'
  // RFC 1858 §3.2: a TCP header lies in the first fragment, flags and all.
  const split = fragmentOffset === 1 || (fragmentOffset === 0 && length < TCP_START_MIN)
  return protocol === PROTOCOL_TCP && split ? 'ipv4 tiny fragment' : null
}

/** RFC 791 §3.2: what identifies the datagram that a fragment belongs to. */
const keyOf = ({ source, destination, protocol, identification }: Ipv4Packet): string =>
  `${source} ${destination} ${protocol} ${identification}`

/** The header is that of the first fragment; what it carries is read like any other payload. */
function assemble(datagram: PartialDatagram, out: ReassemblyOut): Ipv4Packet | null {
  const header = datagram.header as Ipv4Packet
  const { source, destination, protocol, ttl, identification, details } = header
  const { length } = datagram
  if (length > IPV4_PACKET_MAX - IPV4_HEADER - details.options.length) {
    return drop(header, 'ipv4 fragment too long', out)
  }
  const trafficClass = joinedClass(datagram)
  if (trafficClass === null) return drop(header, 'ipv4 mixed congestion marks', out)
  const plain = trafficClass === 0 && details.options.length === 0
  return new Ipv4Packet(
    source,
    destination,
    protocol,
    ttl,
    identification,
    plain ? MAY_FRAGMENT : new Ipv4Details(trafficClass, false, false, 0, details.options),
    readTransport(joined(datagram), 0, length, protocol, source, destination),
  )
}
