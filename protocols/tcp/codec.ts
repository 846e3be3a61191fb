import { assert } from '../assert.ts'
import { type Bytes, i32, putBytes, putI32, putU16, u16, viewOf } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import { type Malformation, type Parsed, toParsed } from '../parsed.ts'
import { readTcpOptions, writeTcpOptions } from './option-codec.ts'
import { NO_OPTIONS } from './options.ts'
import { TCP_HEADER, TcpSegment } from './segment.ts'

/*
 * RFC 9293 §3.1.
 *
 *   0                               2                               4
 *   +-------------------------------+-------------------------------+
 * 0 | source port                   | destination port              |
 *   +-------------------------------+-------------------------------+
 * 4 | sequence number                                               |
 *   +---------------------------------------------------------------+
 * 8 | acknowledgment number                                         |
 *   +-------+-------+---------------+-------------------------------+
 *12 | offset| rsrvd | control bits  | window                        |
 *   +-------+-------+---------------+-------------------------------+
 *16 | checksum                      | urgent pointer                |
 *   +-------------------------------+-------------------------------+
 *20 | options, up to 40 bytes                                       |
 */
const SOURCE_PORT = 0
const DESTINATION_PORT = 2
const SEQUENCE = 4
const ACKNOWLEDGMENT = 8
const OFFSET_AND_FLAGS = 12
const WINDOW = 14
const CHECKSUM = 16
const URGENT = 18

/** The four reserved bits travel above the eight control bits, so that a router passes them on. */
const FLAG_BITS = 0x0fff
/** The data offset counts 32-bit words in four bits. */
const HEADER_MAX = 60

/** `bytes` is the whole segment; `pseudoSum` is `pseudoHeaderSum(…, bytes.length)`. */
export const parseTcp = (bytes: Bytes, pseudoSum: number): Parsed<TcpSegment> =>
  toParsed(readTcpSegment(bytes, 0, bytes.length, pseudoSum))

/** `pseudoSum` is `pseudoHeaderSum(…, segment.size)`. */
export function emitTcp(segment: TcpSegment, pseudoSum: number): Uint8Array {
  const b = new Uint8Array(segment.size)
  writeTcpSegment(b, 0, segment, pseudoSum)
  return b
}

export function readTcpSegment(
  b: Bytes,
  at: number,
  end: number,
  pseudoSum: number,
): TcpSegment | Malformation {
  const why = malformationOf(b, at, end)
  if (why !== null) return why
  if (fold(sumRange(b, at, end, pseudoSum)) !== 0xffff) return 'bad-checksum'
  return readFields(b, at, end)
}

function malformationOf(b: Bytes, at: number, end: number): Malformation | null {
  if (end - at < TCP_HEADER) return 'truncated'
  const headerBytes = (b[at + OFFSET_AND_FLAGS]! >>> 4) * 4
  return headerBytes < TCP_HEADER || headerBytes > end - at ? 'bad-length' : null
}

function readFields(b: Bytes, at: number, end: number): TcpSegment | Malformation {
  const offsetAndFlags = u16(b, at + OFFSET_AND_FLAGS)
  const headerBytes = (offsetAndFlags >>> 12) * 4
  const options = readTcpOptions(b, at + TCP_HEADER, at + headerBytes)
  if (typeof options === 'string') return options
  return new TcpSegment(
    u16(b, at + SOURCE_PORT),
    u16(b, at + DESTINATION_PORT),
    i32(b, at + SEQUENCE),
    i32(b, at + ACKNOWLEDGMENT),
    offsetAndFlags & FLAG_BITS,
    u16(b, at + WINDOW),
    u16(b, at + URGENT),
    options,
    viewOf(b, at + headerBytes, end),
  )
}

export function writeTcpSegment(
  b: Uint8Array,
  at: number,
  segment: TcpSegment,
  pseudoSum: number,
): void {
  const options = segment.options
  const headerBytes = TCP_HEADER + options.size
  writeTcpHeader(b, at, segment)
  if (options !== NO_OPTIONS) writeTcpOptions(b, at + TCP_HEADER, options)
  putBytes(b, at + headerBytes, segment.payload)
  const end = at + headerBytes + segment.payload.length
  putU16(b, at + CHECKSUM, checksum(sumRange(b, at, end, pseudoSum)))
}

/** The same for segments within datagrams, which answer for them: without a checksum, whatever is there. */
export const parseTcpUnchecked = (bytes: Bytes): Parsed<TcpSegment> =>
  toParsed(malformationOf(bytes, 0, bytes.length) ?? readFields(bytes, 0, bytes.length))

export function emitTcpUnchecked(segment: TcpSegment): Uint8Array {
  const b = emitTcp(segment, 0)
  putU16(b, CHECKSUM, 0)
  return b
}

/** The header without its options; the checksum is left zero. */
export function writeTcpHeader(b: Uint8Array, at: number, segment: TcpSegment): void {
  const headerBytes = TCP_HEADER + segment.options.size
  assert(headerBytes <= HEADER_MAX, 'TCP options take at most 40 bytes')
  putU16(b, at + SOURCE_PORT, segment.sourcePort)
  putU16(b, at + DESTINATION_PORT, segment.destinationPort)
  putI32(b, at + SEQUENCE, segment.seq)
  putI32(b, at + ACKNOWLEDGMENT, segment.ack)
  putU16(b, at + OFFSET_AND_FLAGS, (headerBytes << 10) | (segment.flags & FLAG_BITS))
  putU16(b, at + WINDOW, segment.window)
  putI32(b, at + CHECKSUM, segment.urgent)
}
