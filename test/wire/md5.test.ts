import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { Namespace, needs } from './namespace.ts'

// TCP-MD5 (RFC 2385) between the kernel's TCP and ours, over a TAP: the kernel is the judge of what we
// sign, and we of what it does.

/** A kernel socket with a key for the peer; python3 is what hands the kernel a struct tcp_md5sig. */
const PEER = `
import socket, struct, sys

def sign(s, key):
    if key:
        address = struct.pack('=HH4s120x', socket.AF_INET, 0, socket.inet_aton('10.0.0.1'))
        s.setsockopt(6, 14, address + struct.pack('=BBHi80s', 0, 0, len(key), 0, key.encode()))

def read_all(s):
    data = b''
    while part := s.recv(65536):
        data += part
    return data

role, port, key, size = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
s = socket.socket()
s.settimeout(10)
try:
    sign(s, key)
except OSError as error:
    print('no TCP_MD5SIG:', error.strerror)
    sys.exit()
if role == 'serve':
    s.bind(('10.0.0.2', port))
    s.listen()
    print('listening', flush=True)
    s, _ = s.accept()
else:
    s.settimeout(0.8)
    try:
        s.connect(('10.0.0.1', port))
    except OSError as error:
        print(type(error).__name__)
        sys.exit()
    s.settimeout(10)
sent = bytes(i * 7 & 255 for i in range(size))
s.sendall(sent)
s.shutdown(socket.SHUT_WR)
print('same' if read_all(s) == sent else 'other', flush=True)
`

const SERVERS = `import { defineScenario } from 'twinwire'

const echo = async (socket) => {
  for await (const part of socket) await socket.send(part)
  socket.close()
}
const listening = (port, key) => async (host) => {
  const listener = host.listen(port)
  if (key !== null) listener.setOption('TCP_MD5SIG', { address: '10.0.0.2', key })
  for await (const socket of listener) void echo(socket).catch(() => socket.abort())
}

export default defineScenario({
  name: 'signed',
  about: 'Servers with keys.',
  topology: { a: { kind: 'host', tcp: { profile: 'linux' } }, b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: [
      listening(1001, 'secret'),
      listening(1002, null),
      async (host) => {
        // Whoever comes here is called back, with the key.
        for await (const asked of host.listen(1003)) {
          await asked.receiveAll()
          const socket = host.tcp()
          socket.setOption('TCP_MD5SIG', { address: '10.0.0.2', key: 'secret' })
          try {
            socket.tryConnect('10.0.0.2', 2001)
          } catch {
            await host.poll([{ socket, events: ['writable'] }])
          }
          await echo(socket)
          asked.close()
        }
      },
    ],
  },
})
`

const able = needs('python3')

describe.skipIf(!able)('signed segments', () => {
  const desk = new Desk()
  let namespace: Namespace
  let live: Live

  beforeAll(async () => {
    desk.write('peer.py', PEER)
    desk.write('signed.ts', SERVERS)
    namespace = new Namespace()
    live = await Live.start(namespace, `${desk.path}/signed.ts`, '--bind', 'b=tap:tap0')
  })
  afterAll(() => {
    namespace?.remove()
    desk.clear()
  })

  const peer = (...args: (string | number)[]): string =>
    namespace.run('python3', `${desk.path}/peer.py`, ...args.map(String)).out.trim()
  const counter = (name: string): number => {
    const [names = [], values = []] = namespace
      .run('grep', '^TcpExt', '/proc/net/netstat')
      .out.split('\n')
      .map((line) => line.split(' '))
    return Number(values[names.indexOf(name)])
  }

  test('the kernel signs, we sign: 300 kB come back as they were', (context) => {
    const said = peer('call', 1001, 'secret', 300_000)
    if (said.startsWith('no TCP_MD5SIG')) return context.skip(`skipped: ${said}`)
    expect(said).toBe('same')
    for (const name of ['TCPMD5NotFound', 'TCPMD5Unexpected', 'TCPMD5Failure']) {
      expect([name, counter(name)]).toEqual([name, 0])
    }
  })

  test('ours calls a kernel socket that wants signatures', async (context) => {
    const server = namespace.start(
      'python3',
      `${desk.path}/peer.py`,
      'serve',
      '2001',
      'secret',
      '9000',
    )
    await server.says(/listening|no TCP_MD5SIG/)
    if (server.out.startsWith('no')) return context.skip(`skipped: ${server.out}`)
    expect(peer('call', 1003, '', 0)).toBe('same')
    await server.ended
    expect(server.out).toContain('same')
  })

  test('another key, none, and one that nobody asked for: no answer', async () => {
    const cases = [
      ['1001', 'mystery'],
      ['1001', ''],
      ['1002', 'secret'],
    ] as const
    const peers = cases.map((each) =>
      namespace.start('python3', `${desk.path}/peer.py`, 'call', ...each, '1'),
    )
    await Promise.all(peers.map(({ ended }) => ended))
    for (const { out } of peers) expect(out).toMatch(/^(timeout|TimeoutError|no TCP_MD5SIG.*)\n$/)
    const { failure, hosts } = await live.stop()
    expect(failure).toBeNull()
    const counted = Object.keys(hosts.find(({ name }) => name === 'a')!.drops)
    expect(counted.filter((why) => why.includes('md5')).sort()).toEqual([
      'tcp md5 missing',
      'tcp md5 unexpected',
      'tcp md5 wrong',
    ])
  })
})
