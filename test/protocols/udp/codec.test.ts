import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { concatBytes, fromHex, NO_BYTES, toHex, u16 } from '../../../protocols/bytes.ts'
import { pseudoHeaderSum } from '../../../protocols/pseudo-header.ts'
import { emitUdp, parseUdp } from '../../../protocols/udp/codec.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'
import { RUNS, udpDatagram } from '../arbitrary.ts'
import { ascii } from '../vectors.ts'

const pseudo = (length: number): number =>
  pseudoHeaderSum(ip('10.0.0.1'), ip('10.0.0.2'), 17, length)

const datagram = new UdpDatagram(59999, 9, ascii('abc'))
const bytes = fromHex('ea5f 0009 000b 3d0a 6162 63')

describe('UDP, RFC 768', () => {
  test('parse(emit(x)) = x over either address family', () => {
    const source = ip('2001:db8::1')
    const destination = ip('fe80::2')
    fc.assert(
      fc.property(udpDatagram, (datagram) => {
        const result = { ok: true, value: datagram }
        const v4 = pseudo(datagram.size)
        expect(parseUdp(emitUdp(datagram, v4), v4)).toStrictEqual(result)
        const v6 = pseudoHeaderSum(source, destination, 17, datagram.size)
        expect(parseUdp(emitUdp(datagram, v6), v6)).toStrictEqual(result)
      }),
      RUNS,
    )
  })

  test('a datagram over IPv6', () => {
    // 2001 + 0db8 + 1 + 2001 + 0db8 + 2 + 17 + 11, then 1 + 2 + 11 + 4142 + 4300 = dfe1: 201e.
    const sum = pseudoHeaderSum(ip('2001:db8::1'), ip('2001:db8::2'), 17, 11)
    const bytes = fromHex('0001 0002 000b 201e 4142 43')
    expect(toHex(emitUdp(new UdpDatagram(1, 2, ascii('ABC')), sum))).toBe(toHex(bytes))
    expect(parseUdp(bytes, sum).ok).toBe(true)
  })

  test('a zero checksum says that there is none', () => {
    const b = bytes.slice()
    b.fill(0, 6, 8)
    expect(parseUdp(b, pseudo(11))).toStrictEqual({ ok: true, value: datagram })
  })

  test('a checksum that comes out as zero is sent as ffff', () => {
    // Whatever the rest sums to, a payload of its complement makes the whole ffff.
    const plain = emitUdp(new UdpDatagram(1, 2, new Uint8Array(2)), pseudo(10))
    const sum = u16(plain, 6)
    const odd = new UdpDatagram(1, 2, Uint8Array.of(sum >>> 8, sum))
    const b = emitUdp(odd, pseudo(10))
    expect(u16(b, 6)).toBe(0xffff)
    expect(parseUdp(b, pseudo(10))).toStrictEqual({ ok: true, value: odd })
  })

  test('bytes behind its own length are not part of it', () => {
    const longer = concatBytes([bytes, fromHex('ffee')])
    expect(parseUdp(longer, pseudo(13))).toStrictEqual({ ok: true, value: datagram })
  })

  test('an empty datagram', () => {
    const empty = new UdpDatagram(1, 2, NO_BYTES)
    expect(parseUdp(emitUdp(empty, pseudo(8)), pseudo(8))).toStrictEqual({ ok: true, value: empty })
  })

  test.each([0, 7, 12, 0xffff])('a length of %i cannot be', (length) => {
    const b = bytes.slice()
    b[4] = length >>> 8
    b[5] = length
    expect(parseUdp(b, pseudo(11))).toEqual({ ok: false, why: 'bad-length' })
  })

  test('another address in the pseudo-header is another checksum', () => {
    const elsewhere = pseudoHeaderSum(ip('10.0.0.1'), ip('10.0.0.3'), 17, 11)
    expect(parseUdp(bytes, elsewhere)).toEqual({ ok: false, why: 'bad-checksum' })
  })
})
