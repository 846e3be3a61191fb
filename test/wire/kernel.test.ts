import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { Namespace, leaveNamespaces, needs } from './namespace.ts'

// The kernel's own tools talk to a simulated host, in a namespace that is made for it.

const able = needs('ping', 'traceroute', 'arping', 'nc', 'tcpdump')

describe.skipIf(!able)('ICMP, ARP and UDP with the kernel', () => {
  const desk = new Desk()
  let namespace: Namespace
  let live: Live

  beforeAll(async () => {
    desk.write('udp.ts', UDP_SERVER)
    namespace = new Namespace()
    namespace.enter()
    live = await Live.start(namespace, `${desk.path}/udp.ts`, '--bind', 'b=tap:tap0')
  })
  afterAll(() => {
    leaveNamespaces()
    namespace?.remove()
    desk.clear()
  })

  test('ping: every request is answered', () => {
    const { out } = namespace.run('ping', '-c', '50', '-i', '0.01', '-q', '10.0.0.1')
    expect(out).toContain('50 received, 0% packet loss')
  })

  test('ping -s 8000: fragments in both directions', () => {
    const { out } = namespace.run('ping', '-c', '5', '-i', '0.05', '-s', '8000', '-q', '10.0.0.1')
    expect(out).toContain('5 received, 0% packet loss')
  })

  test('ping -s 65507: the largest there is', () => {
    const { out } = namespace.run('ping', '-c', '2', '-i', '0.1', '-s', '65507', '-q', '10.0.0.1')
    expect(out).toContain('2 received, 0% packet loss')
  })

  test('ping -f, bounded', () => {
    const { out } = namespace.run('ping', '-f', '-c', '2000', '-q', '10.0.0.1')
    expect(out).toContain('2000 received, 0% packet loss')
  })

  test('arping: the answer has the address of the plan', () => {
    const { out } = namespace.run('arping', '-c', '2', '-w', '2', '-I', 'tap0', '10.0.0.1')
    expect(out).toMatch(/02:00:00:00:00:01/i)
  })

  test('arping -D: the address is taken', () => {
    // iputils: 1 where somebody answered.
    const { code } = namespace.run('arping', '-D', '-c', '1', '-w', '1', '-I', 'tap0', '10.0.0.1')
    expect(code).toBe(1)
  })

  test('UDP: echoed, also in fragments', async () => {
    const socket = createSocket('udp4')
    for (const size of [0, 1, 1472, 1473, 20_000, 65_507]) {
      const answered = once(socket, 'message')
      socket.send(new Uint8Array(size).fill(size & 255), 7, '10.0.0.1')
      const [bytes] = (await answered) as [Buffer]
      expect(bytes).toEqual(Buffer.alloc(size, size & 255))
    }
    socket.close()
  })

  test('port unreachable: a kernel client is told', () => {
    const { out, err } = namespace.shell('echo hi | nc -u -v -w 1 10.0.0.1 4999; echo $?')
    expect(`${out}${err}`).toMatch(/refused|^1$/m)
  })

  test('ours is told of a closed port, and pings the kernel', async () => {
    const { notes, failure } = await live.stop()
    expect(failure).toBeNull()
    expect(notes['told']).toBe('ECONNREFUSED')
    // Ours asked, too: in fragments, and answered in fragments.
    expect(notes['pings']).toBe('0 1472 8000 65507')
  })
})

/** Echoes datagrams, and asks the kernel for a port that nobody has. */
const UDP_SERVER = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'udp',
  about: 'A host that echoes datagrams.',
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: [
      (host) => host.serve('echo'),
      async (host) => {
        const answered = []
        for (const size of [0, 1472, 8000, 65507]) {
          const answer = await host.ping('10.0.0.2', { data: new Uint8Array(size) })
          if (answer?.kind === 'reply') answered.push(size)
        }
        host.note('pings', answered.join(' '))
      },
      async (host) => {
        const socket = host.udp()
        socket.connect('10.0.0.2', 4998)
        socket.send('anybody?')
        try {
          await socket.receive()
        } catch (e) {
          host.note('told', e.code)
        }
      },
    ],
  },
})
`

describe.skipIf(!able)('a simulated router', () => {
  test('traceroute shows every hop', async () => {
    const namespace = new Namespace()
    try {
      const live = await Live.start(
        namespace,
        'router-chain',
        '--set',
        'routers=3',
        '--bind',
        'a=tap:tap0',
      )
      const { out: routes } = namespace.run('ip', 'route')
      const target = /10\.\S+(?=\/\d+ via)/g
      const networks = routes.match(target)!
      // The last network is that of host b; it has the second address there.
      const last = networks.at(-1)!.replace(/\d+$/, (n) => String(Number(n) + 2))
      const { out } = namespace.run('traceroute', '-n', '-q', '1', '-w', '2', last)
      const hops = out.split('\n').filter((line) => /^ *\d+ +10\./.test(line))
      expect(hops).toHaveLength(4)
      expect(hops.at(-1)).toContain(last)
      await live.stop()
    } finally {
      namespace.remove()
    }
  })
})

describe.skipIf(!able)('an address that somebody has', () => {
  test('a simulated host that probes finds the kernel there, and gives up', async () => {
    const namespace = new Namespace()
    const desk = new Desk()
    desk.write('probe.ts', PROBING)
    try {
      const args = ['--bind', 'b=tap:tap0', '--for', '3500ms']
      const live = await Live.start(namespace, `${desk.path}/probe.ts`, ...args)
      namespace.ip('addr add 10.0.0.1/24 dev tap0')
      const { notes } = await live.ended()
      expect(notes['outcome']).toBe('EADDRNOTAVAIL')
    } finally {
      namespace.remove()
      desk.clear()
    }
  })
})

const PROBING = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'probe',
  about: 'A host that probes for its address first.',
  topology: { a: { kind: 'host', arp: { method: 'probe', from: '1s' } }, b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: async (host) => {
      try {
        await host.ready()
        host.note('outcome', 'ready')
      } catch (e) {
        host.note('outcome', e.code)
      }
    },
  },
})
`
