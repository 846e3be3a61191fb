import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { echoRest, IcmpMessage } from '../../protocols/icmp/message.ts'
import { TcpOptions } from '../../protocols/tcp/options.ts'
import { ACK, PSH, SYN } from '../../protocols/tcp/segment.ts'
import { PacketText } from '../../trace/packet-text.ts'
import { PcapngWriter } from '../../trace/pcapng.ts'
import { has, judged, unless } from './judge.ts'
import { carrying, datagram, filled, segment, sent } from './records.ts'
import { variedFrames } from './varied-frames.ts'

const texts = (frames: typeof variedFrames, absolute = false): string[] => {
  const printer = new PacketText({ absolute })
  return frames.map((frame) => printer.frame(emitEthernet(frame)))
}

/** Only sent frames: each once, as we print them. */
function captured(frames: typeof variedFrames): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const writer = new PcapngWriter((piece) => pieces.push(piece))
  for (const frame of frames) writer.observer(sent(frame))
  writer.end()
  return pieces
}

describe('known lines', () => {
  const handshake = new TcpOptions([2, 4, 8, 1, 3], 1460, 7, 1, 0, [], [])
  const conversation = [
    carrying(segment({ seq: 12345, flags: SYN, options: handshake })),
    carrying(segment({ ports: [5001, 49152], seq: 99, ack: 12346, flags: SYN | ACK }), 'b>a'),
    carrying(segment({ seq: 12346, ack: 100, flags: ACK | PSH, window: 512, data: 3 })),
    carrying(segment({ ports: [5001, 49152], seq: 100, ack: 12349, flags: ACK }), 'b>a'),
  ]

  test('a conversation counts from its own first numbers', () => {
    expect(texts(conversation)).toEqual([
      'IP 10.0.0.1.49152 > 10.0.0.2.5001: Flags [S], seq 12345, win 65535, options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0',
      'IP 10.0.0.2.5001 > 10.0.0.1.49152: Flags [S.], seq 99, ack 12346, win 65535, length 0',
      'IP 10.0.0.1.49152 > 10.0.0.2.5001: Flags [P.], seq 1:4, ack 1, win 512, length 3',
      'IP 10.0.0.2.5001 > 10.0.0.1.49152: Flags [.], ack 4, win 65535, length 0',
    ])
  })

  test('or not at all', () => {
    expect(texts(conversation, true).slice(2)).toEqual([
      'IP 10.0.0.1.49152 > 10.0.0.2.5001: Flags [P.], seq 12346:12349, ack 100, win 512, length 3',
      'IP 10.0.0.2.5001 > 10.0.0.1.49152: Flags [.], ack 12349, win 65535, length 0',
    ])
  })

  test('a frame that is only looked at starts no conversation', () => {
    const printer = new PacketText()
    const bytes = emitEthernet(carrying(segment({ seq: 70, ack: 80, flags: ACK, data: 1 })))
    const first = printer.frame(bytes, false)
    expect(printer.frame(bytes)).toBe(first)
    expect(printer.frame(bytes)).not.toBe(first)
  })

  test('ICMP and UDP', () => {
    const quoted = emitEthernet(carrying(datagram(0, [40000, 9]))).subarray(14)
    expect(
      texts([
        carrying(new IcmpMessage(8, 0, echoRest(3, 9), filled(56))),
        carrying(new IcmpMessage(3, 3, 0, quoted), 'b>a'),
        carrying(new IcmpMessage(11, 0, 0, quoted), 'b>a'),
        carrying(datagram(5)),
      ]),
    ).toEqual([
      'IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 3, seq 9, length 64',
      'IP 10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 9 unreachable, length 36',
      'IP 10.0.0.2 > 10.0.0.1: ICMP time exceeded in-transit, length 36',
      'IP 10.0.0.1.50000 > 10.0.0.2.40000: UDP, length 5',
    ])
  })
})

describe(`tcpdump -n prints the same${unless('tcpdump')}`, () => {
  test.skipIf(!has('tcpdump'))('for every frame, relative', () => {
    const theirs = judged(captured(variedFrames), 'tcpdump', (file) => ['-n', '-t', '-r', file])
    expect(texts(variedFrames)).toEqual(theirs)
  })

  test.skipIf(!has('tcpdump'))('for every frame, absolute', () => {
    const args = (file: string) => ['-n', '-t', '-S', '-r', file]
    expect(texts(variedFrames, true)).toEqual(judged(captured(variedFrames), 'tcpdump', args))
  })
})

test('damaged bytes give some line and never throw', () => {
  const bytes = variedFrames.map((frame) => emitEthernet(frame))
  fc.assert(
    fc.property(
      fc.constantFrom(...bytes),
      fc.array(fc.tuple(fc.nat(), fc.nat(7)), { maxLength: 4 }),
      fc.nat(1600),
      (whole, flips, length) => {
        const damaged = whole.slice(0, length)
        for (const [at, bit] of flips) {
          if (damaged.length > 0) damaged[at % damaged.length]! ^= 1 << bit
        }
        expect(new PacketText().frame(damaged)).toMatch(/./)
      },
    ),
    { seed: 1, numRuns: 3000 },
  )
})
