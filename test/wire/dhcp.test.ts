import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { Live } from './live.ts'
import { leaveNamespaces, Namespace, needs } from './namespace.ts'

// Leases between a simulated host and the DHCP programs of others, both ways.

const desk = new Desk()
let namespace: Namespace | null = null
afterEach(() => {
  namespace?.remove()
  namespace = null
})
afterAll(() => {
  desk.clear()
  leaveNamespaces()
})

/** `a` asks; `b` has the first address of the pool already, and the kernel is behind the switch. */
const CLIENT = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'asking',
  about: 'A host whose first lease is of an address that is taken.',
  topology: { a: { kind: 'host', arp: 'probe' }, b: 'host', s: 'switch', k: 'host' },
  links: [
    { ends: { a: null, s: null } },
    { ends: { b: '10.9.0.100/24', s: null } },
    { ends: { s: null, k: '10.9.0.1/24' } },
  ],
  programs: {
    a: async (host) => {
      const dhcp = host.dhcp({ hostName: 'first' })
      const lease = await dhcp.ready()
      host.note('address', (lease.address >>> 0).toString(16))
      host.note('prefix', lease.prefixLength)
      host.note('router', (lease.routers[0] >>> 0).toString(16))
      host.note('name server', (lease.dns[0] >>> 0).toString(16))
      host.note('domain', lease.domainName)
      const beyond = await host.ping('10.9.9.9', { timeout: '5s' })
      host.note('beyond the router', beyond?.kind ?? 'silent')
      dhcp.release()
    },
  },
})
`

const DNSMASQ = (lease: string) => `port=0
interface=tap0
bind-dynamic
dhcp-range=10.9.0.100,10.9.0.109,255.255.255.0,2m
dhcp-sequential-ip
no-ping
dhcp-authoritative
dhcp-option=option:dns-server,10.9.0.1
domain=lan
dhcp-leasefile=${lease}
log-dhcp
user=root
`

/** Renews twice; dnsmasq lends for two minutes at least, udhcpd as short as one likes. */
const RENEWING = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'renewing',
  about: 'A host with a short lease.',
  topology: { a: 'host', k: 'host' },
  links: [{ ends: { a: null, k: '10.9.4.1/24' } }],
  programs: {
    a: async (host) => {
      await host.sleep('1s') // until there is a server
      const dhcp = host.dhcp()
      const { address, expiresAt } = await dhcp.ready()
      await host.sleep('2s')
      host.note('renewed', dhcp.lease.expiresAt > expiresAt ? 'yes' : 'no')
      const pong = await host.ping('10.9.4.1', { timeout: '1s' })
      host.note('with it', pong?.kind ?? 'silent')
    },
  },
})
`
const UDHCPD = (lease: string) => `start 10.9.4.20
end 10.9.4.29
interface tap0
lease_file ${lease}
pidfile ${lease}.pid
option subnet 255.255.255.0
option router 10.9.4.1
option lease 12
`

describe.concurrent('our client', () => {
  const spaces: Namespace[] = []
  const newSpace = (): Namespace => {
    const space = new Namespace()
    spaces.push(space)
    return space
  }
  afterAll(() => {
    for (const space of spaces) space.remove()
  })

  const withDnsmasq = test.skipIf(!needs('dnsmasq'))
  withDnsmasq(
    'and dnsmasq: declines what is taken, uses the next, gives it back',
    async () => {
      const namespace = newSpace()
      desk.write('client.ts', CLIENT)
      desk.write('dnsmasq.conf', DNSMASQ(`${desk.path}/leases`))
      // To be reached by the router of the lease alone.
      namespace.ip('addr add 10.9.9.9/32 dev lo')
      const conf = `--conf-file=${desk.path}/dnsmasq.conf`
      const server = namespace.start('dnsmasq', '-k', conf, '--log-facility=-')
      await server.says(/started/)
      const live = await Live.start(namespace, `${desk.path}/client.ts`, '--bind', 'k=tap:tap0')
      await server.says(/DHCPRELEASE/)
      const { notes, failure } = await live.stop()
      expect(failure).toBeNull()
      expect(notes).toEqual({
        address: 'a090065',
        prefix: 24,
        router: 'a090001',
        'name server': 'a090001',
        domain: 'lan',
        'beyond the router': 'reply',
      })
      const said = [...server.err.matchAll(/ (DHCP[A-Z]+)\(tap0\) (10\.\S+)/g)]
      expect(said.map(([, kind, address]) => `${kind} ${address}`)).toEqual([
        'DHCPOFFER 10.9.0.100',
        'DHCPREQUEST 10.9.0.100',
        'DHCPACK 10.9.0.100',
        'DHCPDECLINE 10.9.0.100',
        'DHCPOFFER 10.9.0.101',
        'DHCPREQUEST 10.9.0.101',
        'DHCPACK 10.9.0.101',
        'DHCPRELEASE 10.9.0.101',
      ])
    },
    60_000,
  )

  const withUdhcpd = test.skipIf(!needs('udhcpd'))
  withUdhcpd(
    'and udhcpd: a lease of seconds is renewed before it ends',
    async () => {
      const namespace = newSpace()
      desk.write('renewing.ts', RENEWING)
      desk.write('udhcpd.conf', UDHCPD(`${desk.path}/udhcpd.leases`))
      const live = await Live.start(namespace, `${desk.path}/renewing.ts`, '--bind', 'k=tap:tap0')
      const server = namespace.start('udhcpd', '-f', `${desk.path}/udhcpd.conf`)
      // Looking for the address takes five seconds: half of the lease is over soon behind that.
      await server.says(/(sending ACK to 10\.9\.4\.2\d\n[^]*){2}/)
      await new Promise((resolve) => setTimeout(resolve, 2000))
      const { notes, failure } = await live.stop()
      expect(failure).toBeNull()
      expect(notes).toEqual({ renewed: 'yes', 'with it': 'reply' })
    },
    40_000,
  )
})

