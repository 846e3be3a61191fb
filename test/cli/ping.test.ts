import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Namespace, needs } from '../wire/namespace.ts'
import { Desk, PROGRAM } from './program.ts'

const desk = new Desk()
afterAll(() => desk.clear())

describe('over the kernel’s sockets', () => {
  let port = 0
  let said = ''
  const children: ReturnType<typeof spawn>[] = []
  beforeAll(async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    ;({ port } = probe.address() as { port: number })
    probe.close()
    const server = spawn(PROGRAM, [
      'ping',
      'server',
      '--port',
      String(port),
      '--loss',
      '20%',
      '--seed',
      '7',
    ])
    children.push(server)
    await new Promise<void>((resolve) => {
      server.stdout.on('data', (text) => {
        said += String(text)
        if (said.includes('running')) resolve()
      })
    })
  }, 30_000)
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  test('pings are answered or time out, a line each, and the sums are right', async () => {
    const args = [
      'ping',
      'client',
      '--port',
      String(port),
      '-c',
      '8',
      '--timeout',
      '300ms',
      '--json',
    ]
    const { code, out } = desk.run(...args)
    expect(code).toBe(0)
    const reports = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { schema: number; kind: string })
    const kinds = reports.map(({ kind }) => kind)
    expect(reports.every(({ schema }) => schema === 1)).toBe(true)
    expect(kinds.slice(0, -1).every((kind) => kind === 'reply' || kind === 'timeout')).toBe(true)
    const received = kinds.filter((kind) => kind === 'reply').length
    expect(reports.at(-1)).toMatchObject({ kind: 'done', statistics: { sent: 8, received } })
    // Its lines have come in while the client was waited for, and are read now.
    const count = (line: RegExp) => said.match(line)?.length ?? 0
    await expect.poll(() => count(/Ping received from \('127\.0\.0\.1', \d+\)\n/g)).toBe(8)
    await expect.poll(() => count(/Packet loss\n/g)).toBe(8 - received)
  })

  test('a closed port is refused, in the original’s words on demand', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port: closed } = probe.address() as { port: number }
    probe.close()
    const args = ['ping', 'client', '--port', String(closed), '-c', '2', '--profile', 'seed']
    expect(desk.run(...args)).toEqual({
      code: 1,
      err: '',
      out: `[Errno 111] Connection refused
[Errno 111] Connection refused

--- Ping Statistics ---
Packets: Sent = 2, Received = 0, Lost = 2 (100.0% loss)
No packets were received. All requests timed out.
`,
    })
  })
})

const able = needs('sysctl')

describe.skipIf(!able)('over a stack of our own, in a namespace', () => {
  const space = able ? new Namespace() : null
  afterAll(() => space?.remove())

  test('a router’s ICMP errors come back with type and code; silence is a timeout', () => {
    const { run, ip } = { run: space!.run.bind(space), ip: space!.ip.bind(space) }
    run('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    ip('route add unreachable 10.9.0.0/16')
    ip('route add prohibit 10.8.0.0/16')
    ip('route add blackhole 10.7.0.0/16')
    const ping = (host: string) => {
      const own = ['--bind', 'tap:tap0', '--address', '10.0.0.2/24', '--gateway', '10.0.0.1']
      const { out } = run(PROGRAM, 'ping', 'client', host, '-c', '1', '--timeout', '400ms', ...own)
      return out.split('\n')[0]
    }
    expect([ping('10.9.0.1'), ping('10.8.0.1'), ping('10.7.0.1'), ping('10.0.0.1')]).toEqual([
      'Received ICMP error for packet 1: Destination Host Unreachable (type 3, code 1, from 10.0.0.1)',
      'Received ICMP error for packet 1: Communication Administratively Prohibited ' +
        '(type 3, code 13, from 10.0.0.1)',
      'Request timed out for the packet 1',
      'Connection refused for packet 1: nothing listens on that port',
    ])
  })
})
