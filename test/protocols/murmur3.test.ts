import { expect, test } from 'vitest'
import { fromHex } from '../../protocols/bytes.ts'
import { murmur3 } from '../../protocols/murmur3.ts'
import { ascii } from './vectors.ts'

test.each([
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['ffffffff', 0, 0x76293b50],
  ['21436587', 0, 0xf55b516b],
  ['21436587', 0x5082edee, 0x2362f9de],
  ['214365', 0, 0x7e4a8634],
  ['2143', 0, 0xa0f7b07a],
  ['21', 0, 0x72661cf4],
  ['00000000', 0, 0x2362f9de],
  ['000000', 0, 0x85f0b427],
  ['0000', 0, 0x30f4c306],
  ['00', 0, 0x514e28b7],
])('murmur3 of %j with seed %i', (hex, seed, hash) => {
  expect(murmur3(fromHex(hex), seed) >>> 0).toBe(hash)
})

test('murmur3 of text, with the seed that its author uses', () => {
  expect(murmur3(ascii('Hello, world!'), 0x9747b28c) >>> 0).toBe(0x24884cba)
  const pangram = ascii('The quick brown fox jumps over the lazy dog')
  expect(murmur3(pangram, 0x9747b28c) >>> 0).toBe(0x2fa826cd)
})