/** Our server on `a`, which also has a page. */
const SERVER = (leaseSeconds: number) => `import { defineScenario } from 'twinwire'
import { ip } from 'twinwire/protocols/address'
import { createDhcpServer, dhcpServer } from 'twinwire/protocols/dhcp/server'
export default defineScenario({
  name: 'lending',
  about: 'A host that lends addresses.',
  topology: { a: 'host', k: 'host' },
  links: [{ ends: { a: '10.9.1.1/24', k: null } }],
  programs: {
    a: [
      (host) => {
        const state = createDhcpServer({
          address: ip('10.9.1.1'),
          prefixLength: 24,
          from: ip('10.9.1.50'),
          to: ip('10.9.1.59'),
          routers: [ip('10.9.1.1')],
          dns: [],
          domainName: 'lan',
          leaseSeconds: ${leaseSeconds},
          reservations: [],
        })
        const counts = {}
        host.run(dhcpServer, state, (report) => {
          counts[report.kind] = (counts[report.kind] ?? 0) + 1
          host.note(report.kind, counts[report.kind])
        })
      },
      async (host) => {
        for await (const socket of host.listen(80)) {
          await socket.receive()
          await socket.send('HTTP/1.0 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nleased')
          socket.close()
        }
      },
    ],
  },
})
`

/** What both clients call with the news: it does what they were told, in the namespace alone. */
const UDHCPC_SCRIPT = `#!/bin/sh
case $1 in
  deconfig) ip addr flush dev $interface; ip link set $interface up ;;
  bound | renew)
    ip addr replace $ip/$mask dev $interface
    ip route replace default via $router
    echo "script: $1 $ip/$mask $router $domain $lease" ;;
esac
`
const DHCLIENT_SCRIPT = `#!/bin/sh
case $reason in
  BOUND | RENEW)
    ip addr replace $new_ip_address/24 dev $interface
    ip route replace default via $new_routers
    echo "script: $reason $new_ip_address $new_subnet_mask $new_routers $new_domain_name" ;;
esac
exit 0
`

async function lending(
  leaseSeconds: number,
): Promise<{ readonly space: Namespace; readonly live: Live }> {
  namespace = new Namespace()
  desk.write('server.ts', SERVER(leaseSeconds))
  const live = await Live.start(namespace, `${desk.path}/server.ts`, '--bind', 'k=tap:tap0')
  return { space: namespace, live }
}

function reaches(space: Namespace): void {
  const ping = space.run('ping', '-c', '3', '-i', '0.05', '-q', '10.9.1.1')
  expect(ping.out + ping.err).toContain('3 received, 0% packet loss')
  expect(space.run('curl', '-s', '-m', '5', 'http://10.9.1.1/').out).toBe('leased')
}

describe.skipIf(!needs('udhcpc', 'ping', 'curl'))('our server and udhcpc', () => {
  test('it is lent an address, renews it and gives it back', async () => {
    const { space, live } = await lending(60)
    desk.write('udhcpc.sh', UDHCPC_SCRIPT)
    space.run('chmod', '+x', `${desk.path}/udhcpc.sh`)
    const script = ['-s', `${desk.path}/udhcpc.sh`]
    const client = space.start('udhcpc', '-i', 'tap0', '-f', '-R', '-t', '5', '-T', '1', ...script)
    await client.says(/script: bound 10\.9\.1\.50\/(24|255\.255\.255\.0) 10\.9\.1\.1 lan 60/)
    reaches(space)
    // By itself it would wait for a minute at least.
    client.signal('SIGUSR1')
    await client.says(/script: renew 10\.9\.1\.50/)
    client.signal('SIGTERM')
    await client.ended
    const { notes, failure } = await live.stop()
    expect(failure).toBeNull()
    expect(notes).toEqual({ leased: 2, released: 1 })
  }, 30_000)
})

describe.skipIf(!needs('dhclient', 'ping', 'curl'))('our server and dhclient', () => {
  test('it is lent an address and renews it', async () => {
    const { space, live } = await lending(4)
    desk.write('dhclient.sh', DHCLIENT_SCRIPT)
    space.run('chmod', '+x', `${desk.path}/dhclient.sh`)
    const files = ['-sf', 'dhclient.sh', '-lf', 'dhclient.leases', '-pf', 'dhclient.pid']
    const paths = files.map((file) => (file.startsWith('-') ? file : `${desk.path}/${file}`))
    const client = space.start('dhclient', '-4', '-1', '-d', '-cf', '/dev/null', ...paths, 'tap0')
    await client.says(/script: BOUND 10\.9\.1\.50 255\.255\.255\.0 10\.9\.1\.1 lan/)
    reaches(space)
    await client.says(/script: RENEW 10\.9\.1\.50/)
    const { notes, failure } = await live.stop()
    expect(failure).toBeNull()
    expect(notes['leased']).toBeGreaterThanOrEqual(2)
  }, 30_000)
})
