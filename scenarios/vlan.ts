import { duration } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario } from '../sim/scenario.ts'

export default defineScenario({
  name: 'vlan',
  about: `Two switches, two VLANs, one trunk between them, and a router on a stick. Whoever is in one VLAN
    reaches the others of it over the trunk, and a broadcast stays inside; from one VLAN to the other
    the way leads through the router, which has an interface in each on a single cable. A frame with a
    tag at an access port goes nowhere.`,
  params: { delay: duration('1ms', 'of each link, each way') },
  topology: {
    a: 'host',
    b: 'host',
    c: 'host',
    d: 'host',
    rogue: 'host',
    r: 'router',
    s1: 'switch',
    s2: 'switch',
  },
  links: ({ delay }) => [
    { ends: { a: '10.0.10.1/24', s1: { access: 10 } }, delay },
    { ends: { b: '10.0.20.1/24', s1: { access: 20 } }, delay },
    { ends: { c: '10.0.10.2/24', s2: { access: 10 } }, delay },
    { ends: { d: '10.0.20.2/24', s2: { access: 20 } }, delay },
    { ends: { s1: { trunk: [10, 20] }, s2: { trunk: [10, 20] } }, delay },
    {
      ends: {
        r: { vlans: { 10: '10.0.10.254/24', 20: '10.0.20.254/24' } },
        s1: { trunk: 'all' },
      },
      delay,
    },
    // Whoever tags frames at an access port does not get into the VLAN.
    { ends: { rogue: { vlans: { 20: '10.0.99.1/24' } }, s2: { access: 10 } }, delay },
  ],
  programs: {
    a: async (host) => {
      await note(host, 'a to c, same VLAN', '10.0.10.2')
      await note(host, 'a to d, through the router', '10.0.20.2')
      const socket = host.udp(5000)
      socket.allowBroadcast()
      socket.sendTo('anybody?', '10.0.10.255', 5000)
    },
    b: listen,
    c: listen,
    d: listen,
    rogue: async (host) => note(host, 'rogue', '10.0.99.2'),
  },
  until: '10s',
  expect: [
    // Two switches and three links; through the router two more of each, and back.
    { note: 'a to c, same VLAN', equals: '64' },
    { note: 'a to d, through the router', equals: '63' },
    { note: 'c heard', equals: 1 },
    { note: 'b heard', equals: 0 },
    { note: 'd heard', equals: 0 },
    { note: 'rogue', equals: 'nothing' },
  ],
})

/** The TTL that the answer came with: how many routers it has passed. */
async function note(host: Host, name: string, address: string): Promise<void> {
  const answer = await host.ping(address)
  host.note(name, answer?.kind === 'reply' ? String(answer.ttl) : 'nothing')
}

async function listen(host: Host): Promise<void> {
  const socket = host.udp(5000)
  let heard = 0
  host.note(`${host.name} heard`, heard)
  for (;;) {
    await socket.receive()
    host.note(`${host.name} heard`, (heard += 1))
  }
}
