import { type Bytes, i32, putBytes, putI32, putU16, viewOf } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import { type Malformation, type Parsed, toParsed } from '../parsed.ts'
import { ICMPV6_HEADER, Icmpv6Message } from './message.ts'

/*
 * RFC 4443 §2.1. What the second word says depends on the type.
 *
 *   0       1       2               4                               8
 *   +-------+-------+---------------+-------------------------------+-- - -
 *   | type  | code  | checksum      | rest of header                | data
 *   +-------+-------+---------------+-------------------------------+-- - -
 *
 * The RFC fixes four bytes; every type that exists has eight.
 */
const TYPE = 0
const CODE = 1
const CHECKSUM = 2
const REST = 4

/** `bytes` is the whole message; `pseudoSum` is `pseudoHeaderSum(…, bytes.length)`. */
export const parseIcmpv6 = (bytes: Bytes, pseudoSum: number): Parsed<Icmpv6Message> =>
  toParsed(readIcmpv6Message(bytes, 0, bytes.length, pseudoSum))

export function emitIcmpv6(message: Icmpv6Message, pseudoSum: number): Uint8Array {
  const b = new Uint8Array(message.size)
  writeIcmpv6Message(b, 0, message, pseudoSum)
  return b
}

export function readIcmpv6Message(
  b: Bytes,
  at: number,
  end: number,
  pseudoSum: number,
): Icmpv6Message | Malformation {
  if (end - at < ICMPV6_HEADER) return 'truncated'
  if (fold(sumRange(b, at, end, pseudoSum)) !== 0xffff) return 'bad-checksum'
  return new Icmpv6Message(
    b[at + TYPE]!,
    b[at + CODE]!,
    i32(b, at + REST),
    viewOf(b, at + ICMPV6_HEADER, end),
  )
}

export function writeIcmpv6Message(
  b: Uint8Array,
  at: number,
  message: Icmpv6Message,
  pseudoSum: number,
): void {
  b[at + TYPE] = message.type
  b[at + CODE] = message.code
  putU16(b, at + CHECKSUM, 0)
  putI32(b, at + REST, message.rest)
  putBytes(b, at + ICMPV6_HEADER, message.data)
  putU16(b, at + CHECKSUM, checksum(sumRange(b, at, at + message.size, pseudoSum)))
}
