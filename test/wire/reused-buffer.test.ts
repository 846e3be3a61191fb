import { expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import type { Ipv4Address } from '../../protocols/address.ts'
import { DONT_FRAGMENT, Ipv4Packet, PROTOCOL_TCP } from '../../protocols/ipv4/packet.ts'
import { tcpEngine } from '../../protocols/tcp/engine.ts'
import { NO_OPTIONS } from '../../protocols/tcp/options.ts'
import { RFC } from '../../protocols/tcp/profiles/rfc.ts'
import { ACK, SYN, TcpSegment } from '../../protocols/tcp/segment.ts'
import { createTcp } from '../../protocols/tcp/state.ts'
import type { Node } from '../../sim/node.ts'
import { assertStreamBytes, streamBytes } from '../../sim/testing/stream-bytes.ts'
import type { FrameDevice, TakeFrame } from '../../wire/device.ts'
import { readWhole, WirePort } from '../../wire/wire-port.ts'

// A connection keeps what came beyond a gap as views of the frames that it came in. A device reads every
// frame into the same buffer: whoever keeps a part of that keeps what comes next.

const A = ip('192.0.2.1') as Ipv4Address
const B = ip('192.0.2.2') as Ipv4Address

/** Frames that are handed over one after the other in one buffer. */
function reusing(frames: readonly Uint8Array[]): FrameDevice {
  const slab = new Uint8Array(2048)
  return {
    receive(take: TakeFrame) {
      for (const frame of frames) {
        slab.fill(0xee)
        slab.set(frame, 3)
        take(slab, 3, frame.length)
      }
      slab.fill(0xee)
      return frames.length
    },
  } as unknown as FrameDevice
}

const framed = (segment: TcpSegment): Uint8Array =>
  emitEthernet(
    new EthernetFrame(
      '02:00:00:00:00:01',
      '02:00:00:00:00:02',
      ETHERTYPE_IPV4,
      new Ipv4Packet(B, A, PROTOCOL_TCP, 64, 1, DONT_FRAGMENT, segment),
    ),
  )

test('a kept sub-array of a reused frame buffer does not corrupt a connection', () => {
  const from = (seq: number, flags: number, payload: Uint8Array): TcpSegment =>
    new TcpSegment(1000, 80, seq, 501, flags, 65_535, 0, NO_OPTIONS, payload)
  const data = (at: number, length: number) => from(9001 + at, ACK, streamBytes(at, length))
  const segments = [
    data(1000, 1000),
    data(3000, 500),
    data(2000, 1000),
    data(500, 500),
    data(0, 500),
  ]
  const port = new WirePort(reusing(segments.map(framed)), {} as Node, null)
  expect(port.fetch(10)).toBe(true)

  const state = createTcp({
    id: 1,
    policy: RFC,
    local: { address: A, port: 80 },
    remote: { address: B, port: 1000 },
    iss: 500,
    pathMss: 1460,
    listener: 0,
  })
  let received = 0
  const out = {
    send: () => {},
    wake: () => {},
    event: (event: HostEvent) => {
      if (event.kind !== 'received') return
      for (const chunk of event.chunks) {
        assertStreamBytes(chunk, received, 'bytes received')
        received += chunk.length
      }
    },
  }
  const arrive = (packet: TcpSegment): void =>
    tcpEngine.step(state, 1e9, { kind: 'packet', packet, port: 0 }, out)
  arrive(from(9000, SYN, new Uint8Array()))
  for (const bytes of port.inbox) {
    const { payload } = readWhole(bytes)
    if (payload.kind === 'ipv4' && payload.payload.kind === 'tcp') arrive(payload.payload)
  }
  const call: SocketCall = { kind: 'receive', socket: 1, max: Infinity }
  tcpEngine.step(state, 1e9, { kind: 'call', call }, out)
  expect(received).toBe(3500)
})
