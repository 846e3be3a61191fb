import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { InvariantError } from '../../../protocols/assert.ts'
import { fromHex, NO_BYTES, putU16, toHex } from '../../../protocols/bytes.ts'
import { checksum, sum } from '../../../protocols/checksum.ts'
import { pseudoHeaderSum } from '../../../protocols/pseudo-header.ts'
import { emitTcp, parseTcp } from '../../../protocols/tcp/codec.ts'
import { LAYOUT_TIMESTAMPS, NO_OPTIONS, TcpOptions } from '../../../protocols/tcp/options.ts'
import {
  ACK,
  CWR,
  ECE,
  FIN,
  PSH,
  RST,
  SYN,
  TcpSegment,
  URG,
} from '../../../protocols/tcp/segment.ts'
import { RUNS, tcpSegment } from '../arbitrary.ts'
import { VECTORS } from '../vectors.ts'

const v4 = (length: number): number => pseudoHeaderSum(ip('10.0.0.1'), ip('10.0.0.2'), 6, length)
const v6 = (length: number): number => pseudoHeaderSum(ip('2001:db8::1'), ip('fe80::2'), 6, length)
const parse = (b: Uint8Array): ReturnType<typeof parseTcp> => parseTcp(b, v4(b.length))

/** A header with this option area, hexadecimal, and a right checksum. */
function withOptions(hex: string, payload = ''): Uint8Array {
  const options = fromHex(hex)
  const b = fromHex(`03e8 0050 00000001 00000002 50 10 0100 0000 0000 ${hex} ${payload}`)
  b[12] = (5 + options.length / 4) << 4
  putU16(b, 16, checksum(sum(b, v4(b.length))))
  return b
}
const optionsOf = (hex: string): TcpOptions | string => {
  const read = parse(withOptions(hex))
  return read.ok ? read.value.options : read.why
}

describe('TCP segments, RFC 9293 §3.1', () => {
  test('parse(emit(x)) = x over either address family', () => {
    fc.assert(
      fc.property(tcpSegment, (segment) => {
        for (const pseudo of [v4, v6]) {
          const bytes = emitTcp(segment, pseudo(segment.size))
          expect(bytes).toHaveLength(segment.size)
          expect(parseTcp(bytes, pseudo(bytes.length))).toStrictEqual({ ok: true, value: segment })
        }
      }),
      { ...RUNS, numRuns: 1000 },
    )
  })

  test('every field in its place', () => {
    const all = FIN | SYN | RST | PSH | ACK | URG | ECE | CWR
    const segment = new TcpSegment(
      0x0102,
      0x0304,
      0x05060708,
      -2,
      all,
      0x090a,
      0x0b0c,
      NO_OPTIONS,
      fromHex('0d'),
    )
    // 0102 0304 0506 0708 ffff fffe 50ff 090a 0b0c 0d00 and 0a00 0001 0a00 0002 0006 0015:
    // 2 9644, carried 9646, its complement 69b9.
    expect(toHex(emitTcp(segment, v4(21)))).toBe('0102030405060708fffffffe50ff090a69b90b0c0d')
  })

  test('the reserved bits are passed on above the control bits', () => {
    const b = withOptions('')
    b[12]! |= 0x0f
    putU16(b, 16, 0)
    putU16(b, 16, checksum(sum(b, v4(b.length))))
    const read = parse(b)
    expect(read).toMatchObject({ ok: true, value: { flags: 0xf10 } })
    expect(read.ok && toHex(emitTcp(read.value, v4(20)))).toBe(toHex(b))
  })

  test.each([0, 4])('a data offset of %i words is too small', (words) => {
    const b = withOptions('')
    b[12] = words << 4
    expect(parse(b)).toEqual({ ok: false, why: 'bad-length' })
  })

  test('a data offset beyond the segment', () => {
    const b = withOptions('')
    b[12] = 6 << 4
    expect(parse(b)).toEqual({ ok: false, why: 'bad-length' })
  })

  test('other addresses are another checksum', () => {
    const b = VECTORS.SYN.bytes.subarray(34)
    expect(parse(b).ok).toBe(true)
    expect(parseTcp(b, v6(b.length))).toEqual({ ok: false, why: 'bad-checksum' })
  })
})

