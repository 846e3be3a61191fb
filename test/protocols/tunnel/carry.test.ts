import { deflateSync, inflateSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import type { Ipv4Address } from '../../../protocols/address.ts'
import { ip } from '../../../protocols/address.ts'
import type { Bytes } from '../../../protocols/bytes.ts'
import { emitIpv4, parseIpv4 } from '../../../protocols/ipv4/codec.ts'
import { DONT_FRAGMENT, Ipv4Packet, MAY_FRAGMENT } from '../../../protocols/ipv4/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { ms } from '../../../protocols/time.ts'
import type { PacketCodec } from '../../../protocols/tunnel/carry.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'
import { stream } from '../../../sim/random.ts'
import { CarryPair, type Fate } from './carry-pair.ts'

const IDEAL: Fate = () => [ms(10)]
const [NORTH, SOUTH] = [ip('10.1.0.1') as Ipv4Address, ip('10.2.0.1') as Ipv4Address]

/** Number `n` of flow `flow`. */
function packet(flow: number, n: number, size = 40): Bytes {
  const payload = new Uint8Array(size)
  payload[0] = flow
  payload[1] = n >> 8
  payload[2] = n & 0xff
  const udp = new UdpDatagram(1000 + flow, 2000, payload)
  return emitIpv4(new Ipv4Packet(NORTH, SOUTH, 17, 64, n, MAY_FRAGMENT, udp))
}
const flowOf = (bytes: Bytes): number => bytes[28]!
const numberOf = (bytes: Bytes): number => bytes[29]! * 256 + bytes[30]!
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i)

/** Loss 20 %, copies 30 %, order changed for 30 %. */
function hostile(seed: number): Fate {
  const draw = stream(`carry/${seed}`, 'fate')
  return () => {
    const [lost, again, late] = [draw() < 0.2, draw() < 0.3, draw() < 0.3]
    const delay = ms(10) + (late ? ms(40 * draw()) : 0)
    if (lost) return []
    return again ? [delay, delay + ms(25)] : [delay]
  }
}

