import { formatIp } from '../protocols/address.ts'
import { count, duration, rate, size } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'
import { addressOf } from '../sim/shape-draft.ts'
import { chain } from '../sim/shapes.ts'

const PORT = 5000

export default defineScenario({
  name: 'router-chain',
  about: `Two hosts with a chain of routers between them. Host a sends pings whose TTL rises by one:
    each dies one router further on and comes back as time exceeded, which names the whole way, as
    traceroute does. Then it sends bytes over TCP to the other end. The links in the middle may be
    slower than the two at the ends. Try --set routers=12 --set rate=1Mbit.`,
  params: {
    routers: count(5, 'between the two hosts'),
    bytes: size('1MB', 'of the transfer'),
    rate: rate('10Mbit', 'between routers'),
    delay: duration('2ms', 'of each link'),
  },
  topology: (p) => shapeOf(p).topology,
  links: (p) => shapeOf(p).links,
  programs: (p) => {
    const target = addressOf(shapeOf(p), 'b')
    return {
      a: async (host) => {
        for (let ttl = 1; ttl <= p.routers + 1; ttl++) {
          const answer = await host.ping(target, { ttl, timeout: '5s' })
          if (answer === null) throw new Error(`nobody answers at TTL ${ttl}`)
          const arrived = answer.kind === 'reply'
          host.note(`hop ${ttl}`, formatIp(answer.from) + (arrived ? ' (reply)' : ''))
          host.sample('rtt per hop', answer.rtt)
          // The routers in the reply's way have taken one off each, too.
          if (arrived) host.note('ttl of the reply', answer.ttl)
        }
        const socket = await host.connect(target, PORT)
        const piece = new Uint8Array(64 * 1024)
        for (let left = p.bytes; left > 0; left -= piece.length) {
          await socket.send(piece.subarray(0, Math.min(left, piece.length)))
        }
        socket.close()
      },
      b: async (host) => {
        const socket = await host.listen(PORT).accept()
        let received = 0
        for await (const bytes of socket) received += bytes.length
        host.note('bytes received', received)
        host.mark('transfer complete')
        socket.close()
      },
    }
  },
  expect: ({ notes }, p) => {
    const { links } = shapeOf(p)
    // Router number i hears a's pings at the far end of link number i.
    const hops = Array.from({ length: p.routers }, (_, i) => {
      const near = links[i]!.ends[`r${i + 1}`] as string
      return notes[`hop ${i + 1}`] === near.split('/')[0]
    })
    return [
      { that: 'every router on the way answers in its turn', holds: hops.every(Boolean) },
      {
        that: `the reply has passed ${p.routers} routers`,
        holds: notes['ttl of the reply'] === 64 - p.routers,
        actual: `its TTL is ${notes['ttl of the reply']}`,
      },
      { note: 'bytes received', equals: p.bytes },
    ]
  },
})

const shapeOf = (p: { routers: number; rate: number; delay: number }) =>
  chain({
    routers: p.routers,
    link: { rate: p.rate, delay: p.delay, queue: '100 frames' },
    access: { delay: p.delay },
  })
