import { type Bytes, equalBytes, putBytes } from '../bytes.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { readTransport } from '../transport-codec.ts'
import { payloadBytes } from './fragment.ts'
import {
  IPV4_HEADER,
  IPV4_PACKET_MAX,
  Ipv4Details,
  Ipv4Packet,
  MAY_FRAGMENT,
  PROTOCOL_TCP,
} from './packet.ts'

/**
 * Putting fragments together, RFC 791 §3.2 and RFC 815. Pieces may come in any order and more than
 * once, but no two may differ about a byte: overlapping pieces condemn the datagram, as RFC 5722
 * §4 rules for IPv6, and every piece of it that still comes is refused until its time is over.
 */

/** From the first piece to come; then the datagram is given up (Linux's value). */
export const REASSEMBLY_TIMEOUT: Nanos = s(30)
/** What the pieces of one host may take, bytes. Beyond that the oldest datagram goes. */
export const REASSEMBLY_MEMORY = 4 << 20
/** What a datagram and a piece count for beside their bytes, so that empty ones have a price. */
const DATAGRAM_COST = 256
const PIECE_COST = 64

/** RFC 1858 §3.2.1: the octets of a TCP header up to its flags. */
const TCP_START_MIN = 16

export interface Reassembly {
  readonly limit: number
  /** Never beyond `limit` between steps. */
  bytes: number
  /** Oldest first, and so the one that expires first. */
  datagrams: Map<string, PartialDatagram>
}

export interface PartialDatagram {
  readonly expiresAt: Nanos
  /** Ascending and apart. */
  pieces: Piece[]
  /** Bytes of payload in `pieces`, and in the whole; -1 until the last piece has come. */
  received: number
  length: number
  /** What `pieces` and the datagram itself count for. */
  cost: number
  /** The piece with the header's fields: the one at offset 0, before it came the first to come. */
  header: Ipv4Packet
  /** One bit for each ECN codepoint among the pieces. */
  codepoints: number
  /** Pieces overlapped: the datagram is only kept to refuse the others. */
  refused: boolean
}

interface Piece {
  readonly from: number
  readonly bytes: Bytes
}

export interface ReassemblyOut {
  /** A fragment, or the header of a datagram that never became whole, is let go. */
  dropped(packet: Ipv4Packet, why: string): void
}

export const createReassembly = (limit = REASSEMBLY_MEMORY): Reassembly => ({
  limit,
  bytes: 0,
  datagrams: new Map(),
})

/** The earliest deadline. */
export function reassemblyNextDue(state: Reassembly): Nanos {
  for (const datagram of state.datagrams.values()) return datagram.expiresAt
  return NEVER
}

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
  const key = keyOf(packet)
  const datagram = state.datagrams.get(key) ?? begin(state, now, key, packet)
  if (datagram.refused) return drop(packet, 'ipv4 overlapping fragment', out)
  const from = packet.details.fragmentOffset * 8
  const index = placeOf(datagram.pieces, from)
  if (isDuplicate(datagram, index, packet, bytes)) {
    return drop(packet, 'ipv4 duplicate fragment', out)
  }
  if (contradicts(datagram, index, from, bytes.length, packet.details.moreFragments)) {
    condemn(state, datagram)
    return drop(packet, 'ipv4 overlapping fragment', out)
  }
  insert(state, datagram, index, packet, from, bytes)
  if (datagram.received !== datagram.length) {
    evict(state, out)
    return null
  }
  remove(state, key, datagram)
  return assemble(datagram, out)
}

/** Gives up what is due. Early calls do nothing. Returns the headers that came with offset 0. */
export function expireFragments(
  state: Reassembly,
  now: Nanos,
  out: ReassemblyOut,
): readonly Ipv4Packet[] {
  const started: Ipv4Packet[] = []
  for (const [key, datagram] of state.datagrams) {
    if (datagram.expiresAt > now) break
    remove(state, key, datagram)
    if (datagram.refused) continue
    out.dropped(datagram.header, 'ipv4 fragments incomplete')
    if (datagram.header.details.fragmentOffset === 0) started.push(datagram.header)
  }
  return started
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

function begin(state: Reassembly, now: Nanos, key: string, packet: Ipv4Packet): PartialDatagram {
  state.bytes += DATAGRAM_COST
  state.datagrams.set(key, {
    expiresAt: now + REASSEMBLY_TIMEOUT,
    pieces: [],
    received: 0,
    length: -1,
    cost: DATAGRAM_COST,
    header: packet,
    codepoints: 0,
    refused: false,
  })
  return state.datagrams.get(key)!
}

/** The index of the first piece that does not begin before `from`. */
function placeOf(pieces: readonly Piece[], from: number): number {
  let low = 0
  let high = pieces.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (pieces[middle]!.from < from) low = middle + 1
    else high = middle
  }
  return low
}

