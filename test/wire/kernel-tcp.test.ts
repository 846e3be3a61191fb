import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { Namespace, leaveNamespaces, needs } from './namespace.ts'

// The kernel's TCP and ours, over a TAP.

const able = needs('curl', 'nc')
const MB = 1 << 20
/** 100 MB once each way, where nothing else is under test. */
const LARGE = 100 * MB

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) | 0
    bytes[i] = x >>> 16
  }
  return bytes
}
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe.skipIf(!able)('files by HTTP and to a port', () => {
  const desk = new Desk()
  afterAll(() => desk.clear())

  test.each([
    ['nothing', 0, []],
    ['one byte', 1, []],
    ['100 MB', LARGE, []],
    ['5 MB, segments uncut', 5 * MB, ['--set', 'large=true']],
    ['300 kB, 1 % lost', 300_000, ['--set', 'loss=1%', '--set', 'delay=2ms']],
    ['50 kB, 10 % lost', 50_000, ['--set', 'loss=10%', '--set', 'delay=1ms', '--seed', '3']],
    ['1 MB, a tenth overtakes', MB, ['--set', 'reorder=10%', '--set', 'delay=2ms']],
  ])('%s: the same bytes, both ways', { timeout: 120_000 }, async (_, length, options) => {
    const bytes = randomBytes(length)
    desk.write('file', bytes)
    const namespace = new Namespace()
    try {
      const set = ['--set', `file=${desk.path}/file`, ...options]
      const live = await Live.start(namespace, 'live-server', '--bind', 'b=tap:tap0', ...set)
      const path = `${desk.path}/got`
      const down = namespace.run('curl', '-sS', '-o', path, '-m', '60', 'http://10.0.0.1/file')
      expect(down).toMatchObject({ code: 0, err: '' })
      expect(sha256(desk.read('got'))).toBe(sha256(bytes))
      const up = namespace.shell(`timeout 60 nc -N 10.0.0.1 9000 < ${desk.path}/file`)
      expect(up.out.trim()).toBe(sha256(bytes))
      const { failure } = await live.stop()
      expect(failure).toBeNull()
    } finally {
      namespace.remove()
    }
  })
})

describe.skipIf(!able)('connections', () => {
  const desk = new Desk()
  let namespace: Namespace
  let live: Live

  beforeAll(async () => {
    desk.write('odd.ts', ODD_SERVER)
    namespace = new Namespace()
    // Node opens its sockets when it likes: this thread stays inside.
    namespace.enter()
    live = await Live.start(namespace, `${desk.path}/odd.ts`, '--bind', 'b=tap:tap0')
  })
  afterAll(() => {
    leaveNamespaces()
    namespace?.remove()
    desk.clear()
  })

  const dial = (port: number) => connect({ host: '10.0.0.1', port, allowHalfOpen: true })

  /** To the end of the peer's stream; ours stays open. */
  function all(socket: Socket): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = ''
      socket.on('data', (part) => (text += String(part)))
      socket.on('end', () => resolve(text))
      socket.on('error', reject)
    })
  }

  test('a closed port refuses', async () => {
    const [error] = (await once(dial(4999), 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
  })

  test('a half-closed connection still brings the answer', async () => {
    const socket = dial(100)
    socket.end('abc')
    expect(await all(socket)).toBe('3 bytes, then the end')
  })

  test('our end closes first, the kernel goes on sending', async () => {
    const socket = dial(101)
    expect(await all(socket)).toBe('bye')
    socket.end('still here')
    await once(socket, 'close')
    expect(await all(dial(102))).toBe('still here')
  })

  test('a reset arrives as one, in both directions', async () => {
    const socket = dial(103)
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    const other = dial(104)
    await once(other, 'data')
    other.resetAndDestroy()
    await once(other, 'close')
    expect(await all(dial(102))).toBe('ECONNRESET')
  })

  test('1,000 connections at once, each with its own answer', { timeout: 60_000 }, async () => {
    const sockets = Array.from({ length: 1000 }, () => dial(7))
    const answers = await Promise.all(
      sockets.map(async (socket, i) => {
        socket.end(`number ${i}`)
        return await all(socket)
      }),
    )
    expect(answers).toEqual(sockets.map((__, i) => `number ${i}`))
  })

  test('a reader that stops closes the window, and opens it again', async () => {
    const socket = dial(105)
    const stopped = 2 * MB
    let received = 0
    await once(socket, 'readable')
    // The kernel's buffer fills, and its window closes, while nobody reads.
    await new Promise((resolve) => setTimeout(resolve, 700))
    for await (const part of socket) received += (part as Buffer).length
    expect(received).toBe(4 * stopped)
  })

  test('ours stops reading: the kernel waits, and all of it arrives', async () => {
    const socket = dial(106)
    const bytes = new Uint8Array(8 * MB)
    socket.end(bytes)
    expect(await all(socket)).toBe(String(bytes.length))
  })

  test('keep-alive is answered, by ours and by the kernel', { timeout: 20_000 }, async () => {
    const [socket, asked] = [dial(7), dial(108)]
    const probes = all(asked)
    await once(socket, 'connect')
    // Node sets the idle time only; the rest is the namespace's.
    namespace.run(
      'sysctl',
      '-qw',
      'net.ipv4.tcp_keepalive_intvl=1',
      'net.ipv4.tcp_keepalive_probes=2',
    )
    socket.setKeepAlive(true, 1000)
    let ended = false
    socket.on('close', () => (ended = true))
    await new Promise((resolve) => setTimeout(resolve, 3500))
    expect(ended).toBe(false)
    socket.end('still there?')
    expect(await all(socket)).toBe('still there?')
    // One each second, each answered, as the next second's shows.
    expect(await probes).toMatch(/^[34] probes, 0 open$/)
    asked.end()
  })

  test.each([
    'net.ipv4.tcp_sack=0',
    'net.ipv4.tcp_timestamps=0',
    'net.ipv4.tcp_window_scaling=0',
    'net.ipv4.tcp_congestion_control=reno',
    'net.ipv4.tcp_ecn=1',
  ])('with %s', async (setting) => {
    const [name] = setting.split('=')
    const before = namespace.run('sysctl', '-n', name!).out.trim()
    expect(namespace.run('sysctl', '-qw', setting).code).toBe(0)
    const socket = dial(7)
    const bytes = randomBytes(300_000)
    socket.end(bytes)
    const parts: Buffer[] = []
    for await (const part of socket) parts.push(part as Buffer)
    expect(sha256(Buffer.concat(parts))).toBe(sha256(bytes))
    namespace.run('sysctl', '-qw', `${name}=${before}`)
  })

  test('a client of ours talks to a kernel server', async () => {
    const server = createServer({ allowHalfOpen: true })
    server.listen(8080, '10.0.0.2')
    await once(server, 'listening')
    server.on('connection', (socket) => {
      void all(socket).then((text) => socket.end(text.toUpperCase()))
    })
    // Tells the host to call.
    expect(await all(dial(107))).toBe('HELLO, KERNEL')
    server.close()
  })

  test('no program has failed', async () => {
    const { failure, lateness } = await live.stop()
    expect(failure).toBeNull()
    expect(lateness.events).toBeGreaterThan(1000)
  })
})