describe('TCP options', () => {
  const nothing = [-1, -1, 0, 0, [], []] as const

  test('none, and the usual timestamps, are shared objects', () => {
    expect(optionsOf('')).toBe(NO_OPTIONS)
    const usual = optionsOf('0101 080a 00000001 ffffffff') as TcpOptions
    expect(usual.layout).toBe(LAYOUT_TIMESTAMPS)
    expect([usual.timestampValue, usual.timestampEcho]).toEqual([1, -1])
  })

  test('timestamps elsewhere in the area are read all the same', () => {
    expect(optionsOf('080a 00000001 00000002 0101')).toStrictEqual(
      new TcpOptions([8, 1, 1], -1, -1, 1, 2, [], []),
    )
  })

  test('END is padding, and so is what lies behind it', () => {
    const expected = new TcpOptions([3, 0, 0, 0, 0, 0], -1, 7, 0, 0, [], [])
    expect(optionsOf('030307 00 00000000')).toStrictEqual(expected)
    expect(optionsOf('030307 00 02040000')).toStrictEqual(expected)
    expect(optionsOf('00ffffff')).toStrictEqual(new TcpOptions([0, 0, 0, 0], ...nothing))
  })

  test('a layout that ends inside a word is written with END behind it', () => {
    const options = new TcpOptions([3, 4], -1, 7, 0, 0, [], [])
    const segment = new TcpSegment(1000, 80, 1, 2, ACK, 256, 0, options, NO_BYTES)
    expect(toHex(emitTcp(segment, v4(28)).subarray(20))).toBe('0303070402000000')
  })

  test('unknown kinds keep their data, in order, and may be there twice', () => {
    expect(optionsOf('fe04 f989 2202 2206 01020304')).toStrictEqual(
      new TcpOptions(
        [254, 34, 34],
        -1,
        -1,
        0,
        0,
        [],
        [fromHex('f989'), NO_BYTES, fromHex('01020304')],
      ),
    )
  })

  test('the largest area: timestamps and three SACK blocks', () => {
    const read = optionsOf(
      '0101 080a 00000001 00000002 0101 051a 00000001 00000002 00000003 00000004 00000005 80000000',
    )
    expect(read).toMatchObject({
      layout: [1, 1, 8, 1, 1, 5],
      sack: [1, 2, 3, 4, 5, -(2 ** 31)],
      size: 40,
    })
  })

  test.each([
    ['a length of zero', '2200 0101'],
    ['a length of one', '2201 0101'],
    ['a length beyond the area', '2205 0101'],
    ['a kind without a length', '010101 22'],
    ['MSS of 3 bytes', '0203 05 01'],
    ['MSS of 5 bytes', '0205 05b4 00 010101'],
    ['window scale of 4 bytes', '0304 0701'],
    ['SACK-permitted with data', '0403 0001'],
    ['SACK without a block', '0502 0101'],
    ['SACK with half a block', '0506 00000001 0101'],
    ['timestamps of 6 bytes', '0806 00000001 0101'],
    ['the same kind twice', '0204 05b4 0204 05b4'],
  ])('%s is a bad option', (_, hex) => {
    expect(optionsOf(hex)).toBe('bad-option')
  })

  test('more than 40 bytes break an invariant', () => {
    const options = new TcpOptions([34], -1, -1, 0, 0, [], [new Uint8Array(39)])
    const segment = new TcpSegment(1, 2, 3, 4, ACK, 5, 0, options, NO_BYTES)
    expect(() => emitTcp(segment, 0)).toThrow(InvariantError)
  })
})