function isDuplicate(
  datagram: PartialDatagram,
  index: number,
  { details }: Ipv4Packet,
  bytes: Bytes,
): boolean {
  const there = datagram.pieces[index]
  if (there === undefined || there.from !== details.fragmentOffset * 8) return false
  const wasLast = there.from + there.bytes.length === datagram.length
  return wasLast !== details.moreFragments && equalBytes(there.bytes, bytes)
}

/** Whether the piece overlaps another, or two pieces differ about where the datagram ends. */
function contradicts(
  { pieces, length }: PartialDatagram,
  index: number,
  from: number,
  size: number,
  moreFollow: boolean,
): boolean {
  const end = from + size
  const before = pieces[index - 1]
  const after = pieces[index]
  if (before !== undefined && before.from + before.bytes.length > from) return true
  if (after !== undefined && (after.from < end || !moreFollow)) return true
  return length >= 0 && (end > length || !moreFollow)
}

function condemn(state: Reassembly, datagram: PartialDatagram): void {
  state.bytes -= datagram.cost - DATAGRAM_COST
  datagram.cost = DATAGRAM_COST
  datagram.pieces = []
  datagram.refused = true
}

function insert(
  state: Reassembly,
  datagram: PartialDatagram,
  index: number,
  packet: Ipv4Packet,
  from: number,
  bytes: Bytes,
): void {
  const { details } = packet
  datagram.pieces.splice(index, 0, { from, bytes })
  datagram.received += bytes.length
  datagram.cost += PIECE_COST + bytes.length
  state.bytes += PIECE_COST + bytes.length
  datagram.codepoints |= 1 << (details.trafficClass & 3)
  if (from === 0) datagram.header = packet
  if (!details.moreFragments) datagram.length = from + bytes.length
}

function evict(state: Reassembly, out: ReassemblyOut): void {
  for (const [key, datagram] of state.datagrams) {
    if (state.bytes <= state.limit) return
    remove(state, key, datagram)
    if (!datagram.refused) out.dropped(datagram.header, 'ipv4 fragment memory full')
  }
}

function remove(state: Reassembly, key: string, datagram: PartialDatagram): void {
  state.datagrams.delete(key)
  state.bytes -= datagram.cost
}

/** The header is that of the first fragment; what it carries is read like any other payload. */
function assemble(datagram: PartialDatagram, out: ReassemblyOut): Ipv4Packet | null {
  const { header, length, pieces } = datagram
  const { source, destination, protocol, ttl, identification, details } = header
  if (length > IPV4_PACKET_MAX - IPV4_HEADER - details.options.length) {
    return drop(header, 'ipv4 fragment too long', out)
  }
  const trafficClass = joinedClass(details.trafficClass, datagram.codepoints)
  if (trafficClass === null) return drop(header, 'ipv4 mixed congestion marks', out)
  const whole = new Uint8Array(length)
  for (const { from, bytes } of pieces) putBytes(whole, from, bytes)
  const plain = trafficClass === 0 && details.options.length === 0
  return new Ipv4Packet(
    source,
    destination,
    protocol,
    ttl,
    identification,
    plain ? MAY_FRAGMENT : new Ipv4Details(trafficClass, false, false, 0, details.options),
    readTransport(whole, 0, length, protocol, source, destination),
  )
}

const NOT_ECT = 0
const CE = 3

/** RFC 3168 §5.3: a mark on one piece marks the whole; `null` where it could not have been set. */
function joinedClass(first: number, codepoints: number): number | null {
  if ((codepoints & (1 << CE)) === 0) return first
  return (codepoints & (1 << NOT_ECT)) === 0 ? first | CE : null
}
