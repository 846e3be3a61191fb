import { type Bytes, putBytes, putU16, u16, viewOf } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import { type Malformation, type Parsed, toParsed } from '../parsed.ts'
import { UDP_HEADER, UdpDatagram } from './datagram.ts'

/*
 * RFC 768.
 *
 *   0               2               4               6               8
 *   +---------------+---------------+---------------+---------------+-- - -
 *   | source port   | dest. port    | length        | checksum      | payload
 *   +---------------+---------------+---------------+---------------+-- - -
 */
const SOURCE_PORT = 0
const DESTINATION_PORT = 2
const LENGTH = 4
const CHECKSUM = 6

/**
 * `pseudoSum` is `pseudoHeaderSum(…, bytes.length)`. Where the datagram's own length is smaller,
 * the bytes behind it are ignored. `optional`: the sender may have left the checksum out, which only
 * IPv4 allows.
 */
export const parseUdp = (bytes: Bytes, pseudoSum: number, optional = true): Parsed<UdpDatagram> =>
  toParsed(readUdpDatagram(bytes, 0, bytes.length, pseudoSum, optional))

/** `pseudoSum` is `pseudoHeaderSum(…, datagram.size)`. */
export function emitUdp(datagram: UdpDatagram, pseudoSum: number): Uint8Array {
  const b = new Uint8Array(datagram.size)
  writeUdpDatagram(b, 0, datagram, pseudoSum)
  return b
}

export function readUdpDatagram(
  b: Bytes,
  at: number,
  end: number,
  pseudoSum: number,
  optional: boolean,
): UdpDatagram | Malformation {
  const room = end - at
  if (room < UDP_HEADER) return 'truncated'
  const length = u16(b, at + LENGTH)
  if (length < UDP_HEADER || length > room) return 'bad-length'
  // RFC 768: an all-zero checksum says that the sender made none. RFC 8200 §8.1: it has to.
  if (u16(b, at + CHECKSUM) === 0) {
    if (!optional) return 'bad-checksum'
  } else {
    // The pseudo-header counts the datagram's own length, not the room it was given.
    const acc = pseudoSum - room + length
    if (fold(sumRange(b, at, at + length, acc)) !== 0xffff) return 'bad-checksum'
  }
  return new UdpDatagram(
    u16(b, at + SOURCE_PORT),
    u16(b, at + DESTINATION_PORT),
    viewOf(b, at + UDP_HEADER, at + length),
  )
}

export function writeUdpDatagram(
  b: Uint8Array,
  at: number,
  datagram: UdpDatagram,
  pseudoSum: number,
): void {
  const length = datagram.size
  putU16(b, at + SOURCE_PORT, datagram.sourcePort)
  putU16(b, at + DESTINATION_PORT, datagram.destinationPort)
  putU16(b, at + LENGTH, length)
  putU16(b, at + CHECKSUM, 0)
  putBytes(b, at + UDP_HEADER, datagram.payload)
  // RFC 768: a checksum that comes out as zero is sent as all ones.
  putU16(b, at + CHECKSUM, checksum(sumRange(b, at, at + length, pseudoSum)) || 0xffff)
}
