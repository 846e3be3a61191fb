import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emitArp, parseArp } from '../../../protocols/arp/codec.ts'
import { concatBytes, toHex } from '../../../protocols/bytes.ts'
import { arpPacket, RUNS } from '../arbitrary.ts'
import { VECTORS } from '../vectors.ts'

const request = VECTORS['ARP request'].bytes.subarray(14)

describe('ARP, RFC 826', () => {
  test('parse(emit(x)) = x, whatever the operation', () => {
    fc.assert(
      fc.property(arpPacket, (packet) => {
        expect(emitArp(packet)).toHaveLength(28)
        expect(parseArp(emitArp(packet))).toStrictEqual({ ok: true, value: packet })
      }),
      RUNS,
    )
  })

  test('Ethernet pads to 46 bytes', () => {
    const read = parseArp(concatBytes([request, new Uint8Array(18).fill(0xee)]))
    expect(read.ok && toHex(emitArp(read.value))).toBe(toHex(request))
  })

  test.each([
    ['hardware type', 1, 6],
    ['protocol type', 2, 0x86],
    ['hardware address length', 4, 8],
    ['protocol address length', 5, 16],
  ])('another %s is not supported', (_, at, value) => {
    const b = request.slice()
    b[at] = value
    expect(parseArp(b)).toEqual({ ok: false, why: 'unsupported' })
  })
})
