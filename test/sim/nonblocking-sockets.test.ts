import { expect, test } from 'vitest'
import type { Bytes } from '../../protocols/bytes.ts'
import type { Host } from '../../sim/programs.ts'
import type { Readiness } from '../../sim/readiness.ts'
import type { Program } from '../../sim/scenario.ts'
import { type Say, story } from '../../sim/testing/story.ts'
import type { TcpSocket } from '../../sim/tcp-socket.ts'
import { codeOf } from './two-hosts.ts'

// 10 ms each way: a SYN arrives at 30 ms, because of ARP, and its answer at 40. What is expected here of
// calls and of poll is what Linux 6.18 does.

const play = (
  programs: (say: Say) => { readonly [node: string]: Program },
  tcp: { readonly [option: string]: string | number | boolean } = {},
  more = {},
) =>
  story({
    topology: { a: { kind: 'host', tcp }, b: { kind: 'host', tcp } },
    links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms', ...more }],
    programs,
    until: '60s',
  })

const WORDS = {
  readable: 'IN',
  priority: 'PRI',
  writable: 'OUT',
  error: 'ERR',
  hangUp: 'HUP',
  readHangUp: 'RDHUP',
} as const

const bits = (found: Readiness): string =>
  (Object.keys(WORDS) as (keyof Readiness)[])
    .filter((each) => found[each])
    .map((each) => WORDS[each])
    .join('|') || '0'

const ALL = ['readable', 'writable', 'priority', 'readHangUp'] as const
const text = (bytes: Bytes | null): string =>
  bytes === null ? 'end' : String.fromCharCode(...(bytes as Uint8Array))

/** What a call gives, or the name of its error. */
async function got(call: () => unknown): Promise<string> {
  let result: unknown
  const code = await codeOf(() => {
    result = call()
  })
  if (code !== 'no error') return code
  if (result === null || result instanceof Uint8Array) return text(result)
  return typeof result === 'number' || typeof result === 'string' ? String(result) : 'ok'
}

async function connected(host: Host): Promise<TcpSocket> {
  const socket = host.tcp()
  await codeOf(() => socket.tryConnect('10.0.0.2', 80))
  await host.poll([{ socket, events: ['writable'] }])
  socket.tryConnect('10.0.0.2', 80)
  return socket
}

test('connect does not wait: EINPROGRESS, EALREADY, then 0 once, then EISCONN', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = host.tcp()
      const connect = () => got(() => socket.tryConnect('10.0.0.2', 80))
      say(host, `new ${bits(socket.readiness)}`)
      say(host, `send ${await got(() => socket.trySend('x'))}`)
      say(host, `receive ${await got(() => socket.tryReceive())}`)
      say(host, `shutdown ${await got(() => socket.shutdown('both'))}`)
      say(host, `connect ${await connect()}`)
      say(host, `under way ${bits(socket.readiness)} ${await connect()}`)
      say(host, `send ${await got(() => socket.trySend('x'))}`)
      say(host, `receive ${await got(() => socket.tryReceive())}`)
      const [found] = await host.poll([{ socket, events: ALL }])
      say(host, `poll ${bits(found!)}`)
      say(host, `SO_ERROR ${socket.getOption('SO_ERROR')}`)
      say(host, `connect ${await connect()} ${await connect()}`)
      say(host, `sent ${await got(() => socket.trySend('hello'))}`)
    },
    b: async (host) => {
      const listener = host.listen(80)
      say(host, `accept ${await got(() => listener.tryAccept())} ${bits(listener.readiness)}`)
      const [found] = await host.poll([{ socket: listener, events: ALL }])
      say(host, `poll ${bits(found!)}`)
      const socket = listener.tryAccept()
      say(host, `accept ${await got(() => listener.tryAccept())} ${bits(listener.readiness)}`)
      say(host, `receive ${await got(() => socket.tryReceive())} ${bits(socket.readiness)}`)
      await host.poll([{ socket, events: ['readable'] }])
      say(host, `receive ${await got(() => socket.tryReceive())}`)
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0        a  new OUT|HUP
    0        a  send EPIPE
    0        b  accept EAGAIN 0
    0        a  receive ENOTCONN
    0        a  shutdown ENOTCONN
    0        a  connect EINPROGRESS
    0        a  under way 0 EALREADY
    0        a  send EAGAIN
    0        a  receive EAGAIN
    0.04     a  poll OUT
    0.04     a  SO_ERROR 0
    0.04     a  connect ok EISCONN
    0.04     a  sent 5
    0.05     b  poll IN
    0.05     b  accept EAGAIN 0
    0.05     b  receive EAGAIN OUT
    0.05     b  receive hello"
  `)
})

test('an attempt that is refused is ready at once, and SO_ERROR says why, once', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      for (const [name, tell] of [
        ['SO_ERROR', (socket: TcpSocket) => socket.getOption('SO_ERROR')],
        ['connect', (socket: TcpSocket) => socket.tryConnect('10.0.0.2', 80)],
        ['receive', (socket: TcpSocket) => socket.tryReceive()],
        ['send', (socket: TcpSocket) => socket.trySend('x')],
      ] as const) {
        const socket = host.tcp()
        await codeOf(() => socket.tryConnect('10.0.0.2', 80))
        const [found] = await host.poll([{ socket, events: ALL }])
        const first = await got(() => tell(socket))
        const then = `${await got(() => socket.tryReceive())} ${await got(() => socket.trySend('x'))}`
        say(host, `${bits(found!)}, ${name} ${first}, ${bits(socket.readiness)}, then ${then}`)
        say(host, `connect ${await got(() => socket.tryConnect('10.0.0.2', 80))}`)
      }
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0.04     a  IN|OUT|ERR|HUP|RDHUP, SO_ERROR ECONNREFUSED, IN|OUT|HUP|RDHUP, then end EPIPE
    0.04     a  connect ECONNABORTED
    0.06     a  IN|OUT|ERR|HUP|RDHUP, connect ECONNREFUSED, IN|OUT|HUP|RDHUP, then end EPIPE
    0.06     a  connect ECONNABORTED
    0.08     a  IN|OUT|ERR|HUP|RDHUP, receive ECONNREFUSED, IN|OUT|HUP|RDHUP, then end EPIPE
    0.08     a  connect ECONNABORTED
    0.1      a  IN|OUT|ERR|HUP|RDHUP, send ECONNREFUSED, IN|OUT|HUP|RDHUP, then end EPIPE
    0.1      a  connect ECONNABORTED"
  `)
})

