import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk, PROGRAM } from '../cli/program.ts'
import { randomBytes } from '../sim/two-hosts.ts'
import { type Child, Namespace, needs } from './namespace.ts'

// Two kernels, each in a namespace with a TUN, and what the tunnel between them carries.

const able = needs('ping', 'python3', 'tcpdump')

const SEND = `import socket,sys
s = socket.create_connection((sys.argv[1], 5000), 30)
s.sendall(open(sys.argv[2], 'rb').read()); s.shutdown(1); s.recv(1)`
const RECEIVE = `import hashlib,socket
l = socket.socket(socket.AF_INET6); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
l.bind(('::', 5000)); l.listen(); print('listening', flush=True)
s = l.accept()[0]; h = hashlib.sha256()
for part in iter(lambda: s.recv(65536), b''): h.update(part)
print(h.hexdigest(), flush=True)`

describe.skipIf(!able)('a tunnel between two namespaces', () => {
  const desk = new Desk()
  const content = randomBytes(3_000_000, 1)
  const hash = createHash('sha256').update(content).digest('hex')
  const file = join(desk.path, 'in.bin')
  const key = join(desk.path, 'key')
  let [east, middle, west] = [null, null, null] as unknown as [Namespace, Namespace, Namespace]

  beforeAll(() => {
    desk.write('in.bin', content)
    desk.write('key', 'a secret of more than sixteen bytes')
    ;[east, middle, west] = [new Namespace(), new Namespace(), new Namespace()]
    for (const [i, each] of [east, west].entries()) {
      // On a cable of their own, and on one through a namespace where frames can be lost.
      each.ip(`link add m0 type veth peer name m${i + 1} netns ${middle.name}`)
      middle.ip(`link set m${i + 1} up`)
      if (i === 0) each.ip(`link add v0 type veth peer name v0 netns ${west.name}`)
      each.ip(`addr add 10.79.0.${i + 1}/24 dev v0`)
      each.ip(`addr add 10.80.0.${i + 1}/24 dev m0`)
    }
    for (const each of [east, west]) for (const dev of ['v0', 'm0']) each.ip(`link set ${dev} up`)
  })
  afterAll(() => {
    for (const each of [east, middle, west]) each?.remove()
    desk.clear()
  })

  const start = (namespace: Namespace, remote: string, own: string, ...options: string[]): Child =>
    namespace.start(PROGRAM, 'tunnel', 'carry', remote, '--address', own, '--json', ...options)

  /** Runs both ends while `act` does; what each of them counted. */
  async function tunnel(
    options: string[],
    act: () => void | Promise<void>,
    net = '10.79.0',
  ): Promise<{ [counter: string]: number }[]> {
    const ends = [
      start(east, `${net}.2`, '10.9.0.1/30', ...options),
      start(west, `${net}.1`, '10.9.0.2/30', ...options),
    ]
    try {
      await Promise.all(ends.map((end) => end.says(/^up: /m)))
      await act()
    } finally {
      for (const end of ends) end.signal('SIGINT')
    }
    expect(await Promise.all(ends.map((end) => end.ended))).toEqual([0, 0])
    return ends.map(({ out }) => JSON.parse(out) as { [counter: string]: number })
  }
  const ping = (...args: string[]) => east.run('ping', '-q', '-i', '0.05', ...args).out

  async function carryFile(to = '10.9.0.2'): Promise<void> {
    const receiver = west.start('python3', '-c', RECEIVE)
    await receiver.says(/listening/)
    const sender = east.run('python3', '-c', SEND, to, file)
    expect(sender.err).toBe('')
    await receiver.ended
    expect(receiver.out).toContain(hash)
  }

  test('ping and a file over TCP; outside there are packets of protocol 253 alone', async () => {
    const capture: Child[] = []
    const [near, far] = await tunnel(['--tun', 't0'], async () => {
      capture.push(east.start('tcpdump', '-i', 'v0', '-nn', '-c', '500', 'not arp'))
      await capture[0]!.says(/listening/)
      expect(ping('-c', '10', '10.9.0.2')).toContain(' 0% packet loss')
      await carryFile()
      // What fills the MTU of the TUN goes through, and the kernel knows what does not.
      expect(east.run('ip', 'link', 'show', 't0').out).toContain('mtu 1462 ')
      expect(ping('-W', '1', '-c', '1', '-M', 'do', '-s', String(1462 - 28), '10.9.0.2')).toContain(
        '1 received',
      )
      expect(ping('-W', '1', '-c', '1', '-M', 'do', '-s', String(1463 - 28), '10.9.0.2')).toContain(
        '0 received',
      )
    })
    await capture[0]!.ended
    const lines = capture[0]!.out.split('\n').filter((line) => line.includes(' IP '))
    expect(lines).toHaveLength(500)
    expect(lines.filter((line) => !line.includes('ip-proto-253'))).toEqual([])
    expect([near!['givenUp'], near!['queueDrops']]).toEqual([0, 0])
    expect(far!['handedOver']).toBeGreaterThan(content.length / 1462)
    // It is gone with the command.
    expect(east.run('ip', 'link', 'show', 't0').code).not.toBe(0)
  }, 60_000)

  test('through a link that loses a tenth, sealed and compressed: nothing of it is seen inside', async () => {
    const emulate = ['emulate', 'm1', 'm2', '--loss', '10%', '--delay', '5ms']
    const link = middle.start(PROGRAM, ...emulate)
    await link.says(/^emulate: /m)
    const options = ['--tun', 't0', '--key', key, '--compress']
    const act = async () => {
      expect(ping('-c', '60', '10.9.0.2')).toContain(' 0% packet loss')
      await carryFile()
    }
    const [near] = await tunnel(options, act, '10.80.0')
    link.signal('SIGINT')
    await link.ended
    // A tenth of what goes one way is lost, and more than that again in acknowledgements.
    expect(near!['resent']! / near!['sent']!).toBeGreaterThan(0.05)
    expect(near!['givenUp']).toBe(0)
  }, 60_000)

  test('a narrow path is measured, and the TUN gets its MTU', async () => {
    for (const each of [east, west]) each.ip('link set v0 mtu 1300')
    await tunnel(['--tun', 't0', '--key', key], async () => {
      // 1300 is no size that is tried: the next one below is.
      expect(east.run('ip', 'link', 'show', 't0').out).toContain(`mtu ${1280 - 20 - 18 - 22} `)
      await carryFile()
    })
    for (const each of [east, west]) each.ip('link set v0 mtu 1500')
  }, 60_000)

  test('IPv6 inside, and Ethernet frames of a TAP', async () => {
    for (const each of [east, west]) {
      for (const which of ['all', 'default']) {
        each.run('sysctl', '-qw', `net.ipv6.conf.${which}.disable_ipv6=0`)
      }
    }
    const addresses = ['fd09::1/64', 'fd09::2/64']
    for (const device of ['tun', 'tap']) {
      const ends = [
        start(east, '10.79.0.2', '10.9.0.1/30', `--${device}`, 'x0', '--address', addresses[0]!),
        start(west, '10.79.0.1', '10.9.0.2/30', `--${device}`, 'x0', '--address', addresses[1]!),
      ]
      await Promise.all(ends.map((end) => end.says(/^up: /m)))
      // An address of a TAP is looked for twice before it is used (RFC 4862).
      const v6 = east.shell(
        'for i in 1 2 3 4 5 6 7 8; do ping -q -c 2 -W 1 fd09::2 && break; sleep 0.3; done',
      )
      expect(v6.out).toContain('2 received')
      expect(ping('-c', '3', '10.9.0.2')).toContain(' 0% packet loss')
      await carryFile('fd09::2')
      for (const end of ends) end.signal('SIGINT')
      await Promise.all(ends.map((end) => end.ended))
    }
  }, 60_000)

  test('one end is killed and started again: the tunnel comes back by itself', async () => {
    const near = start(east, '10.79.0.2', '10.9.0.1/30', '--tun', 't0', '--key', key)
    const first = start(west, '10.79.0.1', '10.9.0.2/30', '--tun', 't0', '--key', key)
    await Promise.all([near, first].map((end) => end.says(/^up: /m)))
    first.signal('SIGKILL')
    await first.ended
    const second = start(west, '10.79.0.1', '10.9.0.2/30', '--tun', 't0', '--key', key)
    await second.says(/^up: /m)
    await near.says(/^down: .*restarted[^]*^up: /m)
    expect(ping('-c', '5', '10.9.0.2')).toContain(' 0% packet loss')
    for (const end of [near, second]) end.signal('SIGINT')
    expect(await Promise.all([near.ended, second.ended])).toEqual([0, 0])
  }, 60_000)

  test('nobody is there, or nobody with the key: exit 1 with --wait', async () => {
    const wait = ['--tun', 't0', '--wait', '700ms']
    const alone = start(east, '10.79.0.2', '10.9.0.1/30', ...wait)
    expect(await alone.ended).toBe(1)
    expect(alone.err).toContain('nobody answers at 10.79.0.2')
    const ends = [
      start(east, '10.79.0.2', '10.9.0.1/30', ...wait, '--key', key),
      start(west, '10.79.0.1', '10.9.0.2/30', ...wait),
    ]
    expect(await Promise.all(ends.map((end) => end.ended))).toEqual([1, 1])
  }, 60_000)
})
