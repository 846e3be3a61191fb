import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineScenario } from '../../sim/scenario.ts'
import { LiveRun } from '../../wire/live.ts'
import { readBinding } from '../../wire/bind-device.ts'
import { Tap } from '../../wire/tap.ts'
import { Namespace, leaveNamespaces, needs } from './namespace.ts'

const able = needs('ip')

// The kernel's UDP in the place of a host: over loopback, without any rights.

describe('kernel:udp', () => {
  test('datagrams go to a socket of this machine, and the answers back', async () => {
    const server = createSocket('udp4')
    server.bind(0, '127.0.0.1')
    await once(server, 'listening')
    server.on('message', (bytes, from) => server.send(`<${String(bytes)}>`, from.port))
    const { port } = server.address()
    const scenario = defineScenario({
      name: 'client',
      topology: { a: 'host', b: 'host' },
      links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '1ms' }],
      programs: {
        a: async (host) => {
          const socket = host.udp()
          for (const word of ['one', 'two', 'three']) {
            socket.sendTo(word, '10.0.0.2', port)
            const { payload, remote } = await socket.receive()
            host.note(word, `${String.fromCharCode(...payload)} ${remote.port === port}`)
          }
        },
      },
    })
    const bindings = [readBinding('b=kernel:udp')]
    const run = await LiveRun.open(scenario, { seed: '1', bindings, for: 1e9 })
    const { outcome, devices } = await run.go()
    expect(outcome.notes).toEqual({ one: '<one> true', two: '<two> true', three: '<three> true' })
    expect(devices[0]!.stats).toMatchObject({ received: 3, sent: 3, sendErrors: 0 })
    server.close()
  })

  test('a port that is named is open to clients of this machine', async () => {
    const port = 20_000 + (process.pid % 20_000)
    const scenario = defineScenario({
      name: 'server',
      topology: { a: 'host', b: 'host' },
      links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
      programs: { a: (host) => host.serve('echo', { port }) },
    })
    const bindings = [readBinding(`b=kernel:udp:${port}`)]
    const run = await LiveRun.open(scenario, { seed: '1', bindings, for: 20e9 })
    const going = run.go()
    const client = createSocket('udp4')
    const answered = once(client, 'message')
    // The port opens when the run has started: a datagram before that is lost.
    const asking = setInterval(() => client.send('hello', port, '127.0.0.1'), 50)
    expect(String((await answered)[0])).toBe('hello')
    clearInterval(asking)
    client.close()
    run.stop()
    const { lateness } = await going
    expect(lateness.p50).toBeLessThanOrEqual(lateness.p99)
    expect(lateness.p99).toBeLessThanOrEqual(lateness.max)
    expect(lateness.events).toBeGreaterThan(0)
  })

  test.each(['b', 'b=', 'b=tap', 'b=tap:', 'b=tpa:x', 'b=raw:banana', 'b=raw:0'])(
    '%s binds nothing',
    (text) => {
      expect(() => readBinding(text)).toThrow()
    },
  )
})

describe.skipIf(!able)('Tap, as tuntap2 had it', () => {
  let namespace: Namespace
  beforeAll(() => {
    namespace = new Namespace()
    namespace.enter()
  })
  afterAll(() => {
    leaveNamespaces()
    namespace?.remove()
  })

  test('properties can be read and written, and the kernel has them', async () => {
    const tap = new Tap()
    tap.mtu = 1400
    tap.mac = '02:aa:bb:cc:dd:ee'
    tap.ipv4 = '10.77.0.1/20'
    namespace.run('sysctl', '-qw', `net.ipv6.conf.${tap.name}.disable_ipv6=0`)
    tap.ipv6 = 'fd77::1/64'
    tap.isUp = true
    const { name, mtu, mac, ipv4, ipv6, isUp } = tap
    expect({ mtu, mac, ipv4, ipv6, isUp }).toEqual({
      mtu: 1400,
      mac: '02:aa:bb:cc:dd:ee',
      ipv4: '10.77.0.1/20',
      ipv6: 'fd77::1/64',
      isUp: true,
    })
    expect(name).toMatch(/^tap\d+$/)
    const { out } = namespace.run('ip', 'addr', 'show', name)
    expect(out).toMatch(/mtu 1400[^]*02:aa:bb:cc:dd:ee[^]*10\.77\.0\.1\/20[^]*fd77::1\/64/)
    expect(() => (tap.ipv4 = '10.77.0.1')).toThrow(/not an IPv4 address/)
    expect(() => (tap.mac = 'x')).toThrow(/not a MAC address/)
    await tap.close()
  })
})
