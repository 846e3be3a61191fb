import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { leaveNamespaces, Namespace, needs } from './namespace.ts'

// The kernel's own tools talk IPv6 to a simulated host; each configures the other by advertisements.

const able = needs('ping', 'nc', 'curl', 'sysctl', 'ip')

/** IPv6 is off in a test's namespace unless somebody wants it. */
function withIpv6(...settings: readonly string[]): Namespace {
  const namespace = new Namespace()
  const on = ['all.disable_ipv6=0', 'default.disable_ipv6=0', 'default.accept_dad=0', ...settings]
  namespace.run('sysctl', '-qw', ...on.map((setting) => `net.ipv6.conf.${setting}`))
  return namespace
}

const FILE_BYTES = 300_000

/** Echo, a page, and a file that is taken and given back by its hash. */
const SERVER = `import { createHash } from 'node:crypto'
import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'ipv6',
  about: 'A host with an IPv6 address.',
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '2001:db8::1/64', b: '2001:db8::2/64' } }],
  programs: {
    a: [
      (host) => host.serve('echo'),
      async (host) => {
        for await (const socket of host.listen(80)) {
          const page = 'over IPv6'
          await socket.receive()
          await socket.send('HTTP/1.1 200 OK\\r\\nContent-Length: ' + page.length + '\\r\\nConnection: close\\r\\n\\r\\n' + page)
          socket.close()
        }
      },
      async (host) => {
        for await (const socket of host.listen(20)) {
          const hash = createHash('sha256')
          for await (const bytes of socket) hash.update(bytes)
          host.note('received', hash.digest('hex'))
          socket.close()
        }
      },
      async (host) => {
        const answer = await host.ping('2001:db8::2', { timeout: '5s' })
        host.note('the kernel', answer?.kind ?? 'silent')
      },
    ],
  },
})
`

describe.skipIf(!able)('a simulated host with an IPv6 address', () => {
  const desk = new Desk()
  let namespace: Namespace
  let live: Live

  beforeAll(async () => {
    desk.write('server.ts', SERVER)
    namespace = withIpv6()
    live = await Live.start(namespace, `${desk.path}/server.ts`, '--bind', 'b=tap:tap0')
  })
  afterAll(() => {
    namespace?.remove()
    desk.clear()
  })

  test('ping -6: every request is answered', () => {
    const ping = namespace.run('ping', '-6', '-c', '20', '-i', '0.01', '-q', '2001:db8::1')
    expect(ping.out + ping.err).toContain('20 received, 0% packet loss')
  })

  test('ping -6 -s 8000: fragments in both directions', () => {
    const ping = namespace.run(
      'ping',
      '-6',
      '-c',
      '5',
      '-i',
      '0.05',
      '-s',
      '8000',
      '-q',
      '2001:db8::1',
    )
    expect(ping.out + ping.err).toContain('5 received, 0% packet loss')
  })

  test('ping -6 to the link-local address, and to all nodes', () => {
    const one = namespace.run('ping', '-6', '-c', '3', '-i', '0.05', '-q', 'fe80::ff:fe00:1%tap0')
    expect(one.out + one.err).toContain('3 received, 0% packet loss')
    const all = namespace.run('ping', '-6', '-L', '-c', '1', '-w', '2', 'ff02::1%tap0')
    expect(all.out + all.err).toContain('1 received')
  })

  test('curl -6: a page', () => {
    const { out, err } = namespace.run('curl', '-6', '-s', '-m', '10', 'http://[2001:db8::1]/')
    expect(err).toBe('')
    expect(out).toBe('over IPv6')
  })

  test('nc -6: a file arrives byte for byte, and a closed UDP port is told of', async () => {
    const file = Buffer.alloc(FILE_BYTES)
    for (let i = 0; i < FILE_BYTES; i++) file[i] = (i * 31) >>> 3
    desk.write('file.bin', file.toString('latin1'))
    const bytes = Buffer.from(file.toString('latin1'))
    const sent = namespace.shell(`nc -6 -N -w 20 2001:db8::1 20 < ${desk.path}/file.bin; echo $?`)
    expect(sent.out).toContain('0')
    const closed = namespace.shell('echo hi | nc -6 -u -v -w 1 2001:db8::1 4999; echo $?')
    expect(`${closed.out}${closed.err}`).toMatch(/refused|^1$/m)
    const { notes, failure } = await live.stop()
    expect(failure).toBeNull()
    expect(notes['received']).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(notes['the kernel']).toBe('reply')
  })
})