const ODD_SERVER = `import { defineScenario } from 'twinwire'

const text = (bytes) => String.fromCharCode(...bytes)

/** One connection after the other, each on its own. */
const serve = (port, talk) => async (host) => {
  for await (const socket of host.listen(port, 1024)) {
    void talk(socket, host).catch(() => socket.abort())
  }
}
let last = ''

export default defineScenario({
  name: 'odd',
  about: 'Servers with manners of their own.',
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: [
      (host) => host.serve('echo'),
      serve(100, async (socket) => {
        const bytes = await socket.receiveAll()
        await socket.send(bytes.length + ' bytes, then the end')
        socket.close()
      }),
      serve(101, async (socket) => {
        await socket.send('bye')
        socket.shutdown()
        last = text(await socket.receiveAll())
        socket.close()
      }),
      serve(102, async (socket) => {
        await socket.send(last)
        socket.close()
      }),
      serve(103, async (socket) => socket.abort()),
      serve(104, async (socket) => {
        await socket.send('go on')
        try {
          await socket.receiveAll()
        } catch (e) {
          last = e.code
        }
      }),
      serve(105, async (socket) => {
        const piece = new Uint8Array(1 << 20)
        for (let i = 0; i < 8; i++) await socket.send(piece)
        socket.close()
      }),
      serve(106, async (socket, host) => {
        await host.sleep('700ms')
        let bytes = 0
        for await (const part of socket) bytes += part.length
        await socket.send(String(bytes))
        socket.close()
      }),
      serve(108, async (socket, host) => {
        await host.sleep('100ms')
        const before = socket.info().tcpi_segs_out
        socket.setOption('SO_KEEPALIVE', 1)
        for (const option of ['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT']) socket.setOption(option, 1)
        await host.sleep('3300ms')
        const { tcpi_segs_out: after, tcpi_probes: open } = socket.info()
        await socket.send((after - before) + ' probes, ' + open + ' open')
        socket.close()
      }),
      serve(107, async (socket, host) => {
        const call = await host.connect('10.0.0.2', 8080)
        await call.send('Hello, kernel')
        call.shutdown()
        await socket.send(text(await call.receiveAll()))
        call.close()
        socket.close()
      }),
    ],
  },
})
`
