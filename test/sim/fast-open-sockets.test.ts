import { expect, test } from 'vitest'
import { type Bytes, equalBytes } from '../../protocols/bytes.ts'
import type { Host } from '../../sim/programs.ts'
import type { Program } from '../../sim/scenario.ts'
import { type Say, story } from '../../sim/testing/story.ts'
import type { TcpListener } from '../../sim/tcp-listener.ts'
import { codeOf, randomBytes } from './two-hosts.ts'

// TCP Fast Open (RFC 7413) as programs see it. 10 ms each way; ARP takes the first 20 ms.

const play = (
  programs: (say: Say) => { readonly [node: string]: Program },
  fastOpen = 'both',
  more = {},
  options = {},
) =>
  story({
    topology: {
      a: { kind: 'host', tcp: { fastOpen } },
      b: { kind: 'host', tcp: { fastOpen } },
    },
    links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms', ...more }],
    programs,
    until: '60s',
    ...options,
  })

const text = (bytes: Bytes | null): string =>
  bytes === null ? 'end' : String.fromCharCode(...(bytes as Uint8Array))

function listening(host: Host, pending = 4, backlog = 8): TcpListener {
  const listener = host.listen(80, backlog)
  listener.setOption('TCP_FASTOPEN', pending)
  return listener
}

/** Answers each request as it comes. */
const server =
  (say: Say): Program =>
  async (host) => {
    for await (const socket of listening(host)) {
      say(host, 'accepted')
      const request = await socket.receive()
      say(host, `received ${request?.length}`)
      await socket.send('answer')
      socket.close()
    }
  }

async function ask(host: Host, say: Say, request: string | Uint8Array): Promise<void> {
  const socket = await host.connect('10.0.0.2', 80, request)
  say(host, `connected, ${text(await socket.receive())}`)
  socket.close()
}

test('the second request is read when its SYN arrives, and answered a round trip after it was made', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      await ask(host, say, 'hello')
      await host.at('100ms')
      await ask(host, say, 'hello')
    },
    b: server(say),
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0.05     b  accepted
    0.05     b  received 5
    0.06     a  connected, answer
    0.11     b  accepted
    0.11     b  received 5
    0.12     a  connected, answer"
  `)
})

test('what does not fit on the SYN follows the handshake', async () => {
  const sent = randomBytes(5000, 1)
  const lines = await play((say) => ({
    a: async (host) => {
      await (await host.connect('10.0.0.2', 80, 'x')).gone().catch(() => {})
      await host.at('1s')
      const socket = await host.connect('10.0.0.2', 80, sent)
      say(host, `connected, SYN_DATA ${socket.info().tcpi_options & 32}`)
      socket.close()
    },
    b: async (host) => {
      const listener = listening(host)
      ;(await listener.accept()).abort()
      const socket = await listener.accept()
      say(host, `accepted, ${socket.info().state}, SYN_DATA ${socket.info().tcpi_options & 32}`)
      const first = await socket.receive()
      say(host, `received ${first?.length}`)
      const rest = await socket.receiveAll()
      const same = [first!, rest].flatMap((part) => [...(part as Uint8Array)])
      say(host, `then ${rest.length}, ${same.every((byte, i) => byte === sent[i])}`)
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "1.01     b  accepted, SYN-RECEIVED, SYN_DATA 32
    1.01     b  received 1420
    1.02     a  connected, SYN_DATA 32
    1.03     b  then 3580, true"
  `)
})

test('TCP_FASTOPEN_CONNECT: connecting takes no time, the first bytes make the SYN', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      await ask(host, say, 'cookie')
      await host.at('100ms')
      const socket = host.tcp()
      socket.setOption('TCP_FASTOPEN_CONNECT', 1)
      say(host, await codeOf(() => socket.tryConnect('10.0.0.2', 80)))
      say(host, `writable ${socket.readiness.writable}, ${socket.info().state}`)
      await host.at('200ms')
      say(host, `sent ${socket.trySend('hello')}`)
      say(host, text(await socket.receive()))
    },
    b: server(say),
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0.05     b  accepted
    0.05     b  received 6
    0.06     a  connected, answer
    0.1      a  no error
    0.1      a  writable true, SYN-SENT
    0.2      a  sent 5
    0.21     b  accepted
    0.21     b  received 5
    0.22     a  answer"
  `)
})

test('calls that never wait: EINPROGRESS without a cookie, EALREADY, EISCONN', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = host.tcp()
      const call = () => socket.trySendTo('hello', '10.0.0.2', 80)
      say(host, `${await codeOf(call)} ${await codeOf(call)}`)
      await host.poll([{ socket, events: ['writable'] }])
      socket.tryConnect('10.0.0.2', 80)
      say(host, await codeOf(call))
      const other = host.tcp()
      say(host, `took ${other.trySendTo('hello', '10.0.0.2', 80)}`)
      say(host, await codeOf(() => other.setOption('TCP_FASTOPEN_NO_COOKIE', 1)))
    },
    b: async (host) => void listening(host),
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0        a  EINPROGRESS EALREADY
    0.04     a  EISCONN
    0.04     a  took 5
    0.04     a  EINVAL"
  `)
})

test('a host that is no client of it says EOPNOTSUPP', async () => {
  const lines = await play(
    (say) => ({
      a: async (host) => {
        say(host, await codeOf(host.connect('10.0.0.2', 80, 'hello')))
        say(host, await codeOf(() => host.tcp().setOption('TCP_FASTOPEN_CONNECT', 1)))
        say(host, await codeOf(host.connect('10.0.0.2', 80)))
      },
      b: async (host) => void listening(host),
    }),
    'server',
  )
  expect(lines).toMatchInlineSnapshot(`
    "0        a  EOPNOTSUPP
    0        a  EOPNOTSUPP
    0.04     a  no error"
  `)
})

test('a listener that nobody accepts from lets no more in than wait, early or not', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      await ask(host, say, 'cookie')
      const connections = await Promise.all(
        [1, 2, 3].map(() => host.connect('10.0.0.2', 80, 'hello')),
      )
      const taken = connections.map((each) => each.info().tcpi_options & 32)
      say(host, `SYN_DATA ${taken.join(' ')}`)
    },
    b: async (host) => {
      const listener = listening(host, 2)
      const first = await listener.accept()
      await first.receive()
      await first.send('answer')
      first.close()
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0.06     a  connected, answer
    0.08     a  SYN_DATA 32 32 0"
  `)
})

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'through loss, copies and disorder all bytes arrive once, seed %i',
  async (seed) => {
    const sent = [0, 1, 2, 3, 4].map((i) => randomBytes(700 + 900 * i, i))
    const echo: Program = async (host) => {
      for await (const socket of listening(host)) {
        void socket
          .receiveAll()
          .then((bytes) => socket.send(bytes))
          .then(() => socket.close())
      }
    }
    const lines = await play(
      (say) => ({
        a: async (host) => {
          for (const request of sent) {
            const socket = await host.connect('10.0.0.2', 80, request)
            socket.shutdown()
            const answer = await socket.receiveAll()
            say(host, String(equalBytes(answer, request)))
            socket.close()
          }
        },
        b: echo,
      }),
      'both',
      { loss: '15%', duplicate: '5%', jitter: '8ms', reorder: '10%' },
      { seed: String(seed), until: '600s' },
    )
    expect(lines.match(/true/g)?.length).toBe(sent.length)
  },
)
