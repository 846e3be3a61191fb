import { describe, expect, test } from 'vitest'
import { ETHERTYPE_IPV4, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { DONT_FRAGMENT, Ipv4Packet, PROTOCOL_TCP } from '../../protocols/ipv4/packet.ts'
import { timestampOptions } from '../../protocols/tcp/options.ts'
import { ACK, TcpSegment } from '../../protocols/tcp/segment.ts'
import { NEVER } from '../../protocols/time.ts'
import { startBulk, startSink } from '../../sim/bulk.ts'
import { Monitor } from '../../sim/monitor.ts'
import { planNetwork } from '../../sim/topology.ts'
import { World } from '../../sim/world.ts'

// The monitor is of use only if it cries out: every test here breaks one part of a running world.

/** a sends to b, and somebody watches. */
function watched(total: number) {
  const link = { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms', rate: '10Mbit' }
  const network = planNetwork({ a: 'host', b: 'host' }, [link])
  const world = new World(network, { seed: 'watched', monitor: new Monitor() })
  const sink = startSink(world.node('b'), 80)
  startBulk(world.node('a'), { address: 0x0a000002, port: 80 }, total)
  const [ab, ba] = world.links
  return { world, sink, a: world.node('a'), b: world.node('b'), ab: ab!, ba: ba! }
}

function segmentOf(frame: EthernetFrame): TcpSegment | null {
  const packet = frame.payload
  return packet instanceof Ipv4Packet && packet.payload instanceof TcpSegment
    ? packet.payload
    : null
}

/** The frame of a segment with another payload inside. */
function carrying(frame: EthernetFrame, bytes: TcpSegment['payload']): EthernetFrame {
  const { source, destination, protocol, ttl, identification, details, payload } =
    frame.payload as Ipv4Packet
  const { sourcePort, destinationPort, seq, ack, flags, window, urgent, options } =
    payload as TcpSegment
  const numbers = [sourcePort, destinationPort, seq, ack, flags, window, urgent] as const
  const segment = new TcpSegment(...numbers, options, bytes)
  const addresses = [source, destination, protocol, ttl, identification] as const
  return new EthernetFrame(
    frame.destination,
    frame.source,
    frame.etherType,
    new Ipv4Packet(...addresses, details, segment),
  )
}

test('a sound run passes', () => {
  const { world, sink } = watched(300_000)
  world.runUntil(NEVER)
  expect(sink.bytes).toBe(300_000)
})

describe('delivered bytes', () => {
  test('that were changed on the way are found', () => {
    const { world, ab } = watched(300_000)
    const send = ab.send.bind(ab)
    ab.send = (now, frame) => {
      const segment = segmentOf(frame)
      if (segment === null || segment.payload.length === 0) return send(now, frame)
      // Without bytes there is no checksum to tell.
      const payload = Uint8Array.from(segment.payload as Uint8Array)
      payload[7]! ^= 1
      send(now, carrying(frame, payload))
    }
    expect(() => world.runUntil(NEVER)).toThrow(
      /delivered bytes are a prefix of sent bytes: 10\.0\.0\.1:\d+ > 10\.0\.0\.2:80 \(at 0\.0\d+ s, event \d+, seed watched\)/,
    )
  })

  test('that come twice are found', () => {
    const { world, ab } = watched(300_000)
    const send = ab.send.bind(ab)
    const payloads: TcpSegment['payload'][] = []
    ab.send = (now, frame) => {
      const segment = segmentOf(frame)
      if (segment === null || segment.payload.length === 0) return send(now, frame)
      payloads.push(segment.payload)
      // The second segment carries what the first one did, under its own numbers.
      send(now, payloads.length === 2 ? carrying(frame, payloads[0]!) : frame)
    }
    expect(() => world.runUntil(NEVER)).toThrow(/delivered bytes are a prefix/)
  })
})

describe('the window', () => {
  test('that a sender leaves is found', () => {
    const { world, a, b } = watched(Infinity)
    world.runUntil(500e6)
    const s = a.state.sockets.find((socket) => socket?.kind === 'connection')
    if (s?.kind !== 'connection') throw new Error('there is no connection')
    const peer = b.state.sockets.find((socket) => socket?.kind === 'connection')
    // The right edge that the peer has promised.
    const edge = peer?.kind === 'connection' ? peer.rcv.adv : 0
    const says = (seq: number, bytes: number) => () => {
      const segment = new TcpSegment(
        ...([s.localPort, 80, seq, s.rcv.nxt, ACK, 1000, 0, timestampOptions(0, 0)] as const),
        new Uint8Array(bytes),
      )
      const [from, to] = [0x0a000001, 0x0a000002]
      const packet = new Ipv4Packet(from, to, PROTOCOL_TCP, 64, 1, DONT_FRAGMENT, segment)
      const { mac } = a.state.interfaces[0]!
      a.send(new EthernetFrame(b.state.interfaces[0]!.mac, mac, ETHERTYPE_IPV4, packet), 0)
    }
    // Up to the edge, and a probe of one byte beyond it.
    expect(says(edge - 100, 100)).not.toThrow()
    expect(says(edge, 1)).not.toThrow()
    expect(says(edge - 100, 102)).toThrow(
      /the window is respected: 10\.0\.0\.1:\d+ > 10\.0\.0\.2:80 sent 2 bytes beyond it/,
    )
  })
})

describe('a link', () => {
  test('that swallows a frame is found', () => {
    const { world, ab } = watched(300_000)
    const send = ab.send.bind(ab)
    let frames = 0
    ab.send = (now, frame) => {
      if (++frames !== 20) return send(now, frame)
      ab.offered += 1
    }
    expect(() => world.runUntil(NEVER)).toThrow(
      /frames are conserved on a>b: \d+ entered, \d+ left, \d+ in flight/,
    )
    // Within the event that lost it: the rest of its burst.
    expect(frames).toBeLessThan(23)
  })

  test('that makes a frame is found', () => {
    const { world, ba } = watched(300_000)
    const take = ba.take.bind(ba)
    let frames = 0
    ba.take = () => {
      if (++frames === 5) ba.delivered += 1
      return take()
    }
    expect(() => world.runUntil(NEVER)).toThrow(/frames are conserved on b>a/)
  })
})
