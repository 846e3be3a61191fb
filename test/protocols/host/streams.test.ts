import { expect, test } from 'vitest'
import { equalBytes } from '../../../protocols/bytes.ts'
import { MemoryFiles } from '../../../sim/files.ts'
import type { Host } from '../../../sim/programs.ts'
import { stream } from '../../../sim/random.ts'
import { runScenario } from '../../../sim/run.ts'
import { defineScenario } from '../../../sim/scenario.ts'
import type { TcpSocket } from '../../../sim/tcp-socket.ts'
import { assertStreamBytes, streamBytes } from '../../../sim/testing/stream-bytes.ts'

// Bytes both ways at once over bad links, with small buffers, slow readers and odd writes: every
// byte arrives in order, both sides end in order, nothing hangs.

const LENGTH = 40_000

async function write(host: Host, socket: TcpSocket): Promise<void> {
  const random = host.random('writes')
  for (let at = 0; at < LENGTH;) {
    const size = Math.min(1 + Math.floor(random() ** 3 * 9000), LENGTH - at)
    await socket.send(streamBytes(at, size))
    at += size
    if (random() < 0.1) await host.sleep(Math.floor(random() * 3e8))
  }
  socket.shutdown()
}

async function read(host: Host, socket: TcpSocket): Promise<number> {
  const random = host.random('reads')
  let at = 0
  for (;;) {
    const bytes = await socket.receive(1 + Math.floor(random() * 5000))
    if (bytes === null) return at
    assertStreamBytes(bytes, at, host.name)
    at += bytes.length
    if (random() < 0.1) await host.sleep(Math.floor(random() * 4e8))
  }
}

async function talk(host: Host, socket: TcpSocket): Promise<void> {
  const [, got] = await Promise.all([write(host, socket), read(host, socket)])
  host.note(`${host.name} read`, got)
  socket.close()
}

/** The impairments and buffers of one seed. */
function scenario(seed: string) {
  const random = stream(seed, 'plan')
  const chance = (most: number): number => (random() < 0.5 ? 0 : random() * most)
  const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!
  const tcp = () => ({
    receiveBuffer: pick(1000, 3000, 20_000, 1 << 20),
    sendBuffer: pick(500, 4000, 1 << 20),
    nagle: random() < 0.5,
    timestamps: random() < 0.5,
    windowScale: random() < 0.5,
    mss: pick(100, 536, 1460),
  })
  return defineScenario({
    name: 'streams',
    topology: { a: { kind: 'host', tcp: tcp() }, b: { kind: 'host', tcp: tcp() } },
    links: [
      {
        ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' },
        delay: pick('0ms', '5ms', '50ms'),
        loss: chance(0.1),
        duplicate: chance(0.1),
        reorder: chance(0.2),
        corrupt: chance(0.05),
      },
    ],
    programs: {
      a: async (host) => talk(host, await host.connect('10.0.0.2', 80)),
      b: async (host) => talk(host, await host.listen(80).accept()),
    },
  })
}

test('a hundred seeds of everything at once', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const where = `seed ${seed}`
    const outcome = await runScenario(scenario(String(seed)), {
      seed: String(seed),
      files: new MemoryFiles(),
      until: 36e12,
    })
    expect([where, outcome.failure]).toEqual([where, null])
    expect([where, outcome.notes]).toEqual([where, { 'a read': LENGTH, 'b read': LENGTH }])
  }
})

test('the bytes of a stream depend on their place', () => {
  expect(equalBytes(streamBytes(0, 100), streamBytes(1, 100))).toBe(false)
  expect(equalBytes(streamBytes(0, 100).subarray(40), streamBytes(40, 60))).toBe(true)
  expect(() => assertStreamBytes(streamBytes(7, 9), 8, 'here')).toThrow('here: byte 8')
})
