import { describe, expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { concatBytes } from '../../protocols/bytes.ts'
import { emitEthernet, parseEthernet } from '../../protocols/ethernet/codec.ts'
import { EthernetFrame, ETHERTYPE_IPV4 } from '../../protocols/ethernet/frame.ts'
import { DONT_FRAGMENT, Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { NO_OPTIONS } from '../../protocols/tcp/options.ts'
import { TcpSegment } from '../../protocols/tcp/segment.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import { OFFLOAD_HEADER, eachFrame } from '../../wire/offload.ts'

// What the kernel leaves to the card: judged by our codecs, which check every length and checksum.

const MACS = ['02:00:00:00:00:02', '02:00:00:00:00:01'] as const
const data = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) & 255)

function frameOf(payload: TcpSegment | UdpDatagram): Uint8Array {
  const protocol = payload instanceof TcpSegment ? 6 : 17
  const addresses = [ip('10.0.0.1') as number, ip('10.0.0.2') as number] as const
  const packet = new Ipv4Packet(...addresses, protocol, 64, 7, DONT_FRAGMENT, payload)
  return emitEthernet(new EthernetFrame(...MACS, ETHERTYPE_IPV4, packet))
}

function expanded(header: readonly number[], frame: Uint8Array) {
  const slab = new Uint8Array(3 + OFFLOAD_HEADER + frame.length)
  slab.set(header, 3)
  slab.set(frame, 3 + OFFLOAD_HEADER)
  const out: EthernetFrame[] = []
  eachFrame(slab, 3, OFFLOAD_HEADER + frame.length, (bytes, offset, length) => {
    const read = parseEthernet(bytes.slice(offset, offset + length))
    if (read.ok) out.push(read.value)
  })
  return out.map(({ payload }) => payload as Ipv4Packet)
}

/** flags, kind, header length, piece, checksum start, checksum offset. */
const header = (kind: number, headerBytes: number, piece: number, place: number) => [
  1,
  kind,
  headerBytes,
  0,
  piece & 255,
  piece >> 8,
  34,
  0,
  place,
  0,
]

describe('frames for a card', () => {
  test('a complete one passes as it is', () => {
    const frame = frameOf(new UdpDatagram(1, 2, data(100)))
    const [packet] = expanded([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], frame)
    expect(packet!.payload.kind).toBe('udp')
  })

  test('a checksum that is half done is finished', () => {
    const segment = new TcpSegment(1, 2, 3, 4, 0x10, 100, 0, NO_OPTIONS, data(1000))
    const frame = frameOf(segment)
    const whole = (frame[50]! << 8) | frame[51]!
    // The field holds the folded sum of the pseudo-header, as the kernel leaves it.
    const pseudo = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + 1020
    frame.set([pseudo >> 8, pseudo & 255], 50)
    const [packet] = expanded(header(0, 0, 0, 16), frame)
    expect(packet!.payload).toEqual(segment)
    expect(whole).not.toBe(pseudo)
  })

  test.each([1, 999, 1448, 1449, 20_000])('a large segment, %i bytes, is cut', (length) => {
    const flags = 0x80 | 0x10 | 0x09 // CWR, ACK, FIN and PSH
    const segment = new TcpSegment(1, 2, -5, 4, flags, 100, 0, NO_OPTIONS, data(length))
    const packets = expanded(header(1, 54, 1448, 16), frameOf(segment))
    const pieces = packets.map(({ payload }) => payload as TcpSegment)
    expect(pieces).toHaveLength(Math.ceil(length / 1448))
    expect(concatBytes(pieces.map(({ payload }) => payload))).toEqual(data(length))
    expect(pieces.map(({ seq }) => seq)).toEqual(pieces.map((_, i) => (-5 + i * 1448) | 0))
    // What ends the row stands on the last, what was reduced on the first.
    expect(pieces.map((p) => (p.flags & 0x09) !== 0)).toEqual(
      pieces.map((_, i) => i === pieces.length - 1),
    )
    expect(pieces.map((p) => (p.flags & 0x80) !== 0)).toEqual(pieces.map((_, i) => i === 0))
    expect(packets.map(({ identification }) => identification)).toEqual(
      packets.map((_, i) => 7 + i),
    )
  })

  test('a row of datagrams is taken apart', () => {
    const packets = expanded(header(5, 42, 500, 6), frameOf(new UdpDatagram(1, 2, data(1200))))
    const sizes = packets.map(({ payload }) => (payload as UdpDatagram).payload.length)
    expect(sizes).toEqual([500, 500, 200])
  })

  test('a header that says nonsense makes nothing worse', () => {
    const frame = frameOf(new UdpDatagram(1, 2, data(10)))
    for (let i = 0; i < 256; i++) {
      const odd = Array.from({ length: 10 }, (_, k) => (i * (k + 3) * 37) & 255)
      expect(() => expanded(odd, frame.slice())).not.toThrow()
    }
  })
})
