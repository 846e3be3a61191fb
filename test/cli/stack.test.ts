import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Child, Namespace, needs } from '../wire/namespace.ts'
import { Desk, PROGRAM } from './program.ts'

// The stack on a TAP in a namespace, and the kernel's own tools against it.

const desk = new Desk()
afterAll(() => desk.clear())

test('what cannot be is one clear line', () => {
  const refused = (...args: string[]) => {
    const { code, err } = desk.run('stack', ...args)
    return `${code} ${err.trim()}`
  }
  expect([
    refused(),
    refused('--bind', 'tap:tap0'),
    refused('--bind', 'tap:tap0', '--address', '10.0.0.2/24', '--gateway', '10.1.0.1'),
  ]).toEqual([
    "2 error: --bind: the stack stands on no device; write '--bind tap:tap0' or '--bind packet:eth1'",
    "2 error: --address: the stack has no address; write '--address 10.0.0.2/24', --dhcp or --slaac",
    "2 error: --gateway: 10.1.0.1 is in none of the stack's networks",
  ])
})

const able = needs('ping', 'curl', 'nc')

describe.skipIf(!able)('in a namespace', () => {
  const space = able ? new Namespace() : (null as unknown as Namespace)
  let stack: Child
  const shell = (text: string) => space.shell(text).out
  const type = (line: string) => stack.process.stdin!.write(`${line}\n`)
  const hears = (text: string) => stack.says(new RegExp(text.replaceAll(/[.*+?()|[\]\\]/g, '\\$&')))

  beforeAll(async () => {
    mkdirSync(join(desk.path, 'www'))
    writeFileSync(
      join(desk.path, 'www', 'big'),
      new Uint8Array(2_000_000).map((_, i) => i * 13),
    )
    writeFileSync(join(desk.path, 'www', 'hello.txt'), 'Hello from the stack\n')
    const www = join(desk.path, 'www')
    const args = ['--bind', 'tap:tap0', '--address', '10.0.0.2/24', '--www', www]
    stack = space.start(PROGRAM, 'stack', ...args)
    await hears('Ctrl-C ends it')
  }, 30_000)
  afterAll(() => space.remove())

  test('answers ping, curl and nc', () => {
    expect(shell('ping -c 3 -i 0.05 -W 2 10.0.0.2')).toContain('3 received')
    expect(shell('curl -s --max-time 5 http://10.0.0.2/hello.txt')).toBe('Hello from the stack\n')
    expect(
      shell(`curl -s --max-time 10 http://10.0.0.2/big | cmp - ${desk.path}/www/big && echo same`),
    ).toBe('same\n')
    expect(shell('echo over TCP | nc -q 1 -w 2 10.0.0.2 7')).toBe('over TCP\n')
    expect(shell('nc -w 2 10.0.0.2 13')).toMatch(/^\w+day, \w+ \d+, 20\d\d [\d:]+-UTC\r\n$/)
    expect(shell('echo over UDP | nc -u -w 1 10.0.0.2 7')).toBe('over UDP\n')
    // 4 KB are three fragments each way.
    expect(shell('ping -c 1 -s 4000 -W 2 10.0.0.2')).toContain('1 received')
    expect(shell('nc -z -w 2 10.0.0.2 81; echo $?')).toBe('1\n')
  })

  test('its console shows, pings and connects', async () => {
    type('show tcp')
    await hears('LISTEN')
    type('show arp')
    await hears('valid')
    type('ping 10.0.0.1 1')
    await hears('reply from 10.0.0.1: seq=1 ttl=64')
    type('connect 10.0.0.1 9')
    await hears('10.0.0.1:9: ECONNREFUSED')
    type('connect 10.0.0.2 7')
    await hears("connected to 10.0.0.2:7; '.' ends it")
    type('to myself')
    await hears('to myself')
    type('.')
    type('show counters')
    await hears('tx tcp')
    type('nonsense')
    await hears("there is no 'nonsense'")
    type('quit')
    expect(await stack.ended).toBe(0)
  })

  test('clients over a stack of our own reach the kernel', () => {
    const own = ['--bind', 'tap:tap0', '--address', '10.0.0.2/24']
    const icmp = space.run(
      PROGRAM,
      'ping',
      'icmp',
      '10.0.0.1',
      '-c',
      '2',
      '-i',
      '50ms',
      '--size',
      '4000',
      ...own,
    )
    expect(icmp).toMatchObject({ code: 0, err: '' })
    expect(icmp.out).toMatch(/^4000 bytes from 10\.0\.0\.1: seq=1 ttl=64 time=\d+\.\d{3} ms\n/)
    const closed = space.run(PROGRAM, 'echo', 'udp', '10.0.0.1', '7', '-c', '1', ...own)
    expect(closed.code).toBe(1)
    expect(closed.out).toMatch(/^from 10\.0\.0\.1: seq=1 Destination Port Unreachable\n/)
  })
})