describe('a tunnel', () => {
  test('comes up after two round trips, and carries packets both ways', () => {
    const pair = new CarryPair(IDEAL)
    pair.until(1)
    expect(pair.reports).toEqual(['0.04 0 up 1462', '0.04 1 up 1462'])
    pair.give(0, packet(1, 7))
    pair.give(1, packet(2, 8))
    pair.until(1.1)
    expect(pair.out[1]).toEqual([{ at: 1.01e9, bytes: packet(1, 7) }])
    expect(pair.out[0]).toEqual([{ at: 1.01e9, bytes: packet(2, 8) }])
  })

  test('packets that come before it is up wait for it', () => {
    const pair = new CarryPair(IDEAL)
    pair.give(0, packet(1, 1))
    pair.until(1)
    expect(pair.out[1]!.map(({ bytes }) => bytes)).toEqual([packet(1, 1)])
  })

  test('a packet that is lost goes again after the timeout of its round trips', () => {
    let drop = false
    const pair = new CarryPair(() => (drop ? [] : [ms(10)]))
    pair.until(1)
    for (let i = 0; i < 20; i++) pair.give(0, packet(1, i))
    pair.until(2)
    drop = true
    pair.give(0, packet(1, 99))
    drop = false
    pair.until(3)
    // 20 ms as smoothed, and the floor of 50 ms above it; then 10 ms on the way.
    expect(pair.out[1]!.at(-1)).toEqual({ at: 2e9 + ms(80), bytes: packet(1, 99) })
    expect(pair.states[0]!.counters).toMatchObject({ sent: 22, resent: 1, givenUp: 0 })
  })

  test('a lost packet holds up its own flow, and no other', () => {
    for (const [order, expected] of [
      [
        'flow',
        [
          [2, 1],
          [1, 0],
          [1, 1],
        ],
      ],
      [
        'all',
        [
          [1, 0],
          [2, 1],
          [1, 1],
        ],
      ],
      [
        'none',
        [
          [2, 1],
          [1, 1],
          [1, 0],
        ],
      ],
    ] as const) {
      let drop = false
      const pair = new CarryPair(() => (drop ? [] : [ms(10)]), { order })
      pair.until(1)
      drop = true
      pair.give(0, packet(1, 0))
      drop = false
      pair.give(0, packet(2, 1))
      pair.give(0, packet(1, 1))
      pair.until(3)
      expect([order, pair.out[1]!.map(({ bytes }) => [flowOf(bytes), numberOf(bytes)])]).toEqual([
        order,
        expected,
      ])
    }
  })

  test.each([false, true])(
    '100 seeds of 20 % loss, 30 % copies, 30 % out of order; key: %s',
    (keyed) => {
      for (let seed = 0; seed < 100; seed++) {
        const pair = new CarryPair(hostile(seed), keyed ? { key: KEY } : {})
        pair.until(5)
        for (let i = 0; i < 60; i++) {
          pair.give(0, packet(i % 3, i))
          pair.give(1, packet(i % 2, i))
          pair.until(5 + i / 200)
        }
        pair.until(12)
        for (const [end, flows] of [
          [1, 3],
          [0, 2],
        ] as const) {
          const numbers = pair.out[end]!.map(({ bytes }) => numberOf(bytes))
          // Each one once, and each flow in its order.
          expect([seed, numbers.toSorted((a, b) => a - b)]).toEqual([
            seed,
            Array.from({ length: 60 }, (_, i) => i),
          ])
          for (let flow = 0; flow < flows; flow++) {
            const own = numbers.filter((n) => n % flows === flow)
            expect([seed, own]).toEqual([seed, own.toSorted((a, b) => a - b)])
          }
        }
      }
    },
  )

  test('states may be immutable, and the run is the same', () => {
    const runs = [false, true].map((recorded) => {
      const pair = new CarryPair(hostile(1), { key: KEY }, null, recorded)
      pair.until(3)
      for (let i = 0; i < 30; i++) pair.give(0, packet(i % 3, i))
      pair.until(6)
      return { out: pair.out, sent: pair.sent, reports: pair.reports }
    })
    expect(runs[1]).toEqual(runs[0])
    expect(runs[0]!.out[1]).toHaveLength(30)
  })
})

describe('bounds', () => {
  test('nobody is there: what waits is so much and no more, and grows old', () => {
    const pair = new CarryPair(() => [], { queue: 10 })
    for (let i = 0; i < 5000; i++) {
      pair.give(0, packet(1, i))
      pair.until(i / 1000)
    }
    const { outbound, counters } = pair.states[0]!
    expect(outbound.waiting).toBe(10)
    expect(counters).toMatchObject({ taken: 5000, queueDrops: 4990, sent: 0 })
    // Hellos are ever further apart.
    const before = pair.sent.length
    pair.until(65)
    expect((pair.sent.length - before) / 2).toBeLessThan(13)
  })

  test('the other end falls silent: units are given up, then it is, and nothing is kept', () => {
    let silent = false
    const pair = new CarryPair(() => (silent ? [] : [ms(10)]), { queue: 50 })
    pair.until(1)
    silent = true
    for (let i = 0; i < 1000; i++) pair.give(0, packet(1, i))
    expect(pair.states[0]!.counters.queueDrops).toBe(1000 - 256 - 50)
    pair.until(40)
    expect(pair.reports.filter((line) => line.includes('down'))).toEqual([
      '30.04 0 down silence',
      '30.04 1 down silence',
    ])
    expect(pair.states[0]!.counters.givenUp).toBe(256 + 50)
    expect(pair.states[0]!.outbound).toMatchObject({ waiting: 0 })
    silent = false
    pair.until(60)
    expect(pair.reports.filter((line) => line.includes('up'))).toHaveLength(4)
    pair.give(0, packet(1, 1))
    pair.until(61)
    expect(pair.out[1]).toHaveLength(1)
  })

  test('a packet that does not come through is given up; those behind it do not wait for ever', () => {
    const pair = new CarryPair((bytes) => (bytes.length === 12 + 6 + 128 ? [] : [ms(10)]))
    pair.until(1)
    pair.give(0, packet(1, 0, 100))
    for (let i = 1; i < 5; i++) pair.give(0, packet(1, i))
    pair.until(4)
    expect(pair.out[1]!.map(({ at, bytes }) => [at, numberOf(bytes)])).toEqual(
      [1, 2, 3, 4].map((n) => [3.01e9, n]),
    )
    expect(pair.states[0]!.counters.givenUp).toBe(1)
  })
})

