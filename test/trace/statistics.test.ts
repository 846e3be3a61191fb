import { describe, expect, test } from 'vitest'
import type { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import { echoRest, IcmpMessage } from '../../protocols/icmp/message.ts'
import { PROTOCOL_TCP } from '../../protocols/ipv4/packet.ts'
import { Malformed } from '../../protocols/payload.ts'
import { emitTcp } from '../../protocols/tcp/codec.ts'
import { ACK, SYN } from '../../protocols/tcp/segment.ts'
import { ms, type Nanos, NEVER, s } from '../../protocols/time.ts'
import type { FrameSent, TraceRecord } from '../../trace/record.ts'
import { TraceStatistics } from '../../trace/statistics.ts'
import { A, B, carrying, datagram, filled, received, said, segment, sent } from './records.ts'

const CLIENT = { address: A, port: 49152 }
const SERVER = { address: B, port: 5001 }

/** Builds the records of `a - r - b`, one queue event for each thing that happens. */
class Story {
  readonly records: TraceRecord[] = []
  #event = 0

  says(at: Nanos, node: string, ...events: readonly HostEvent[]): this {
    this.#event += 1
    for (const event of events) this.records.push(said(event, { at, node, event: this.#event }))
    return this
  }

  /** In the same queue event as what was said last. */
  sends(at: Nanos, link: string, frame: EthernetFrame, change: Partial<FrameSent> = {}): this {
    const node = link.slice(0, link.indexOf('>'))
    this.records.push(sent(frame, { at, node, link, event: this.#event, ...change }))
    return this
  }

  arrives(at: Nanos, link: string, frame: EthernetFrame): this {
    this.#event += 1
    const node = link.slice(link.indexOf('>') + 1)
    this.records.push(received(frame, { at, node, link, event: this.#event }))
    return this
  }

  /** Along both links, 10 ms each. */
  carries(at: Nanos, way: 'a>b' | 'b>a', frame: EthernetFrame): this {
    const [first, second] = way === 'a>b' ? ['a>r', 'r>b'] : ['b>r', 'r>a']
    this.sends(at, first, frame).arrives(at + ms(10), first, frame)
    return this.sends(at + ms(10), second, frame).arrives(at + ms(20), second, frame)
  }

  read(rates: readonly (readonly [string, number])[] = []): TraceStatistics {
    const statistics = new TraceStatistics({ rates: new Map(rates) })
    for (const record of this.records) statistics.observer(record)
    return statistics
  }
}

const lost = (why: 'loss' | 'queue-full') => ({ dropped: why, arrives: NEVER })
const syn = carrying(segment({ seq: 10, flags: SYN }))
const synAck = carrying(
  segment({ ports: [5001, 49152], seq: 90, ack: 11, flags: SYN | ACK }),
  'b>a',
)
const data = carrying(segment({ seq: 11, ack: 91, flags: ACK, data: 1000 }))
const ack = carrying(segment({ ports: [5001, 49152], seq: 91, ack: 1011, flags: ACK }), 'b>a')

const retransmit = (socket: number, cause: 'rto' | 'fast' | 'probe', seq: number): HostEvent => ({
  kind: 'retransmit',
  socket,
  cause,
  seq,
  count: 1,
  rto: s(1),
})

/** A SYN lost once, data lost once at the router and once found damaged at the far end. */
function transfer(): Story {
  const elsewhere = segment({ ports: [1, 5001], flags: ACK, data: 9 })
  const damaged = new Malformed('tcp', 'bad-checksum', emitTcp(elsewhere, 0))
  return new Story()
    .says(0, 'a')
    .sends(0, 'a>r', syn, lost('loss'))
    .says(s(1), 'a', { kind: 'timer', socket: 4, name: 'retransmit' }, retransmit(4, 'rto', 10))
    .carries(s(1), 'a>b', syn)
    .carries(s(1) + ms(20), 'b>a', synAck)
    .says(
      s(1) + ms(40),
      'a',
      { kind: 'rtt', socket: 4, rtt: ms(40), srtt: ms(40) },
      { kind: 'connected', socket: 4, local: CLIENT, remote: SERVER },
    )
    .sends(s(1) + ms(40), 'a>r', data)
    .arrives(s(1) + ms(50), 'a>r', data)
    .sends(s(1) + ms(50), 'r>b', data, {
      ...lost('queue-full'),
      queueFrames: 100,
      queueBytes: 9999,
    })
    .says(s(2), 'a', retransmit(4, 'fast', 11))
    .sends(s(2), 'a>r', data)
    .arrives(s(2) + ms(10), 'a>r', carrying(damaged, 'a>b', undefined, PROTOCOL_TCP))
    .sends(s(2) + ms(10), 'r>b', data, { corruptedBit: 400 })
    .arrives(s(2) + ms(20), 'r>b', carrying(damaged, 'a>b', undefined, PROTOCOL_TCP))
}

describe('a TCP connection', () => {
  const story = transfer()
  const last = story.records.at(-1)!
  const { frame } = last as { frame: EthernetFrame }
  const payload = frame.payload.kind === 'ipv4' ? frame.payload.payload : frame.payload
  story.records.push(
    said(
      { kind: 'dropped', why: 'tcp bad-checksum', packet: payload },
      { at: last.at, node: 'b', event: last.event },
    ),
  )
  story
    .says(s(3), 'a', retransmit(4, 'rto', 11), { kind: 'spurious', socket: 4, seq: 11 })
    .carries(s(3), 'a>b', data)
    .says(
      s(3) + ms(20),
      'b',
      { kind: 'accepted', socket: 8, listener: 1, local: SERVER, remote: CLIENT },
      { kind: 'received', socket: 8, chunks: [filled(1000)], bytes: 1000, ended: false },
    )
    .carries(s(3) + ms(20), 'b>a', ack)
    .says(s(3) + ms(40), 'a', { kind: 'rtt', socket: 4, rtt: ms(60), srtt: ms(45) })
  const statistics = story.read([
    ['a>r', 1_000_000],
    ['r>b', 0],
  ])

  test('both directions', () => {
    expect(statistics.flows()).toEqual([
      {
        protocol: 'tcp',
        from: { node: 'a', address: '10.0.0.1', port: 49152 },
        to: { node: 'b', address: '10.0.0.2', port: 5001 },
        firstNanos: 0,
        lastNanos: s(3) + ms(20),
        forward: {
          deliveredBytes: 1000,
          goodput: 2649, // 8000 bits in 3.02 s
          segments: 5,
          dataSegments: 3,
          payloadBytes: 3000,
          retransmissions: { rto: 2, fast: 1, rack: 0, tlp: 0, probe: 0, mtu: 0, spurious: 1 },
          rtt: { samples: 2, minNanos: ms(40), avgNanos: ms(50), maxNanos: ms(60) },
          drops: { 'loss on a>r': 1, 'queue-full on r>b': 1 },
        },
        backward: {
          deliveredBytes: 0,
          goodput: 0,
          segments: 2,
          dataSegments: 0,
          payloadBytes: 0,
          retransmissions: { rto: 0, fast: 0, rack: 0, tlp: 0, probe: 0, mtu: 0, spurious: 0 },
          rtt: null,
          drops: {},
        },
      },
    ])
  })

  test('a drop whose ports are damaged belongs to no flow, but to its host', () => {
    expect(statistics.hostDrops()).toEqual({ 'tcp bad-checksum at b': 1 })
  })

  test('links', () => {
    const links = statistics.links(s(4))
    expect(links.map((link) => link.name)).toEqual(['a>r', 'r>b', 'b>r', 'r>a'])
    const [first, second] = links
    // SYN 54 bytes twice, data 1054 three times; the lost SYN took its time as well.
    expect(first).toEqual({
      name: 'a>r',
      offeredFrames: 5,
      offeredBytes: 3270,
      deliveredFrames: 4,
      deliveredBytes: 54 + 1054 + frame.size + 1054,
      dropped: { loss: 1 },
      duplicates: 0,
      corrupted: 0,
      reordered: 0,
      marked: 0,
      queueFramesMax: 1,
      queueBytesMax: 1054,
      queueing: null,
      rate: 1_000_000,
      utilisation: (3270 * 8) / 4_000_000,
    })
    expect(second).toMatchObject({
      offeredFrames: 4,
      dropped: { 'queue-full': 1 },
      corrupted: 1,
      queueFramesMax: 100,
      queueBytesMax: 9999,
      rate: null,
      utilisation: null,
    })
  })
})

test('a drop with readable ports belongs to its flow', () => {
  const damaged = new Malformed('tcp', 'bad-checksum', emitTcp(segment({ flags: ACK, data: 9 }), 0))
  const story = new Story().says(0, 'a').carries(0, 'a>b', syn)
  const arrival = received(carrying(damaged, 'a>b', undefined, PROTOCOL_TCP), { event: 99 })
  story.records.push(
    arrival,
    said(
      { kind: 'dropped', why: 'tcp bad-checksum', packet: damaged },
      { node: 'b', event: 99, at: arrival.at },
    ),
  )
  const [flow] = story.read().flows()
  expect(flow!.forward.drops).toEqual({ 'tcp bad-checksum at b': 1 })
})

test('a socket number is used again after it was closed', () => {
  const again = { address: A, port: 49153 }
  const [first, second] = new Story()
    .says(0, 'a', { kind: 'connected', socket: 4, local: CLIENT, remote: SERVER })
    .says(1, 'a', retransmit(4, 'probe', 1), { kind: 'closed', socket: 4 })
    .says(2, 'a', { kind: 'rtt', socket: 4, rtt: 7, srtt: 7 })
    .says(2, 'a', { kind: 'connected', socket: 4, local: again, remote: SERVER })
    .says(3, 'a', retransmit(4, 'fast', 1), retransmit(4, 'fast', 2))
    .read()
    .flows()
  expect(first!.forward.retransmissions).toEqual({
    rto: 0,
    fast: 0,
    rack: 0,
    tlp: 0,
    probe: 1,
    mtu: 0,
    spurious: 0,
  })
  expect(first!.forward.rtt).toBeNull()
  expect(second!.forward.retransmissions).toEqual({
    rto: 0,
    fast: 2,
    rack: 0,
    tlp: 0,
    probe: 0,
    mtu: 0,
    spurious: 0,
  })
  expect(second!.forward.rtt).toMatchObject({ samples: 1, minNanos: 7 })
})

test('before it is connected, a socket is known by the number that it sends again', () => {
  const other = carrying(segment({ ports: [6000, 6001], seq: 77, flags: SYN }))
  const [second, first] = new Story()
    .says(0, 'a', retransmit(4, 'rto', 10))
    .sends(0, 'a>r', other)
    .sends(0, 'a>r', syn)
    .says(1, 'a', retransmit(4, 'rto', 10))
    .read()
    .flows()
  expect(first!.forward.retransmissions.rto).toBe(2)
  expect(second!.forward.retransmissions.rto).toBe(0)
})

test('a link is busy with what it loses on the way, not with what it refuses', () => {
  const story = new Story().says(0, 'a')
  for (const dropped of ['loss', 'forced', 'queue-full', 'too-big', 'down', null] as const) {
    story.sends(0, 'a>r', data, { dropped })
  }
  const [link] = story.read([['a>r', 1000]]).links(s(1))
  expect(link!.utilisation).toBe((3 * 1054 * 8) / 1000)
})

test('time without frames does not count, unless it is asked for', () => {
  const statistics = new Story()
    .sends(ms(8), 'a>r', data)
    .says(s(60), 'a', { kind: 'tcp-state', socket: 4, from: 'TIME-WAIT', to: 'CLOSED' })
    .read([['a>r', 1_054_000]])
  // 1054 bytes are 8 ms of the rate.
  expect(statistics.lastFrameAt).toBe(ms(8))
  expect(statistics.links()[0]!.utilisation).toBe(1)
  expect(statistics.links(ms(80))[0]!.utilisation).toBe(0.1)
})

test('datagrams: both directions of one pair', () => {
  const there = carrying(datagram(100))
  const back = carrying(datagram(60, [40000, 50000]), 'b>a')
  const [client, server] = [
    { address: A, port: 50000 },
    { address: B, port: 40000 },
  ]
  const flows = new Story()
    .says(0, 'a')
    .carries(0, 'a>b', there)
    .says(ms(20), 'b', {
      kind: 'datagram',
      socket: 1,
      payload: filled(100),
      remote: client,
      local: server,
    })
    .carries(ms(20), 'b>a', back)
    .says(ms(40), 'a', {
      kind: 'datagram',
      socket: 1,
      payload: filled(60),
      remote: server,
      local: client,
    })
    .read()
    .flows()
  expect(flows).toHaveLength(1)
  expect(flows[0]).toMatchObject({
    protocol: 'udp',
    from: { node: 'a', port: 50000 },
    to: { node: 'b', port: 40000 },
    forward: { deliveredBytes: 100, goodput: 40_000, segments: 1, dataSegments: 1 },
    backward: { deliveredBytes: 60, goodput: 12_000, segments: 1 },
  })
})

test('echoes: the round trip is the time until the reply is back', () => {
  const request = (n: number) => carrying(new IcmpMessage(8, 0, echoRest(3, n), filled(56)))
  const reply = (n: number) => carrying(new IcmpMessage(0, 0, echoRest(3, n), filled(56)), 'b>a')
  const flows = new Story()
    .says(0, 'a')
    .carries(0, 'a>b', request(1))
    .carries(ms(20), 'b>a', reply(1))
    .arrives(ms(41), 'r>a', reply(1)) // a duplicate
    .sends(s(1), 'a>r', request(2), lost('loss'))
    .carries(s(2), 'a>b', request(3))
    .carries(s(2) + ms(30), 'b>a', reply(3))
    .read()
    .flows()
  expect(flows).toHaveLength(1)
  expect(flows[0]).toMatchObject({
    protocol: 'icmp',
    from: { node: 'a', port: 3 },
    to: { node: 'b', port: 3 },
    forward: {
      deliveredBytes: 112,
      segments: 3,
      rtt: { samples: 2, minNanos: ms(40), avgNanos: ms(45), maxNanos: ms(50) },
      drops: { 'loss on a>r': 1 },
    },
    backward: { deliveredBytes: 112, segments: 2, drops: {} },
  })
})

test('figures are plain values, ready for JSON', () => {
  const statistics = transfer().read()
  const figures = { flows: statistics.flows(), links: statistics.links() }
  expect(JSON.parse(JSON.stringify(figures))).toEqual(figures)
})
