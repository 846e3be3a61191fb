import { describe, expect, test } from 'vitest'
import { concatBytes, toHex } from '../../protocols/bytes.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { PROTOCOL_TCP } from '../../protocols/ipv4/packet.ts'
import { Malformed } from '../../protocols/payload.ts'
import { s } from '../../protocols/time.ts'
import { PcapngWriter, type PcapngOptions } from '../../trace/pcapng.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { has, judged, unless } from './judge.ts'
import { carrying, datagram, filled, received, said, sent } from './records.ts'
import { variedFrames } from './varied-frames.ts'

function captured(records: readonly TraceRecord[], options: PcapngOptions = {}): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const writer = new PcapngWriter((piece) => pieces.push(piece), options)
  for (const record of records) writer.observer(record)
  writer.end()
  return pieces
}

/** The blocks' types and whole lengths; checks that they are told twice and multiples of 4. */
function blocks(file: Uint8Array): (readonly [type: number, length: number])[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const found: [number, number][] = []
  for (let at = 0; at < file.length;) {
    const length = view.getUint32(at + 4, true)
    expect(length % 4).toBe(0)
    expect(view.getUint32(at + length - 4, true)).toBe(length)
    found.push([view.getUint32(at, true), length])
    at += length
  }
  return found
}

describe('the bytes', () => {
  test('a run without frames is a section without packets', () => {
    const file = concatBytes(captured([said({ kind: 'closed', socket: 1 })]))
    expect(toHex(file)).toBe(
      '0a0d0d0a2c0000004d3c2b1a01000000ffffffffffffffff' +
        '040008007477696e77697265000000002c000000',
    )
  })

  test('an interface stands before its first packet and is told once', () => {
    const frame = carrying(datagram(1))
    const records = [sent(frame), received(frame), sent(frame), sent(frame, { port: 1 })]
    expect(blocks(concatBytes(captured(records))).map(([type]) => type)).toEqual([
      0x0a0d0d0a, 1, 6, 1, 6, 6, 1, 6,
    ])
  })

  test('pieces make one file, and are handed over for good', () => {
    const frame = carrying(datagram(1400))
    const records = Array.from({ length: 400 }, (_, i) => sent(frame, { event: i }))
    const pieces = captured(records)
    expect(pieces.length).toBeGreaterThan(1)
    const found = blocks(concatBytes(pieces))
    expect(found).toHaveLength(402)
    expect(new Set(pieces.map((piece) => piece.buffer)).size).toBe(pieces.length)
  })

  test('a frame larger than a piece is written whole', () => {
    const frame = carrying(datagram(65_000))
    const link = 'x'.repeat(30_000) + '>y'
    expect(blocks(concatBytes(captured([sent(frame, { link })])))).toHaveLength(3)
  })
})

describe(`tshark reads it${unless('tshark')}`, () => {
  const fields = (records: readonly TraceRecord[], names: readonly string[], options = {}) =>
    judged(captured(records, options), 'tshark', (file) => [
      '-n',
      '-r',
      file,
      '-T',
      'fields',
      ...names.flatMap((name) => ['-e', name]),
    ]).map((line) => line.split('\t'))

  test.skipIf(!has('tshark'))('stamps, interfaces, directions and comments', () => {
    const frame = carrying(datagram(5))
    const records = [
      sent(frame, { at: 1, event: 12, dropped: 'loss' }),
      sent(frame, { at: s(2), event: 1234567890123, corruptedBit: 99, duplicates: 1 }),
      received(frame, { at: s(5_000_000) + 7, event: 13 }),
      sent(frame, { at: s(5_000_000) + 8, event: 14, node: 'b', link: 'b>a', reordered: true }),
      sent(frame, { at: s(5_000_000) + 9, event: 15, node: 'zürich', port: 2, link: 'zürich>b' }),
    ]
    const names = ['frame.time_epoch', 'frame.interface_name', 'frame.interface_description']
    expect(fields(records, [...names, 'frame.packet_flags_direction', 'frame.comment'])).toEqual([
      ['0.000000001', 'a:0', 'a>b', '0x00000002', 'event 12, drop loss on a>b'],
      [
        '2.000000000',
        'a:0',
        'a>b',
        '0x00000002',
        'event 1234567890123, bit 99 flipped on a>b, 1 more of it on a>b',
      ],
      ['5000000.000000007', 'b:0', 'b>a', '0x00000001', 'event 13'],
      ['5000000.000000008', 'b:0', 'b>a', '0x00000002', 'event 14, sent past others on b>a'],
      ['5000000.000000009', 'zürich:2', 'zürich>b', '0x00000002', 'event 15'],
    ])
    const bad = new Malformed('tcp', 'bad-checksum', filled(30))
    const damaged = received(carrying(bad, 'a>b', undefined, PROTOCOL_TCP), { event: 16 })
    expect(fields([damaged], ['frame.comment'])).toEqual([['event 16, tcp bad-checksum']])
    const started = fields(records.slice(0, 1), ['frame.time_epoch'], { startSeconds: 1e9 })
    expect(started).toEqual([['1000000000.000000001']])
    expect(fields(records, ['frame.number'], { received: false })).toHaveLength(4)
  })

  test.skipIf(!has('tshark'))('without a malformed packet or a bad checksum', () => {
    const records = variedFrames.map((frame) => sent(frame))
    const protocols = ['ip', 'tcp', 'udp']
    const problems = judged(captured(records), 'tshark', (file) => [
      '-n',
      '-r',
      file,
      '-Y',
      '_ws.malformed || _ws.short',
      ...protocols.flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]),
    ])
    expect(problems).toEqual([])
    const bad = protocols.map((name) => `${name}.checksum.status == 0`).join(' || ')
    const checked = (filter: string) =>
      judged(captured(records), 'tshark', (file) => [
        '-n',
        '-r',
        file,
        '-Y',
        filter,
        ...protocols.flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]),
      ])
    expect(checked(bad)).toEqual([])
    // The judge does look: whole TCP segments pass as good, none as unknown.
    expect(checked('tcp.checksum.status == 1').length).toBeGreaterThan(500)
  })

  test.skipIf(!has('tshark'))('with the bytes as they were', () => {
    const frame = carrying(datagram(33))
    const dump = judged(captured([sent(frame)]), 'tshark', (file) => ['-r', file, '-x'])
    const hex = dump.filter((line) => line !== '').map((line) => line.slice(6, 53))
    expect(hex.join('').replaceAll(' ', '')).toBe(toHex(emitEthernet(frame)))
  })
})
