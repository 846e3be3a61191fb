import { describe, expect, test } from 'vitest'
import { formatIp } from '../../protocols/address.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario, type LinkBetween, type Program } from '../../sim/scenario.ts'
import { planNetwork } from '../../sim/topology.ts'

const LINKS: readonly LinkBetween[] = [
  { ends: { a: '192.168.0.2/24', r: '192.168.0.1/24' }, delay: '1ms' },
  { ends: { r: '203.0.113.1/24', s: '203.0.113.2/24' }, delay: '1ms' },
  { ends: { s: '198.51.100.1/24', b: '198.51.100.2/24' }, delay: '1ms' },
]

const behindNat = (programs: { readonly [node: string]: Program }, links = LINKS) =>
  defineScenario({
    name: 'nat-test',
    topology: { a: 'host', r: { kind: 'router', nat: 's' }, s: 'router', b: 'host' },
    links,
    programs,
    until: '100s',
  })

/** On every ground the same. */
async function notesOf(scenario: ReturnType<typeof behindNat>) {
  const plain = await runScenario(scenario, { seed: '1' })
  const recorded = await runScenario(scenario, { seed: '1', recorded: true, wireExact: true })
  expect(recorded.digest).toBe(plain.digest)
  return plain.notes
}

test('a trace of the way shows every router, and the inside host hears of it', async () => {
  const notes = await notesOf(
    behindNat({
      a: async (host) => {
        for (const ttl of [1, 2, 3]) {
          const answer = await host.ping('198.51.100.2', { ttl })
          host.note(`hop ${ttl}`, answer === null ? 'nothing' : formatIp(answer.from))
        }
      },
    }),
  )
  expect(notes).toEqual({ 'hop 1': '192.168.0.1', 'hop 2': '203.0.113.2', 'hop 3': '198.51.100.2' })
})

test('a large datagram passes in fragments, both ways', async () => {
  const notes = await notesOf(
    behindNat({
      b: (host) => host.serve('echo'),
      a: async (host) => {
        const socket = host.udp()
        socket.sendTo(new Uint8Array(4000).fill(7), '198.51.100.2', 7)
        const { payload, remote } = await socket.receive()
        host.note('bytes', payload.length)
        host.note('from', formatIp(remote.address))
      },
    }),
  )
  expect(notes).toEqual({ bytes: 4000, from: '198.51.100.2' })
})

test('a path that is narrow behind the router is found out about from inside', async () => {
  const narrow = LINKS.map((link, i) => (i === 2 ? { ...link, mtu: '600B' } : link))
  const { notes } = await runScenario(
    behindNat(
      {
        b: async (host) => {
          const sink = host.sink(80)
          await host.sleep('50s')
          host.note('received', sink.bytes)
        },
        a: (host) => host.bulk('198.51.100.2', 80, 20_000),
      },
      narrow,
    ),
    { seed: '1' },
  )
  expect(notes['received']).toBe(20_000)
})

test('the router has conversations of its own beside those that it translates', async () => {
  const notes = await notesOf(
    behindNat({
      b: (host) => host.serve('echo'),
      r: async (host) => {
        const socket = await host.connect('198.51.100.2', 7)
        await socket.send('router')
        host.note('router', (await socket.receive())?.length ?? 0)
      },
      a: async (host) => {
        const socket = await host.connect('198.51.100.2', 7)
        await socket.send('inside')
        host.note('inside', (await socket.receive())?.length ?? 0)
        const pong = await host.ping('203.0.113.1')
        host.note('ping of the outside address', pong?.kind ?? 'nothing')
      },
    }),
  )
  expect(notes).toEqual({ router: 6, inside: 6, 'ping of the outside address': 'reply' })
})

test('from outside nobody reaches an inside address, though there is a route', async () => {
  const notes = await notesOf(
    behindNat({
      b: async (host) => {
        const pong = await host.ping('192.168.0.2')
        host.note('ping', pong?.kind ?? 'nothing')
      },
    }),
  )
  expect(notes).toEqual({ ping: 'nothing' })
})

describe('what cannot be right', () => {
  const plan = (nat: string | { readonly [key: string]: string }) => () =>
    planNetwork(
      { a: 'host', r: { kind: 'router', nat: nat as never }, s: 'router', b: 'host' },
      LINKS,
    )
  test.each([
    ['nobody', "r has no link to 'nobody'"],
    [{ outside: 's', filtering: 'adress-dependent' }, "'adress-dependent' is not a way to filter"],
    [{ outside: 's', udpTimeout: '5' }, '5'],
    [{ outside: 's', outsde: 'x' }, 'outsde'],
  ])('%j', (nat, message) => {
    expect(plan(nat)).toThrow(message)
  })
  test('a host has none', () => {
    expect(() => planNetwork({ a: { kind: 'host', nat: 's' }, s: 'router' }, [])).toThrow('nat')
  })
})