describe('the path', () => {
  test('hellos of several sizes find out what it takes', () => {
    const pair = new CarryPair((bytes) => (bytes.length + 20 > 1400 ? [] : [ms(10)]))
    pair.until(3)
    expect(pair.reports.map((line) => line.slice(-7))).toEqual(['up 1362', 'up 1362'])
    expect(pair.mtus[0]).toEqual([1462, 1362])
  })

  test('it becomes narrower: long packets are missed, the path is measured again', () => {
    let most = 1500
    const pair = new CarryPair((bytes) => (bytes.length + 20 > most ? [] : [ms(10)]))
    pair.until(8)
    most = 1300
    pair.give(0, packet(1, 1, 1400))
    pair.give(0, packet(2, 2))
    pair.until(14)
    expect(pair.reports.slice(2)).toEqual([expect.stringMatching(/0 mtu 1242$/)])
    expect(pair.out[1]!.map(({ bytes }) => numberOf(bytes))).toEqual([2])
    // It becomes wide again: within a minute that is found out, too.
    most = 1500
    pair.until(90)
    expect(pair.reports.at(-1)).toMatch(/0 mtu 1462$/)
  })

  test('the first link refuses what is too long: it is measured once, and tried now and then', () => {
    const pair = new CarryPair((bytes) => (bytes.length + 20 > 1300 ? 'too big' : [ms(10)]))
    pair.until(5)
    expect(pair.reports.map((line) => line.slice(-7))).toEqual(['up 1242', 'up 1242'])
    const before = pair.sent.length
    pair.until(305)
    expect(pair.reports).toHaveLength(2)
    // Five rounds of the sizes above, and a question and an answer each ten seconds, from both.
    expect(pair.sent.length - before).toBeLessThan(2 * (5 * 6 + 30 * 2 + 10))
  })

  test('it becomes narrower under a quiet tunnel that is about to ask', () => {
    let most = 1500
    const pair = new CarryPair((bytes) => (bytes.length + 20 > most ? 'too big' : [ms(10)]))
    pair.until(9.95)
    most = 1300
    pair.give(0, packet(1, 1, 1400))
    pair.until(30)
    expect(pair.reports.slice(2)).toEqual([expect.stringMatching(/0 mtu 1242$/)])
  })

  test('what is too long is cut, or its sender hears how long it may be', () => {
    const pair = new CarryPair((bytes) => (bytes.length + 20 > 1280 ? [] : [ms(10)]))
    pair.until(3)
    const payload = new Opaque(new Uint8Array(1400).fill(7))
    pair.give(0, emitIpv4(new Ipv4Packet(NORTH, SOUTH, 99, 64, 5, MAY_FRAGMENT, payload)))
    pair.give(0, emitIpv4(new Ipv4Packet(NORTH, SOUTH, 99, 64, 6, DONT_FRAGMENT, payload)))
    pair.until(4)
    const pieces = pair.out[1]!.map(({ bytes }) => parseIpv4(bytes)).map(
      (each) => each.ok && each.value,
    )
    expect(pieces).toMatchObject([
      { identification: 5, details: { moreFragments: true } },
      { identification: 5, details: { moreFragments: false } },
    ])
    const answer = parseIpv4(pair.out[0]![0]!.bytes)
    expect(answer.ok && answer.value).toMatchObject({
      source: ip('192.0.0.8'),
      destination: NORTH,
      payload: { kind: 'icmp', type: 3, code: 4, rest: 1280 - 38 },
    })
    expect(pair.out[0]).toHaveLength(1)
  })
})

