import { fold, sumRange } from '../protocols/checksum.ts'
import { i32, putI32, putU16, u16 } from '../protocols/bytes.ts'
import { ETHERTYPE_IPV4 } from '../protocols/ethernet/frame.ts'
import type { TakeFrame } from './device.ts'

/*
 * What a kernel leaves to the network card: checksums, and cutting a large TCP segment or a row of
 * datagrams into packets. A virtual card gets such frames with this header before them (struct
 * virtio_net_hdr, linux/virtio_net.h), numbers in the machine's order:
 *
 *   0       1       2               4               6               8               10
 *   +-------+-------+---------------+---------------+---------------+---------------+
 *   | flags | kind  | header bytes  | bytes a piece | checksum from | its place     |
 *   +-------+-------+---------------+---------------+---------------+---------------+
 */
export const OFFLOAD_HEADER = 10
const [FLAGS, KIND, PIECE, CHECKSUM_START, CHECKSUM_PLACE] = [0, 1, 4, 6, 8]
const NEEDS_CHECKSUM = 1
const [NONE, TCP_IPV4, UDP_FRAGMENTS, TCP_IPV6, UDP_ROW] = [0, 1, 3, 4, 5]
const KIND_BITS = 0x7f
const ETHERNET = 14
const LONGEST = 65_600

/** IPv4 without options in front of TCP. */
const TCP_AT = ETHERNET + 20
const TCP_CHECKSUM = 16

/**
 * Makes one large TCP segment over IPv4 without options of what stands behind the offload header:
 * its lengths, its header's checksum, and the order to cut it into pieces of `piece` bytes.
 *
 * @param length of all, offload header included.
 */
export function orderCutting(b: Uint8Array, length: number, piece: number): void {
  const at = OFFLOAD_HEADER
  const tcp = at + TCP_AT
  const header = TCP_AT + (b[tcp + 12]! >>> 4) * 4
  const segment = length - tcp
  b.set([NEEDS_CHECKSUM, TCP_IPV4], 0)
  putLe(b, 2, header)
  putLe(b, PIECE, piece)
  putLe(b, CHECKSUM_START, TCP_AT)
  putLe(b, CHECKSUM_PLACE, TCP_CHECKSUM)
  putU16(b, at + ETHERNET + 2, length - at - ETHERNET)
  putU16(b, at + ETHERNET + 10, 0)
  putU16(b, at + ETHERNET + 10, ~fold(sumRange(b, at + ETHERNET, tcp, 0)) & 0xffff)
  // The card adds the rest to the sum over the pseudo-header.
  putU16(b, tcp + TCP_CHECKSUM, fold(sumRange(b, at + ETHERNET + 12, tcp, 6 + segment)))
}

function putLe(b: Uint8Array, at: number, value: number): void {
  b[at] = value
  b[at + 1] = value >>> 8
}

/** A header for a frame that is complete. */
export const COMPLETE = new Uint8Array(OFFLOAD_HEADER)

const scratch = new Uint8Array(LONGEST)

const u16le = (b: Uint8Array, at: number): number => b[at]! | (b[at + 1]! << 8)

/**
 * Hands over the frames that a card would put on the wire; TCP segments of up to `largest` bytes
 * whole. Writes into the slab.
 *
 * @param offset of the offload header; the Ethernet frame follows it.
 */
export function eachFrame(
  slab: Uint8Array,
  offset: number,
  length: number,
  take: TakeFrame,
  largest = 0,
): void {
  const at = offset + OFFLOAD_HEADER
  const end = offset + length
  const kind = slab[offset + KIND]! & KIND_BITS
  const start = at + u16le(slab, offset + CHECKSUM_START)
  const piece = u16le(slab, offset + PIECE)
  const whole = end - at <= largest
  if ((kind === TCP_IPV4 || kind === TCP_IPV6) && !whole) {
    if (start > at && start + 20 <= end && piece > 0)
      return cutTcp(slab, at, end, start, piece, take)
  } else if (kind === UDP_ROW || kind === UDP_FRAGMENTS) {
    if (start > at && start + 8 <= end && piece > 0)
      return cutUdp(slab, at, end, start, piece, take)
  }
  if ((kind === NONE || whole) && (slab[offset + FLAGS]! & NEEDS_CHECKSUM) !== 0) {
    const place = start + u16le(slab, offset + CHECKSUM_PLACE)
    // The field holds the sum over the pseudo-header.
    if (place + 2 <= end) putU16(slab, place, ~fold(sumRange(slab, start, end, 0)) & 0xffff)
  }
  take(slab, at, end - at)
}

const [FIN_PSH, CWR] = [0x09, 0x80]

/** RFC 9293: the same header for each piece, with its sequence number. */
function cutTcp(
  b: Uint8Array,
  at: number,
  end: number,
  tcp: number,
  piece: number,
  take: TakeFrame,
): void {
  const header = tcp - at + (b[tcp + 12]! >>> 4) * 4
  const seq = i32(b, tcp + 4)
  const flags = b[tcp + 13]!
  const inScratch = tcp - at
  let number = 0
  for (let from = at + header; from < end; from += piece) {
    const to = Math.min(from + piece, end)
    const length = copyPiece(b, at, header, from, to)
    putI32(scratch, inScratch + 4, seq + (from - at - header))
    let own = flags
    if (to < end) own &= ~FIN_PSH
    if (number > 0) own &= ~CWR
    scratch[inScratch + 13] = own
    finishPiece(length, inScratch, inScratch + 16, 6, number++)
    take(scratch, 0, length)
  }
}

/** Datagrams with one header, of which only the last may be shorter. */
function cutUdp(
  b: Uint8Array,
  at: number,
  end: number,
  udp: number,
  piece: number,
  take: TakeFrame,
): void {
  const header = udp - at + 8
  let number = 0
  for (let from = at + header; from < end; from += piece) {
    const length = copyPiece(b, at, header, from, Math.min(from + piece, end))
    putU16(scratch, udp - at + 4, length - (udp - at))
    finishPiece(length, udp - at, udp - at + 6, 17, number++)
    take(scratch, 0, length)
  }
}

function copyPiece(b: Uint8Array, at: number, header: number, from: number, to: number): number {
  scratch.set(b.subarray(at, at + header))
  scratch.set(b.subarray(from, to), header)
  return header + to - from
}

/** Lengths and checksums of IP and of what it carries. */
function finishPiece(
  length: number,
  transport: number,
  place: number,
  protocol: number,
  number: number,
): void {
  const b = scratch
  let pseudo = protocol + length - transport
  if (u16(b, ETHERNET - 2) === ETHERTYPE_IPV4) {
    putU16(b, ETHERNET + 2, length - ETHERNET)
    putU16(b, ETHERNET + 4, u16(b, ETHERNET + 4) + number)
    putU16(b, ETHERNET + 10, 0)
    putU16(b, ETHERNET + 10, ~fold(sumRange(b, ETHERNET, transport, 0)) & 0xffff)
    pseudo = sumRange(b, ETHERNET + 12, ETHERNET + 20, pseudo)
  } else {
    putU16(b, ETHERNET + 4, length - ETHERNET - 40)
    pseudo = sumRange(b, ETHERNET + 8, ETHERNET + 40, pseudo)
  }
  putU16(b, place, 0)
  const sum = ~fold(sumRange(b, transport, length, pseudo)) & 0xffff
  // RFC 768: 0 would say that there is none.
  putU16(b, place, sum === 0 && protocol === 17 ? 0xffff : sum)
}
