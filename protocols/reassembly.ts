import { type Bytes, equalBytes, putBytes } from './bytes.ts'
import type { IpPacket } from './ipv6/packet.ts'
import { NEVER, type Nanos } from './time.ts'

/**
 * Putting fragments together, RFC 791 §3.2, RFC 815 and RFC 8200 §4.5, as far as both families do the
 * same. Pieces may come in any order and more than once, but no two may differ about a byte:
 * overlapping pieces condemn the datagram (RFC 5722 §4), and every piece of it that still comes is
 * refused until its time is over.
 */

/** What the pieces of one host may take, bytes. Beyond that the oldest datagram goes. */
export const REASSEMBLY_MEMORY = 4 << 20
/** What a datagram and a piece count for beside their bytes, so that empty ones have a price. */
const DATAGRAM_COST = 256
const PIECE_COST = 64

export interface Reassembly {
  readonly limit: number
  /** Of both families. Never beyond `limit` between steps. */
  bytes: number
  /** Oldest first, and so the one that expires first. */
  ipv4: Map<string, PartialDatagram>
  ipv6: Map<string, PartialDatagram>
}

export interface PartialDatagram {
  readonly startedAt: Nanos
  readonly expiresAt: Nanos
  /** Ascending and apart. */
  pieces: Piece[]
  /** Bytes of payload in `pieces`, and in the whole; -1 until the last piece has come. */
  received: number
  length: number
  /** What `pieces` and the datagram itself count for. */
  cost: number
  /** The piece with the header's fields: the one at offset 0, before it came the first to come. */
  header: IpPacket
  /** One bit for each ECN codepoint among the pieces. */
  codepoints: number
  /** Pieces overlapped: the datagram is only kept to refuse the others. */
  refused: boolean
}

interface Piece {
  readonly from: number
  readonly bytes: Bytes
}

/** A fragment: where its bytes belong in the datagram with this key, and whether more follow. */
export interface Fragment {
  readonly packet: IpPacket
  readonly key: string
  readonly from: number
  readonly bytes: Bytes
  readonly moreFollow: boolean
}

export interface ReassemblyOut {
  /** A fragment, or the header of a datagram that never became whole, is let go. */
  dropped(packet: IpPacket, why: string): void
}

export const createReassembly = (limit = REASSEMBLY_MEMORY): Reassembly => ({
  limit,
  bytes: 0,
  ipv4: new Map(),
  ipv6: new Map(),
})

/** The earliest deadline. */
export function reassemblyNextDue({ ipv4, ipv6 }: Reassembly): Nanos {
  let earliest = NEVER
  for (const datagrams of [ipv4, ipv6]) {
    for (const { expiresAt } of datagrams.values()) {
      earliest = Math.min(earliest, expiresAt)
      break
    }
  }
  return earliest
}

/** Takes a fragment; gives back the datagram once this was its last missing piece. */
export function addFragment(
  state: Reassembly,
  now: Nanos,
  timeout: Nanos,
  fragment: Fragment,
  out: ReassemblyOut,
): PartialDatagram | null {
  const { packet, key, from, bytes, moreFollow } = fragment
  const { kind } = packet
  const datagram = state[kind].get(key) ?? begin(state, now, timeout, key, packet)
  if (datagram.refused) return drop(packet, 'overlapping fragment', out)
  const index = placeOf(datagram.pieces, from)
  if (isDuplicate(datagram, index, fragment)) return drop(packet, 'duplicate fragment', out)
  if (contradicts(datagram, index, from, bytes.length, moreFollow)) {
    condemn(state, datagram)
    return drop(packet, 'overlapping fragment', out)
  }
  insert(state, datagram, index, fragment)
  if (datagram.received !== datagram.length) {
    evict(state, out)
    return null
  }
  remove(state, kind, key, datagram)
  return datagram
}

/** Gives up what is due. Early calls do nothing. Returns the headers that came with offset 0. */
export function expireFragments(
  state: Reassembly,
  now: Nanos,
  out: ReassemblyOut,
): readonly IpPacket[] {
  const started: IpPacket[] = []
  for (const kind of ['ipv4', 'ipv6'] as const) {
    for (const [key, datagram] of state[kind]) {
      if (datagram.expiresAt > now) break
      remove(state, kind, key, datagram)
      if (datagram.refused) continue
      const { header } = datagram
      drop(header, 'fragments incomplete', out)
      if (header.details.fragmentOffset === 0) started.push(header)
    }
  }
  return started
}

/** The bytes of a datagram that is whole. */
export function joined({ length, pieces }: PartialDatagram): Uint8Array {
  const whole = new Uint8Array(length)
  for (const { from, bytes } of pieces) putBytes(whole, from, bytes)
  return whole
}

const NOT_ECT = 0
const CE = 3

/** RFC 3168 §5.3: a mark on one piece marks the whole; `null` where it could not have been set. */
export function joinedClass({ header, codepoints }: PartialDatagram): number | null {
  const first = header.details.trafficClass
  if ((codepoints & (1 << CE)) === 0) return first
  return (codepoints & (1 << NOT_ECT)) === 0 ? first | CE : null
}

function drop(packet: IpPacket, why: string, out: ReassemblyOut): null {
  out.dropped(packet, `${packet.kind} ${why}`)
  return null
}

function begin(
  state: Reassembly,
  now: Nanos,
  timeout: Nanos,
  key: string,
  packet: IpPacket,
): PartialDatagram {
  state.bytes += DATAGRAM_COST
  const datagrams = state[packet.kind]
  datagrams.set(key, {
    startedAt: now,
    expiresAt: now + timeout,
    pieces: [],
    received: 0,
    length: -1,
    cost: DATAGRAM_COST,
    header: packet,
    codepoints: 0,
    refused: false,
  })
  return datagrams.get(key)!
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
  { from, bytes, moreFollow }: Fragment,
): boolean {
  const there = datagram.pieces[index]
  if (there === undefined || there.from !== from) return false
  const wasLast = there.from + there.bytes.length === datagram.length
  return wasLast !== moreFollow && equalBytes(there.bytes, bytes)
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
  { packet, from, bytes, moreFollow }: Fragment,
): void {
  datagram.pieces.splice(index, 0, { from, bytes })
  datagram.received += bytes.length
  datagram.cost += PIECE_COST + bytes.length
  state.bytes += PIECE_COST + bytes.length
  datagram.codepoints |= 1 << (packet.details.trafficClass & 3)
  if (from === 0) datagram.header = packet
  if (!moreFollow) datagram.length = from + bytes.length
}

/** The oldest datagram goes, of whichever family. */
function evict(state: Reassembly, out: ReassemblyOut): void {
  while (state.bytes > state.limit) {
    let oldest: readonly ['ipv4' | 'ipv6', string, PartialDatagram] | null = null
    for (const kind of ['ipv4', 'ipv6'] as const) {
      for (const [key, datagram] of state[kind]) {
        if (oldest === null || datagram.startedAt < oldest[2].startedAt) {
          oldest = [kind, key, datagram]
        }
        break
      }
    }
    if (oldest === null) return
    remove(state, ...oldest)
    if (!oldest[2].refused) drop(oldest[2].header, 'fragment memory full', out)
  }
}

function remove(
  state: Reassembly,
  kind: 'ipv4' | 'ipv6',
  key: string,
  datagram: PartialDatagram,
): void {
  state[kind].delete(key)
  state.bytes -= datagram.cost
}
