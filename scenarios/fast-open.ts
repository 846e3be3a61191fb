import { count, duration, flag } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 80
const SERVER = '10.0.0.2'
/** Requests that the server lets wait for the end of their handshake. */
const PENDING = 16

export default defineScenario({
  name: 'fast-open',
  about: `A client asks a far server again and again, one connection for each request. The first SYN asks for
    a cookie of TCP Fast Open (RFC 7413); from then on the request goes with the SYN, and the answer comes a
    whole round trip earlier. Without it every request waits for its handshake.`,
  params: {
    fastOpen: flag(true, 'whether client and server use it'),
    delay: duration('50ms', 'from the one to the other'),
    requests: count(10, 'one after the other'),
  },
  topology: ({ fastOpen }) => ({
    client: { kind: 'host', tcp: { fastOpen: fastOpen ? 'client' : 'off' } },
    server: { kind: 'host', tcp: { fastOpen: fastOpen ? 'server' : 'off' } },
  }),
  links: ({ delay }) => [{ ends: { client: '10.0.0.1/24', server: `${SERVER}/24` }, delay }],
  programs: (p) => ({
    server: async (host) => {
      const listener = host.listen(PORT)
      listener.setOption('TCP_FASTOPEN', PENDING)
      for (;;) void serve(await listener.accept())
    },
    client: async (host) => {
      let early = 0
      for (let i = 0; i < p.requests; i++) {
        const asked = host.now
        await ask(host, p.fastOpen)
        // One round trip, and not yet two.
        if (host.now - asked < 3 * p.delay) early += 1
      }
      host.note('answered a round trip early', early)
      host.mark('all answered')
    },
  }),
  // The first request has to ask for the addresses, too.
  expect: (_, { fastOpen, delay, requests }) => [
    { note: 'answered a round trip early', equals: fastOpen ? requests - 1 : 0 },
    { mark: 'all answered', within: (fastOpen ? 2 * requests + 4 : 4 * requests + 2) * delay },
  ],
})

type Connection = Awaited<ReturnType<Host['connect']>>

async function serve(socket: Connection): Promise<void> {
  const request = await socket.receive()
  if (request !== null) await socket.send(request)
  socket.close()
}

async function ask(host: Host, fastOpen: boolean): Promise<void> {
  const request = 'GET / HTTP/1.0\r\n\r\n'
  const socket = await (fastOpen ? host.connect(SERVER, PORT, request) : host.connect(SERVER, PORT))
  if (!fastOpen) await socket.send(request)
  await socket.receive()
  socket.close()
}
