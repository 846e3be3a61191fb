import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../protocols/bytes.ts'
import { sipHash } from '../../protocols/siphash.ts'

/** 0, 1, 2 …: the key and the messages of the reference vectors. */
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)

// `vectors.h` of the reference implementation: the hash of 0, 1, 2 … for some lengths.
test.each([
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [2, '5a4fa9d909806c0d'],
  [7, '37d1018bf50002ab'],
  [8, '6224939a79f5f593'],
  [9, 'b0e4a90bdf82009e'],
  [15, 'e545be4961ca29a1'],
  [16, 'db9bc2577fcc2a3f'],
])('the hash of %i bytes is that of the reference', (length, expected) => {
  expect(toHex(sipHash(counting(16), counting(length)))).toBe(expected)
})

test('every bit of the key and of the message counts', () => {
  const key = fromHex('a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4')
  const message = fromHex('c0000201c0a80001')
  const seen = new Set([toHex(sipHash(key, message))])
  for (const bytes of [key, message]) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      seen.add(toHex(sipHash(key, message)))
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
  }
  expect(seen.size).toBe(1 + 8 * (16 + 8))
})
