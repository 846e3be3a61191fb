import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { type Child, Namespace, needs } from './namespace.ts'

// TCP_DEFER_ACCEPT: what the kernel does to a client that says nothing, or says it late, and what our
// linux profile does to the kernel's client, in the same run.

const able = needs('python3', 'tcpdump')

/** Both directions of the same thing: 6000 is the kernel's server, 5000 is ours. */
const PEER = `
import socket, threading, time
server = socket.socket()
server.setsockopt(6, 9, 1)
server.bind(('10.0.0.2', 6000))
server.listen()
print('listening', flush=True)

def call(wait, text):
    s = socket.create_connection(('10.0.0.1', 5000))
    time.sleep(wait)
    s.sendall(text)
    time.sleep(1.7 - wait)
    s.close()

for wait, text in ((0.4, b'x'), (1.5, b'')):
    threading.Thread(target=call, args=(wait, text)).start()
time.sleep(3.2)
`

const SERVER = `import { defineScenario } from 'twinwire'

const call = (wait, text) => async (host) => {
  await host.sleep('500ms')
  const socket = await host.connect('10.0.0.2', 6000)
  await host.sleep(wait)
  if (text !== '') await socket.send(text)
}

export default defineScenario({
  name: 'deferred',
  about: 'A listener that waits for text, and two who call such a one.',
  topology: { a: { kind: 'host', tcp: { profile: 'linux' } }, b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: [
      async (host) => {
        const listener = host.listen(5000)
        listener.setOption('TCP_DEFER_ACCEPT', 1)
        for await (const socket of listener) void socket
      },
      call('400ms', 'x'),
      call('1500ms', ''),
    ],
  },
})
`

describe.skipIf(!able)('TCP_DEFER_ACCEPT', () => {
  const desk = new Desk()
  let namespace: Namespace
  let capture: Child

  beforeAll(async () => {
    desk.write('peer.py', PEER)
    desk.write('deferred.ts', SERVER)
    namespace = new Namespace()
    // Not before the kernel listens: our programs begin with the run.
    namespace.ip('tuntap add tap0 mode tap')
    namespace.ip('addr add 10.0.0.2/24 dev tap0')
    namespace.ip('link set tap0 up')
    capture = namespace.start('tcpdump', '--immediate-mode', '-n', '-l', '-tt', '-i', 'tap0', 'tcp')
    await capture.says(/listening on/)
    const peer = namespace.start('python3', `${desk.path}/peer.py`)
    await peer.says(/listening/)
    const live = await Live.start(namespace, `${desk.path}/deferred.ts`, '--bind', 'b=tap:tap0')
    await peer.ended
    expect((await live.stop()).failure).toBeNull()
    // Two connections to each server, and to each one SYN,ACK comes twice.
    await capture.says(/(Flags \[S\.\],[^]*?){6}/)
    capture.signal('SIGINT')
    await capture.ended
  })
  afterAll(() => {
    namespace?.remove()
    desk.clear()
  })

  /** When the SYN,ACKs of a server's connections came, seconds from the first of each. */
  function answers(port: number): number[][] {
    const times = new Map<string, number[]>()
    for (const line of capture.out.split('\n')) {
      const [, at, to] =
        /^([\d.]+) IP [\d.]+\.(?:5000|6000) > (\S+): Flags \[S\.\]/.exec(line) ?? []
      if (at === undefined || !line.includes(`.${port} > `)) continue
      times.set(to!, [...(times.get(to!) ?? []), Number(at)])
    }
    return [...times.values()].map((all) => all.map((at) => at - all[0]!))
  }

  test.each([
    ['the kernel', 6000],
    ['ours', 5000],
  ])('%s repeats the SYN,ACK once, after 1 s, to whom says nothing', (_, port) => {
    const [first, second] = answers(port).sort((a, b) => a.length - b.length)
    // Who has spoken in time hears it once.
    expect(first).toEqual([0])
    expect(second).toHaveLength(2)
    expect(second![1]).toBeGreaterThan(0.85)
    expect(second![1]).toBeLessThan(1.35)
  })
})
