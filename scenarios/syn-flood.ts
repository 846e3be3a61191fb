import { count, duration, flag } from '../sim/params.ts'
import type { Host } from '../sim/programs.ts'
import { defineScenario } from '../sim/scenario.ts'

const PORT = 80
const SERVER = '10.0.0.2'

export default defineScenario({
  name: 'syn-flood',
  about: `Somebody sends SYNs and never answers the SYN,ACKs. The listener's backlog is full in no time;
    from then on it answers with SYN cookies (RFC 4987) and remembers nothing, so that a client's
    requests go on being served. Without cookies its SYNs find no room.`,
  params: {
    cookies: flag(true, 'whether the server answers with SYN cookies'),
    backlog: count(64, 'how many handshakes of the server may be under way'),
    flood: count(2000, 'SYNs of the flood'),
    gap: duration('1ms', 'between two of them'),
    requests: count(20, 'of the client, one connection each'),
  },
  topology: ({ cookies }) => ({
    client: 'host',
    // Each SYN is sent once, and given up after a second.
    flooder: { kind: 'host', tcp: { synRetries: 0 } },
    server: { kind: 'host', tcp: { synCookies: cookies } },
    switch: 'switch',
  }),
  links: () => [
    { ends: { client: '10.0.0.1/24', switch: null }, delay: '5ms' },
    {
      ends: { flooder: '10.0.0.9/24', switch: null },
      delay: '1ms',
      to: { flooder: { drop: 'every SYN-ACK' } },
    },
    { ends: { server: `${SERVER}/24`, switch: null }, delay: '1ms' },
  ],
  programs: (p) => ({
    server: async (host) => {
      const listener = host.listen(PORT, p.backlog)
      for (;;) void serve(await listener.accept())
    },
    flooder: async (host) => {
      for (let i = 0; i < p.flood; i++) {
        void host.connect(SERVER, PORT).catch(() => {})
        await host.sleep(p.gap)
      }
    },
    client: async (host) => {
      await host.sleep('200ms')
      for (let i = 0; i < p.requests; i++) {
        if (await ask(host)) host.note('answered', i + 1)
      }
      host.mark('all asked')
    },
  }),
  expect: (_, p) => [
    { note: 'answered', equals: p.requests },
    { mark: 'all asked', within: '2s' },
  ],
})

type Connection = Awaited<ReturnType<Host['connect']>>

async function serve(socket: Connection): Promise<void> {
  const bytes = await socket.receive()
  if (bytes !== null) await socket.send(bytes)
  socket.close()
}

async function ask(host: Host): Promise<boolean> {
  try {
    const socket = await host.connect(SERVER, PORT)
    await socket.send('hello')
    const answer = await socket.receive()
    socket.close()
    return answer !== null
  } catch {
    return false
  }
}
