import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomBytes } from '../sim/two-hosts.ts'
import { Namespace, needs } from '../wire/namespace.ts'
import { Desk, PROGRAM } from './program.ts'

const content = randomBytes(50_321, 1)

describe.runIf(needs('tcpdump'))('two namespaces and a cable', () => {
  const desk = new Desk()
  let [a, b] = [null, null] as unknown as [Namespace, Namespace]
  const path = (name: string) => join(desk.path, name)

  beforeAll(() => {
    a = new Namespace()
    b = new Namespace()
    a.ip(`link add e0 type veth peer name e0 netns ${b.name}`)
    for (const [i, each] of [a, b].entries()) {
      each.ip(`addr add 10.78.0.${i + 1}/24 dev e0`)
      each.ip('link set e0 up')
    }
    desk.write('in.bin', content)
    desk.write('text', 'a line of a text that is compressed well\n'.repeat(500))
    desk.write('key', 'a secret of more than sixteen bytes')
  })
  afterAll(() => {
    a?.remove()
    b?.remove()
    desk.clear()
  })

  test('a file as a session of IP protocol 253', async () => {
    const receiver = b.start(PROGRAM, 'tunnel', 'receive', path('out.bin'))
    await receiver.says(/waits/)
    const sender = a.run(PROGRAM, 'tunnel', 'send', '10.78.0.2', path('in.bin'))
    expect(sender.err).toMatch(/1 of 1 receivers have the file: 50321 bytes/)
    expect(sender.code).toBe(0)
    expect(await receiver.ended).toBe(0)
    expect(desk.read('out.bin').equals(content)).toBe(true)
  })

  test('authenticated and compressed, over a path that takes less than the units asked for', async () => {
    a.ip('link set e0 mtu 1000')
    const receiver = b.start(PROGRAM, 'tunnel', 'receive', path('out'), '--key', path('key'))
    await receiver.says(/waits/)
    const options = ['--key', path('key')]
    const sender = a.run(PROGRAM, 'tunnel', 'send', '10.78.0.2', path('in.bin'), ...options)
    a.ip('link set e0 mtu 1500')
    expect(sender.err).toMatch(/the path takes no more: units of 508 bytes/)
    expect(sender.code).toBe(0)
    expect(await receiver.ended).toBe(0)
    expect(desk.read('out').equals(content)).toBe(true)
  })

  test('the original’s packets there and back, as tcpdump sees them', async () => {
    desk.write('salam', 'hello!\n my'.padEnd(70, '.') + 'igili')
    const capture = a.start('tcpdump', '-i', 'e0', '-nn', '-l', '-x', 'ip proto 253')
    await capture.says(/listening/)
    const seed = (rest: string) => ['tunnel', ...rest.split(' '), '--profile', 'seed']
    const relay = b.start(PROGRAM, ...seed('relay --local 10.78.0.2 --from 10.78.0.1'))
    await relay.says(/waits/)
    const ends = `send 10.78.0.2 ${path('salam')} --local 10.78.0.1 --out ${path('back')}`
    const sender = a.run(PROGRAM, ...seed(ends))
    expect(sender.code).toBe(0)
    expect(desk.read('back').equals(desk.read('salam'))).toBe(true)
    expect(sender.out).toContain('Received ack packet with sequence number: 7\n')
    await capture.says(/20\.20\.20\.20 > 10\.78\.0\.1.*proto-253 17|20\.20\.20\.20 > 10\.78\.0\.1/)
    relay.signal('SIGINT')
    await relay.ended
    expect(relay.out).toContain('ack sent for packet 7\n')
    capture.signal('SIGINT')
    await capture.ended
    // The last chunk: number 7, no more, inside and outside.
    const hex = capture.out.replaceAll(/\n\t0x[0-9a-f]{4}: {2}/g, ' ').replaceAll(' ', '')
    expect(hex).toContain('000000070000000000000001450000250007000040fd')
    // Nobody was told that there is no such protocol.
    expect(capture.out).not.toContain('unreachable')
  })

  test('nobody is there: exit 1', () => {
    const sender = a.run(
      PROGRAM,
      'tunnel',
      'send',
      '10.78.0.2',
      path('salam'),
      '--json',
      '--retries',
      '1',
    )
    expect(sender.code).toBe(1)
    expect(JSON.parse(sender.out)).toMatchObject({ schema: 1, result: 'failed' })
  }, 60_000)
})

test('nonsense is one line, and exit 2', () => {
  const desk = new Desk()
  desk.write('in', 'x')
  for (const args of [
    ['send', '10.0.0.1', 'none'],
    ['send', '10.0.0.1', 'in', '--profile', 'sed'],
    ['send', '10.0.0.1', 'in', '--profile', 'seed'],
    ['send', '10.0.0.1', 'in', '--unit', '0'],
    ['receive', 'no/such/file'],
    ['carry', '10.0.0.1'],
    ['carry', '10.0.0.1', '--tun', 't0', '--tap', 't1'],
    ['carry', '10.0.0.1', '--tun', 't0', '--address', '10.9.0.1'],
    ['carry', '10.0.0.1', '--tun', 't0', '--mtu', '100'],
    ['carry', '10.0.0.1', '--tun', 't0', '--order', 'flows'],
    ['carry', '10.0.0.1', '--tun', 't0', '--key', 'in'],
    ['relay', '--from', '10.0.0.1', '--shape', 'round', '--local', '10.0.0.2'],
  ]) {
    const { code, err } = desk.run('tunnel', ...args)
    expect([args.join(' '), code, err.split('\n').length]).toEqual([args.join(' '), 2, 2])
  }
  desk.clear()
})
