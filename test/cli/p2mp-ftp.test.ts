import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { randomBytes } from '../sim/two-hosts.ts'
import { Namespace, needs } from '../wire/namespace.ts'
import { Desk, freeUdpPort, PROGRAM } from './program.ts'

const desk = new Desk()
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  desk.clear()
})

interface Running {
  readonly ended: Promise<number | null>
  out: string
  err: string
}

/** Starts a command, and waits until it says something that matches. */
async function start(ready: RegExp, command: string, ...args: string[]): Promise<Running> {
  const child = spawn(command, args, { cwd: desk.path, env: desk.env })
  children.push(child)
  const running = {
    out: '',
    err: '',
    ended: new Promise<number | null>((end) => child.on('close', end)),
  }
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (ready.test(running.out + running.err)) resolve()
    }
    child.stdout.on('data', (text) => {
      running.out += String(text)
      look()
    })
    child.stderr.on('data', (text) => {
      running.err += String(text)
      look()
    })
    child.on('close', () => reject(new Error(`${command} ended: ${running.out}${running.err}`)))
  })
  return running
}

const content = randomBytes(60_123, 1)
desk.write('in.bin', content)
const lines = (text: string) => text.split('\n').filter((line) => line !== '')

describe('over loopback', () => {
  test('a session: the course’s lines on stdout, the rest on stderr', async () => {
    const port = await freeUdpPort()
    const server = await start(
      /waits/,
      PROGRAM,
      'p2mp-ftp',
      'server',
      port,
      'a.bin',
      '0',
      '--lose',
      '3,7',
    )
    const client = desk.run('p2mp-ftp', 'client', '127.0.0.1', port, 'in.bin', '1000')
    expect(client).toMatchObject({ code: 0 })
    expect(client.err).toMatch(
      /^1 of 1 receivers have the file: 60123 bytes in .*, 63 packets, 2 of/,
    )
    expect(await server.ended).toBe(0)
    expect(lines(server.out)).toEqual([
      'Packet loss, sequence number = 3',
      'Packet loss, sequence number = 7',
    ])
    expect(desk.read('a.bin').equals(content)).toBe(true)
    expect(desk.names).toEqual(['a.bin', 'in.bin'])
  })

  test('compressed and authenticated; another key gets nothing', async () => {
    desk.write('key', 'a secret of more than sixteen bytes\n')
    desk.write('other', 'another secret of that many bytes\n')
    desk.write('text', 'the same line again and again\n'.repeat(5000))
    const port = await freeUdpPort()
    const server = await start(
      /waits/,
      PROGRAM,
      'p2mp-ftp',
      'server',
      port,
      'b.txt',
      '0.1',
      '--key',
      'key',
    )
    const wrong = desk.run(
      'p2mp-ftp',
      'client',
      '127.0.0.1',
      port,
      'text',
      '1000',
      '--key',
      'other',
      '--retries',
      '1',
      '--timeout',
      '100ms',
    )
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.err).toMatch(/127.0.0.1: no answer/)
    const right = ['127.0.0.1', port, 'text', '1000', '--key', 'key', '--compress', '--json']
    const client = desk.run('p2mp-ftp', 'client', ...right)
    expect(client.code).toBe(0)
    expect(JSON.parse(client.out)).toMatchObject({ schema: 1, result: 'finished', bytes: 150_000 })
    expect(JSON.parse(client.out).units).toBeLessThan(10)
    expect(await server.ended).toBe(0)
    expect(desk.read('b.txt').equals(desk.read('text'))).toBe(true)
  })

  test('nobody is there: bounded, exit 1; nonsense: one line, exit 2', async () => {
    const port = await freeUdpPort()
    const absent = desk.run(
      'p2mp-ftp',
      'client',
      '127.0.0.1',
      port,
      'in.bin',
      '1000',
      '--profile',
      'canonical',
      '--retries',
      '3',
    )
    expect(absent.code).toBe(1)
    expect(lines(absent.out)).toEqual(Array(3).fill('Timeout, sequence number = 0'))
    expect(absent.err).toMatch(/unreachable|no answer/)
    for (const args of [
      ['server', '0', 'x', '0.05'],
      ['server', port, 'x', '1.5'],
      ['server', port, 'no/such/x', '0'],
      ['server', port, 'x', '0', '--profile', 'sead'],
      ['client', '127.0.0.1', port, 'in.bin'],
      ['client', '127.0.0.1', port, 'none.bin', '500'],
      ['client', '127.0.0.1', port, 'in.bin', '0'],
    ]) {
      const { code, err } = desk.run('p2mp-ftp', ...args)
      expect([code, lines(err).length]).toEqual([2, 1])
    }
  })
})

const hasPython = spawnSync('python3', ['--version']).status === 0
if (!hasPython) process.stderr.write('skipped: interoperation needs python3\n')

