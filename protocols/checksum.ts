import { type Bytes, u16 } from './bytes.ts'

/**
 * The Internet checksum, RFC 1071, as a running sum: not folded, so that a pseudo-header, a header
 * and a payload chain without being copied together. Every piece but the last has an even length.
 */
export function sum(b: Bytes, acc = 0): number {
  const even = b.length & ~1
  for (let i = 0; i < even; i += 2) acc += u16(b, i)
  return even < b.length ? acc + (b[even]! << 8) : acc
}

/** Folds a running sum to 16 bits. Over data with a correct checksum field the result is 0xffff. */
export function fold(acc: number): number {
  while (acc > 0xffff) acc = (acc & 0xffff) + Math.floor(acc / 0x10000)
  return acc
}

/** What goes into the checksum field. */
export const checksum = (acc: number): number => ~fold(acc) & 0xffff
