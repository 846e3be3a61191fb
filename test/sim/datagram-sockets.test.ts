import { expect, test } from 'vitest'
import { formatIp } from '../../protocols/address.ts'
import type { Bytes } from '../../protocols/bytes.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario, type Program } from '../../sim/scenario.ts'
import { codeOf, Log, run, twoHosts } from './two-hosts.ts'

const text = (bytes: Bytes): string => String.fromCharCode(...(bytes as Uint8Array))

test('a datagram keeps its bounds, its order and its sender', async () => {
  const log = new Log()
  await run(
    twoHosts({
      a: async (host) => {
        const socket = host.udp(4000)
        for (const word of ['one', '', 'three']) socket.sendTo(word, '10.0.0.2', 7)
      },
      b: async (host) => {
        const socket = host.udp(7)
        for (;;) {
          const { payload, remote } = await socket.receive()
          log.say(host, `'${text(payload)}' from ${formatIp(remote.address)}:${remote.port}`)
        }
      },
    }),
  )
  // All wait for ARP and arrive together.
  expect(log.lines).toEqual([
    "30 b 'one' from 10.0.0.1:4000",
    "30 b '' from 10.0.0.1:4000",
    "30 b 'three' from 10.0.0.1:4000",
  ])
})

test('a connected socket hears its peer alone, and that nobody is there', async () => {
  const log = new Log()
  await run(
    twoHosts({
      a: async (host) => {
        const socket = host.udp(4000)
        socket.connect('10.0.0.2', 7)
        socket.send('anybody?')
        log.say(host, await codeOf(socket.receive()))
        log.say(host, text((await socket.receive()).payload))
      },
      b: async (host) => {
        await host.sleep('1s')
        host.udp(8).sendTo('from the wrong port', '10.0.0.1', 4000)
        host.udp(7).sendTo('from the right one', '10.0.0.1', 4000)
      },
    }),
  )
  expect(log.lines).toEqual(['40 a ECONNREFUSED', '1010 a from the right one'])
})

test('misuse of a datagram socket is told at the call', async () => {
  const log = new Log()
  await run(
    twoHosts({
      a: async (host) => {
        const socket = host.udp(7)
        log.say(host, await codeOf(() => host.udp(7)))
        log.say(host, await codeOf(() => socket.send('to whom?')))
        log.say(host, await codeOf(() => socket.sendTo('x', '192.168.7.1', 7)))
        log.say(host, await codeOf(() => socket.sendTo(new Uint8Array(65_508), '10.0.0.2', 7)))
        socket.close()
        log.say(host, await codeOf(() => host.udp(7)))
      },
    }),
  )
  expect(log.lines).toEqual([
    '0 a EADDRINUSE',
    '0 a EDESTADDRREQ',
    '0 a ENETUNREACH',
    '0 a EMSGSIZE',
    '0 a no error',
  ])
})

/** a – r – c, 5 ms each. */
const routed = (a: Program) =>
  runScenario(
    defineScenario({
      name: 'routed',
      topology: { a: 'host', r: 'router', c: 'host' },
      links: [
        { ends: { a: '10.0.1.1/24', r: '10.0.1.254/24' }, delay: '5ms' },
        { ends: { r: '10.0.2.254/24', c: '10.0.2.1/24' }, delay: '5ms' },
      ],
      programs: { a },
    }),
    { seed: '1', files: new MemoryFiles() },
  )

test('ping: a reply with its round trip, an error from the router, silence', async () => {
  const log = new Log()
  await routed(async (host) => {
    for (const [to, options] of [
      ['10.0.2.1', {}],
      ['10.0.2.1', { sequence: 2 }],
      ['10.0.2.1', { ttl: 1 }],
      ['10.0.2.1', { timeout: '19ms' }],
      ['10.0.2.9', { timeout: '500ms' }],
    ] as const) {
      const result = await host.ping(to, options)
      if (result === null) log.say(host, 'silence')
      else {
        const { kind, from, rtt } = result
        const what = kind === 'reply' ? `ttl ${result.ttl}` : `type ${result.type}`
        log.say(host, `${kind} from ${formatIp(from)} after ${rtt / 1e6} ms, ${what}`)
      }
    }
  })
  expect(log.lines).toEqual([
    // ARP twice, 10 ms each, and 20 ms there and back.
    '40 a reply from 10.0.2.1 after 40 ms, ttl 63',
    '60 a reply from 10.0.2.1 after 20 ms, ttl 63',
    '70 a error from 10.0.1.254 after 10 ms, type 11',
    '89 a silence',
    '589 a silence',
  ])
})

test('datagrams that nobody reads fill the receive buffer; what comes then is lost and counted', async () => {
  const log = new Log()
  const outcome = await run(
    twoHosts({
      a: async (host) => {
        const socket = host.udp(4000)
        socket.sendTo('for ARP', '10.0.0.2', 9)
        await host.sleep('100ms')
        for (let i = 0; i < 300; i++) socket.sendTo(String(i), '10.0.0.2', 7)
        await host.sleep('2s')
        socket.sendTo('last', '10.0.0.2', 7)
      },
      b: async (host) => {
        const socket = host.udp(7)
        log.say(host, `SO_RCVBUF ${socket.getOption('SO_RCVBUF')}`)
        await host.sleep('1s')
        const heard: string[] = []
        for (let i = 0; i < 256; i++) heard.push(text((await socket.receive()).payload))
        log.say(host, `${heard[0]} to ${heard[255]}`)
        log.say(host, text((await socket.receive()).payload))
      },
    }),
  )
  expect(log.lines).toEqual(['0 b SO_RCVBUF 212992', '1000 b 0 to 255', '2110 b last'])
  const b = outcome.hosts.find(({ name }) => name === 'b')
  expect(b?.drops['udp receive buffer full']).toBe(44)
})

test('a program that waits for each datagram loses none, however small its buffer is', async () => {
  const log = new Log()
  await run(
    twoHosts({
      a: async (host) => {
        const socket = host.udp(4000)
        for (let i = 0; i < 50; i++) socket.sendTo(String(i), '10.0.0.2', 7)
      },
      b: async (host) => {
        const socket = host.udp(7)
        socket.setOption('SO_RCVBUF', 1)
        log.say(host, `SO_RCVBUF ${socket.getOption('SO_RCVBUF')}`)
        for (let i = 0; i < 50; i++) await socket.receive()
        log.say(host, 'all')
      },
    }),
  )
  expect(log.lines).toEqual(['0 b SO_RCVBUF 2304', '30 b all'])
})