test('poll wakes at the very time: data, a mark, the end, a reset; or when its time is up', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      await host.sleep('60ms')
      await socket.send('abc')
      await host.sleep('100ms')
      await socket.send('!', { urgent: true })
      await host.sleep('100ms')
      socket.shutdown()
      await host.sleep('100ms')
      socket.abort()
    },
    b: async (host) => {
      const listener = host.listen(80)
      const nothing = await host.poll([{ socket: listener, events: ['readable'] }], '20ms')
      say(host, `timeout ${nothing.map(bits).join()}`)
      const socket = await listener.accept()
      const watched = [
        { socket, events: ['readable', 'priority', 'readHangUp'] },
        { socket: listener, events: ['readable'] },
      ] as const
      for (let i = 0; i < 3; i++) {
        const found = await host.poll(watched, '1s')
        say(host, `${found.map(bits).join(' and ')}: ${text(await socket.receive())}`)
      }
      const [writable] = await host.poll([{ socket, events: ['writable'] }], 0)
      say(host, `nothing asked for: ${bits((await host.poll([{ socket, events: [] }], 0))[0]!)}`)
      say(host, `half closed ${bits(writable!)}`)
      const [end] = await host.poll([{ socket, events: [] }])
      say(host, `reset ${bits(end!)} ${bits(socket.readiness)}`)
      say(host, `receive ${await got(() => socket.tryReceive())}`)
      say(host, `${bits(socket.readiness)} ${await got(() => socket.trySend('x'))}`)
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0.02     b  timeout 0
    0.11     b  IN and 0: abc
    0.21     b  IN|PRI and 0: !
    0.31     b  IN|RDHUP and 0: end
    0.31     b  nothing asked for: 0
    0.31     b  half closed OUT
    0.41     b  reset ERR|HUP IN|OUT|ERR|HUP|RDHUP
    0.41     b  receive EPIPE
    0.41     b  IN|OUT|HUP|RDHUP EPIPE"
  `)
})

test('send takes what there is room for, then EAGAIN; poll says when there is room again', async () => {
  const lines = await play(
    (say) => ({
      a: async (host) => {
        const socket = await connected(host)
        // Exactly full: no byte was refused, and still somebody is told.
        say(host, `sent ${socket.trySend(new Uint8Array(2000))}, ${bits(socket.readiness)}`)
        say(host, `send ${await got(() => socket.trySend('x'))}`)
        await host.poll([{ socket, events: ['writable'] }])
        say(host, `sent ${socket.trySend(new Uint8Array(9000))}`)
        await host.poll([{ socket, events: ['writable'] }])
        say(host, `sent ${socket.trySend(new Uint8Array(9000))}`)
      },
      b: async (host) => {
        const socket = await host.listen(80).accept()
        for (;;) await socket.receive()
      },
    }),
    { sendBuffer: 2000, delayedAck: '40ms', mss: 1000 },
  )
  expect(lines).toMatchInlineSnapshot(`
    "0.04     a  sent 2000, 0
    0.04     a  send EAGAIN
    0.06     a  sent 988
    0.08     a  sent 1976"
  `)
})

test('shutdown of reading, of writing, and of both', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      await socket.send('abc')
      await host.sleep('200ms')
      say(host, `peer still there: ${bits(socket.readiness)}`)
      say(host, text(await socket.receive()))
      say(host, `${text(await socket.receive())} ${bits(socket.readiness)}`)
      socket.shutdown('write')
      say(host, `${bits(socket.readiness)} ${await codeOf(socket.send('x'))}`)
    },
    b: async (host) => {
      const socket = await host.listen(80).accept()
      await host.poll([{ socket, events: ['readable'] }])
      socket.shutdown('read')
      say(host, `read: ${bits(socket.readiness)}`)
      say(host, `${text(await socket.receive())} ${text(await socket.receive())}`)
      await socket.send('still')
      socket.shutdown('both')
      say(host, `both: ${bits(socket.readiness)} ${await codeOf(socket.send('x'))}`)
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0.05     b  read: IN|OUT|RDHUP
    0.05     b  abc end
    0.05     b  both: IN|OUT|HUP|RDHUP EPIPE
    0.24     a  peer still there: IN|OUT|RDHUP
    0.24     a  still
    0.24     a  end IN|OUT|RDHUP
    0.24     a  IN|OUT|HUP|RDHUP EPIPE"
  `)
})

