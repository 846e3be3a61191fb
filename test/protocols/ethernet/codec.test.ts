import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex, NO_BYTES, toHex } from '../../../protocols/bytes.ts'
import {
  emitEthernet,
  parseEthernet,
  writeEthernetFrame,
} from '../../../protocols/ethernet/codec.ts'
import { EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { DONT_FRAGMENT, Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { Malformed, Opaque } from '../../../protocols/payload.ts'
import { TcpOptions } from '../../../protocols/tcp/options.ts'
import { TcpSegment } from '../../../protocols/tcp/segment.ts'
import { ethernetFrame, RUNS } from '../arbitrary.ts'
import { A, A_MAC, B, B_MAC, VECTORS, vectors, WITH_IPV4_OPTIONS } from '../vectors.ts'

describe('captured frames', () => {
  test.each(vectors)('%s reads as what it says', (_, { bytes, frame }) => {
    expect(parseEthernet(bytes)).toStrictEqual({ ok: true, value: frame })
  })

  test.each(vectors)('%s is written as it was captured', (_, { bytes, frame }) => {
    expect(toHex(emitEthernet(frame))).toBe(toHex(bytes))
    expect(frame.size).toBe(bytes.length)
  })

  test.each(vectors)('%s: padding does not belong to it', (name, { bytes, frame }) => {
    const padded = concatBytes([bytes, new Uint8Array(13).fill(0xaa)])
    expect(parseEthernet(padded), name).toStrictEqual({ ok: true, value: frame })
  })
})

test('parse(emit(x)) = x', () => {
  fc.assert(
    fc.property(ethernetFrame, (frame) => {
      expect(parseEthernet(emitEthernet(frame))).toStrictEqual({ ok: true, value: frame })
    }),
    { ...RUNS, numRuns: 1000 },
  )
})

test('a frame may be written anywhere in a buffer that is not clear', () => {
  const unaligned = new TcpOptions([3, 4], -1, 7, 0, 0, [], [])
  const segment = new TcpSegment(1, 2, 3, 4, 0x10, 5, 0, unaligned, NO_BYTES)
  const packet = new Ipv4Packet(A, B, 6, 64, 1, DONT_FRAGMENT, segment)
  const frames = [
    ...vectors.map(([, vector]) => vector.frame),
    WITH_IPV4_OPTIONS.frame,
    new EthernetFrame(B_MAC, A_MAC, 0x0800, packet),
  ]
  for (const frame of frames) {
    const b = new Uint8Array(frame.size + 12)
    for (const at of [5, 6, 8]) {
      b.fill(0x5a)
      writeEthernetFrame(b, at, frame)
      expect(b.subarray(at, at + frame.size)).toEqual(emitEthernet(frame))
      expect(b.subarray(0, at).every((byte) => byte === 0x5a)).toBe(true)
      expect(b.subarray(at + frame.size).every((byte) => byte === 0x5a)).toBe(true)
    }
  }
})

describe('what stays bytes', () => {
  test('an unknown type', () => {
    const bytes = fromHex('ffffffffffff 020000000001 88cc 0207')
    expect(parseEthernet(bytes)).toStrictEqual({
      ok: true,
      value: new EthernetFrame('ff:ff:ff:ff:ff:ff', A_MAC, 0x88cc, new Opaque(fromHex('0207'))),
    })
  })

  test('an 802.3 frame, with its padding, for its length means nothing here', () => {
    // The start of a spanning-tree BPDU: length 3, LLC 42 42 03, then padding.
    const bytes = fromHex('0180c2000000 020000000001 0003 424203 0000')
    expect(parseEthernet(bytes)).toStrictEqual({
      ok: true,
      value: new EthernetFrame('01:80:c2:00:00:00', A_MAC, 3, new Opaque(fromHex('4242030000'))),
    })
    expect(parseEthernet(bytes)).toMatchObject({ value: { etherType: 3 } })
  })

  test('what a codec refuses, with the reason and every byte, ready to be passed on', () => {
    const { bytes, frame } = VECTORS.SYN
    const bad = bytes.slice()
    bad[47]! ^= 1
    const read = parseEthernet(bad)
    const packet = frame.payload as Ipv4Packet
    const segment = new Malformed('tcp', 'bad-checksum', bad.slice(34))
    const expected = new Ipv4Packet(
      packet.source,
      packet.destination,
      6,
      packet.ttl,
      packet.identification,
      packet.details,
      segment,
    )
    expect(read).toStrictEqual({
      ok: true,
      value: new EthernetFrame(B_MAC, A_MAC, 0x0800, expected),
    })
    if (read.ok) expect(emitEthernet(read.value)).toEqual(bad)
  })

  test('an empty payload of a known type is truncated', () => {
    expect(parseEthernet(fromHex('ffffffffffff 020000000001 0800'))).toMatchObject({
      value: { payload: { kind: 'malformed', protocol: 'ipv4', why: 'truncated', size: 0 } },
    })
  })
})

test('less than a header is refused', () => {
  for (let length = 0; length < 14; length++) {
    expect(parseEthernet(new Uint8Array(length))).toEqual({ ok: false, why: 'truncated' })
  }
})
