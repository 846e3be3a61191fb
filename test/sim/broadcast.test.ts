import { expect, test } from 'vitest'
import { formatIp } from '../../protocols/address.ts'
import type { Program } from '../../sim/scenario.ts'
import { type Say, story } from '../../sim/testing/story.ts'
import { codeOf } from './two-hosts.ts'

// a, b and c on one switch, 10.0.0.0/24; r leads to d in 10.0.9.0/24. 1 ms each.

const lan = (programs: (say: Say) => { readonly [node: string]: Program }) =>
  story({
    topology: { a: 'host', b: 'host', c: 'host', sw: 'switch', r: 'router', d: 'host' },
    links: [
      { ends: { a: '10.0.0.1/24', sw: null }, delay: '1ms' },
      { ends: { b: '10.0.0.2/24', sw: null }, delay: '1ms' },
      { ends: { c: '10.0.0.3/24', sw: null }, delay: '1ms' },
      { ends: { r: '10.0.0.254/24', sw: null }, delay: '1ms' },
      { ends: { r: '10.0.9.254/24', d: '10.0.9.4/24' }, delay: '1ms' },
    ],
    programs,
    until: '60s',
    trace: / drop /,
  })

const listen =
  (say: Say, ...addresses: readonly (string | undefined)[]): Program =>
  (host) => {
    for (const address of addresses) {
      const socket = host.udp()
      socket.setOption('SO_REUSEADDR', 1)
      socket.bind(67, address)
      const hear = async () => {
        for (;;) {
          const { remote, local } = await socket.receive()
          const to = `${formatIp(local.address)}:${local.port}`
          say(host, `${address ?? 'any'}: ${formatIp(remote.address)} to ${to}`)
        }
      }
      void hear()
    }
  }

const shout =
  (to: string): Program =>
  (host) => {
    const socket = host.udp(68)
    socket.allowBroadcast()
    socket.sendTo('hello', to, 67)
  }

test('the limited broadcast reaches every host on the link, and no router passes it on', async () => {
  const text = await lan((say) => ({
    a: shout('255.255.255.255'),
    b: listen(say, undefined),
    c: () => {},
    r: listen(say, undefined),
    d: listen(say, undefined),
  }))
  expect(text).toMatchInlineSnapshot(`
    "0.002    b  any: 10.0.0.1 to 255.255.255.255:67
    0.002000000 c     drop udp no socket: IP 10.0.0.1.68 > 255.255.255.255.67: UDP, length 5
    0.002    r  any: 10.0.0.1 to 255.255.255.255:67"
  `)
})

test('the directed broadcast of the own network is no different', async () => {
  const text = await lan((say) => ({
    a: shout('10.0.0.255'),
    b: listen(say, undefined),
    c: listen(say, '10.0.0.3'),
    d: listen(say, undefined),
  }))
  expect(text).toMatchInlineSnapshot(`
    "0.002    b  any: 10.0.0.1 to 10.0.0.255:67
    0.002000000 c     drop udp no socket: IP 10.0.0.1.68 > 10.0.0.255.67: UDP, length 5
    0.002000000 r     drop udp no socket: IP 10.0.0.1.68 > 10.0.0.255.67: UDP, length 5"
  `)
})

test('one of another network ends at its router (RFC 2644)', async () => {
  const text = await lan((say) => ({
    a: shout('10.0.9.255'),
    r: listen(say, undefined),
    d: listen(say, undefined),
  }))
  expect(text).toMatchInlineSnapshot(`"0.006    r  any: 10.0.0.1 to 10.0.9.255:67"`)
})

test('who is bound to the broadcast address hears it beside who is bound to none', async () => {
  const text = await lan((say) => ({
    a: (host) => {
      void shout('10.0.0.255')(host)
      host.udp().sendTo('you alone', '10.0.0.2', 67)
    },
    b: listen(say, '10.0.0.255', undefined, '10.0.0.2'),
  }))
  expect(text).toMatchInlineSnapshot(`
    "0.002    b  10.0.0.255: 10.0.0.1 to 10.0.0.255:67
    0.002    b  any: 10.0.0.1 to 10.0.0.255:67
    0.002000000 c     drop udp no socket: IP 10.0.0.1.68 > 10.0.0.255.67: UDP, length 5
    0.002000000 r     drop udp no socket: IP 10.0.0.1.68 > 10.0.0.255.67: UDP, length 5
    0.006    b  10.0.0.2: 10.0.0.1 to 10.0.0.2:67"
  `)
})

test('a program has to ask for it, and answers come from the own address', async () => {
  const text = await lan((say) => ({
    a: async (host) => {
      const socket = host.udp(68)
      say(host, await codeOf(() => socket.sendTo('x', '255.255.255.255', 67)))
      say(host, await codeOf(() => socket.sendTo('x', '10.0.0.255', 67)))
      say(host, await codeOf(() => socket.connect('10.0.0.255', 67)))
      say(host, await codeOf(host.connect('10.0.0.255', 67)))
      socket.allowBroadcast()
      socket.sendTo('x', '10.0.0.255', 67)
      const { remote } = await socket.receive()
      say(host, `from ${formatIp(remote.address)}`)
    },
    b: async (host) => {
      const socket = host.udp()
      socket.bind(67, '10.0.0.255')
      const { remote } = await socket.receive()
      socket.sendTo('y', remote.address, remote.port)
    },
  }))
  expect(text).toMatchInlineSnapshot(`
    "0        a  EACCES
    0        a  EACCES
    0        a  EACCES
    0        a  ENETUNREACH
    0.002000000 c     drop udp no socket: IP 10.0.0.1.68 > 10.0.0.255.67: UDP, length 1
    0.002000000 r     drop udp no socket: IP 10.0.0.1.68 > 10.0.0.255.67: UDP, length 1
    0.008    a  from 10.0.0.2"
  `)
})
