import { expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { EthernetFrame, ETHERTYPE_IPV4 } from '../../protocols/ethernet/frame.ts'
import { DONT_FRAGMENT, Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { NO_OPTIONS } from '../../protocols/tcp/options.ts'
import { TcpSegment } from '../../protocols/tcp/segment.ts'
import { Coalescing } from '../../wire/coalescing.ts'
import { eachFrame } from '../../wire/offload.ts'

// What is put together, and cut again as the kernel would, are the very frames that went in.

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31) & 255)

interface Spec {
  readonly seq: number
  readonly length: number
  readonly flags?: number
  readonly port?: number
  readonly ack?: number
}

let identification = 0
function frameOf({ seq, length, flags = 0x10, port = 80, ack = 9 }: Spec): Uint8Array {
  const segment = new TcpSegment(port, 5000, seq, ack, flags, 500, 0, NO_OPTIONS, bytes(length))
  const [from, to] = [ip('10.0.0.1') as number, ip('10.0.0.2') as number]
  const packet = new Ipv4Packet(from, to, 6, 64, ++identification, DONT_FRAGMENT, segment)
  const macs = ['02:00:00:00:00:02', '02:00:00:00:00:01'] as const
  return emitEthernet(new EthernetFrame(...macs, ETHERTYPE_IPV4, packet))
}

/** The frames as the kernel gets them, and in how many writes. */
function through(frames: readonly Uint8Array[]) {
  const out: Uint8Array[] = []
  let writes = 0
  const coalescing = new Coalescing({
    largest: 0,
    send: (slab, length) => {
      writes += 1
      const own = slab.slice(0, length)
      eachFrame(own, 0, length, (b, at, n) => out.push(b.slice(at, at + n)))
      return length
    },
  })
  for (const frame of frames) {
    if (coalescing.add(frame, frame.length)) continue
    coalescing.flush()
    out.push(frame)
  }
  coalescing.flush()
  return { out, writes }
}

test.each([
  ['a run of full segments', [0, 1, 2, 3, 4].map((i) => ({ seq: i * 1448, length: 1448 })), 1],
  [
    'the last may be shorter',
    [
      { seq: -9, length: 100 },
      { seq: 91, length: 7, flags: 0x18 },
    ],
    1,
  ],
  [
    'a gap',
    [
      { seq: 0, length: 100 },
      { seq: 101, length: 100 },
    ],
    2,
  ],
  [
    'a longer one',
    [
      { seq: 0, length: 100 },
      { seq: 100, length: 101 },
    ],
    2,
  ],
  ['behind a shorter one', [0, 100, 150].map((seq, i) => ({ seq, length: i === 1 ? 50 : 100 })), 2],
  [
    'behind a push',
    [
      { seq: 0, length: 9, flags: 0x18 },
      { seq: 9, length: 9 },
    ],
    2,
  ],
  [
    'another connection',
    [
      { seq: 0, length: 9 },
      { seq: 9, length: 9, port: 81 },
    ],
    2,
  ],
  [
    'another acknowledgment',
    [
      { seq: 0, length: 9 },
      { seq: 9, length: 9, ack: 10 },
    ],
    2,
  ],
  [
    'a FIN stands alone',
    [
      { seq: 0, length: 9 },
      { seq: 9, length: 9, flags: 0x11 },
    ],
    1,
  ],
  [
    'no data',
    [
      { seq: 0, length: 9 },
      { seq: 9, length: 0 },
    ],
    1,
  ],
  ['64 KiB are enough', Array.from({ length: 60 }, (_, i) => ({ seq: i * 1448, length: 1448 })), 2],
] as [string, Spec[], number][])('%s', (_, specs, writes) => {
  const frames = specs.map(frameOf)
  expect(through(frames)).toEqual({ out: frames, writes })
})
