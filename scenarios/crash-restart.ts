import { count, duration } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'
import type { Host } from '../sim/programs.ts'

const PORT = 5000

export default defineScenario({
  name: 'crash-restart',
  about: `A server counts requests on its disk, crashes, and comes back. Its connections are gone: the
    client hears a reset or a timeout, connects anew and asks again. What was on the disk is still
    there, so every request is counted, and none is answered that was not.`,
  params: {
    requests: count(20, 'of the client, one after the other'),
    crashAt: duration('1025ms', 'when the server crashes'),
    down: duration('3s', 'until it has started again'),
    delay: duration('10ms', 'of the link, each way'),
  },
  topology: { client: 'host', server: 'host' },
  links: ({ delay }) => [{ ends: { client: '10.0.0.1/24', server: '10.0.0.2/24' }, delay }],
  programs: (p) => ({
    server: async (host) => {
      host.note('boots', host.boots)
      const listener = host.listen(PORT)
      for (;;) void serve(host, await listener.accept())
    },
    client: async (host) => {
      let attempts = 0
      for (let request = 1; request <= p.requests;) {
        attempts += 1
        if (await ask(host, request)) {
          host.note('answered', request)
          request += 1
        } else await host.sleep('500ms')
        await host.sleep('100ms')
      }
      host.note('attempts', attempts)
      host.mark('all answered')
    },
  }),
  faults: (p) => [{ at: p.crashAt, crash: 'server', for: p.down }],
  expect: (_, p) => [
    { note: 'answered', equals: p.requests },
    { note: 'counted', atLeast: p.requests },
    { note: 'boots', equals: 2 },
    { mark: 'all answered', within: '10s', after: 'faults' },
  ],
})

type Connection = Awaited<ReturnType<Host['connect']>>

/** Counts before it answers: an answer that is lost leaves a count, never the other way round. */
async function serve(host: Host, socket: Connection): Promise<void> {
  const bytes = await socket.receive()
  if (bytes === null) return
  const before = host.storage.get('count')?.[0] ?? 0
  host.storage.set('count', Uint8Array.of(before + 1))
  host.note('counted', before + 1)
  await socket.send(bytes)
  socket.close()
}

/** One request on a connection of its own; false where it failed. */
async function ask(host: Host, request: number): Promise<boolean> {
  try {
    const socket = await host.connect('10.0.0.2', PORT)
    await socket.send(Uint8Array.of(request))
    const answer = await socket.receive()
    socket.close()
    return answer?.[0] === request
  } catch {
    return false
  }
}
