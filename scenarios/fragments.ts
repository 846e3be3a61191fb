import { equalBytes } from '../protocols/bytes.ts'
import { count, duration, ratio, size } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 2049

export default defineScenario({
  name: 'fragments',
  about: `Large datagrams are cut by their sender and by a router, and become whole again.
    The pieces overtake each other and some come twice; a datagram arrives whole or not at
    all, and of one whose beginning came and whose end did not, the sender hears after 30 s. A lost
    piece costs the whole datagram: try --set loss=2% and count, then --set size=1kB.`,
  params: {
    count: count(200, 'datagrams'),
    interval: duration('10ms', 'between datagrams'),
    size: size('8kB', 'of each datagram'),
    mtu: size('576B', 'of the link in the middle'),
    delay: duration('5ms', 'of each of the three links'),
    loss: ratio('0%', 'of frames on the last link'),
    reorder: ratio('20%', 'of frames that overtake on the last link'),
    duplicate: ratio('2%', 'of frames that arrive twice from there'),
  },
  topology: { a: 'host', r1: 'router', r2: 'router', b: 'host' },
  links: ({ mtu, delay, loss, reorder, duplicate }) => [
    { ends: { a: '10.0.1.1/24', r1: '10.0.1.254/24' }, delay },
    { ends: { r1: '10.0.2.1/24', r2: '10.0.2.2/24' }, delay, mtu },
    {
      ends: { r2: '10.0.3.254/24', b: '10.0.3.1/24' },
      delay,
      to: { b: { loss, reorder, duplicate } },
    },
  ],
  programs: ({ count, interval, size }) => ({
    a: async (host) => {
      const socket = host.udp()
      // While ARP asks, no more than 64 packets wait: let it ask before the first datagram.
      await host.ping('10.0.3.1', { timeout: '10s' })
      for (let i = 1; i <= count; i++) {
        socket.sendTo(contentOf(i, size), '10.0.3.1', PORT)
        await host.sleep(interval)
      }
      await host.sleep(REASSEMBLY)
      let given = 0
      for (let error = socket.nextError(); error !== null; error = socket.nextError()) {
        if (error.type === TIME_EXCEEDED) given += 1
      }
      host.note('told that pieces are missing', given)
    },
    b: async (host) => {
      const socket = host.udp(PORT)
      const whole = new Set<number>()
      for (let damaged = 0; ;) {
        const { payload } = await socket.receive()
        const index = (payload[0]! << 8) | payload[1]!
        if (equalBytes(payload, contentOf(index, size))) whole.add(index)
        else damaged += 1
        host.note('whole', whole.size)
        host.note('damaged', damaged)
      }
    },
  }),
  expect: ({ notes }, { count, loss }) => [
    { note: 'damaged', equals: 0 },
    {
      that: 'without loss every datagram arrives, in whatever order its pieces came',
      holds: loss > 0 || notes['whole'] === count,
      actual: `${notes['whole']} of ${count}`,
    },
  ],
})

/** 30 s, and time for the news to come back. */
const REASSEMBLY = '31s'
const TIME_EXCEEDED = 11

/** Its number, then bytes that no other datagram has at the same place. */
function contentOf(index: number, size: number): Uint8Array {
  const bytes = Uint8Array.from({ length: Math.max(size, 2) }, (_, i) => (i * 31 + index * 7) & 255)
  bytes[0] = index >>> 8
  bytes[1] = index
  return bytes
}
