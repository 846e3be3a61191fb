import { describe, expect, test } from 'vitest'
import { NO_BYTES } from '../../protocols/bytes.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { DONT_FRAGMENT, Ipv4Packet, PROTOCOL_UDP } from '../../protocols/ipv4/packet.ts'
import { ms, NEVER } from '../../protocols/time.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import { startBulk, startSink } from '../../sim/bulk.ts'
import { Monitor } from '../../sim/monitor.ts'
import type { LinkSpec } from '../../sim/scenario.ts'
import { openSocket } from '../../sim/socket.ts'
import { planNetwork } from '../../sim/topology.ts'
import { World, type WorldOptions } from '../../sim/world.ts'
import { TraceDigest } from '../../trace/digest.ts'
import type { TraceRecord } from '../../trace/record.ts'

const C = 0x0a000302

/** Hosts a and b at a router r, which leads to c. Returns the world, and what it traces. */
function star(toC: LinkSpec = {}, options: Partial<WorldOptions> = {}) {
  const records: TraceRecord[] = []
  const network = planNetwork({ a: 'host', b: 'host', c: 'host', r: 'router' }, [
    { ends: { a: '10.0.1.2/24', r: '10.0.1.1/24' }, delay: '1ms' },
    { ends: { b: '10.0.2.2/24', r: '10.0.2.1/24' }, delay: '1ms' },
    { ends: { r: '10.0.3.1/24', c: '10.0.3.2/24' }, ...toC },
  ])
  const observer = (record: TraceRecord) => void records.push(record)
  return { world: new World(network, { seed: '1', observer, ...options }), records }
}

/** A datagram to c, `size` bytes with its headers, as it comes to the router's port. */
function toC(world: World, port: number, size: number): EthernetFrame {
  const { mac } = world.node('r').state.interfaces[port]!
  const payload = new UdpDatagram(1000, 7, new Uint8Array(size - 14 - 20 - 8))
  const packet = new Ipv4Packet(0x0a000102, C, PROTOCOL_UDP, 64, 0, DONT_FRAGMENT, payload)
  return new EthernetFrame(mac, '02:00:00:00:00:99', ETHERTYPE_IPV4, packet)
}

const sentToC = (records: readonly TraceRecord[]) =>
  records.flatMap((record) =>
    record.kind === 'sent' && record.link === 'r>c' && record.frame.etherType === ETHERTYPE_IPV4
      ? [`${record.at / 1e6} ${record.dropped ?? record.arrives / 1e6}`]
      : [],
  )

describe('ties', () => {
  test('a departure goes before an arrival at a full queue', () => {
    const { world, records } = star({ rate: '8Mbit', queue: '1 frames' })
    const r = world.node('r')
    // Resolves c's address.
    world.inject(r, 0, toC(world, 0, 100))
    world.runUntil(ms(100))
    records.length = 0
    // 1000 bytes take 1 ms each: one under way, one waiting, one too many.
    for (let i = 0; i < 3; i++) world.inject(r, 0, toC(world, 0, 1000))
    // At the very end of the first transmission the waiting frame begins, and leaves its place.
    world.runUntil(ms(101))
    for (let i = 0; i < 2; i++) world.inject(r, 0, toC(world, 0, 1000))
    expect(sentToC(records)).toEqual([
      '100 101',
      '100 102',
      '100 queue-full',
      '101 103',
      '101 queue-full',
    ])
  })

  test('frames that arrive at one instant arrive in the order of sending, over all links', () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const { world, records } = star()
      const sockets = new Map(
        order.map((name) => [name, openSocket(world.node(name), 'udp')] as const),
      )
      const send = (name: string) =>
        world.node(name).call({
          kind: 'send-to',
          socket: sockets.get(name)!,
          bytes: NO_BYTES,
          remote: { address: C, port: 7 },
        })
      for (const name of order) send(name)
      world.runUntil(ms(50))
      records.length = 0
      for (const name of order) send(name)
      world.runUntil(ms(60))
      const arrivals = records.flatMap((record) =>
        record.kind === 'received' && record.node === 'r' && record.link !== 'c>r'
          ? [`${record.link} ${record.at / 1e6}`]
          : [],
      )
      expect(arrivals).toEqual(order.map((name) => `${name}>r 51`))
    }
  })

  test('calls for one instant come in the order in which they were asked for', () => {
    const { world } = star()
    const heard: string[] = []
    world.at(ms(2), () => heard.push('two'))
    world.at(ms(1), () => {
      heard.push('one')
      world.at(ms(2), () => heard.push('two, asked for later'))
      world.at(ms(0), () => heard.push('in the past: at once'))
    })
    const cancel = world.at(ms(2), () => heard.push('cancelled'))
    cancel()
    cancel()
    world.runUntil(ms(5))
    expect(heard).toEqual(['one', 'in the past: at once', 'two', 'two, asked for later'])
  })
})

