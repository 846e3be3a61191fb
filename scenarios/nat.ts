import { formatIp } from '../protocols/address.ts'
import { choice, duration } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario } from '../sim/scenario.ts'

const OUTSIDE = '203.0.113.1'

export default defineScenario({
  name: 'nat',
  about: `Two hosts behind a router share its one address. They fetch from the same server with the same
    port, ping it, and hear of a port that nobody listens on; a stranger outside reaches neither of
    them. A datagram that comes back after the mapping has ended is for nobody, and one inside host
    reaches the other by the outside address (RFC 4787, RFC 5382, RFC 5508).`,
  params: {
    filtering: choice(
      ['address-and-port-dependent', 'address-dependent', 'endpoint-independent'],
      'who may send to a mapping',
    ),
    udpTimeout: duration('120s', 'how long a mapping lives after the last datagram out'),
    delay: duration('10ms', 'of each link, each way'),
  },
  topology: ({ filtering, udpTimeout }) => ({
    a: 'host',
    b: 'host',
    r: { kind: 'router', nat: { outside: 'server', filtering, udpTimeout } },
    lan: 'switch',
    wan: 'switch',
    server: 'host',
    stranger: 'host',
  }),
  links: ({ delay }) => [
    { ends: { a: '192.168.0.2/24', lan: null }, delay },
    { ends: { b: '192.168.0.3/24', lan: null }, delay },
    { ends: { r: '192.168.0.1/24', lan: null }, delay },
    { ends: { r: `${OUTSIDE}/24`, wan: null }, delay },
    { ends: { server: '203.0.113.80/24', wan: null }, delay },
    { ends: { stranger: '203.0.113.66/24', wan: null }, delay },
  ],
  programs: ({ udpTimeout }) => ({
    server: (host) => {
      host.serve('echo')
      // Who it seems to come from: whatever is inside must not show.
      const socket = host.udp(9000)
      void (async () => {
        for (;;) {
          const { remote } = await socket.receive()
          host.note('seen from', formatIp(remote.address))
          socket.sendTo('late', remote.address, remote.port)
          await host.sleep(udpTimeout)
          socket.sendTo('too late', remote.address, remote.port)
        }
      })()
    },
    a: async (host) => {
      host.note('a over TCP', await fetchFrom(host, '203.0.113.80'))
      const pong = await host.ping('203.0.113.80')
      host.note('a pings', pong?.kind === 'reply' ? 'answered' : 'nothing')
      const socket = host.udp(6100)
      socket.sendTo('hello', '203.0.113.80', 9000)
      let heard = 0
      for (;;) {
        await socket.receive()
        host.note('a hears', (heard += 1))
      }
    },
    b: async (host) => {
      host.note('b over TCP', await fetchFrom(host, '203.0.113.80'))
      const socket = host.udp(6101)
      socket.connect('203.0.113.80', 4444)
      socket.send('anybody?')
      host.note('b hears', await socket.receive().then(() => 'an answer', codeOf))
      // By the outside address to the other one inside: its mapping has port 6100.
      await host.sleep('1s')
      const hairpin = host.udp(6000)
      hairpin.sendTo('over the fence', OUTSIDE, 6100)
    },
    stranger: async (host) => {
      await host.sleep('2s')
      const socket = host.udp(7000)
      socket.sendTo('let me in', OUTSIDE, 6100)
    },
  }),
  until: '600s',
  expect: (_, { filtering }) => [
    { note: 'a over TCP', equals: 'echoed' },
    { note: 'b over TCP', equals: 'echoed' },
    { note: 'a pings', equals: 'answered' },
    { note: 'seen from', equals: OUTSIDE },
    { note: 'b hears', equals: 'ECONNREFUSED' },
    // The server's answer; with less of a filter also what comes over the fence and the stranger's.
    { note: 'a hears', equals: filtering === 'endpoint-independent' ? 3 : 1 },
  ],
})

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error)

/** Sends a line to the echo service from a port that another inside host uses, too. */
async function fetchFrom(host: Host, server: string): Promise<string> {
  const socket = await host.connect(server, 7)
  await socket.send(`hello from ${host.name}`)
  const answer = await socket.receive()
  socket.close()
  return answer === null ? 'nothing' : 'echoed'
}
