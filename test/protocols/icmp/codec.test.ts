import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../protocols/bytes.ts'
import { emitIcmp, parseIcmp } from '../../../protocols/icmp/codec.ts'
import { echoRest, IcmpMessage } from '../../../protocols/icmp/message.ts'
import { icmpMessage, RUNS } from '../arbitrary.ts'
import { ascii } from '../vectors.ts'

describe('ICMP, RFC 792', () => {
  test('parse(emit(x)) = x, whatever the type', () => {
    fc.assert(
      fc.property(icmpMessage, (message) => {
        expect(parseIcmp(emitIcmp(message))).toStrictEqual({ ok: true, value: message })
      }),
      RUNS,
    )
  })

  test('an echo carries identifier and sequence number', () => {
    // 0800 + ffff + 8001 + 4142 = 1 c942, carried c943; its complement 36bc.
    const bytes = fromHex('0800 36bc ffff 8001 4142')
    const message = new IcmpMessage(8, 0, echoRest(0xffff, 0x8001), ascii('AB'))
    expect(toHex(emitIcmp(message))).toBe(toHex(bytes))
    expect(parseIcmp(bytes)).toMatchObject({
      value: { type: 8, identifier: 0xffff, sequence: 0x8001 },
    })
  })

  test('an odd last byte is in the checksum', () => {
    const b = emitIcmp(new IcmpMessage(0, 0, 0, ascii('odd')))
    b[10]! ^= 0x40
    expect(parseIcmp(b)).toEqual({ ok: false, why: 'bad-checksum' })
  })

  test('less than a header is refused', () => {
    for (let length = 0; length < 8; length++) {
      expect(parseIcmp(new Uint8Array(length))).toEqual({ ok: false, why: 'truncated' })
    }
  })
})
