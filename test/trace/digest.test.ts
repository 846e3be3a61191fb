import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nativeSha256 } from '../../wire/native-sha256.ts'
import { ArpPacket } from '../../protocols/arp/packet.ts'
import { fromHex, toHex } from '../../protocols/bytes.ts'
import { emitEthernet, parseEthernet } from '../../protocols/ethernet/codec.ts'
import { EthernetFrame, type EthernetPayload } from '../../protocols/ethernet/frame.ts'
import { IcmpMessage } from '../../protocols/icmp/message.ts'
import { Ipv4Details, Ipv4Packet, type TransportPayload } from '../../protocols/ipv4/packet.ts'
import { Malformed, Opaque } from '../../protocols/payload.ts'
import { Sha256 } from '../../protocols/sha256.ts'
import { TcpOptions } from '../../protocols/tcp/options.ts'
import { ACK, SYN, type TcpSegment } from '../../protocols/tcp/segment.ts'
import { NEVER } from '../../protocols/time.ts'
import { describeDifference } from '../../trace/difference.ts'
import { TraceDigest } from '../../trace/digest.ts'
import { Encoding } from '../../trace/encoding.ts'
import { encodeRecord } from '../../trace/record-encoding.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { ethernetFrame, RUNS } from '../protocols/arbitrary.ts'
import {
  A,
  A_MAC,
  B,
  B_MAC,
  called,
  carrying,
  datagram,
  ethernet,
  filled,
  received,
  said,
  segment,
  sent,
} from './records.ts'
import { variedFrames } from './varied-frames.ts'

function digest(...records: readonly TraceRecord[]): string {
  const digest = new TraceDigest()
  for (const record of records) digest.observer(record)
  return digest.hex()
}

const OTHER_MAC = '02:00:00:00:00:03'
const arp = new ArpPacket(1, A_MAC, A, B_MAC, B)
const echo = new IcmpMessage(8, 0, 1, filled(3))
const udp = datagram(5)
const damage = new Malformed('tcp', 'bad-checksum', filled(2))
const over = (payload: TransportPayload) =>
  new Ipv4Packet(A, B, 99, 64, 1, new Ipv4Details(0, false, false, 0, filled(0)), payload)
const options = new TcpOptions([2, 1, 5, 200], 1460, -1, 0, 0, [10, 20], [filled(3)])
const syn = segment({ seq: 5, ack: 6, flags: SYN, options, data: 40 })
const frame = carrying(syn)

/** The same value, made of other objects, with its keys in another order. */
function copied<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value) as T
  if (Array.isArray(value)) return value.map(copied) as T
  const copy = Object.create(Object.getPrototypeOf(value) as object) as { [key: string]: unknown }
  for (const [key, field] of Object.entries(value).toReversed()) copy[key] = copied(field)
  return copy as T
}

/** A value like the given one, but for these fields. */
function altered<T extends object>(value: T, change: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(value) as object) as T, value, change)
}

describe('what is the same', () => {
  const records: readonly TraceRecord[] = [
    ...variedFrames.map((f) => sent(f, { arrives: NEVER, dropped: 'loss' })),
    received(frame),
    said({ kind: 'received', socket: 1, chunks: [filled(3), filled(4)], bytes: 7, ended: true }),
    said({ kind: 'dropped', why: 'no-route', packet: frame.payload }),
    called({ kind: 'connect', socket: 1, remote: { address: B, port: 80 } }),
    called({ kind: 'send', socket: 1, bytes: filled(100) }),
  ]

  test('identity and the order of keys do not count', () => {
    expect(digest(...records.map(copied))).toBe(digest(...records))
  })

  test('neither does a way over the wire', () => {
    fc.assert(
      fc.property(ethernetFrame, (original) => {
        const parsed = parseEthernet(emitEthernet(original))
        expect(parsed.ok && digest(sent(parsed.value))).toBe(digest(sent(original)))
      }),
      { ...RUNS, numRuns: 300 },
    )
  })

  test('a digest may be asked for in between', () => {
    const digest = new TraceDigest()
    for (const record of records.slice(0, 9)) digest.observer(record)
    const early = digest.hex()
    expect(digest.hex()).toBe(early)
    for (const record of records.slice(9)) digest.observer(record)
    const whole = new TraceDigest()
    for (const record of records) whole.observer(record)
    expect(digest.hex()).toBe(whole.hex())
    expect(early).not.toBe(whole.hex())
  })

  test('a hash of the platform gives the same digest, in between too', () => {
    const [own, native] = [new TraceDigest(), new TraceDigest(nativeSha256())]
    // Enough for several batches, and some more.
    for (let i = 0; i < 600; i++) {
      for (const record of records) {
        own.observer(record)
        native.observer(record)
      }
      if (i % 200 === 0) expect(native.hex()).toBe(own.hex())
    }
    expect(native.hex()).toBe(own.hex())
  })
})

