import { type Bytes, NO_BYTES, putBytes, putI32, putU16, u16 } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'

/*
 * The packets of the course projects P2MP-FTP and Simple-FTP: a data packet is a sequence number,
 * a checksum, a type and a payload; an acknowledgement the same without payload. A dialect says
 * where one implementation differs from the assignment.
 *
 *   0               4       6       8
 *   | sequence      | check | type  | data …
 */

export type Encoding =
  /** As drawn. */
  | 'binary'
  /** Every bit of that as the character 0 or 1. */
  | 'ascii-bits'
  /** Header fields as characters 0 and 1, the data behind them as it is. */
  | 'ascii-header'

/** How the receiver learns that there is no more. */
export type EndMarker =
  /** It does not: it waits until nothing has come for a while. */
  | { readonly kind: 'none' }
  /** A packet of its own, without data, that is acknowledged like the others. */
  | { readonly kind: 'type'; readonly type: number }
  /** The first packet with less data than the first one had; an empty one where all are full. */
  | { readonly kind: 'short' }

export interface Dialect {
  readonly encoding: Encoding
  /** The first sequence number. */
  readonly first: number
  /** Sequence numbers count packets, or bytes of the file. */
  readonly counts: 'packets' | 'bytes'
  /** The checksum is over the data, or over sequence number, type and data. */
  readonly checksum: 'data' | 'all'
  readonly end: EndMarker
}

/** The assignment as it stands. */
export const CANONICAL: Dialect = {
  encoding: 'binary',
  first: 0,
  counts: 'packets',
  checksum: 'data',
  end: { kind: 'none' },
}

export const TYPE_DATA = 0x5555
export const TYPE_ACK = 0xaaaa

const SEQUENCE = 0
const CHECK = 4
const TYPE = 6
export const HEADER = 8

export interface PlainPacket {
  readonly kind: 'data' | 'end' | 'ack'
  /** As on the wire, unsigned. */
  readonly sequence: number
  readonly data: Bytes
  /** What was sent is what came. */
  readonly intact: boolean
}

/** The sequence number of a unit: it wraps at 2³². */
export const sequenceOf = (dialect: Dialect, unit: number, unitBytes: number): number =>
  (dialect.first + unit * (dialect.counts === 'bytes' ? unitBytes : 1)) % 2 ** 32

/** The number of the packet that ends a file: where numbers count bytes, behind the last of them. */
export const endSequence = (dialect: Dialect, units: number, bytes: number): number =>
  (dialect.first + (dialect.counts === 'bytes' ? bytes : units)) % 2 ** 32

/** The unit that the number of the packet behind the last byte stands for. */
export function endUnitOf(
  dialect: Dialect,
  sequence: number,
  unitBytes: number,
  near: number,
): number {
  const step = dialect.counts === 'bytes' ? unitBytes : 1
  return near + Math.ceil(((sequence - sequenceOf(dialect, near, unitBytes)) | 0) / step)
}

/** The unit that a sequence number means: the one that is nearest to `near`; -1: none. */
export function unitOf(
  dialect: Dialect,
  sequence: number,
  unitBytes: number,
  near: number,
): number {
  const step = dialect.counts === 'bytes' ? unitBytes : 1
  const distance = (sequence - sequenceOf(dialect, near, unitBytes)) | 0
  const units = distance / step
  return Number.isInteger(units) && near + units >= 0 ? near + units : -1
}

export function encodeData(dialect: Dialect, sequence: number, data: Bytes): Bytes {
  return encode(dialect, sequence, TYPE_DATA, data)
}

/** The packet that ends the file, where the dialect has one. */
export function encodeEnd(dialect: Dialect, sequence: number): Bytes {
  const type = dialect.end.kind === 'type' ? dialect.end.type : TYPE_DATA
  return encode(dialect, sequence, type, NO_BYTES)
}

/** The checksum field of an acknowledgement is zero. */
export function encodeAck(dialect: Dialect, sequence: number): Bytes {
  const b = new Uint8Array(HEADER)
  putI32(b, SEQUENCE, sequence)
  putU16(b, TYPE, TYPE_ACK)
  return dialect.encoding === 'binary' ? b : toBits(b, b.length)
}

function encode(dialect: Dialect, sequence: number, type: number, data: Bytes): Bytes {
  const b = new Uint8Array(HEADER + data.length)
  putI32(b, SEQUENCE, sequence)
  putU16(b, TYPE, type)
  putBytes(b, HEADER, data)
  putU16(b, CHECK, checksum(coveredSum(dialect, b)))
  if (dialect.encoding === 'binary') return b
  return toBits(b, dialect.encoding === 'ascii-bits' ? b.length : HEADER)
}

/** RFC 1071 over what the dialect covers; the checksum field itself is taken as zero. */
function coveredSum(dialect: Dialect, b: Bytes): number {
  const data = sumRange(b, HEADER, b.length, 0)
  return dialect.checksum === 'data' ? data : data + sumRange(b, 0, CHECK, 0) + u16(b, TYPE)
}

/** `null`: too short, of an unknown type, or no characters 0 and 1 where these have to be. */
export function decodePlain(dialect: Dialect, datagram: Bytes): PlainPacket | null {
  const b = bytesOf(dialect, datagram)
  if (b === null || b.length < HEADER) return null
  const sequence = u16(b, SEQUENCE) * 0x10000 + u16(b, SEQUENCE + 2)
  const type = u16(b, TYPE)
  if (type === TYPE_ACK) {
    const intact = u16(b, CHECK) === 0 && b.length === HEADER
    return { kind: 'ack', sequence, data: NO_BYTES, intact }
  }
  const isEnd = dialect.end.kind === 'type' && type === dialect.end.type
  if (type !== TYPE_DATA && !isEnd) return null
  const intact = fold(coveredSum(dialect, b) + u16(b, CHECK)) === 0xffff
  return { kind: isEnd ? 'end' : 'data', sequence, data: b.subarray(HEADER), intact }
}

function bytesOf(dialect: Dialect, datagram: Bytes): Bytes | null {
  if (dialect.encoding === 'binary') return datagram
  const bits = dialect.encoding === 'ascii-bits' ? datagram.length : 8 * HEADER
  if (bits % 8 !== 0 || datagram.length < bits) return null
  const b = new Uint8Array(bits / 8 + datagram.length - bits)
  for (let i = 0; i < bits; i++) {
    const bit = datagram[i]! - ZERO
    if (bit !== 0 && bit !== 1) return null
    b[i >> 3]! |= bit << (7 - (i & 7))
  }
  putBytes(b, bits / 8, datagram.subarray(bits))
  return b
}

const ZERO = 0x30

/** The first `count` bytes as characters 0 and 1. */
function toBits(b: Bytes, count: number): Uint8Array {
  const text = new Uint8Array(8 * count + b.length - count)
  for (let i = 0; i < 8 * count; i++) text[i] = ZERO + ((b[i >> 3]! >> (7 - (i & 7))) & 1)
  putBytes(text, 8 * count, b.subarray(count))
  return text
}