/** Host a and the kernel on a switch; r, where it is simulated, advertises. */
const ADVERTISED = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'advertised',
  about: 'A router that tells the kernel an address.',
  topology: { r: { kind: 'router', ipv6: { advertise: { interval: '4s' } } }, k: 'host', c: 'host' },
  links: [
    { ends: { r: '2001:db8:1::1/64', k: null } },
    { ends: { r: '2001:db8:2::1/64', c: '2001:db8:2::2/64' } },
  ],
  programs: { c: (host) => host.serve('echo') },
})
`

describe.skipIf(!able)('the kernel, configured by our router', () => {
  test('it takes an address and a way, and reaches what is behind', async () => {
    const desk = new Desk()
    const namespace = withIpv6('default.accept_ra=2', 'default.autoconf=1')
    try {
      desk.write('advertised.ts', ADVERTISED)
      const live = await Live.start(namespace, `${desk.path}/advertised.ts`, '--bind', 'k=tap:tap0')
      // The kernel asks when the interface comes up, and is answered within half a second.
      const wait = 'for i in $(seq 50); do ip -6 route | grep -q ^default && break; sleep 0.1; done'
      const { out } = namespace.shell(`${wait}; ip -6 addr show dev tap0; ip -6 route`)
      expect(out).toMatch(/inet6 2001:db8:1:[\da-f:]*\/64 scope global dynamic/)
      expect(out).toMatch(/default via fe80::ff:fe00:1 dev tap0 proto ra/)
      const ping = namespace.run('ping', '-6', '-c', '3', '-i', '0.05', '-q', '2001:db8:2::2')
      expect(ping.out + ping.err).toContain('3 received, 0% packet loss')
      await live.stop()
    } finally {
      namespace.remove()
      desk.clear()
    }
  })
})

/** Our host asks for routers; the kernel's side of the TAP is one, by radvd. */
const ASKING = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'asking',
  about: 'A host that configures itself.',
  topology: { a: { kind: 'host', ipv6: 'auto' }, k: 'host' },
  links: [{ ends: { a: null, k: '2001:db8:7::1/64' } }],
  programs: {
    a: async (host) => {
      await host.ready()
      host.mark('ready')
      const answer = await host.ping('2001:db8:8::1', { timeout: '5s' })
      host.note('beyond', answer?.kind ?? 'silent')
    },
  },
})
`
const RADVD = `interface tap0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvLinkMTU 1480;
  prefix 2001:db8:7::/64 { AdvOnLink on; AdvAutonomous on; };
};
`

describe.skipIf(!able || !needs('radvd'))('a simulated host, configured by radvd', () => {
  test('it makes an address, and sends by the router that told it', async () => {
    const desk = new Desk()
    const namespace = withIpv6('all.forwarding=1')
    try {
      desk.write('asking.ts', ASKING)
      desk.write('radvd.conf', RADVD)
      // Another address of the router's: to be reached by the default route alone.
      namespace.ip('-6 addr add 2001:db8:8::1/128 dev lo')
      const live = await Live.start(namespace, `${desk.path}/asking.ts`, '--bind', 'k=tap:tap0')
      namespace.start(
        'radvd',
        '-n',
        '-C',
        `${desk.path}/radvd.conf`,
        '-p',
        `${desk.path}/radvd.pid`,
      )
      const made = '2001:db8:7::ff:fe00:1'
      const wait = `for i in $(seq 100); do ping -6 -c 1 -W 1 -q ${made} >/dev/null && break; sleep 0.1; done`
      const { out } = namespace.shell(`${wait}; ping -6 -c 2 -i 0.05 -q ${made}`)
      expect(out).toContain('2 received, 0% packet loss')
      const { notes, failure } = await live.stop()
      expect(failure).toBeNull()
      expect(notes['beyond']).toBe('reply')
    } finally {
      namespace.remove()
      desk.clear()
    }
  }, 40_000)
})

afterAll(() => {
  if (able) leaveNamespaces()
})
