import { assert } from '../assert.ts'
import { type Bytes, concatBytes, putBytes, putI32, putU16, viewOf } from '../bytes.ts'
import { Opaque } from '../payload.ts'
import { writeTransport } from '../transport-codec.ts'
import { FRAGMENT, FRAGMENT_HEADER, headersOf, HOP_BY_HOP, ROUTING } from './extensions.ts'
import { IPV6_HEADER, IPV6_MTU_MIN, Ipv6Details, Ipv6Packet } from './packet.ts'

export const isIpv6Fragment = ({ details }: Ipv6Packet): boolean =>
  details.moreFragments || details.fragmentOffset !== 0

/** The bytes behind the extension headers. */
export function ipv6PayloadBytes({ payload, source, destination }: Ipv6Packet): Bytes {
  if (payload.kind === 'opaque' || payload.kind === 'malformed') return payload.bytes
  const bytes = new Uint8Array(payload.size)
  writeTransport(bytes, 0, payload, source, destination)
  return bytes
}

/**
 * Cuts a packet of our own for a path, RFC 8200 §4.5: hop-by-hop options and a routing header stand
 * before every piece, the rest is cut. `identification` is a signed 32-bit integer.
 */
export function fragmentIpv6(
  packet: Ipv6Packet,
  mtu: number,
  identification: number,
): Ipv6Packet[] {
  assert(mtu >= IPV6_MTU_MIN && !isIpv6Fragment(packet), 'a packet is cut once, where that helps')
  const { details, protocol } = packet
  const { extensions, firstHeader } = details
  const first = firstHeader < 0 ? protocol : firstHeader
  const kept = unfragmentable(first, extensions)
  const whole = concatBytes([
    viewOf(extensions, kept.length, extensions.length),
    ipv6PayloadBytes(packet),
  ])
  const room = (mtu - IPV6_HEADER - kept.length - FRAGMENT_HEADER) & ~7
  const pieces: Ipv6Packet[] = []
  for (let from = 0; from < whole.length; from += room) {
    const to = Math.min(from + room, whole.length)
    const place = { from, moreFollow: to < whole.length, identification }
    pieces.push(piece(packet, kept, place, viewOf(whole, from, to)))
  }
  return pieces
}

/** The part of the chain that every router looks at, and what it says comes next. */
function unfragmentable(first: number, chain: Bytes): { length: number; next: number; at: number } {
  let [length, next, at] = [0, first, -1]
  for (const header of headersOf(first, chain)) {
    const isKept = header.type === HOP_BY_HOP || header.type === ROUTING
    if (!isKept) break
    length = header.at + header.length
    next = chain[header.at]!
    at = header.at
  }
  return { length, next, at }
}

function piece(
  packet: Ipv6Packet,
  kept: { readonly length: number; readonly next: number; readonly at: number },
  place: { readonly from: number; readonly moreFollow: boolean; readonly identification: number },
  bytes: Bytes,
): Ipv6Packet {
  const { source, destination, hopLimit, details } = packet
  const { from, moreFollow, identification } = place
  const chain = new Uint8Array(kept.length + FRAGMENT_HEADER)
  putBytes(chain, 0, viewOf(details.extensions, 0, kept.length))
  // The last header before names the fragment header, which names what was there.
  if (kept.at >= 0) chain[kept.at] = FRAGMENT
  chain[kept.length] = kept.next
  putU16(chain, kept.length + 2, from | (moreFollow ? 1 : 0))
  putI32(chain, kept.length + 4, identification)
  const cut = new Ipv6Details(
    details.trafficClass,
    details.flowLabel,
    kept.at < 0 ? FRAGMENT : details.firstHeader,
    chain,
    from / 8,
    moreFollow,
    identification,
  )
  return new Ipv6Packet(source, destination, kept.next, hopLimit, cut, new Opaque(bytes))
}
