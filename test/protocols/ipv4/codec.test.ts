import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvariantError } from '../../../protocols/assert.ts'
import { concatBytes, fromHex, NO_BYTES, putU16, toHex } from '../../../protocols/bytes.ts'
import { checksum, sumRange } from '../../../protocols/checksum.ts'
import { parseEthernet } from '../../../protocols/ethernet/codec.ts'
import { IcmpMessage } from '../../../protocols/icmp/message.ts'
import { emitIpv4, parseIpv4 } from '../../../protocols/ipv4/codec.ts'
import {
  DONT_FRAGMENT,
  Ipv4Details,
  Ipv4Packet,
  MAY_FRAGMENT,
} from '../../../protocols/ipv4/packet.ts'
import { Malformed, Opaque } from '../../../protocols/payload.ts'
import { ipv4Packet, RUNS } from '../arbitrary.ts'
import { A, B, VECTORS, WITH_IPV4_OPTIONS } from '../vectors.ts'

const syn = VECTORS.SYN.bytes.subarray(14)

/** The bytes with some of them replaced and the header checksum made right again. */
function changed(bytes: Uint8Array, at: number, hex: string): Uint8Array {
  const b = bytes.slice()
  b.set(fromHex(hex), at)
  putU16(b, 10, 0)
  putU16(b, 10, checksum(sumRange(b, 0, Math.min((b[0]! & 15) * 4, b.length), 0)))
  return b
}

describe('IPv4, RFC 791', () => {
  test('parse(emit(x)) = x', () => {
    fc.assert(
      fc.property(ipv4Packet, (packet) => {
        const bytes = emitIpv4(packet)
        expect(bytes).toHaveLength(packet.size)
        expect(parseIpv4(bytes)).toStrictEqual({ ok: true, value: packet })
      }),
      { ...RUNS, numRuns: 1000 },
    )
  })

  test('options move the payload', () => {
    const { bytes, frame } = WITH_IPV4_OPTIONS
    expect(parseEthernet(bytes)).toStrictEqual({ ok: true, value: frame })
  })

  test('common details are shared between packets', () => {
    const read = parseIpv4(syn)
    expect(read.ok && read.value.details).toBe(DONT_FRAGMENT)
    const may = parseIpv4(changed(syn, 6, '0000'))
    expect(may.ok && may.value.details).toBe(MAY_FRAGMENT)
  })

  test('the reserved bit is ignored', () => {
    const read = parseIpv4(changed(syn, 6, 'c000'))
    expect(read).toStrictEqual({ ok: true, value: VECTORS.SYN.frame.payload })
  })

  test('traffic class, fragment word, TTL and protocol each in their place', () => {
    const details = new Ipv4Details(0xb8 | 3, true, true, 0x1abc, fromHex('01010100'))
    const packet = new Ipv4Packet(A, B, 253, 7, 0xfffe, details, new Opaque(fromHex('ff')))
    expect(toHex(emitIpv4(packet)).replace(/^(.{20})..../, '$1....')).toBe(
      '46bb0019fffe7abc07fd....0a0000010a00000201010100ff',
    )
  })

  describe('a fragment stays bytes', () => {
    test.each([
      ['first', '2000', 0, true],
      ['middle', '2001', 1, true],
      ['last', '1fff', 0x1fff, false],
    ])('%s', (_, word, offset, more) => {
      const details = new Ipv4Details(0, false, more, offset, NO_BYTES)
      expect(parseIpv4(changed(syn, 6, word))).toStrictEqual({
        ok: true,
        value: new Ipv4Packet(A, B, 6, 64, 0xb2a8, details, new Opaque(syn.slice(20))),
      })
    })
  })

  describe('refused', () => {
    test('another version', () => {
      expect(parseIpv4(changed(syn, 0, '65'))).toEqual({ ok: false, why: 'bad-version' })
    })

    test.each([
      ['a header of 16 bytes', 0, '44'],
      ['a total length below the header', 2, '0013'],
      ['a total length above the bytes there are', 2, '003d'],
    ])('%s', (_, at, hex) => {
      expect(parseIpv4(changed(syn, at, hex))).toEqual({ ok: false, why: 'bad-length' })
    })

    test('a header that is longer than the packet', () => {
      const b = changed(concatBytes([syn.subarray(0, 20), new Uint8Array(40)]), 2, '0014')
      b[0] = 0x4f
      expect(parseIpv4(b)).toEqual({ ok: false, why: 'bad-length' })
    })

    test('a checksum that does not match', () => {
      const b = syn.slice()
      b[8]! -= 1
      expect(parseIpv4(b)).toEqual({ ok: false, why: 'bad-checksum' })
    })
  })

  test('what TCP refuses keeps its bytes', () => {
    const b = syn.slice()
    b[32] = 0x40
    expect(parseIpv4(b)).toStrictEqual({
      ok: true,
      value: new Ipv4Packet(
        A,
        B,
        6,
        64,
        0xb2a8,
        DONT_FRAGMENT,
        new Malformed('tcp', 'bad-length', b.slice(20)),
      ),
    })
  })

  test('a packet that IPv4 cannot carry breaks an invariant', () => {
    const packet = (options: Uint8Array, data: number): Ipv4Packet =>
      new Ipv4Packet(
        A,
        B,
        1,
        64,
        0,
        new Ipv4Details(0, false, false, 0, options),
        new IcmpMessage(8, 0, 0, new Uint8Array(data)),
      )
    expect(() => emitIpv4(packet(new Uint8Array(44), 0))).toThrow(InvariantError)
    expect(() => emitIpv4(packet(new Uint8Array(3), 0))).toThrow(InvariantError)
    expect(() => emitIpv4(packet(new Uint8Array(0), 65508))).toThrow(InvariantError)
    expect(emitIpv4(packet(new Uint8Array(0), 65507))).toHaveLength(65535)
    expect(parseIpv4(emitIpv4(packet(new Uint8Array(40), 65467))).ok).toBe(true)
  })
})
