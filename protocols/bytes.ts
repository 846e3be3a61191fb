/** Read-only bytes. A `Uint8Array` fits; only the code that allocated it may write it. */
export interface Bytes {
  readonly length: number
  readonly buffer: ArrayBufferLike
  readonly byteOffset: number
  readonly byteLength: number
  readonly [index: number]: number
  subarray(begin?: number, end?: number): Bytes
  [Symbol.iterator](): ArrayIterator<number>
}

export const NO_BYTES: Bytes = new Uint8Array(0)

const SLAB = 1 << 16
let slab = new Uint8Array(0)
let slabUsed = 0

/**
 * So many zeros of the caller's own, for it to write before anybody else sees them. What is small is
 * carved from a slab: an array of its own for each segment costs more than the segment.
 */
export function newBytes(length: number): Uint8Array {
  if (length > SLAB >> 3) return new Uint8Array(length)
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(SLAB)
    slabUsed = 0
  }
  const at = slabUsed
  slabUsed += length
  return slab.subarray(at, slabUsed)
}

/** Big-endian reads. The caller has checked the length. */
export const u16 = (b: Bytes, at: number): number => (b[at]! << 8) | b[at + 1]!
/** As a signed 32-bit integer: V8 keeps those unboxed. Use `>>> 0` where the value is shown. */
export const i32 = (b: Bytes, at: number): number =>
  (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!

export function putU16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 8
  b[at + 1] = value
}
export function putI32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24
  b[at + 1] = value >>> 16
  b[at + 2] = value >>> 8
  b[at + 3] = value
}

/** Writes read-only bytes into a buffer. */
export function putBytes(b: Uint8Array, at: number, bytes: Bytes): void {
  if (bytes.length > 0) b.set(bytes, at)
}

/** The bytes `from` ≤ i < `to`, not copied. */
export const viewOf = (b: Bytes, from: number, to: number): Bytes =>
  from === to ? NO_BYTES : b.subarray(from, to)

export function concatBytes(parts: readonly Bytes[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    putBytes(whole, at, part)
    at += part.length
  }
  return whole
}

/** -1 where no byte has this value. */
export function indexOfByte(b: Bytes, value: number): number {
  for (let i = 0; i < b.length; i++) if (b[i] === value) return i
  return -1
}

export function equalBytes(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false
  if (a.buffer === b.buffer && a.byteOffset === b.byteOffset) return true
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export const toHex = (b: Bytes): string => {
  let text = ''
  for (let i = 0; i < b.length; i++) text += b[i]!.toString(16).padStart(2, '0')
  return text
}

/** The inverse of `toHex`; white space is ignored. For constants and tests: throws on bad input. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '')
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new RangeError(`not hexadecimal: ${text}`)
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}
