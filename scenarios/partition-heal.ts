import { duration } from '../sim/params.ts'
import { defineScenario } from '../sim/scenario.ts'
import type { Host } from '../sim/programs.ts'

const PORT = 5000
const MESSAGES = 20

export default defineScenario({
  name: 'partition-heal',
  about: `Three hosts around a router; one is cut off in the middle of its work, and heals. TCP keeps
    the connections, backs off while nothing answers, and delivers every message once the partition
    has ended: the last ones late, none lost, none twice. Try --set for=30s.`,
  params: {
    at: duration('2s', 'when the partition begins'),
    for: duration('5s', 'how long it lasts'),
    delay: duration('5ms', 'of each link'),
  },
  topology: { a: 'host', b: 'host', c: 'host', r: 'router' },
  links: ({ delay }) => [
    { ends: { a: '10.0.1.1/24', r: '10.0.1.254/24' }, delay },
    { ends: { b: '10.0.2.1/24', r: '10.0.2.254/24' }, delay },
    { ends: { c: '10.0.3.1/24', r: '10.0.3.254/24' }, delay },
  ],
  programs: {
    a: (host) => report(host, 'a'),
    b: (host) => report(host, 'b'),
    c: async (host) => {
      const listener = host.listen(PORT)
      for (let client = 0; client < 2; client++) void collect(host, await listener.accept())
    },
  },
  faults: (p) => [{ at: p.at, partition: [['b'], ['a', 'c', 'r']], for: p.for }],
  expect: [
    { note: 'from a', equals: MESSAGES },
    { note: 'from b', equals: MESSAGES },
    // Whatever the back-off has come to, the next retransmission is at most that far away.
    { mark: 'all from b', within: '10s', after: 'faults' },
    { sample: 'latency of a', below: '50ms' },
  ],
})

/** Twenty messages of one line, five a second: the sender's name and the time. */
async function report(host: Host, name: string): Promise<void> {
  const socket = await host.connect('10.0.3.1', PORT)
  for (let i = 0; i < MESSAGES; i++) {
    await socket.send(`${name} ${host.now}\n`)
    await host.sleep('200ms')
  }
  socket.close()
}

async function collect(host: Host, socket: AsyncIterable<Iterable<number>>): Promise<void> {
  let count = 0
  let rest = ''
  for await (const bytes of socket) {
    rest += String.fromCharCode(...bytes)
    const lines = rest.split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const [name, sent] = line.split(' ')
      host.sample(`latency of ${name}`, host.now - Number(sent))
      host.note(`from ${name}`, ++count)
      if (count === MESSAGES) host.mark(`all from ${name}`)
    }
  }
}
