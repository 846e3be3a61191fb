import { count, duration } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'
import { addressOf, type Cable, type Shape, withAddresses } from '../sim/shape-draft.ts'

const PORT = 9

export default defineScenario({
  name: 'switched-lan',
  about: `Four hosts on two learning switches are one network. Host a pings host c, then sends it
    datagrams that c never answers. The bystanders b and d hear the first ARP request, which is
    flooded, and nothing of the pings: by then the switches know where a and c are. Once c has been
    silent for the ageing time they have forgotten it, while a's ARP cache has not: from there on
    every datagram is flooded. Try --set ageing=300s, or --trace | grep forgotten.`,
  params: {
    pings: count(5, 'echo requests, a second apart'),
    datagrams: count(20, 'datagrams after them, a second apart'),
    ageing: duration('10s', 'how long a switch remembers an address'),
    delay: duration('1ms', 'of each link'),
  },
  topology: ({ ageing }) => lan(ageing, 0).topology,
  links: ({ ageing, delay }) => lan(ageing, delay).links,
  programs: ({ pings, datagrams, ageing, delay }) => {
    const target = addressOf(lan(ageing, delay), 'c')
    return {
      a: async (host) => {
        for (let i = 1; i <= pings; i++) {
          const sent = host.now
          const answer = await host.ping(target)
          if (answer !== null) host.note(`ping ${i}`, `${answer.rtt / 1e6} ms`)
          if (answer !== null) host.sample(i === 1 ? 'first rtt' : 'rtt', answer.rtt)
          await host.sleep(sent + SECOND - host.now)
        }
        const socket = host.udp()
        for (let i = 1; i <= datagrams; i++) {
          socket.sendTo(`datagram ${i}`, target, PORT)
          await host.sleep(SECOND)
        }
      },
      c: async (host) => {
        const socket = host.udp(PORT)
        for (let received = 1; ; received++) {
          await socket.receive()
          host.note('datagrams received', received)
        }
      },
    }
  },
  expect: ({ notes, links }, { pings, datagrams, ageing, delay }) => {
    const heard = (link: string) => links.find(({ name }) => name === link)?.deliveredFrames
    const flooded = floods(pings, datagrams, ageing, delay)
    return [
      {
        that: 'every datagram arrives, flooded or not',
        holds: datagrams === 0 || notes['datagrams received'] === datagrams,
      },
      {
        that: `b hears one ARP request and ${flooded} flooded packets`,
        // After a minute ARP asks again, which the switches hear.
        holds: pings + datagrams > 60 || heard('s1>b') === 1 + flooded,
        actual: `${heard('s1>b')} frames`,
      },
    ]
  },
})

const SECOND = 1_000_000_000

function lan(ageing: number, delay: number): Shape {
  const cables: Cable[] = [
    { between: ['a', 's1'], delay },
    { between: ['b', 's1'], delay },
    { between: ['s1', 's2'], delay },
    { between: ['c', 's2'], delay },
    { between: ['d', 's2'], delay },
  ]
  const node = { kind: 'switch', ageing } as const
  return withAddresses({ a: 'host', b: 'host', s1: node, s2: node, c: 'host', d: 'host' }, cables)
}

/**
 * What s1 floods for c. It has heard c's last answer five links after the ping was sent, and hears a
 * packet one link after that was sent: it still knows c if that is less than the ageing time.
 */
function floods(pings: number, datagrams: number, ageing: number, delay: number): number {
  const knows = (after: number) => after + delay < 5 * delay + ageing
  let flooded = knows(SECOND) ? 0 : Math.max(pings - 1, 0)
  for (let i = 0; i < datagrams; i++) if (!knows((i + 1) * SECOND)) flooded += 1
  return flooded
}