describe('the key', () => {
  test('only those who have it come together', () => {
    const other = Uint8Array.from({ length: 32 }, () => 1)
    for (const key of [other, null]) {
      const pair = new CarryPair(IDEAL, { key: KEY })
      pair.restart(1, { key })
      pair.until(5)
      expect(pair.reports).toEqual([])
    }
  })

  test('what was recorded is refused: packets at once, hellos of an earlier life', () => {
    const pair = new CarryPair(IDEAL, { key: KEY })
    pair.until(1)
    pair.give(0, packet(1, 1))
    pair.until(2)
    const recorded = pair.sent.filter(({ from }) => from === 0).map(({ bytes }) => bytes)
    pair.restart(0, { key: KEY })
    pair.until(4)
    expect(pair.reports.filter((line) => line.includes('restarted'))).toHaveLength(1)
    pair.give(0, packet(1, 2))
    pair.until(5)
    const { refused } = pair.states[1]!.counters
    for (const bytes of recorded) pair.inject(1, bytes)
    for (const { bytes } of pair.sent.filter(({ from }) => from === 1)) pair.inject(1, bytes)
    pair.until(8)
    expect(pair.out[1]!.map(({ bytes }) => numberOf(bytes))).toEqual([1, 2])
    expect(pair.reports.filter((line) => line.includes('restarted'))).toHaveLength(1)
    expect(pair.states[1]!.counters.refused).toBeGreaterThan(refused)
  })

  test('a flipped bit anywhere: nothing of it is handed over', () => {
    for (const key of [KEY, null]) {
      const pair = new CarryPair(IDEAL, { key })
      pair.until(1)
      pair.give(0, packet(1, 1))
      const { bytes } = pair.sent.at(-1)!
      for (let bit = 0; bit < 8 * bytes.length; bit += 3) {
        const bad = Uint8Array.from(bytes)
        bad[bit >> 3]! ^= 1 << (bit & 7)
        pair.inject(1, bad)
      }
      for (let length = 0; length < bytes.length; length++)
        pair.inject(1, bytes.subarray(0, length))
      expect(pair.out[1]).toEqual([])
      pair.until(2)
      expect(pair.out[1]!.map((each) => each.bytes)).toEqual([packet(1, 1)])
    }
  })
})

describe('compression', () => {
  const codec: PacketCodec = {
    deflate: (bytes) => deflateSync(bytes as Uint8Array),
    inflate: (bytes, max) => {
      try {
        const whole = inflateSync(bytes as Uint8Array)
        return whole.length > max ? null : whole
      } catch {
        return null
      }
    },
  }
  test('what becomes smaller goes smaller, and comes out as it was', () => {
    const pair = new CarryPair(IDEAL, { compress: true }, codec)
    pair.until(1)
    const draw = stream('noise', 'x')
    const noise = (packet(1, 2, 1000) as Uint8Array).map((byte, i) =>
      i < 31 ? byte : Math.floor(draw() * 256),
    )
    const before = pair.sent.length
    pair.give(0, packet(1, 1, 1000))
    pair.give(0, noise)
    expect(pair.sent.slice(before).map(({ bytes }) => bytes.length)).toEqual([
      expect.toSatisfy((n: number) => n < 100),
      12 + 6 + 1028,
    ])
    pair.until(2)
    expect(pair.out[1]!.map(({ bytes }) => bytes)).toEqual([packet(1, 1, 1000), noise])
  })
})

test('told to stop, it says goodbye, and the other end waits for the next one', () => {
  const pair = new CarryPair(IDEAL)
  pair.until(1)
  pair.stop(0)
  pair.until(2)
  expect(pair.reports.slice(2)).toEqual(['1 0 closed', '1.01 1 down left'])
  pair.restart(0)
  pair.until(8)
  expect(pair.reports.slice(4).map((line) => line.slice(-7))).toEqual(['up 1462', 'up 1462'])
})

test('a quiet tunnel asks now and then whether the other end is there', () => {
  const pair = new CarryPair(IDEAL)
  pair.until(1)
  const before = pair.sent.length
  pair.until(61)
  expect(pair.reports).toHaveLength(2)
  // A question and an answer each ten seconds: the answer is a word of the other end.
  expect(pair.sent.length - before).toBeLessThanOrEqual(24)
})
