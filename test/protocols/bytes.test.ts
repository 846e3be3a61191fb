import { expect, test } from 'vitest'
import {
  concatBytes,
  equalBytes,
  fromHex,
  i32,
  newBytes,
  NO_BYTES,
  putBytes,
  putI32,
  putU16,
  toHex,
  u16,
  viewOf,
} from '../../protocols/bytes.ts'

test('reads are big-endian; 32 bits are signed', () => {
  const b = fromHex('00 fedc ba98')
  expect(u16(b, 1)).toBe(0xfedc)
  expect(i32(b, 1)).toBe(0xfedcba98 | 0)
  expect(i32(b, 1) >>> 0).toBe(0xfedcba98)
})

test('writes keep the low bits and touch nothing else', () => {
  const b = new Uint8Array(8)
  putU16(b, 1, 0x12345)
  putI32(b, 3, -2)
  expect(toHex(b)).toBe('002345fffffffe00')
  putBytes(b, 7, NO_BYTES)
  putBytes(b, 6, fromHex('abcd'))
  expect(toHex(b)).toBe('002345ffffffabcd')
})

test('a view shares the bytes; an empty one is always the same', () => {
  const b = fromHex('010203')
  const view = viewOf(b, 1, 3)
  expect([...view]).toEqual([2, 3])
  expect(view.buffer).toBe(b.buffer)
  expect(viewOf(b, 2, 2)).toBe(NO_BYTES)
})

test('new bytes are zeros that nobody else has, whatever is written beside them', () => {
  const lengths = Array.from({ length: 200 }, (_, i) => (i * 331) % 9000)
  const pieces = lengths.map((length) => newBytes(length))
  for (const piece of pieces) expect(piece.every((byte) => byte === 0)).toBe(true)
  pieces.forEach((piece, i) => piece.fill(i + 1))
  expect(pieces.map((piece) => piece.length)).toEqual(lengths)
  pieces.forEach((piece, i) => expect(piece.every((byte) => byte === ((i + 1) & 0xff))).toBe(true))
})

test('concatenation and equality', () => {
  const whole = concatBytes([fromHex('01'), NO_BYTES, fromHex('0203')])
  expect(equalBytes(whole, fromHex('010203'))).toBe(true)
  expect(equalBytes(whole, fromHex('010204'))).toBe(false)
  expect(equalBytes(whole, fromHex('0102'))).toBe(false)
  expect(equalBytes(whole.subarray(1), whole.subarray(1))).toBe(true)
  expect(equalBytes(whole.subarray(0, 2), whole.subarray(1))).toBe(false)
})

test('hexadecimal text', () => {
  expect([...fromHex('00 fF\n10')]).toEqual([0, 255, 16])
  expect(toHex(fromHex(''))).toBe('')
  expect(() => fromHex('0')).toThrow(RangeError)
  expect(() => fromHex('zz')).toThrow(RangeError)
})