test('a reader that waits finds the end when reading is shut down', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = await host.connect('10.0.0.2', 80)
      void socket.receive().then((bytes) => say(host, text(bytes)))
      await host.sleep('100ms')
      socket.shutdown('read')
    },
    b: async (host) => {
      await host.listen(80).accept()
    },
  }))
  expect(lines).toMatchInlineSnapshot(`"0.14     a  end"`)
})

test('UDP: EAGAIN, a datagram, and an error that is told once', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = host.udp(7)
      say(host, `${bits(socket.readiness)} ${await got(() => socket.tryReceive())}`)
      await host.poll([{ socket, events: ['readable'] }])
      const { payload } = socket.tryReceive()
      say(host, `${text(payload)} ${bits(socket.readiness)}`)
      socket.connect('10.0.0.2', 9)
      for (const tell of [
        () => socket.getOption('SO_ERROR'),
        () => socket.tryReceive(),
        () => socket.send('x'),
      ]) {
        socket.send('nobody there')
        const [found] = await host.poll([{ socket, events: ALL.slice(2) }])
        say(host, `${bits(found!)} ${await got(tell)} ${bits(socket.readiness)}`)
      }
    },
    b: async (host) => {
      await host.sleep('50ms')
      host.udp().sendTo('hello', '10.0.0.1', 7)
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0        a  OUT EAGAIN
    0.08     a  hello OUT
    0.1      a  ERR ECONNREFUSED OUT
    0.12     a  ERR ECONNREFUSED OUT
    0.14     a  ERR ECONNREFUSED OUT"
  `)
})

test('a socket that is bound first connects from there', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = host.tcp()
      socket.setOption('SO_KEEPALIVE', 1)
      socket.bind(4000)
      await codeOf(() => socket.tryConnect('10.0.0.2', 80))
      await host.poll([{ socket, events: ['writable'] }])
      say(host, `${socket.local.port} ${socket.getOption('SO_KEEPALIVE')}`)
      const other = host.tcp()
      other.bind(4000)
      say(host, await got(() => other.tryConnect('10.0.0.2', 80)))
    },
    b: (host) => void host.listen(80),
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0.04     a  4000 1
    0.04     a  EADDRNOTAVAIL"
  `)
})

test('what the program has closed cannot be waited for', async () => {
  const lines = await play((say) => ({
    a: async (host) => {
      const socket = host.udp(7)
      socket.close()
      say(host, await codeOf(host.poll([{ socket, events: ['readable'] }])))
      say(host, await got(() => socket.tryReceive()))
    },
  }))
  expect(lines).toMatchInlineSnapshot(`
    "0        a  EBADF
    0        a  EBADF"
  `)
})
