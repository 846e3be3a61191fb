import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Desk } from '../cli/program.ts'
import { PROGRAM } from './live.ts'
import { Namespace, needs } from './namespace.ts'

// However a live run ends: no process hangs, and the machine is as it was.

const able = needs('ping')

describe.skipIf(!able)('the end of a live run', () => {
  const desk = new Desk()
  let namespace: Namespace

  beforeAll(() => {
    namespace = new Namespace()
    desk.write('throws.ts', THROWS)
  })
  afterAll(() => {
    namespace?.remove()
    desk.clear()
  })

  const state = () => ['link', 'addr', 'route'].map((what) => namespace.run('ip', '-o', what).out)
  const start = async (...args: string[]) => {
    const child = namespace.start(PROGRAM, 'live', ...args)
    await child.says(/^live: /m)
    return child
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('%s: ended in order, nothing left', async (signal) => {
    const before = state()
    const child = await start('ping', '--bind', 'a=tap:tap0', '-w', `${desk.path}/c.pcapng`)
    expect(state()).not.toEqual(before)
    expect(namespace.run('ping', '-c', '1', '10.0.2.1').out).toContain('1 received')
    child.signal(signal)
    expect(await child.ended).toBe(0)
    expect(state()).toEqual(before)
    expect(desk.names.filter((name) => name.endsWith('.part'))).toEqual([])
    expect(desk.read('c.pcapng').length).toBeGreaterThan(100)
  })

  test('the time is up', async () => {
    const before = state()
    const child = await start('live-server', '--bind', 'b=tun:tun0', '--for', '100ms')
    expect(await child.ended).toBe(0)
    expect(state()).toEqual(before)
  })

  test('a program throws: exit code 1, one line', async () => {
    const before = state()
    const child = await start(`${desk.path}/throws.ts`, '--bind', 'b=tap:tap0')
    expect(await child.ended).toBe(1)
    expect(child.err).toMatch(/failed: program on a: Error: on purpose/)
    expect(state()).toEqual(before)
  })

  test('killed: the interface goes with the process', async () => {
    const before = state()
    const child = await start('live-server', '--bind', 'b=tap:tap0')
    child.signal('SIGKILL')
    await child.ended
    expect(state()).toEqual(before)
  })

  test('the interface is deleted: exit code 4, one line, and the recording is kept', async () => {
    const record = `${desk.path}/lost.tw`
    const child = await start('live-server', '--bind', 'b=tap:tap0', '--record', record)
    namespace.run('ping', '-c', '1', '10.0.0.1')
    namespace.ip('link del tap0')
    expect(await child.ended).toBe(4)
    expect(child.err).toMatch(/^error: tap0 is gone \(E\w+\)$/m)
    const { code, out } = desk.run('replay', 'lost.tw')
    expect({ code, same: out.includes('the same run') }).toEqual({ code: 0, same: true })
  })

  test('a persistent TAP keeps what its owner gave it', async () => {
    namespace.ip('tuntap add dev keep0 mode tap')
    namespace.ip('addr add 10.0.0.2/24 dev keep0')
    namespace.ip('link set keep0 mtu 1400 up')
    const facts = () => namespace.run('ip', '-o', 'addr', 'show', 'dev', 'keep0').out
    const mtu = () => /mtu (\d+)/.exec(namespace.run('ip', 'link', 'show', 'keep0').out)![1]
    const before = facts()
    const child = await start('live-server', '--bind', 'b=tap:keep0')
    const { out } = namespace.run('ping', '-c', '3', '-i', '0.05', '-q', '10.0.0.1')
    expect(out).toContain('3 received')
    child.signal('SIGINT')
    expect(await child.ended).toBe(0)
    expect(facts()).toBe(before)
    expect(mtu()).toBe('1400')
    namespace.ip('link del keep0')
  })

  test('an interface that is taken: exit code 4, who has it', async () => {
    const child = await start('live-server', '--bind', 'b=tap:tap0')
    const second = namespace.run(PROGRAM, 'live', 'live-server', '--bind', 'b=tap:tap0')
    expect(second.code).toBe(4)
    expect(second.err).toMatch(/^error: cannot attach to tap0 \(EBUSY\); another process has it/)
    child.signal('SIGINT')
    expect(await child.ended).toBe(0)
  })
})

describe.skipIf(!able)('without root', () => {
  test('in a user namespace of its own, where the system allows it', () => {
    const allowed = spawnSync('unshare', ['-Urn', 'true']).status === 0
    if (!allowed) return void process.stderr.write('skipped: unshare -Urn is refused here\n')
    // A packet socket on its own loopback needs no device node.
    const command = `ip link set lo up; ${PROGRAM} live live-server --bind b=packet:lo --for 300ms`
    const { status, stderr } = spawnSync('unshare', ['-Urn', 'bash', '-c', command], {
      encoding: 'utf8',
    })
    expect({ status, stderr }).toMatchObject({ status: 0 })
  })
})

const THROWS = `import { defineScenario } from 'twinwire'
export default defineScenario({
  name: 'throws',
  about: 'A program that fails.',
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
  programs: {
    a: async (host) => {
      await host.sleep('200ms')
      throw new Error('on purpose')
    },
  },
})
`
