import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeal, openSealed, REPLAY_WINDOW, sealPacket } from '../../../protocols/arq/seal.ts'
import {
  decodeSession,
  encodeSession,
  type SessionPacket,
} from '../../../protocols/arq/session-format.ts'
import { fromHex, toHex } from '../../../protocols/bytes.ts'
import { ascii } from '../../../protocols/services/ascii.ts'
import { randomBytes } from '../../sim/two-hosts.ts'

const offer = {
  name: 'report.pdf',
  size: 2 ** 40 + 5,
  hash: randomBytes(32, 3),
  unitBytes: 1400,
  window: 64,
  carried: 2 ** 40 + 5,
  compressed: false,
}
const PACKETS: readonly SessionPacket[] = [
  { kind: 'hello', offer },
  { kind: 'hello', offer: { ...offer, compressed: true, carried: 77, name: '' } },
  { kind: 'welcome', below: 12, nonce: randomBytes(8, 4) },
  { kind: 'data', unit: 3_000_000_000, data: ascii('some data') },
  { kind: 'data', unit: 3_000_000_001, data: ascii('') },
  { kind: 'ack', ack: { kind: 'ack', below: 3_000_000_000, units: [] } },
  {
    kind: 'ack',
    ack: { kind: 'ack', below: 3_000_000_000, units: [3_000_000_002, 3_000_000_011] },
  },
  { kind: 'fin' },
  { kind: 'finished', verdict: 'ok' },
  { kind: 'finished', verdict: 'wrong-hash' },
  { kind: 'abort', why: 'busy' },
]

test.each(PACKETS)('what is encoded is decoded: %o', (packet) => {
  const bytes = encodeSession(0xfedcba98, packet) as Uint8Array
  const decoded = decodeSession(bytes, 3_000_000_000)
  expect(decoded).toEqual({ session: 0xfedcba98, packet })
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeSession(bytes.subarray(0, length), 0)?.packet.kind).not.toBe(packet.kind)
  }
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(decodeSession(flipped, 3_000_000_000)).toBeNull()
  }
})

test('golden bytes: data and acknowledgement of a session', () => {
  expect(toHex(encodeSession(7, { kind: 'data', unit: 1, data: ascii('abc') }))).toBe(
    '00000001e63e555600000007616263',
  )
  const ack = { kind: 'ack', below: 2, units: [3, 5] } as const
  expect(toHex(encodeSession(7, { kind: 'ack', ack }))).toBe('00000002b54aaaab00000007a0')
})

test('a name is shown: what a terminal would obey does not get through', () => {
  const bytes = encodeSession(1, { kind: 'hello', offer: { ...offer, name: '../\u001b[2Jé.txt' } })
  const decoded = decodeSession(bytes, 0)
  expect(decoded?.packet.kind === 'hello' && decoded.packet.offer.name).toBe('../?[2J?.txt')
})

test('whatever comes, nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), fc.nat(), (bytes, near) => {
      decodeSession(bytes, near)
    }),
    { numRuns: 500, seed: 3 },
  )
})

const KEY = ascii('a key that both know')
const pair = () => [
  createSeal(KEY, fromHex('00000001'), true),
  createSeal(KEY, fromHex('00000001'), false),
]

test('sealed packets open once, on the other side, unchanged', () => {
  const [a, b] = pair() as [ReturnType<typeof createSeal>, ReturnType<typeof createSeal>]
  const first = sealPacket(a, ascii('one')) as Uint8Array
  const second = sealPacket(a, ascii('two'))
  expect(openSealed(b, second)).toEqual(ascii('two'))
  expect(openSealed(b, first)).toEqual(ascii('one')) // out of order is fine
  expect(openSealed(b, first)).toBeNull()
  expect(openSealed(b, second)).toBeNull()
  expect(openSealed(a, sealPacket(a, ascii('x')))).toBeNull() // and not back to its maker
  const third = sealPacket(a, ascii('three')) as Uint8Array
  for (let bit = 0; bit < 8 * third.length; bit++) {
    const flipped = Uint8Array.from(third)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(openSealed(b, flipped)).toBeNull()
  }
  expect(openSealed(b, third)).toEqual(ascii('three'))
  expect(openSealed(b, fromHex('00'))).toBeNull()
})

test('the window of counters: what lies too far back is refused, wherever the window stands', () => {
  const [a, b] = pair() as [ReturnType<typeof createSeal>, ReturnType<typeof createSeal>]
  const sealed = Array.from({ length: 3 * REPLAY_WINDOW }, (_, i) =>
    sealPacket(a, Uint8Array.of(i)),
  )
  const opens = (i: number) => openSealed(b, sealed[i]!) !== null
  expect([0, 5, 5, 2 * REPLAY_WINDOW, 6].map(opens)).toEqual([true, true, false, true, false])
  expect([REPLAY_WINDOW, REPLAY_WINDOW + 1, REPLAY_WINDOW + 1].map(opens)).toEqual([
    false,
    true,
    false,
  ])
  expect([3 * REPLAY_WINDOW - 1, 2 * REPLAY_WINDOW, 2 * REPLAY_WINDOW + 1].map(opens)).toEqual([
    true,
    false,
    true,
  ])
})
