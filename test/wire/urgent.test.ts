import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { Namespace, needs } from './namespace.ts'

// Urgent data between the kernel's TCP and ours: where is the mark? Python has the socket calls.

const able = needs('python3')

describe.skipIf(!able)('urgent data, with the kernel as judge', () => {
  const desk = new Desk()
  let namespace: Namespace
  let live: Live

  beforeAll(async () => {
    desk.write('urgent.ts', SCENARIO)
    namespace = new Namespace()
    live = await Live.start(namespace, `${desk.path}/urgent.ts`, '--bind', 'b=tap:tap0')
  })
  afterAll(async () => {
    const { failure } = await live.stop()
    namespace.remove()
    desk.clear()
    expect(failure).toBeNull()
  })

  /** A script of Python on the kernel's side. @returns what it printed. */
  function kernel(script: string): string {
    const { code, out, err } = namespace.run('timeout', '20', 'python3', '-c', PEER + script)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    return out.trim()
  }

  test('the kernel says MSG_OOB: ours is told, and has the mark before that byte', () => {
    const said = kernel(`
s = dial(200)
s.send(b'abc')
s.send(b'X', socket.MSG_OOB)
s.send(b'def')
s.shutdown(socket.SHUT_WR)
print(rest(s))`)
    expect(said).toBe('abc^Xdef')
  })

  test('of several urgent bytes, the last one of the last call has the mark', () => {
    const said = kernel(`
s = dial(200)
s.send(b'one')
s.send(b'TWO', socket.MSG_OOB)
time.sleep(0.1)
s.send(b'THREE', socket.MSG_OOB)
time.sleep(0.1)
s.send(b'four')
s.shutdown(socket.SHUT_WR)
print(rest(s))`)
    expect(said).toBe('oneTWOTHRE^Efour')
  })

  test('ours sends urgent data: SIOCATMARK is true before its last byte, with SO_OOBINLINE', () => {
    const said = kernel(`
s = dial(201, inline=True)
print(urgent(s), marked(s))`)
    expect(said).toBe('True beforeU^!after')
  })

  test('without SO_OOBINLINE that byte alone is out of band', () => {
    const said = kernel(`
s = dial(201)
told = urgent(s)
print(told, s.recv(9, socket.MSG_OOB).decode(), rest(s))`)
    expect(said).toBe('True ! beforeUafter')
  })

  test('urgent data behind a closed window is announced at once, and comes when there is room', () => {
    const said = kernel(`
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGURG})
s = dial(202, inline=True, buffer=4096)
fcntl.fcntl(s, fcntl.F_SETOWN, os.getpid())
# poll(2) waits for the byte itself; the signal comes with the news.
print(signal.sigtimedwait({signal.SIGURG}, 5) is not None, urgent(s, 0))
text = marked(s)
print(len(text.split('^')[0]), text.split('^')[1])`)
    expect(said.split('\n')).toEqual(['True False', '40000 U behind'])
  })
})

/** What each script has at hand. */
const PEER = `
import fcntl, os, select, signal, socket, struct, time
def dial(port, inline=False, buffer=0):
  s = socket.socket()
  if inline: s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
  if buffer: s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
  s.connect(('10.0.0.1', port))
  return s
def rest(s):
  text = b''
  while True:
    part = s.recv(65536)
    if not part: return text.decode()
    text += part
def urgent(s, timeout=5000):
  p = select.poll()
  p.register(s, select.POLLPRI)
  return bool(p.poll(timeout))
def at_mark(s):
  return struct.unpack('i', fcntl.ioctl(s, 0x8905, b'\\0\\0\\0\\0'))[0] == 1
def marked(s):
  text = ''
  while True:
    if at_mark(s): text += '^'
    part = s.recv(65536)
    if not part: return text
    text += part.decode()
`

const SCENARIO = `import { defineScenario } from 'twinwire'

const text = (bytes) => String.fromCharCode(...bytes)
const serve = (port, talk) => async (host) => {
  for await (const socket of host.listen(port)) void talk(socket, host).catch(() => socket.abort())
}

export default defineScenario({
  name: 'urgent',
  about: 'A host that is told of urgent data, and sends it.',
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: [
      serve(200, async (socket, host) => {
        await socket.urgent()
        // All that the peer has to say is there.
        await host.sleep('400ms')
        let seen = ''
        for (;;) {
          if (socket.atMark) seen += '^'
          const part = await socket.receive()
          if (part === null) break
          seen += text(part)
        }
        await socket.send(seen)
        socket.close()
      }),
      serve(201, async (socket, host) => {
        await socket.send('before')
        await host.sleep('50ms')
        await socket.send('U!', { urgent: true })
        await host.sleep('50ms')
        await socket.send('after')
        socket.close()
      }),
      serve(202, async (socket, host) => {
        await host.sleep('200ms')
        await socket.send(new Uint8Array(40_000).fill(0x2e))
        await socket.send('U', { urgent: true })
        await socket.send(' behind')
        socket.close()
      }),
    ],
  },
})
`
