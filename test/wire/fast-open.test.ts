import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { type Child, Namespace, needs } from './namespace.ts'

// TCP Fast Open (RFC 7413) with the kernel, over a TAP: its client asks our server, ours asks its server,
// each three times. The first time a cookie is asked for; then the request goes with the SYN.

const able = needs('python3', 'tcpdump')

/** 6000 is the kernel's server, 5000 is ours. */
const PEER = `
import socket, threading
MSG_FASTOPEN, TCP_FASTOPEN = 0x20000000, 23
server = socket.socket()
server.bind(('10.0.0.2', 6000))
server.listen()
server.setsockopt(socket.SOL_TCP, TCP_FASTOPEN, 8)
print('listening', flush=True)
there = threading.Event()

def serve():
    for _ in range(3):
        s, _ = server.accept()
        there.set()
        s.sendall(s.recv(100))
        s.close()

other = threading.Thread(target=serve)
other.start()
there.wait(20)
for _ in range(3):
    s = socket.socket()
    s.sendto(b'hello', MSG_FASTOPEN, ('10.0.0.1', 5000))
    s.settimeout(5)
    print('answered', s.recv(100), flush=True)
    s.close()
other.join()
print('done', flush=True)
`

const OURS = `import { defineScenario } from 'twinwire'

export default defineScenario({
  name: 'opened-fast',
  about: 'A server and a client with Fast Open.',
  topology: { a: { kind: 'host', tcp: { profile: 'linux', fastOpen: 'both' } }, b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: [
      async (host) => {
        const listener = host.listen(5000)
        listener.setOption('TCP_FASTOPEN', 8)
        for await (const socket of listener) {
          await socket.send((await socket.receive()) ?? '')
          socket.close()
        }
      },
      async (host) => {
        for (let i = 0; i < 3; i++) {
          const socket = await host.connect('10.0.0.2', 6000, 'hello')
          await socket.receive()
          socket.close()
        }
      },
    ],
  },
})
`

describe.skipIf(!able)('Fast Open with the kernel', () => {
  const desk = new Desk()
  let namespace: Namespace
  let capture: Child
  let peer: Child

  beforeAll(async () => {
    desk.write('peer.py', PEER)
    desk.write('opened-fast.ts', OURS)
    namespace = new Namespace()
    namespace.ip('tuntap add tap0 mode tap')
    namespace.ip('addr add 10.0.0.2/24 dev tap0')
    namespace.ip('link set tap0 up')
    await namespace.start('sysctl', '-qw', 'net.ipv4.tcp_fastopen=3').ended
    capture = namespace.start('tcpdump', '--immediate-mode', '-n', '-l', '-i', 'tap0', 'tcp')
    await capture.says(/listening on/)
    peer = namespace.start('python3', `${desk.path}/peer.py`)
    await peer.says(/listening/)
    const live = await Live.start(namespace, `${desk.path}/opened-fast.ts`, '--bind', 'b=tap:tap0')
    await peer.says(/done/)
    expect((await live.stop()).failure).toBeNull()
    // Three connections each way: what is not printed when it ends is lost.
    await capture.says(/(Flags \[S\.\],[^]*?){6}/)
    capture.signal('SIGINT')
    await capture.ended
  })
  afterAll(() => {
    namespace?.remove()
    desk.clear()
  })

  /** Lines of the first SYNs to a port, and of their SYN,ACKs. */
  const lines = (port: number, what: 'S' | 'S.'): string[] =>
    capture.out
      .split('\n')
      .filter((line) => line.includes(`Flags [${what}],`))
      .filter((line) => line.includes(what === 'S' ? `.${port}: ` : `.${port} > `))

  test.each([
    ["the kernel's client asks our server", 5000],
    ["our client asks the kernel's server", 6000],
  ])('%s for a cookie, and uses it', (_, port) => {
    const [first, ...others] = lines(port, 'S')
    expect(first).toMatch(/tfo {2}cookiereq.* length 0$/)
    const cookie = /tfo {2}cookie ([0-9a-f]{16})/.exec(lines(port, 'S.')[0] ?? '')?.[1]
    expect(cookie).toBeDefined()
    expect(others).toHaveLength(2)
    for (const line of others) {
      expect(line).toContain(`tfo  cookie ${cookie}`)
      expect(line).toMatch(/ length 5$/)
    }
  })

  test('what goes with the SYN is acknowledged with it, and answered', () => {
    for (const port of [5000, 6000]) {
      for (const line of lines(port, 'S').slice(1)) {
        const next = Number(/seq \d+:(\d+)/.exec(line)?.[1]) + 1
        expect(lines(port, 'S.').some((each) => each.includes(`ack ${next >>> 0},`))).toBe(true)
      }
    }
    expect(peer.out.match(/answered b'hello'/g)).toHaveLength(3)
  })
})