describe('what differs', () => {
  const base = sent(frame)
  const inFrame = (change: Partial<TcpSegment>) => sent(carrying(altered(syn, change)))
  const inOptions = (change: Partial<TcpOptions>) => inFrame({ options: altered(options, change) })
  const inPacket = (...fields: ConstructorParameters<typeof Ipv4Packet>) =>
    sent(ethernet(new Ipv4Packet(...fields)))
  const inDetails = (change: Partial<Ipv4Details>) =>
    inPacket(A, B, 6, 64, 1, altered(plain, change), syn)
  const plain = new Ipv4Details(0, true, false, 0, filled(0))

  const changed: readonly (readonly [field: string, TraceRecord])[] = [
    ['at: 10000000, 10000001', sent(frame, { at: 10_000_001 })],
    ['event: 7, 8', sent(frame, { event: 8 })],
    ['node: a, b', sent(frame, { node: 'b' })],
    ['port: 0, 1', sent(frame, { port: 1 })],
    ['link: a>b, a>c', sent(frame, { link: 'a>c' })],
    ['dropped: null, loss', sent(frame, { dropped: 'loss' })],
    ['arrives: 20000000, Infinity', sent(frame, { arrives: NEVER })],
    ['duplicates: 0, 1', sent(frame, { duplicates: 1 })],
    ['corruptedBit: -1, 0', sent(frame, { corruptedBit: 0 })],
    ['reordered: false, true', sent(frame, { reordered: true })],
    ['queueFrames: 1, 2', sent(frame, { queueFrames: 2 })],
    [`queueBytes: ${frame.size}, 5`, sent(frame, { queueBytes: 5 })],
    ['kind: sent, received', received(frame)],
    [
      'frame.destination: 02:00:00:00:00:02, 02:00:00:00:00:03',
      sent(new EthernetFrame('02:00:00:00:00:03', frame.source, 0x800, frame.payload)),
    ],
    [
      'frame.etherType: 2048, 2049',
      sent(new EthernetFrame(frame.destination, frame.source, 0x801, frame.payload)),
    ],
    ['frame.payload.source: 10.0.0.1, 10.0.0.2', inPacket(B, B, 6, 64, 1, plain, syn)],
    ['frame.payload.ttl: 64, 63', inPacket(A, B, 6, 63, 1, plain, syn)],
    ['frame.payload.identification: 1, 2', inPacket(A, B, 6, 64, 2, plain, syn)],
    [
      'frame.payload.details.fragmentOffset: 0, 3',
      inPacket(A, B, 6, 64, 1, new Ipv4Details(0, true, false, 3, filled(0)), syn),
    ],
    [
      'frame.payload.details.moreFragments: false, true',
      inPacket(A, B, 6, 64, 1, new Ipv4Details(0, true, true, 0, filled(0)), syn),
    ],
    ['frame.payload.payload.kind: tcp, opaque', carryingOpaque()],
    ['frame.payload.payload.seq: 5, 6', inFrame({ seq: 6 })],
    ['frame.payload.payload.ack: 6, 7', inFrame({ ack: 7 })],
    ['frame.payload.payload.flags: 2, 18', inFrame({ flags: SYN | ACK })],
    ['frame.payload.payload.window: 65535, 0', inFrame({ window: 0 })],
    ['frame.payload.payload.urgent: 0, 1', inFrame({ urgent: 1 })],
    ['frame.payload.payload.payload.length: 40, 41', inFrame({ payload: filled(41) })],
    [
      'frame.payload.payload.payload[0]: 0x61, 0x62',
      inFrame({ payload: new Uint8Array(40).fill(0x62) }),
    ],
    [
      'frame.source: 02:00:00:00:00:01, 02:00:00:00:00:03',
      sent(altered(frame, { source: OTHER_MAC })),
    ],
    ['frame.payload.destination: 10.0.0.2, 10.0.0.1', inPacket(A, A, 6, 64, 1, plain, syn)],
    ['frame.payload.protocol: 6, 7', inPacket(A, B, 7, 64, 1, plain, syn)],
    ['frame.payload.details.trafficClass: 0, 1', inDetails({ trafficClass: 1 })],
    ['frame.payload.details.dontFragment: true, false', inDetails({ dontFragment: false })],
    ['frame.payload.details.options.length: 0, 4', inDetails({ options: filled(4) })],
    ['frame.payload.payload.sourcePort: 49152, 1', inFrame({ sourcePort: 1 })],
    ['frame.payload.payload.destinationPort: 5001, 1', inFrame({ destinationPort: 1 })],
    ['frame.payload.payload.options.layout[1]: 1, 0', inOptions({ layout: [2, 0, 5, 200] })],
    ['frame.payload.payload.options.windowScale: -1, 7', inOptions({ windowScale: 7 })],
    ['frame.payload.payload.options.timestampValue: 0, 1', inOptions({ timestampValue: 1 })],
    ['frame.payload.payload.options.timestampEcho: 0, 1', inOptions({ timestampEcho: 1 })],
    ['frame.payload.payload.options.unknown[0].length: 3, 2', inOptions({ unknown: [filled(2)] })],
    ['frame.payload.payload.options.mss: 1460, 1461', inOptions({ mss: 1461 })],
    ['frame.payload.payload.options.sack[1]: 20, 21', inOptions({ sack: [10, 21] })],
  ]

  function carryingOpaque(): TraceRecord {
    return sent(carrying(new Opaque(filled(60)), 'a>b', undefined, 6))
  }

  test.each(changed)('%s', (field, record) => {
    expect(describeDifference(base, record)).toBe(field)
    expect(digest(record)).not.toBe(digest(base))
  })

  test('nothing, where nothing does', () => {
    expect(describeDifference(base, copied(base))).toBeNull()
  })

  test('events and calls', () => {
    const pairs: readonly (readonly [TraceRecord, TraceRecord, string])[] = [
      [
        said({ kind: 'rtt', socket: 1, rtt: 0, srtt: 5 }),
        said({ kind: 'rtt', socket: 1, rtt: -0, srtt: 5 }),
        'said.rtt: 0, -0',
      ],
      [
        said({ kind: 'neighbour', address: A, mac: null }),
        said({ kind: 'neighbour', address: A, mac: '02:00:00:00:00:01' }),
        'said.mac: null, 02:00:00:00:00:01',
      ],
      [
        said({
          kind: 'received',
          socket: 1,
          chunks: [filled(2), filled(1)],
          bytes: 3,
          ended: false,
        }),
        said({
          kind: 'received',
          socket: 1,
          chunks: [filled(1), filled(2)],
          bytes: 3,
          ended: false,
        }),
        'said.chunks[0].length: 2, 1',
      ],
      [
        called({ kind: 'send', socket: 1, bytes: filled(1) }),
        called({ kind: 'send', socket: 2, bytes: filled(1) }),
        'call.socket: 1, 2',
      ],
      [
        said({ kind: 'dropped', why: 'x', packet: datagram(1) }),
        said({ kind: 'dropped', why: 'x', packet: datagram(2) }),
        'said.packet.payload.length: 1, 2',
      ],
    ]
    for (const [a, b, field] of pairs) {
      expect(describeDifference(a, b)).toBe(field)
      expect(digest(a)).not.toBe(digest(b))
    }
  })

  const others: readonly (readonly [name: string, EthernetPayload, readonly EthernetPayload[]])[] =
    [
      [
        'ARP',
        arp,
        [
          altered(arp, { operation: 2 }),
          altered(arp, { senderMac: OTHER_MAC }),
          altered(arp, { senderIp: B }),
          altered(arp, { targetMac: OTHER_MAC }),
          altered(arp, { targetIp: A }),
        ],
      ],
      [
        'ICMP',
        over(echo),
        [
          over(altered(echo, { type: 0 })),
          over(altered(echo, { code: 1 })),
          over(altered(echo, { rest: 2 })),
          over(altered(echo, { data: filled(4) })),
        ],
      ],
      [
        'UDP',
        over(udp),
        [
          over(altered(udp, { sourcePort: 1 })),
          over(altered(udp, { destinationPort: 1 })),
          over(altered(udp, { payload: filled(6) })),
        ],
      ],
      [
        'damage',
        over(damage),
        [
          over(altered(damage, { protocol: 'udp' })),
          over(altered(damage, { why: 'truncated' })),
          over(altered(damage, { bytes: filled(1) })),
        ],
      ],
    ]

  test.each(others)('every field of %s', (_, payload, variants) => {
    const digests = [payload, ...variants].map((variant) => digest(sent(ethernet(variant))))
    expect(new Set(digests).size).toBe(1 + variants.length)
  })

  test('payloads of the same segment number, one after the other', () => {
    const [x, y] = [inFrame({ payload: filled(40) }), inFrame({ payload: new Uint8Array(40) })]
    expect(digest(x, y)).not.toBe(digest(x, x))
    expect(digest(x, y, x)).toBe(digest(...[x, y, x].map(copied)))
  })

  test('the order of records', () => {
    expect(digest(base, received(frame))).not.toBe(digest(received(frame), base))
  })
})

test('the encoding of a drop, byte by byte', () => {
  const encoding = new Encoding()
  const packet = new Opaque(filled(0))
  encodeRecord(encoding, said({ kind: 'dropped', why: 'ü', packet }, { at: 1, event: 2 }))
  const parts = [
    '05', // a drop
    '3ff0000000000000', // at: 1.0
    '4000000000000000', // event: 2.0
    '0161', // node: one code unit
    '018000fc', // why: one beyond ASCII
    '1500000000', // opaque, no bytes
  ]
  expect(toHex(encoding.bytes)).toBe(parts.join(''))
  const byHand = new Sha256().update(fromHex(parts.join(''))).hex()
  expect(digest(said({ kind: 'dropped', why: 'ü', packet }, { at: 1, event: 2 }))).toBe(byHand)
})

test('an encoding grows as it must', () => {
  const encoding = new Encoding()
  for (let i = 0; i < 50; i++)
    encoding.value(['x'.repeat(20_000), { nested: [i, null, undefined] }])
  expect(encoding.length).toBeGreaterThan(1_000_000)
  expect(() => encoding.value(() => 0)).toThrow(TypeError)
})
