import { type Bytes, i32, putI32 } from './bytes.ts'

/** Bytes of a key, and of a hash. */
export const SIPHASH_KEY = 16
const SIPHASH_SIZE = 8

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), a keyed hash of short messages: two rounds for each
 * word of 8 bytes, four at the end. The hash in the order in which it is published, low byte first.
 *
 * Words of 64 bits are pairs of 32, low half first: engines know no `BigInt`.
 */
export function sipHash(key: Bytes, message: Bytes): Uint8Array {
  const v = initial(key)
  const whole = message.length & ~7
  for (let at = 0; at < whole; at += 8) absorb(v, low32(message, at), low32(message, at + 4))
  const rest = new Uint8Array(8)
  for (let i = whole; i < message.length; i++) rest[i - whole] = message[i]!
  rest[7] = message.length & 0xff
  absorb(v, low32(rest, 0), low32(rest, 4))
  v[4]! ^= 0xff
  for (let i = 0; i < 4; i++) round(v)
  const hash = new Uint8Array(SIPHASH_SIZE)
  putLow32(hash, 0, v[0]! ^ v[2]! ^ v[4]! ^ v[6]!)
  putLow32(hash, 4, v[1]! ^ v[3]! ^ v[5]! ^ v[7]!)
  return hash
}

/** `v0` to `v3`: the letters of "somepseudorandomlygeneratedbytes" under the key. */
function initial(key: Bytes): Int32Array {
  const [a, b, c, d] = [low32(key, 0), low32(key, 4), low32(key, 8), low32(key, 12)]
  return Int32Array.of(
    a ^ 0x70736575,
    b ^ 0x736f6d65,
    c ^ 0x6e646f6d,
    d ^ 0x646f7261,
    a ^ 0x6e657261,
    b ^ 0x6c796765,
    c ^ 0x79746573,
    d ^ 0x74656462,
  )
}

function absorb(v: Int32Array, low: number, high: number): void {
  v[6]! ^= low
  v[7]! ^= high
  round(v)
  round(v)
  v[0]! ^= low
  v[1]! ^= high
}

/** SipRound. Indices are those of the low halves. */
function round(v: Int32Array): void {
  add(v, 0, 2)
  rotate(v, 2, 13)
  mix(v, 2, 0)
  swap(v, 0)
  add(v, 4, 6)
  rotate(v, 6, 16)
  mix(v, 6, 4)
  add(v, 0, 6)
  rotate(v, 6, 21)
  mix(v, 6, 0)
  add(v, 4, 2)
  rotate(v, 2, 17)
  mix(v, 2, 4)
  swap(v, 4)
}

function add(v: Int32Array, to: number, from: number): void {
  const low = (v[to]! >>> 0) + (v[from]! >>> 0)
  v[to + 1] = (v[to + 1]! + v[from + 1]! + (low > 0xffff_ffff ? 1 : 0)) | 0
  v[to] = low | 0
}

function mix(v: Int32Array, to: number, from: number): void {
  v[to]! ^= v[from]!
  v[to + 1]! ^= v[from + 1]!
}

/** To the left, by less than a half. */
function rotate(v: Int32Array, at: number, by: number): void {
  const [low, high] = [v[at]!, v[at + 1]!]
  v[at] = (low << by) | (high >>> (32 - by))
  v[at + 1] = (high << by) | (low >>> (32 - by))
}

/** Rotates by a half. */
function swap(v: Int32Array, at: number): void {
  const low = v[at]!
  v[at] = v[at + 1]!
  v[at + 1] = low
}

/** Low byte first, where the rest of the net has the high one first. */
const low32 = (b: Bytes, at: number): number => turned(i32(b, at))

const putLow32 = (b: Uint8Array, at: number, value: number): void => putI32(b, at, turned(value))

const turned = (word: number): number =>
  ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
