import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CANONICAL,
  decodePlain,
  type Dialect,
  encodeAck,
  encodeData,
  encodeEnd,
  sequenceOf,
  unitOf,
} from '../../../protocols/arq/dialect.ts'
import { type Bytes, fromHex, toHex } from '../../../protocols/bytes.ts'
import { SEED_DIALECT } from '../../../protocols/p2mp-ftp/profiles.ts'
import { ascii } from '../../../protocols/services/ascii.ts'

const text = (b: Bytes): string => String.fromCharCode(...(b as Uint8Array))

describe('golden bytes', () => {
  test('the assignment: data, data of odd length, acknowledgement', () => {
    expect(toHex(encodeData(CANONICAL, 0, ascii('hello world!')))).toBe(
      '000000006e10555568656c6c6f20776f726c6421',
    )
    expect(toHex(encodeData(CANONICAL, 1, ascii('abc')))).toBe('000000013b9d5555616263')
    expect(toHex(encodeAck(CANONICAL, 1))).toBe('000000010000aaaa')
  })

  test('the document: bits as characters, over which the checksum counts number and category', () => {
    // 0x0001 + 0x5555 + 0x6162 + 0x6300 = 0x119b8, folded 0x19b9; its complement is 0xe646.
    const bytes = encodeData(SEED_DIALECT, 1, ascii('abc'))
    expect(bytes.length).toBe(8 * 11)
    expect(text(bytes)).toBe(
      '0000000000000000000000000000000111100110010001100101010101010101011000010110001001100011',
    )
    expect(text(encodeAck(SEED_DIALECT, 1))).toBe(
      '0000000000000000000000000000000100000000000000001010101010101010',
    )
  })

  test('a header of characters before data as they are', () => {
    const bytes = encodeData({ ...CANONICAL, encoding: 'ascii-header' }, 1, ascii('abc'))
    expect(text(bytes)).toBe('0000000000000000000000000000000100111011100111010101010101010101abc')
  })

  test('end markers', () => {
    const end = { kind: 'type', type: 0x5557 } as const
    expect(toHex(encodeEnd({ ...CANONICAL, end }, 7))).toBe('00000007ffff5557')
  })
})

const DIALECTS: readonly Dialect[] = [
  CANONICAL,
  SEED_DIALECT,
  { ...CANONICAL, encoding: 'ascii-header', checksum: 'all', end: { kind: 'type', type: 0xcccc } },
]

test('what is encoded is decoded, and no bit can change unnoticed but what the checksum leaves out', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...DIALECTS),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.uint8Array({ maxLength: 40 }),
      (dialect, sequence, data) => {
        const bytes = encodeData(dialect, sequence, data)
        expect(decodePlain(dialect, bytes)).toEqual({ kind: 'data', sequence, data, intact: true })
        const ack = encodeAck(dialect, sequence)
        expect(decodePlain(dialect, ack)).toMatchObject({ kind: 'ack', sequence, intact: true })
        for (let length = 0; length < 8; length++) {
          expect(decodePlain(dialect, bytes.subarray(0, length))).toBeNull()
        }
      },
    ),
    { numRuns: 200, seed: 7 },
  )
})

test.each(DIALECTS)('a flipped bit of $encoding, checksum over $checksum', (dialect) => {
  const bytes = encodeData(dialect, 5, ascii('some data')) as Uint8Array
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    const packet = decodePlain(dialect, flipped)
    const isSequence = packet !== null && packet.sequence !== 5
    // The assignment's checksum is over the data alone.
    if (isSequence && dialect.checksum === 'data') continue
    expect(packet?.kind === 'data' && packet.intact).toBe(false)
  }
})

test('a changed acknowledgement is none', () => {
  for (const hex of ['000000010001aaaa', '000000010000aaaa00', '000000010000aaab']) {
    const packet = decodePlain(CANONICAL, fromHex(hex))
    expect(packet?.kind === 'ack' && packet.intact).toBe(false)
  }
})

describe('sequence numbers', () => {
  test('count packets or bytes, from 0 or 1, and wrap at 2³²', () => {
    const bytes: Dialect = { ...CANONICAL, counts: 'bytes', first: 2 ** 32 - 1000 }
    expect([0, 1, 2, 3].map((unit) => sequenceOf(bytes, unit, 500))).toEqual([
      4294966296, 4294966796, 0, 500,
    ])
    expect(sequenceOf(SEED_DIALECT, 41, 500)).toBe(42)
    for (let unit = 0; unit < 9; unit++) {
      expect(unitOf(bytes, sequenceOf(bytes, unit, 500), 500, Math.max(unit - 2, 0))).toBe(unit)
    }
  })

  test('none before the first, none between two units', () => {
    expect(unitOf(SEED_DIALECT, 0, 500, 0)).toBe(-1)
    expect(unitOf({ ...CANONICAL, counts: 'bytes' }, 501, 500, 0)).toBe(-1)
    expect(unitOf(CANONICAL, 0xffffffff, 500, 3)).toBe(-1)
  })
})
