import { expect, test } from 'vitest'
import { formatIp } from '../../../protocols/address.ts'
import type { Host, PingResult } from '../../../sim/programs.ts'
import { SocketError } from '../../../sim/socket.ts'
import { story, type StoryOptions } from '../../../sim/testing/story.ts'

// a -- r -- b, 10 ms each: what routers and hosts say about packets that do not arrive.

const ROUTED: Pick<StoryOptions, 'topology' | 'links' | 'until'> = {
  topology: { a: 'host', r: 'router', b: 'host' },
  links: [
    { ends: { a: '10.0.1.2/24', r: '10.0.1.1/24' }, delay: '10ms' },
    { ends: { r: '10.0.2.1/24', b: '10.0.2.2/24' }, delay: '10ms' },
  ],
  until: '200s',
}
const routed = (
  onA: (host: Host, say: (text: string) => void) => Promise<void>,
  more: Partial<StoryOptions> = {},
): Promise<string> =>
  story({
    ...ROUTED,
    ...more,
    programs: (say) => ({
      a: (host) => onA(host, (text) => say(host, text)),
      b: (host) => void host.udp(7),
    }),
  })

async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    return String(await promise)
  } catch (error) {
    if (error instanceof SocketError) return error.code
    throw error
  }
}

const shown = (result: PingResult | null): string => {
  if (result === null) return 'nothing'
  const from = `from ${formatIp(result.from)} after ${result.rtt / 1e6} ms`
  return result.kind === 'reply' ? `reply ${from}` : `${result.type}/${result.code} ${from}`
}

test('a hop limit of one ends at the router, two reach the host', async () => {
  const text = await routed(async (host, say) => {
    say(shown(await host.ping('10.0.2.2', { ttl: 1 })))
    say(shown(await host.ping('10.0.2.2', { ttl: 2 })))
    say(shown(await host.ping('10.0.2.2', { ttl: 2 })))
  })
  expect(text).toMatchInlineSnapshot(`
    "0.04     a  11/0 from 10.0.1.1 after 40 ms
    0.1      a  reply from 10.0.2.2 after 60 ms
    0.14     a  reply from 10.0.2.2 after 40 ms"
  `)
})

test('a network that the router has no route to', async () => {
  const text = await routed(async (host, say) => {
    say(shown(await host.ping('192.0.2.1')))
    say(await outcome(host.connect('192.0.2.1', 80)))
  })
  expect(text).toMatchInlineSnapshot(`
    "0.04     a  3/0 from 10.0.1.1 after 40 ms
    0.06     a  ENETUNREACH"
  `)
})

test('a host that is not there: the router says so after 3 s of ARP', async () => {
  const text = await routed(async (host, say) => {
    say(await outcome(host.connect('10.0.2.9', 80)))
    say(shown(await host.ping('10.0.2.9', { timeout: '10s' })))
  })
  expect(text).toMatchInlineSnapshot(`
    "3.04     a  EHOSTUNREACH
    6.06     a  3/1 from 10.0.1.1 after 3020 ms"
  `)
})

test('a connection that stands rides an error out (RFC 1122 §4.2.3.9)', async () => {
  const text = await story({
    ...ROUTED,
    // b falls silent when the router's knowledge of it has aged, and is back 20 s later.
    faults: [
      { at: '70s', link: 'r-b', set: { loss: '100%' } },
      { at: '90s', link: 'r-b', set: { loss: 0 } },
    ],
    trace: /a .*icmp error|ARP, Request.*10.0.2.2 tell/,
    programs: (say) => ({
      a: async (host) => {
        const socket = await host.connect('10.0.2.2', 80)
        await host.sleep('75s')
        await socket.send('to be answered')
        say(host, `answered: ${(await socket.receive())?.length}`)
      },
      b: async (host) => {
        const socket = await host.listen(80).accept()
        await socket.send((await socket.receive())!)
      },
    }),
  })
  expect(text).toMatchInlineSnapshot(`
    "0.030000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28
    75.090000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    76.090000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    78.450000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    79.450000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    80.450000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    81.460000000 a    socket 0 icmp error type 3 code 1 from 10.0.1.1
    82.450000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    83.450000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    84.450000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28 DROP loss
    85.460000000 a    socket 0 icmp error type 3 code 1 from 10.0.1.1
    90.450000000 r>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28
    90.5     a  answered: 14"
  `)
})

test('a connected UDP socket hears that nobody listens, at once or at its next call', async () => {
  const text = await routed(async (host, say) => {
    const socket = host.udp()
    socket.connect('10.0.2.2', 9)
    socket.send('anybody?')
    say(await outcome(socket.receive()))
    socket.send('anybody?')
    await host.sleep('1s')
    say(await outcome(Promise.resolve().then(() => socket.send('again'))))
    socket.send('this one goes')
    say(await outcome(socket.receive()))
  })
  expect(text).toMatchInlineSnapshot(`
    "0.08     a  ECONNREFUSED
    1.08     a  ECONNREFUSED
    1.12     a  ECONNREFUSED"
  `)
})

test('an unconnected one goes on, whatever comes back', async () => {
  const text = await routed(
    async (host, say) => {
      const socket = host.udp()
      socket.sendTo('anybody?', '10.0.2.2', 9)
      const silence = host.sleep('1s').then(() => 'nothing')
      say(await Promise.race([outcome(socket.receive()), silence]))
      socket.sendTo('anybody?', '10.0.2.2', 9)
      await host.sleep('1s')
      say(await outcome(Promise.resolve().then(() => socket.sendTo('x', '10.0.2.2', 7))))
    },
    { trace: /b>r.*port 9 unreachable/ },
  )
  expect(text.split('\n').filter((line) => line.includes('unreachable')).length).toBe(2)
  expect(text.split('\n').filter((line) => !line.includes('unreachable'))).toEqual([
    '1        a  nothing',
    '2        a  undefined',
  ])
})

test('an error for another port is not heard', async () => {
  const text = await routed(async (host, say) => {
    const quiet = host.udp()
    quiet.connect('10.0.2.2', 7)
    const failing = host.udp()
    failing.connect('10.0.2.2', 9)
    failing.send('x')
    say(await outcome(failing.receive()))
    quiet.send('x')
    say('not disturbed')
  })
  expect(text.split('\n').map((line) => line.slice(12))).toEqual(['ECONNREFUSED', 'not disturbed'])
})

test('a socket without a peer cannot send, a port in use cannot be bound', async () => {
  const text = await routed(async (host, say) => {
    const socket = host.udp(5)
    const error = (call: () => void) => outcome(Promise.resolve().then(call))
    say(await error(() => socket.send('to whom?')))
    say(await error(() => host.udp(5)))
    say(await error(() => socket.sendTo('x', '10.0.2.2', 7)))
  })
  expect(text.split('\n').map((line) => line.slice(12))).toEqual([
    'EDESTADDRREQ',
    'EADDRINUSE',
    'undefined',
  ])
})
