import { type Bytes, i32, putBytes, putI32, putU16, viewOf } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import { type Malformation, type Parsed, toParsed } from '../parsed.ts'
import { ICMP_HEADER, IcmpMessage } from './message.ts'

/*
 * RFC 792. What the second word says depends on the type.
 *
 *   0       1       2               4                               8
 *   +-------+-------+---------------+-------------------------------+-- - -
 *   | type  | code  | checksum      | rest of header                | data
 *   +-------+-------+---------------+-------------------------------+-- - -
 */
const TYPE = 0
const CODE = 1
const CHECKSUM = 2
const REST = 4

/** `bytes` is the whole message: ICMP has no length of its own. */
export const parseIcmp = (bytes: Bytes): Parsed<IcmpMessage> =>
  toParsed(readIcmpMessage(bytes, 0, bytes.length))

export function emitIcmp(message: IcmpMessage): Uint8Array {
  const b = new Uint8Array(message.size)
  writeIcmpMessage(b, 0, message)
  return b
}

export function readIcmpMessage(b: Bytes, at: number, end: number): IcmpMessage | Malformation {
  if (end - at < ICMP_HEADER) return 'truncated'
  if (fold(sumRange(b, at, end, 0)) !== 0xffff) return 'bad-checksum'
  return new IcmpMessage(
    b[at + TYPE]!,
    b[at + CODE]!,
    i32(b, at + REST),
    viewOf(b, at + ICMP_HEADER, end),
  )
}

export function writeIcmpMessage(b: Uint8Array, at: number, message: IcmpMessage): void {
  b[at + TYPE] = message.type
  b[at + CODE] = message.code
  putU16(b, at + CHECKSUM, 0)
  putI32(b, at + REST, message.rest)
  putBytes(b, at + ICMP_HEADER, message.data)
  putU16(b, at + CHECKSUM, checksum(sumRange(b, at, at + message.size, 0)))
}
