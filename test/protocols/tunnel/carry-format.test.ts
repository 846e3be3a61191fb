import { describe, expect, test } from 'vitest'
import { i32, putI32, putU16, toHex } from '../../../protocols/bytes.ts'
import { checksum, sumRange } from '../../../protocols/checksum.ts'
import { ms } from '../../../protocols/time.ts'
import {
  type CarryPacket,
  decodeCarry,
  encodeCarry,
  isGreeting,
  pairOf,
  sessionOf,
} from '../../../protocols/tunnel/carry-format.ts'
import { flowOf, FLOWS } from '../../../protocols/tunnel/flow.ts'
import { stream } from '../../../sim/random.ts'
import { CarryPair } from './carry-pair.ts'

const from = { id: 0xdeadbeef, epoch: 2 ** 41 + 7, nonce: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }
const AT = { theirs: 1000, ours: 2000 }
const bytes = Uint8Array.of(0x45, 1, 2, 3)

const PACKETS: readonly CarryPacket[] = [
  { kind: 'hello', from, size: 30 },
  { kind: 'hello', from, size: 1480 },
  { kind: 'welcome', from, echo: 77, heard: 1480 },
  { kind: 'data', unit: 1001, floor: 3, behind: 0, compressed: false, bytes },
  { kind: 'data', unit: 1255, floor: 255, behind: 9, compressed: true, bytes },
  { kind: 'ack', ack: { kind: 'ack', below: 2000, units: [] } },
  { kind: 'ack', ack: { kind: 'ack', below: 1990, units: [1992, 2001] } },
  { kind: 'probe', below: 990 },
  { kind: 'probed' },
  { kind: 'bye' },
]
const sessionFor = ({ kind }: CarryPacket): number =>
  kind === 'hello' || kind === 'welcome' ? from.id : 5

describe('packets', () => {
  test.each(PACKETS)('what is encoded is decoded: %j', (packet) => {
    const encoded = encodeCarry(sessionFor(packet), packet)
    expect(decodeCarry(encoded, AT)).toEqual(packet)
    expect(sessionOf(encoded)).toBe(sessionFor(packet))
    expect(isGreeting(encoded)).toBe(packet.kind === 'hello' || packet.kind === 'welcome')
    for (let length = 0; length < encoded.length; length++) {
      expect(decodeCarry(encoded.subarray(0, length), AT)).toBeNull()
    }
    for (let bit = 0; bit < 8 * encoded.length; bit++) {
      const bad = Uint8Array.from(encoded)
      bad[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeCarry(bad, AT)).toBeNull()
    }
  })

  test('golden bytes: a packet, and what is said of it', () => {
    const data = { kind: 'data', unit: 7, floor: 2, behind: 1, compressed: false, bytes } as const
    expect(toHex(encodeCarry(pairOf(0x11111111, 0x22222222), data))).toBe(
      '00000007 0154 5121 33333333 0002 0001 0000 45010203'.replaceAll(' ', ''),
    )
    const ack = { kind: 'ack', below: 6, units: [7, 9] } as const
    expect(toHex(encodeCarry(0x33333333, { kind: 'ack', ack }))).toBe(
      '00000006 4f64 aa21 33333333 a0'.replaceAll(' ', ''),
    )
  })

  test('units go on beyond 2³²', () => {
    for (const unit of [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 200, 5 * 2 ** 32 + 3]) {
      const data = { kind: 'data', unit, floor: 0, behind: 0, compressed: false, bytes } as const
      const near = { theirs: unit - 100, ours: 0 }
      expect(decodeCarry(encodeCarry(5, data), near)).toEqual(data)
    }
  })

  test('whatever stands in the fields of packets that are well made, nothing throws or grows', () => {
    const draw = stream('fields', 'x')
    const pair = new CarryPair(() => [ms(10)])
    pair.until(1)
    const session = pairOf(pair.states[0]!.self.id, pair.states[1]!.self.id)
    for (let i = 0; i < 5000; i++) {
      const which = PACKETS[Math.floor(draw() * PACKETS.length)]!
      if (which.kind === 'bye') continue
      const bad = encodeCarry(which.kind === 'hello' ? from.id : session, which) as Uint8Array
      const random = () => Math.floor(draw() * 2 ** 32)
      putI32(bad, 0, draw() < 0.5 ? random() : i32(bad, 0) + Math.floor(draw() * 600) - 300)
      for (let at = 12; at < Math.min(bad.length, 18); at++) bad[at] = random() & 0xff
      putU16(bad, 4, 0)
      putU16(bad, 4, checksum(sumRange(bad, 0, bad.length, bad.length)))
      pair.inject(i & 1, bad)
      pair.give(i & 1, Uint8Array.of(random() & 0xff, ...new Uint8Array(Math.floor(draw() * 60))))
      pair.until(1 + i / 500)
    }
    for (const { inbound, outbound } of pair.states) {
      expect(inbound.waitingCount).toBeLessThanOrEqual(inbound.window)
      expect(inbound.waiting).toHaveLength(256)
      expect(outbound.sent).toHaveLength(256)
      expect(outbound.queue).toHaveLength(512)
    }
  })
})

test('a flow has one place, whatever its bytes', () => {
  const draw = stream('flow', 'x')
  for (let i = 0; i < 2000; i++) {
    const any = Uint8Array.from({ length: Math.floor(draw() * 70) }, () => Math.floor(draw() * 256))
    if (any.length > 0 && i % 2 === 0) any[0] = draw() < 0.5 ? 0x45 : 0x60
    const place = flowOf(any, i % 3 === 0 ? 14 : 0)
    expect(place).toBe(flowOf(any, i % 3 === 0 ? 14 : 0))
    expect(place >= 0 && place < FLOWS && Number.isInteger(place)).toBe(true)
  }
})
