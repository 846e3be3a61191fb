import { type Bytes, u16 } from './bytes.ts'

/**
 * The Internet checksum, RFC 1071, as a running sum: not folded, so that a pseudo-header, a header
 * and a payload chain without being copied together. Every piece but the last has an even length.
 */
export const sum = (b: Bytes, acc = 0): number => sumRange(b, 0, b.length, acc)

/** The running sum over the bytes `from` ≤ i < `to`, which are at most 256 KiB. */
export function sumRange(b: Bytes, from: number, to: number, acc: number): number {
  const start = b.byteOffset + from
  return to - from < WORTH_A_VIEW || (start & 1) === 1
    ? sumPairs(b, from, to, acc)
    : sumWords(b, from, to, acc)
}

/** Folds a running sum to 16 bits. Over data with a correct checksum field the result is 0xffff. */
export function fold(acc: number): number {
  while (acc > 0xffff) acc = (acc & 0xffff) + Math.floor(acc / 0x10000)
  return acc
}

/** What goes into the checksum field. */
export const checksum = (acc: number): number => ~fold(acc) & 0xffff

/** Making a view costs as much as adding this many bytes in pairs (measured). */
const WORTH_A_VIEW = 64

/** Whether the machine's own byte order is not the network's. */
const SWAPPED = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function sumPairs(b: Bytes, from: number, to: number, acc: number): number {
  const even = to - ((to - from) & 1)
  for (let i = from; i < even; i += 2) acc += u16(b, i)
  return even < to ? acc + (b[even]! << 8) : acc
}

/**
 * Adds 32 bits at a time in the machine's byte order and swaps the two bytes of the result:
 * RFC 1071 §2 (B) and (C). Both halves of every word are added on their own, so that no carry is
 * lost and everything stays a small integer; the two pairs of sums keep the adders busy.
 */
function sumWords(b: Bytes, from: number, to: number, acc: number): number {
  const start = b.byteOffset + from
  const lead = start & 2
  const words = (to - from - lead) >> 2
  const w = new Int32Array(b.buffer, start + lead, words)
  let high = 0
  let low = 0
  let high2 = 0
  let low2 = 0
  let i = 0
  for (const end = words - 3; i < end; i += 4) {
    const c = w[i]!
    const d = w[i + 1]!
    const e = w[i + 2]!
    const f = w[i + 3]!
    high = (high + (c >>> 16) + (d >>> 16)) | 0
    low = (low + (c & 0xffff) + (d & 0xffff)) | 0
    high2 = (high2 + (e >>> 16) + (f >>> 16)) | 0
    low2 = (low2 + (e & 0xffff) + (f & 0xffff)) | 0
  }
  for (; i < words; i++) {
    const word = w[i]!
    high += word >>> 16
    low += word & 0xffff
  }
  const native = fold(high + low + high2 + low2)
  acc += SWAPPED ? ((native & 0xff) << 8) | (native >>> 8) : native
  if (lead === 2) acc += u16(b, from)
  return sumPairs(b, from + lead + 4 * words, to, acc)
}
