import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../../protocols/bytes.ts'
import { emitEthernet, parseEthernet } from '../../../protocols/ethernet/codec.ts'
import { EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { Icmpv6Message } from '../../../protocols/icmpv6/message.ts'
import { emitIpv6, parseIpv6 } from '../../../protocols/ipv6/codec.ts'
import { Ipv6Packet } from '../../../protocols/ipv6/packet.ts'
import { ipv6Packet, RUNS } from '../arbitrary.ts'

/** An echo request of ping(8) from ::1 to ::1, 8 bytes of data, id 1, seq 2; checksum by hand. */
const ECHO = fromHex(`
  60000000 0010 3a 40 00000000000000000000000000000001 00000000000000000000000000000001
  8000 6e5b 0001 0002 1122334455667788`)

test('bytes that are known', () => {
  const read = parseIpv6(ECHO)
  if (!read.ok) throw new Error(read.why)
  const { value } = read
  expect([value.source, value.hopLimit, value.protocol, value.size]).toEqual(['::1', 64, 58, 56])
  expect(value.payload).toBeInstanceOf(Icmpv6Message)
  expect(value.payload).toMatchObject({ type: 128, code: 0, identifier: 1, sequence: 2 })
  expect(emitIpv6(value)).toEqual(ECHO)
})

test('what is written reads the same', () => {
  fc.assert(
    fc.property(ipv6Packet, (packet) => {
      expect(parseIpv6(emitIpv6(packet))).toStrictEqual({ ok: true, value: packet })
    }),
    RUNS,
  )
})

describe('what is damaged', () => {
  const sample = fc.sample(ipv6Packet, { seed: 8200, numRuns: 60 })

  test('every truncation is refused; in a frame it stays bytes', () => {
    for (const packet of sample) {
      const bytes = emitIpv6(packet)
      for (let length = 0; length < bytes.length; length += length < 80 ? 1 : 37) {
        const why = length < 40 ? 'truncated' : 'bad-length'
        expect(parseIpv6(bytes.subarray(0, length))).toEqual({ ok: false, why })
      }
    }
  })

  test('another version, padding behind, and a chain that ends too soon', () => {
    expect(parseIpv6(Uint8Array.from([0x45, ...ECHO.subarray(1)]))).toEqual({
      ok: false,
      why: 'bad-version',
    })
    expect(parseIpv6(Uint8Array.from([...ECHO, 0, 0, 0]))).toEqual(parseIpv6(ECHO))
    for (const [first, bytes, why] of [
      [0, [58, 9, 0, 0, 0, 0, 0, 0], 'bad-length'],
      [60, [58, 0, 0], 'truncated'],
      [44, [44, 0, 0, 0, 0, 0, 0, 1, 58, 0, 0, 0, 0, 0, 0, 1], 'unsupported'],
    ] as const) {
      const packet = Uint8Array.from([...ECHO.subarray(0, 40), ...bytes])
      packet[5] = bytes.length
      packet[6] = first
      const read = parseIpv6(packet)
      expect(read.ok && read.value.payload).toMatchObject({ protocol: 'ipv6-extension', why })
      if (read.ok) expect(emitIpv6(read.value)).toEqual(packet)
    }
  })

  test('every flipped bit of an echo request is noticed, or is where no checksum looks', () => {
    for (let bit = 0; bit < 8 * ECHO.length; bit++) {
      const flipped = Uint8Array.from(ECHO)
      flipped[bit >>> 3]! ^= 0x80 >>> (bit & 7)
      const read = parseIpv6(flipped)
      // Version, class and flow label, lengths, next header and hop limit have none.
      if (bit >>> 3 < 8) continue
      const inner = read.ok ? read.value.payload : read
      expect(inner, `bit ${bit}`).toMatchObject({ why: 'bad-checksum' })
    }
  })

  test('random bytes never throw, and what is read of them is written as it was', () => {
    const frame = fc
      .tuple(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0, 6, 17, 43, 44, 58, 60))
      .map(([bytes, next]) => {
        const b = Uint8Array.from([...new Uint8Array(14), ...bytes])
        b.set([0x86, 0xdd], 12)
        if (b.length >= 54) {
          b[14] = 0x60 | (b[14]! & 15)
          b.set([(b.length - 54) >>> 8, (b.length - 54) & 255, next], 18)
        }
        return b
      })
    fc.assert(
      fc.property(frame, (bytes) => {
        const read = parseEthernet(bytes)
        if (!read.ok) throw new Error('a whole header')
        expect(read.value).toBeInstanceOf(EthernetFrame)
        const again = emitEthernet(read.value)
        expect(again.length).toBe(bytes.length)
        if (read.value.payload instanceof Ipv6Packet && read.value.payload.payload.kind !== 'tcp') {
          expect(parseEthernet(again)).toStrictEqual(read)
        }
      }),
      { seed: 8200, numRuns: 5000 },
    )
  })
})