describe('the clock', () => {
  test('stands where it was told to stop, and runs what is due then', () => {
    const { world } = star()
    expect(world.nextDue()).toBe(NEVER)
    const heard: number[] = []
    for (const t of [10, 20, 30]) world.at(ms(t), () => heard.push(world.now))
    expect(world.nextDue()).toBe(ms(10))
    world.runUntil(ms(20))
    expect(heard).toEqual([ms(10), ms(20)])
    expect([world.now, world.nextDue(), world.events]).toEqual([ms(20), ms(30), 2])
    world.runUntil(ms(25))
    expect([world.now, world.events]).toEqual([ms(25), 2])
    world.runUntil(NEVER)
    expect([world.now, world.nextDue(), world.events]).toEqual([ms(30), NEVER, 3])
    // It never goes back.
    world.runUntil(ms(5))
    expect(world.now).toBe(ms(30))
  })

  test('counts one event for each arrival and each timer', () => {
    const { world, records } = star({ delay: '1ms' })
    world.inject(world.node('r'), 0, toC(world, 0, 100))
    world.runUntil(ms(4))
    // ARP request and reply, then the datagram, which nobody wants: ICMP to a, by way of r's ARP.
    const received = records.filter((record) => record.kind === 'received' && record.event > 0)
    const arrivals = records.filter((record) => record.kind === 'received').length
    // What was injected is no event of the queue.
    expect(received.length).toBe(arrivals - 1)
    expect(world.events).toBeGreaterThanOrEqual(received.length)
    const numbers = records.map(({ event }) => event)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })

  test('leads to the same trace in whatever steps it is moved', () => {
    const run = (move: (world: World) => void): string => {
      const digest = new TraceDigest()
      const { world } = star(
        { rate: '2Mbit', delay: '3ms', loss: '3%', queue: '10 frames' },
        { observer: digest.observer },
      )
      startSink(world.node('c'), 80)
      startBulk(world.node('a'), { address: C, port: 80 }, 100_000)
      move(world)
      expect(world.nextDue()).toBe(NEVER)
      return digest.hex()
    }
    const whole = run((world) => world.runUntil(NEVER))
    expect(
      run((world) => {
        while (world.nextDue() !== NEVER) world.step()
      }),
    ).toBe(whole)
    expect(
      run((world) => {
        for (let t = 0; world.nextDue() !== NEVER; t += ms(7)) world.runUntil(t)
      }),
    ).toBe(whole)
  })
})

describe('a frame from outside', () => {
  test('is handled now, and traced as received', () => {
    const { world, records } = star()
    world.runUntil(ms(3))
    const frame = toC(world, 1, 100)
    world.inject(world.node('r'), 1, frame)
    const link = '>r'
    expect(records[0]).toEqual({
      ...({ kind: 'received', at: ms(3), event: 0, node: 'r', port: 1, link } as const),
      frame,
    })
    // The router asks for c's address.
    expect(records.at(-1)).toMatchObject({ kind: 'sent', at: ms(3), node: 'r', link: 'r>c' })
  })

  test('for somebody else is dropped with a reason', () => {
    const { world, records } = star()
    const { source, etherType, payload } = toC(world, 0, 100)
    world.inject(
      world.node('r'),
      0,
      new EthernetFrame('02:00:00:00:00:77', source, etherType, payload),
    )
    expect(records.length).toBe(2)
    expect(records[1]).toMatchObject({
      kind: 'event',
      said: { kind: 'dropped', why: 'ethernet not for us' },
    })
  })
})

test('every frame of a run is accounted for, on every link', () => {
  const { world, records } = star(
    {
      rate: '5Mbit',
      queue: '8 frames',
      delay: '4ms',
      jitter: '2ms',
      loss: '4%',
      duplicate: '3%',
      reorder: '5%',
      corrupt: '3%',
    },
    { monitor: new Monitor() },
  )
  startSink(world.node('c'), 80)
  startBulk(world.node('a'), { address: C, port: 80 }, 200_000)
  startBulk(world.node('b'), { address: C, port: 80 }, 200_000)
  world.runUntil(NEVER)
  for (const link of world.links) {
    const sent = records.filter((r) => r.kind === 'sent' && r.link === link.name)
    const drops = sent.filter((r) => r.kind === 'sent' && r.dropped !== null).length
    const copies = sent.reduce((n, r) => n + (r.kind === 'sent' ? r.duplicates : 0), 0)
    const received = records.filter((r) => r.kind === 'received' && r.link === link.name).length
    expect([link.offered, link.discarded, link.copied]).toEqual([sent.length, drops, copies])
    expect([link.delivered, link.inFlight]).toEqual([received, 0])
    expect(received).toBe(sent.length - drops + copies)
  }
  const towardsC = world.links.find(({ name }) => name === 'r>c')!
  expect(towardsC.offered).toBeGreaterThan(200)
  expect(Math.min(towardsC.discarded, towardsC.copied)).toBeGreaterThan(3)
})
