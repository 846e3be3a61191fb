import type { Bytes } from './bytes.ts'

const C1 = 0xcc9e2d51 | 0
const C2 = 0x1b873593

/**
 * MurmurHash3, the x86 32-bit variant: tells payloads apart cheaply, with no protection against
 * somebody who wants two to look alike. `seed` and result are signed 32-bit integers.
 */
export function murmur3(b: Bytes, seed: number): number {
  const length = b.length
  const whole = length & ~3
  let hash = seed | 0
  for (let i = 0; i < whole; i += 4) {
    const word = b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)
    hash ^= scramble(word)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  const left = length - whole
  if (left > 0) {
    let word = b[whole]!
    if (left > 1) word |= b[whole + 1]! << 8
    if (left > 2) word |= b[whole + 2]! << 16
    hash ^= scramble(word)
  }
  return finish(hash ^ length)
}

function scramble(word: number): number {
  const k = Math.imul(word, C1)
  return Math.imul((k << 15) | (k >>> 17), C2)
}

/** Lets every bit of the state reach every bit of the result. */
function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
