import { expect, test } from 'vitest'
import { runScript } from '../../../sim/packetdrill/run-script.ts'
import { story } from '../../../sim/testing/story.ts'

const LINKS = [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms' }]

test('more connections than the backlog wait for nobody: their SYNs go by until one is accepted', async () => {
  const text = await story({
    topology: { a: 'host', b: 'host' },
    links: LINKS,
    until: '20s',
    trace: /accept queue/,
    programs: (say) => ({
      a: async (host) => {
        for (const name of ['one', 'two', 'three']) {
          await host.connect('10.0.0.2', 80)
          say(host, name)
        }
      },
      b: async (host) => {
        const listener = host.listen(80, 2)
        await host.sleep('1500ms')
        await listener.accept()
        say(host, 'accepted')
      },
    }),
  })
  expect(text.replaceAll(/: IP.*/g, '')).toMatchInlineSnapshot(`
    "0.04     a  one
    0.06     a  two
    0.070000000 b    drop tcp accept queue full
    1.070000000 b    drop tcp accept queue full
    1.5      b  accepted
    3.08     a  three"
  `)
})

test('a listener without room for SYNs answers by cookies, and what comes back is a connection', async () => {
  // Nothing of b reaches c: its handshakes stay half open.
  const links = [
    ...LINKS,
    {
      ends: { c: '10.1.0.1/24', b: '10.1.0.2/24' },
      delay: '10ms',
      to: { c: { drop: 'every SYN-ACK' } },
    },
  ]
  const text = await story({
    topology: { a: 'host', b: 'host', c: 'host' },
    links,
    until: '20s',
    trace: /cookie/,
    programs: (say) => ({
      a: async (host) => {
        await host.sleep('500ms')
        const socket = await host.connect('10.0.0.2', 80)
        await socket.send('hello')
        say(host, `${(await socket.receive())!.length} bytes, mss ${socket.info().tcpi_snd_mss}`)
      },
      b: async (host) => {
        const listener = host.listen(80, 4)
        const socket = await listener.accept()
        await socket.send((await socket.receive())!)
        const { tcpi_snd_mss, tcpi_options, tcpi_rtt } = socket.info()
        say(host, `mss ${tcpi_snd_mss}, options ${tcpi_options}, rtt ${tcpi_rtt}`)
      },
      c: (host) => {
        for (let i = 0; i < 6; i++) void host.connect('10.1.0.2', 80).catch(() => {})
      },
    }),
  })
  expect(text.replaceAll(/: IP.*/g, '')).toMatchInlineSnapshot(`
    "0.030000000 b    drop tcp backlog full, cookie sent
    0.030000000 b    drop tcp backlog full, cookie sent
    0.530000000 b    drop tcp backlog full, cookie sent
    0.55     b  mss 1460, options 0, rtt 0
    0.56     a  5 bytes, mss 1460
    1.010000000 b    drop tcp backlog full, cookie sent
    1.010000000 b    drop tcp backlog full, cookie sent
    3.010000000 b    drop tcp backlog full, cookie sent
    3.010000000 b    drop tcp backlog full, cookie sent
    7.010000000 b    drop tcp backlog full, cookie sent
    7.010000000 b    drop tcp backlog full, cookie sent
    15.010000000 b    drop tcp backlog full, cookie sent
    15.010000000 b    drop tcp backlog full, cookie sent"
  `)
})

test('listenSkipsSynFin: a SYN that is a FIN too opens nothing', () => {
  const script = (answer: string): string => `
    0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
    +0 bind(3, ..., ...) = 0
    +0 listen(3, 1) = 0
    +0 < SF 0:0(0) win 65535 <mss 1000>
    ${answer}`
  const answer = '+0 > S. 0:0(0) ack 1 <...>'
  expect(runScript(script(answer), { profile: 'rfc' }).verdict).toBe('passed')
  const { verdict, reason } = runScript(script(answer), { profile: 'linux' })
  expect([verdict, reason]).toEqual(['failed', 'nothing was sent'])
})
