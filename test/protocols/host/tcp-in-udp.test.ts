import { describe, expect, test } from 'vitest'
import { ip } from '../../../protocols/address.ts'
import { fromHex, NO_BYTES } from '../../../protocols/bytes.ts'
import { emitTcpUnchecked, parseTcpUnchecked } from '../../../protocols/tcp/codec.ts'
import { NO_OPTIONS } from '../../../protocols/tcp/options.ts'
import { ACK, TcpSegment } from '../../../protocols/tcp/segment.ts'
import { defineScenario, type Host, runScenario } from '../../../sim/api.ts'

const PORT = 9899

/** `a` serves at port 80 and takes segments in datagrams; `b` calls it that way. */
const scenario = (
  b: (host: Host) => Promise<void>,
  { a = async () => {}, mtu = 1500 }: { a?: (host: Host) => Promise<void>; mtu?: number } = {},
) =>
  defineScenario({
    name: 'tunnelled',
    about: 'TCP over UDP between two hosts.',
    topology: {
      a: { kind: 'host', tcp: { tunnelPort: PORT } },
      r: 'router',
      q: 'router',
      b: { kind: 'host', tcp: { tunnelPort: PORT } },
    },
    links: [
      { ends: { a: '10.0.0.1/24', r: '10.0.0.254/24' }, delay: '1ms' },
      { ends: { r: '10.0.2.1/24', q: '10.0.2.2/24' }, delay: '1ms', mtu },
      { ends: { b: '10.0.1.1/24', q: '10.0.1.254/24' }, delay: '1ms' },
    ],
    until: '60s',
    programs: {
      a: [
        async (host) => {
          for await (const socket of host.listen(80)) {
            const bytes = await socket.receiveAll()
            host.note('bytes', bytes.length)
            host.note('udp', socket.getOption('TCP_REMOTE_UDP_ENCAPS_PORT'))
            socket.close()
          }
        },
        a,
      ],
      b,
    },
  })

async function called(host: Host, port = 80) {
  const socket = host.tcp()
  socket.setOption('TCP_REMOTE_UDP_ENCAPS_PORT', PORT)
  try {
    socket.tryConnect('10.0.0.1', port)
  } catch {
    await host.poll([{ socket, events: ['writable'] }])
  }
  return socket
}

const run = async (...args: Parameters<typeof scenario>) =>
  await runScenario(scenario(...args), { seed: '1' })

describe('TCP over UDP', () => {
  test('carries a stream, and every packet is a datagram between the two ports', async () => {
    const { notes, flows } = await run(async (host) => {
      const socket = await called(host)
      await socket.send(new Uint8Array(300_000))
      socket.close()
    })
    expect(notes).toEqual({ bytes: 300_000, udp: PORT })
    expect(flows.find(({ protocol }) => protocol === 'udp')).toMatchObject({
      from: { port: PORT },
      to: { port: PORT },
      forward: { drops: {} },
    })
  })

  test('a narrow link behind a router: what ICMP says of a datagram reaches the connection', async () => {
    const { notes } = await run(
      async (host) => {
        const socket = await called(host)
        await socket.send(new Uint8Array(50_000))
        await host.sleep('100ms')
        host.note('mss', socket.getOption('TCP_MAXSEG'))
        socket.close()
      },
      { mtu: 1000 },
    )
    // Less IP, UDP, TCP, timestamps.
    expect(notes).toMatchObject({ bytes: 50_000, mss: 1000 - 20 - 8 - 20 - 12 })
  })

  test('nobody listens: the reset comes in a datagram', async () => {
    const { notes } = await run(async (host) => {
      const socket = await called(host, 81)
      host.note('error', socket.getOption('SO_ERROR'))
    })
    expect(notes).toEqual({ error: 'ECONNREFUSED' })
  })

  test('the port is taken for UDP sockets', async () => {
    const { notes } = await run(async (host) => {
      try {
        host.udp(PORT)
      } catch (error) {
        host.note('error', (error as { code: string }).code)
      }
    })
    expect(notes).toEqual({ error: 'EADDRINUSE' })
  })

  test('what is no segment is dropped without an answer', async () => {
    const { hosts } = await run(async (host) => {
      const socket = host.udp(5000)
      socket.connect('10.0.0.1', PORT)
      for (const hex of [
        '00',
        '00'.repeat(19),
        '00'.repeat(20),
        `${'00'.repeat(12)}f0${'00'.repeat(7)}`,
      ]) {
        socket.send(fromHex(hex))
      }
    })
    expect(hosts.find(({ name }) => name === 'a')?.drops).toEqual({
      'tcp truncated': 2,
      'tcp bad-length': 2,
    })
  })
})

test('a segment within a datagram has no checksum of its own, and none is asked for', () => {
  const segment = new TcpSegment(1, 2, 3, 4, ACK, 5, 0, NO_OPTIONS, NO_BYTES)
  const bytes = emitTcpUnchecked(segment)
  expect(bytes.subarray(16, 18)).toEqual(Uint8Array.of(0, 0))
  bytes[17] = 99
  expect(parseTcpUnchecked(bytes)).toEqual({ ok: true, value: segment })
  expect(ip('10.0.0.1')).toBe(0x0a000001)
})
