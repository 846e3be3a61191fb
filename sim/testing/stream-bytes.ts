import { assert } from '../../protocols/assert.ts'
import type { Bytes } from '../../protocols/bytes.ts'

// What every scripted stream carries: a byte that depends on its place alone, so that each segment
// and each delivery can be checked wherever it belongs. The multiplier is odd and large: no shift
// of the stream looks like the stream.

const byteAt = (position: number): number => Math.imul(position + 1, 0x9e3779b1) >>> 24

/** `length` bytes of a stream from `position` on, counted from 0. */
export function streamBytes(position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = byteAt(position + i)
  return bytes
}

/** @throws InvariantError where the bytes are not those of the stream at `position`. */
export function assertStreamBytes(bytes: Bytes, position: number, what: string): void {
  for (let i = 0; i < bytes.length; i++) {
    assert(bytes[i] === byteAt(position + i), `${what}: byte ${position + i} of the stream`)
  }
}
