import { createSocket } from 'node:dgram'
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import type { Application } from '../../protocols/application.ts'
import { concatBytes } from '../../protocols/bytes.ts'
import type { SocketCall, SocketEvent } from '../../protocols/host/socket.ts'
import { echo } from '../../protocols/services/echo.ts'
import { createService, serviceEngine, type ServiceState } from '../../protocols/services/server.ts'
import { NEVER, ms, type Nanos } from '../../protocols/time.ts'
import { KernelHost } from '../../wire/kernel-host.ts'

// Application engines on the kernel's own sockets, over loopback.

const LOOPBACK = ip('127.0.0.1')
const hosts: KernelHost[] = []
const kernelHost = (): KernelHost => {
  const host = new KernelHost()
  hosts.push(host)
  return host
}
afterEach(() => {
  for (const host of hosts.splice(0)) host.close()
})

/** Waits for what a predicate finds; a test's own time limit bounds it. */
async function until<T>(look: () => T | null | undefined): Promise<T> {
  for (;;) {
    const found = look()
    if (found !== null && found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** The echo service on ports that the kernel chose. */
async function echoServer(): Promise<{ state: ServiceState; tcp: number; udp: number }> {
  const host = kernelHost()
  const { state } = host.run(serviceEngine(echo), createService(0, 1), () => {})
  const port = (socket: number) => until(() => host.localOf(socket)?.port || null)
  return { state, tcp: await port(state.listener), udp: await port(state.udp) }
}

/** An engine that is the test's hand: makes the calls it is told, and keeps what it hears. */
const hand: Application<SocketEvent[], SocketCall, never> = {
  name: 'hand',
  step(heard, _now, input, out) {
    if (input.kind === 'socket') heard.push(input.event)
    if (input.kind === 'command') out.call(input.command)
  },
}
function handOn(host: KernelHost) {
  const running = host.run(hand, [], () => {})
  const { state } = running
  const heard = <K extends SocketEvent['kind']>(kind: K) =>
    until(() => {
      const index = state.findIndex((event) => event.kind === kind)
      return index < 0 ? null : (state.splice(index, 1)[0] as SocketEvent & { kind: K })
    })
  return { heard, call: (call: SocketCall) => running.command(call) }
}

describe('the echo service', () => {
  test('a megabyte over TCP comes back as it went, and the end of the stream too', async () => {
    const { state, tcp } = await echoServer()
    const sent = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) ^ (i >> 8))
    const client = connectTo({ port: tcp, host: '127.0.0.1', allowHalfOpen: true })
    const chunks: Uint8Array[] = []
    client.on('data', (chunk) => chunks.push(chunk))
    client.end(sent)
    await once(client, 'end')
    expect(Buffer.compare(concatBytes(chunks), sent)).toBe(0)
    client.destroy()
    await until(() => (state.connections.length === 0 ? true : null))
  })

  test('a datagram over UDP', async () => {
    const { udp } = await echoServer()
    const client = createSocket('udp4')
    client.send('hello', udp, '127.0.0.1')
    const [payload] = (await once(client, 'message')) as [Uint8Array]
    client.close()
    expect(Buffer.from(payload).toString()).toBe('hello')
  })

  test('a client that resets leaves nothing behind', async () => {
    const { state, tcp } = await echoServer()
    const client = connectTo({ port: tcp, host: '127.0.0.1' })
    await once(client, 'connect')
    await until(() => (state.connections.length === 1 ? true : null))
    client.resetAndDestroy()
    await until(() => (state.connections.length === 0 ? true : null))
  })

  test('a port that is taken is refused by its name', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const reports: unknown[] = []
    kernelHost().run(serviceEngine(echo), createService(port, 1), (said) => reports.push(said))
    expect(await until(() => reports[0])).toEqual({ kind: 'refused', error: 'EADDRINUSE' })
    other.close()
  })
})

