import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { Desk, PROGRAM } from '../cli/program.ts'
import { leaveNamespaces, Namespace, needs } from './namespace.ts'

// A stack that is told its addresses: by dnsmasq, and by radvd.

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

describe.skipIf(!needs('dnsmasq', 'ping', 'nc'))('twinwire stack --dhcp', () => {
  test('it has an address from dnsmasq, a way to others, and answers', async () => {
    const space = (namespace = new Namespace())
    const conf = [
      'port=0',
      'interface=tap0',
      'bind-dynamic',
      'dhcp-range=10.9.5.100,10.9.5.100,255.255.255.0,2m',
      'no-ping',
      'dhcp-authoritative',
      `dhcp-leasefile=${desk.path}/leases`,
      'log-dhcp',
      'user=root',
    ]
    desk.write('dnsmasq.conf', `${conf.join('\n')}\n`)
    const file = `--conf-file=${desk.path}/dnsmasq.conf`
    const server = space.start('dnsmasq', '-k', file, '--log-facility=-')
    await server.says(/started/)
    const own = ['--bind', 'tap:tap0', '--dhcp', '--wire-address', '10.9.5.1/24']
    const stack = space.start(PROGRAM, 'stack', ...own)
    await stack.says(/DHCP: 10\.9\.5\.100\/24 on loan for 11\d s more, router 10\.9\.5\.1/)
    const ping = space.run('ping', '-c', '3', '-i', '0.05', '-q', '10.9.5.100')
    expect(ping.out + ping.err).toContain('3 received, 0% packet loss')
    expect(space.shell('echo hello | nc -q 1 -w 2 10.9.5.100 7').out).toBe('hello\n')
    stack.process.stdin!.write('show interfaces\nshow routes\n')
    await stack.says(/10\.9\.5\.100\n[^]*0\.0\.0\.0\/0 +10\.9\.5\.1/)
    stack.process.stdin!.write('quit\n')
    expect(await stack.ended).toBe(0)
  }, 30_000)
})

const RADVD = `interface tap0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  prefix 2001:db8:9::/64 { AdvOnLink on; AdvAutonomous on; };
};
`

describe.skipIf(!needs('radvd', 'ping', 'nc'))('twinwire stack --slaac', () => {
  test('it makes an address of what radvd advertises, and answers with it', async () => {
    const space = (namespace = new Namespace())
    const on = ['all.disable_ipv6=0', 'default.disable_ipv6=0', 'default.accept_dad=0']
    const router = [...on, 'all.forwarding=1'].map((each) => `net.ipv6.conf.${each}`)
    space.run('sysctl', '-qw', ...router)
    const own = ['--bind', 'tap:tap0', '--slaac', '--wire-address', '2001:db8:9::1/64']
    const stack = space.start(PROGRAM, 'stack', ...own)
    await stack.says(/Ctrl-C ends it/)
    desk.write('radvd.conf', RADVD)
    const files = ['-C', `${desk.path}/radvd.conf`, '-p', `${desk.path}/radvd.pid`]
    space.start('radvd', '-n', ...files)
    await stack.says(/IPv6: 2001:db8:9::ff:fe00:1 may be used/)
    const ping = space.run('ping', '-6', '-c', '3', '-i', '0.05', '-q', '2001:db8:9::ff:fe00:1')
    expect(ping.out + ping.err).toContain('3 received, 0% packet loss')
    const echo = space.shell('echo hello | nc -6 -q 1 -w 2 2001:db8:9::ff:fe00:1 7')
    expect(echo.out).toBe('hello\n')
    stack.process.stdin!.write('show routes\n')
    await stack.says(/::\/0 +fe80::/)
    stack.process.stdin!.write('quit\n')
    expect(await stack.ended).toBe(0)
  }, 30_000)
})
