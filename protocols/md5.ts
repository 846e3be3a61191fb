import { type Bytes, putBytes } from './bytes.ts'

const BLOCK = 64
/** The message's length, in bits, ends the last block (RFC 1321 §3.2). */
const LENGTH_AT = 56

/**
 * MD5, RFC 1321: 16 bytes over the parts, one behind the other. It protects nothing any more; what it is
 * for are protocols that name it (RFC 2385).
 */
export function md5(...parts: readonly Bytes[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  // RFC 1321 §3.1, §3.2: a one, zeros up to the length, which fill a block.
  const message = new Uint8Array(((length + BLOCK - LENGTH_AT) & -BLOCK) + BLOCK)
  let at = 0
  for (const part of parts) {
    putBytes(message, at, part)
    at += part.length
  }
  message[length] = 0x80
  const words = new DataView(message.buffer)
  words.setUint32(message.length - 8, length * 8, true)
  words.setUint32(message.length - 4, Math.floor(length / 0x20000000), true)
  const hash = INITIAL.slice()
  for (at = 0; at < message.length; at += BLOCK) compress(hash, words, at)
  const digest = new Uint8Array(16)
  const out = new DataView(digest.buffer)
  for (const [i, word] of hash.entries()) out.setInt32(4 * i, word, true)
  return digest
}

/** RFC 1321 §3.3: the bytes 01 23 45 ... and back, low byte first. */
const INITIAL = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)

/** RFC 1321 §3.4: 2^32 times the sine of 1, 2, ... radians, without its sign and its fraction. */
const T = Int32Array.of(
  0xd76aa478,
  0xe8c7b756,
  0x242070db,
  0xc1bdceee,
  0xf57c0faf,
  0x4787c62a,
  0xa8304613,
  0xfd469501,
  0x698098d8,
  0x8b44f7af,
  0xffff5bb1,
  0x895cd7be,
  0x6b901122,
  0xfd987193,
  0xa679438e,
  0x49b40821,
  0xf61e2562,
  0xc040b340,
  0x265e5a51,
  0xe9b6c7aa,
  0xd62f105d,
  0x02441453,
  0xd8a1e681,
  0xe7d3fbc8,
  0x21e1cde6,
  0xc33707d6,
  0xf4d50d87,
  0x455a14ed,
  0xa9e3e905,
  0xfcefa3f8,
  0x676f02d9,
  0x8d2a4c8a,
  0xfffa3942,
  0x8771f681,
  0x6d9d6122,
  0xfde5380c,
  0xa4beea44,
  0x4bdecfa9,
  0xf6bb4b60,
  0xbebfbc70,
  0x289b7ec6,
  0xeaa127fa,
  0xd4ef3085,
  0x04881d05,
  0xd9d4d039,
  0xe6db99e5,
  0x1fa27cf8,
  0xc4ac5665,
  0xf4292244,
  0x432aff97,
  0xab9423a7,
  0xfc93a039,
  0x655b59c3,
  0x8f0ccc92,
  0xffeff47d,
  0x85845dd1,
  0x6fa87e4f,
  0xfe2ce6e0,
  0xa3014314,
  0x4e0811a1,
  0xf7537e82,
  0xbd3af235,
  0x2ad7d2bb,
  0xeb86d391,
)

/** How far each of the four steps of a round rotates. */
const ROTATIONS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21] as const

/** RFC 1321 §3.4: four rounds of 16 steps; what a round mixes in, and which word of the block. */
function compress(hash: Int32Array, block: DataView, at: number): void {
  let a = hash[0]!
  let b = hash[1]!
  let c = hash[2]!
  let d = hash[3]!
  for (let i = 0; i < 64; i++) {
    const round = i >> 4
    let mixed: number
    let word: number
    if (round === 0) {
      mixed = d ^ (b & (c ^ d))
      word = i
    } else if (round === 1) {
      mixed = c ^ (d & (b ^ c))
      word = (5 * i + 1) & 15
    } else if (round === 2) {
      mixed = b ^ c ^ d
      word = (3 * i + 5) & 15
    } else {
      mixed = c ^ (b | ~d)
      word = (7 * i) & 15
    }
    const sum = (a + mixed + T[i]! + block.getInt32(at + 4 * word, true)) | 0
    const by = ROTATIONS[4 * round + (i & 3)]!
    a = d
    d = c
    c = b
    b = (b + ((sum << by) | (sum >>> (32 - by)))) | 0
  }
  hash[0] = hash[0]! + a
  hash[1] = hash[1]! + b
  hash[2] = hash[2]! + c
  hash[3] = hash[3]! + d
}