describe('connections', () => {
  test('half close: the other side can still send', async () => {
    const server = createServer({ allowHalfOpen: true }, (stream) => {
      stream.resume()
      stream.on('end', () => stream.end('goodbye'))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { call, heard } = handOn(kernelHost())
    call({ kind: 'open', protocol: 'tcp' })
    call({ kind: 'connect', socket: 0, remote: { address: LOOPBACK, port } })
    expect((await heard('connected')).remote.port).toBe(port)
    call({ kind: 'shutdown', socket: 0 })
    await heard('readable')
    call({ kind: 'receive', socket: 0, max: 4 })
    const first = await heard('received')
    expect(first.bytes).toBe(4)
    await heard('readable')
    call({ kind: 'receive', socket: 0, max: 100 })
    expect((await heard('received')).bytes).toBe(3)
    await heard('readable')
    call({ kind: 'receive', socket: 0, max: 100 })
    expect(await heard('received')).toMatchObject({ bytes: 0, ended: true })
    call({ kind: 'close', socket: 0 })
    await heard('closed')
    server.close()
  })

  test('nobody listens: failed with ECONNREFUSED, then closed', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const { call, heard } = handOn(kernelHost())
    call({ kind: 'open', protocol: 'tcp' })
    call({ kind: 'connect', socket: 0, remote: { address: LOOPBACK, port } })
    expect((await heard('failed')).error).toBe('ECONNREFUSED')
    await heard('closed')
  })

  test('a reader that waits stops the sender; reading on lets it go on', async () => {
    const server = createServer((stream) => stream.pause()).listen(0, '127.0.0.1')
    const accepted = once(server, 'connection')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { call, heard } = handOn(kernelHost())
    call({ kind: 'open', protocol: 'tcp' })
    call({ kind: 'connect', socket: 0, remote: { address: LOOPBACK, port } })
    await heard('connected')
    const piece = new Uint8Array(1 << 18)
    let taken = 0
    for (let isFull = false; !isFull;) {
      call({ kind: 'send', socket: 0, bytes: piece })
      const { bytes } = await heard('queued')
      taken += bytes
      isFull = bytes < piece.length
      // What the kernel can take, it takes now.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const [stream] = (await accepted) as [Socket]
    let read = 0
    stream.on('data', (chunk) => (read += chunk.length))
    stream.resume()
    await heard('writable')
    await until(() => (read === taken ? true : null))
    stream.destroy()
    server.close()
  })
})

describe('datagrams', () => {
  test('a connected socket hears that its peer has no such port', async () => {
    const spare = createSocket('udp4')
    spare.bind(0, '127.0.0.1')
    await once(spare, 'listening')
    const { port } = spare.address()
    spare.close()
    const { call, heard } = handOn(kernelHost())
    call({ kind: 'open', protocol: 'udp' })
    call({ kind: 'connect', socket: 0, remote: { address: LOOPBACK, port } })
    call({ kind: 'send', socket: 0, bytes: new Uint8Array(3) })
    expect(await heard('icmp-error')).toMatchObject({ error: 'ECONNREFUSED', remote: LOOPBACK })
    call({ kind: 'close', socket: 0 })
    await heard('closed')
  })

  test('too long for a datagram: EMSGSIZE', async () => {
    const { call, heard } = handOn(kernelHost())
    call({ kind: 'open', protocol: 'udp' })
    const remote = { address: LOOPBACK, port: 9 }
    call({ kind: 'send-to', socket: 0, bytes: new Uint8Array(66_000), remote })
    expect(await heard('rejected')).toMatchObject({ call: 'send-to', error: 'EMSGSIZE' })
  })
})

test('a deadline never comes early, and one that is taken back not at all', async () => {
  const host = kernelHost()
  const fired: Nanos[] = []
  const sleeper: Application<{ due: Nanos }, never, never> = {
    name: 'sleeper',
    step(state, now, input, out) {
      if (input.kind === 'start') {
        state.due = now + ms(2)
        out.wake(now + ms(1))
        out.wake(state.due)
      } else if (input.kind === 'timer') {
        fired.push(now - state.due)
        out.wake(NEVER)
      }
    },
  }
  host.run(sleeper, { due: 0 }, () => {})
  await until(() => (fired.length > 0 ? true : null))
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(fired).toHaveLength(1)
  expect(fired[0]).toBeGreaterThanOrEqual(0)
})
