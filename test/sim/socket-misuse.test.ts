import { describe, expect, test } from 'vitest'
import type { SocketEvent } from '../../protocols/host/socket.ts'
import { startBulk } from '../../sim/bulk.ts'
import type { Program } from '../../sim/scenario.ts'
import { openSocket } from '../../sim/socket.ts'
import { planNetwork } from '../../sim/topology.ts'
import { World } from '../../sim/world.ts'
import { codeOf, run, twoHosts } from './two-hosts.ts'

describe('a socket that is gone', () => {
  test('does not touch the one that has its number now', async () => {
    const seen: unknown[] = []
    await run(
      twoHosts({
        a: async (host) => {
          const first = await host.connect('10.0.0.2', 80)
          await host.sleep('1s')
          const second = await host.connect('10.0.0.2', 80)
          seen.push(first.id === second.id)
          seen.push(await codeOf(() => first.info()))
          seen.push(await codeOf(() => first.setOption('TCP_NODELAY', 1)))
          first.close()
          await host.sleep('1s')
          seen.push(await codeOf(second.send('still here')))
          second.close()
        },
        b: async (host) => {
          const listener = host.listen(80)
          const [first, second] = [await listener.accept(), listener.accept()]
          first.abort()
          seen.push((await (await second).receiveAll()).length)
        },
      }),
    )
    expect(seen).toEqual([true, 'ECONNRESET', 'ECONNRESET', 'no error', 10])
  })

  test('sends no datagram from another one', async () => {
    const seen: unknown[] = []
    await run(
      twoHosts({
        a: async (host) => {
          const first = host.udp(1000)
          first.close()
          const second = host.udp(2000)
          seen.push(first.id === second.id)
          seen.push(await codeOf(() => first.sendTo('x', '10.0.0.2', 5)))
          seen.push(await codeOf(first.receive()))
        },
      }),
    )
    expect(seen).toEqual([true, 'EBADF', 'EBADF'])
  })

  test('gives its number away to one that is opened when it is heard to close', () => {
    const network = planNetwork({ a: 'host', b: 'host' }, [
      { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } },
    ])
    const node = new World(network, { seed: '1' }).node('a')
    const heard: string[] = []
    const hear = (name: string) => (event: SocketEvent) => {
      heard.push(`${name} ${event.kind}`)
      if (event.kind !== 'closed' || name !== 'first') return
      node.handle(openSocket(node, 'udp'), hear('second'))
    }
    const first = openSocket(node, 'udp')
    node.handle(first, hear('first'))
    node.call({ kind: 'close', socket: first })
    node.call({ kind: 'close', socket: first })
    expect(heard).toEqual(['first closed', 'second closed'])
  })
})

test('closing a socket ends every wait for it', async () => {
  const seen: string[] = []
  await run(
    twoHosts({
      a: async (host) => {
        const socket = host.udp(1000)
        const waiting = [codeOf(socket.receive()), codeOf(socket.receive())]
        socket.close()
        seen.push(...(await Promise.all(waiting)))
      },
      b: async (host) => {
        const socket = host.echo('10.0.0.99')
        const waiting = socket.request(0x0a000063, 1, new Uint8Array(8), 64)
        socket.close()
        seen.push((await waiting) === null ? 'no answer' : 'an answer')
      },
    }),
  )
  expect(seen.toSorted()).toEqual(['EBADF', 'EBADF', 'no answer'])
})

test('two readers and two writers share a connection; nobody is forgotten', async () => {
  const pieces: string[] = []
  let sent = 0
  const count = (bytes: number) => (): void => {
    sent += bytes
  }
  await run(
    twoHosts({
      tcp: { sendBuffer: '4000B' },
      a: async (host) => {
        const socket = await host.connect('10.0.0.2', 80)
        const read = async (): Promise<void> => {
          pieces.push(String.fromCharCode(...(await socket.receive())!))
        }
        await Promise.all([
          read(),
          read(),
          socket.send(new Uint8Array(9000)).then(count(9000)),
          socket.send(new Uint8Array(9000)).then(count(9000)),
        ])
        socket.close()
      },
      b: async (host) => {
        const socket = await host.listen(80).accept()
        await host.sleep('1s')
        await socket.send('one')
        await host.sleep('1s')
        await socket.send('two')
        socket.close()
      },
    }),
  )
  expect(pieces).toEqual(['one', 'two'])
  expect(sent).toBe(18_000)
})

test('what could not be set up is not left open', async () => {
  const seen: unknown[] = []
  await run(
    twoHosts({
      a: async (host) => {
        seen.push(await codeOf(host.connect('11.0.0.1', 80)))
        host.listen(80)
        seen.push(await codeOf(() => host.listen(80)))
        host.udp(5)
        seen.push(await codeOf(() => host.udp(5)))
        seen.push(host.udp().id)
      },
    }),
  )
  // The listener is 0 and the bound socket 1.
  expect(seen).toEqual(['ENETUNREACH', 'EADDRINUSE', 'EADDRINUSE', 2])
})

describe('numbers that fit nowhere are refused', () => {
  test.each([
    ['a port to listen at', (host) => void host.listen(65_536)],
    ['a negative port', (host) => void host.udp(-1)],
    ['half a port', (host) => host.connect('10.0.0.2', 80.5).then(() => {})],
    ['port 0 of a TCP peer', (host) => host.connect('10.0.0.2', 0).then(() => {})],
    ['port 0 of a UDP peer', (host) => host.udp().sendTo('x', '10.0.0.2', 0)],
    ['a TTL beyond its byte', (host) => host.udp().setOption('IP_TTL', 256)],
    ['half an option', (host) => host.udp().setOption('SO_BROADCAST', 0.5)],
    [
      'an echo sequence number',
      (host) => host.ping('10.0.0.2', { sequence: 65_536 }).then(() => {}),
    ],
    ['the TTL of an echo', (host) => host.ping('10.0.0.2', { ttl: 0 }).then(() => {})],
  ] satisfies [string, Program][])('%s', async (_, program) => {
    expect((await run(twoHosts({ a: program }))).failure).toMatch(/EINVAL/)
  })

  test.each([-1, 1.5, NaN])('%s bytes of load', (bytes) => {
    const network = planNetwork({ a: 'host', b: 'host' }, [
      { ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } },
    ])
    const node = new World(network, { seed: '1' }).node('a')
    const start = () => startBulk(node, { address: 0x0a000002, port: 80 }, bytes)
    expect(start).toThrow(`${bytes} is not a number of bytes`)
  })
})