describe.runIf(hasPython)('with an independent implementation', () => {
  const peer = join(import.meta.dirname, '..', 'data', 'p2mp_peer.py')
  const dialect = ['--profile', 'canonical', '--end', '5557']

  test('our client, its server', async () => {
    const port = await freeUdpPort()
    const server = await start(/ready/, 'python3', peer, 'server', port, 'c.bin')
    const client = desk.run('p2mp-ftp', 'client', '127.0.0.1', port, 'in.bin', '999', ...dialect)
    expect(client.code).toBe(0)
    expect(await server.ended).toBe(0)
    expect(desk.read('c.bin').equals(content)).toBe(true)
  })

  test('its client, our server, which loses some; sessions and packets on one port', async () => {
    const port = await freeUdpPort()
    const options = ['--end', '5557', '--lose', '0,5,61']
    const server = await start(
      /waits/,
      PROGRAM,
      'p2mp-ftp',
      'server',
      port,
      'd.bin',
      '0',
      ...options,
    )
    const client = spawnSync('python3', [peer, 'client', '127.0.0.1', port, 'in.bin', '1000'], {
      cwd: desk.path,
      encoding: 'utf8',
    })
    expect(client.status).toBe(0)
    expect(lines(client.stdout)).toEqual(
      [0, 5, 61].map((sequence) => `Timeout, sequence number = ${sequence}`),
    )
    expect(await server.ended).toBe(0)
    expect(desk.read('d.bin').equals(content)).toBe(true)
  })
})

describe.runIf(needs())('three receivers in namespaces of their own', () => {
  const all: Namespace[] = []
  afterAll(() => {
    for (const each of all) each.remove()
  })

  test('each has the file, and the packets are on three wires', async () => {
    const sender = new Namespace()
    all.push(sender)
    const servers = []
    for (const i of [1, 2, 3]) {
      const receiver = new Namespace()
      all.push(receiver)
      sender.ip(`link add v${i} type veth peer name e0 netns ${receiver.name}`)
      sender.ip(`addr add 10.77.${i}.1/24 dev v${i}`)
      sender.ip(`link set v${i} up`)
      receiver.ip(`addr add 10.77.${i}.2/24 dev e0`)
      receiver.ip('link set e0 up')
      const file = join(desk.path, `r${i}.bin`)
      const server = receiver.start(PROGRAM, 'p2mp-ftp', 'server', '7735', file, '0.05')
      await server.says(/waits/)
      servers.push(server)
    }
    const addresses = [1, 2, 3].map((i) => `10.77.${i}.2`)
    const path = join(desk.path, 'in.bin')
    const client = sender.run(PROGRAM, 'p2mp-ftp', 'client', ...addresses, '7735', path, '1000')
    expect(client.err).toMatch(/^3 of 3 receivers have the file/)
    expect(client.code).toBe(0)
    for (const server of servers) expect(await server.ended).toBe(0)
    for (const i of [1, 2, 3]) expect(desk.read(`r${i}.bin`).equals(content)).toBe(true)
  })

  test('to a group: the sender’s wire carries a packet once for both', async () => {
    const sender = new Namespace()
    all.push(sender)
    const group = ['--group', '239.1.2.3']
    sender.ip('link add br0 type bridge')
    sender.ip('addr add 10.78.0.100/24 dev br0')
    sender.ip('link set br0 up')
    sender.ip('route add 239.0.0.0/8 dev br0')
    const servers = []
    for (const i of [1, 2]) {
      const receiver = new Namespace()
      all.push(receiver)
      sender.ip(`link add v${i} type veth peer name e0 netns ${receiver.name}`)
      sender.ip(`link set v${i} master br0`)
      sender.ip(`link set v${i} up`)
      receiver.ip(`addr add 10.78.0.${i}/24 dev e0`)
      receiver.ip('link set e0 up')
      const serve = [PROGRAM, 'p2mp-ftp', 'server', '7735', join(desk.path, `g${i}.bin`), '0']
      if (i === 1) {
        const lost = receiver.run(...serve, ...group)
        expect(lost.code).toBe(4)
        expect(lost.err).toMatch(/no interface has a way to the group; give it one: ip route add/)
      }
      receiver.ip('route add 239.0.0.0/8 dev e0')
      const lose = i === 1 ? ['--lose', '3,7'] : []
      const server = receiver.start(...serve, ...lose, ...group)
      await server.says(/waits/)
      servers.push(server)
    }
    const path = join(desk.path, 'in.bin')
    const args = ['10.78.0.1', '10.78.0.2', '7735', path, '1000', ...group, '--json']
    const client = sender.run(PROGRAM, 'p2mp-ftp', 'client', ...args)
    expect(client.code).toBe(0)
    expect(
      JSON.parse(client.out.split('\n').findLast((line) => line.startsWith('{'))!),
    ).toMatchObject({
      result: 'finished',
      units: 61,
      grouped: 61,
      receivers: [{ resent: 2 }, { resent: 0 }],
    })
    for (const server of servers) expect(await server.ended).toBe(0)
    for (const i of [1, 2]) expect(desk.read(`g${i}.bin`).equals(content)).toBe(true)
  })
})

test('a group that is none, and one with a key', () => {
  desk.write('key2', 'a secret of more than sixteen bytes\n')
  const refused = (...args: string[]) => {
    const to = ['127.0.0.1', '7735', 'in.bin', '1000']
    const { code, err } = desk.run('p2mp-ftp', 'client', ...to, ...args)
    return `${code} ${err.trim()}`
  }
  expect(refused('--group', '10.0.0.1')).toMatch(
    /^2 error: --group: '10\.0\.0\.1' is no multicast group; /,
  )
  expect(refused('--group', '239.1.2.3', '--key', 'key2')).toMatch(
    /^2 error: --group: each receiver has a key/,
  )
})
