import { describe, expect, test } from 'vitest'
import { fromHex } from '../../protocols/bytes.ts'
import { checksum, fold, sum, sumRange } from '../../protocols/checksum.ts'
import { alea } from './random-source.ts'

/** RFC 1071 §1, taken literally: 16 bits at a time, with the end-around carry after each. */
function bySixteen(b: Uint8Array): number {
  let acc = 0
  for (let i = 0; i < b.length; i += 2) {
    acc += b[i]! * 256 + (b[i + 1] ?? 0)
    if (acc > 0xffff) acc -= 0xffff
  }
  return acc
}

describe('Internet checksum', () => {
  test('the example of RFC 1071 §3', () => {
    const acc = sum(fromHex('00 01 f2 03 f4 f5 f6 f7'))
    expect(fold(acc)).toBe(0xddf2)
    expect(checksum(acc)).toBe(0x220d)
  })

  test('the example of RFC 1624 §4: the sum is 0000 where an update by RFC 1141 gives ffff', () => {
    expect(checksum(sum(fromHex('cd7a 5555')))).toBe(0xdd2f)
    expect(checksum(sum(fromHex('cd7a 3285')))).toBe(0x0000)
  })

  test('an odd last byte counts as the high byte of a pair', () => {
    expect(sum(fromHex('01'))).toBe(0x0100)
    expect(sum(fromHex('00 01 02'))).toBe(0x0201)
  })

  test('nothing adds nothing', () => {
    expect(sum(new Uint8Array(0), 77)).toBe(77)
    expect(checksum(0)).toBe(0xffff)
  })

  test('the end-around carry may carry again', () => {
    expect(fold(0x1ffff)).toBe(0x0001)
    expect(fold(0x1_0000_fffe)).toBe(0xffff)
    expect(fold(2 ** 40)).toBe(2 ** 8)
  })

  test('equals the literal sum at every length and alignment', () => {
    const draw = alea('checksum')
    const b = Uint8Array.from({ length: 420 }, draw)
    for (let from = 0; from < 8; from++) {
      for (let to = from; to <= from + 400; to++) {
        const piece = b.slice(from, to)
        // Both are one's complement sums, where 0 and ffff are one number.
        expect(fold(sumRange(b, from, to, 0)) % 0xffff).toBe(bySixteen(piece) % 0xffff)
      }
    }
  })

  test('64 KiB of ones do not overflow', () => {
    expect(fold(sum(new Uint8Array(65536).fill(0xff)))).toBe(0xffff)
    expect(fold(sum(new Uint8Array(262144).fill(0xff)))).toBe(0xffff)
  })

  test('a subarray is summed where it lies', () => {
    const b = new Uint8Array(2000).map((_, i) => i * 7)
    for (const at of [1, 2, 3, 4]) {
      expect(fold(sum(b.subarray(at, at + 1461)))).toBe(fold(sum(b.slice(at, at + 1461))))
    }
  })

  test('pieces of even length chain', () => {
    const b = new Uint8Array(300).map((_, i) => 255 - i)
    const chained = sumRange(b, 120, 300, sumRange(b, 20, 120, sumRange(b, 0, 20, 0)))
    expect(fold(chained)).toBe(fold(sum(b)))
  })
})
