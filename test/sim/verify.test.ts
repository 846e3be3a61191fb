import { describe, expect, test } from 'vitest'
import { MemoryFiles } from '../../sim/files.ts'
import { stream } from '../../sim/random.ts'
import { runScenario } from '../../sim/run.ts'
import {
  defineScenario,
  type LinkBetween,
  type LinkSpec,
  type NodeSpec,
  type Program,
  type Scenario,
} from '../../sim/scenario.ts'
import { verifyScenario } from '../../sim/verify.ts'
import { randomBytes, twoHosts } from './two-hosts.ts'

const files = new MemoryFiles()
const verify = (scenario: Scenario, seed = '1') => verifyScenario(scenario, { seed, files })

/** One transfer each way over the same connection, and a ping and datagrams beside it. */
const talk = (bytes: number, to: string): { a: Program[]; b: Program[] } => ({
  a: [
    async (host) => {
      const socket = await host.connect(to, 80)
      // Reads while it writes, or two full buffers would wait for each other for ever.
      const back = socket.receiveAll()
      await socket.send(randomBytes(bytes, 1))
      socket.shutdown()
      host.note('back', (await back).length)
      socket.close()
    },
    async (host) => {
      await host.ping(to, { timeout: '300ms' })
      const socket = host.udp()
      for (let i = 0; i < 5; i++) {
        socket.sendTo(randomBytes(300, i), to, 7)
        await host.sleep('17ms')
      }
    },
  ],
  b: [
    async (host) => {
      const socket = await host.listen(80).accept()
      for await (const part of socket) await socket.send(part)
      socket.close()
    },
    (host) => {
      host.udp(7)
    },
  ],
})

describe('the ways to run agree under every combination of impairments:', () => {
  const impairments: readonly LinkSpec[] = [
    { loss: '8%' },
    { duplicate: '8%' },
    { reorder: '15%' },
    { corrupt: '8%' },
    { jitter: '4ms' },
    { rate: '2Mbit', queue: '6 frames' },
  ]
  const combinations = Array.from({ length: 1 << impairments.length }, (_, bits) =>
    impairments.filter((_, i) => (bits >> i) & 1),
  )
  test.each([0, 1, 2, 3])('quarter %i of 64', { timeout: 120_000 }, async (quarter) => {
    const digests = new Set<string>()
    for (const parts of combinations.filter((_, i) => i % 4 === quarter)) {
      const link: LinkSpec = Object.assign({ delay: '10ms' }, ...parts) as LinkSpec
      const scenario = twoHosts({ ...talk(12_000, '10.0.0.2'), link })
      const { difference, digest } = await verify(scenario)
      expect(difference, JSON.stringify(link)).toBeNull()
      digests.add(digest!)
    }
    // Each combination is a run of its own.
    expect(digests.size).toBe(16)
  })
})

/** A chain of routers with random links, hosts at its ends; all of it follows from the number. */
function randomNetwork(number: number): Scenario {
  const draw = stream('random networks', String(number))
  const upTo = (n: number) => Math.floor(draw() * n)
  const routers = upTo(4)
  const names = ['a', ...Array.from({ length: routers }, (_, i) => `r${i}`), 'b']
  const topology: { [name: string]: NodeSpec } = {}
  const tcp = {
    nagle: draw() < 0.5,
    timestamps: draw() < 0.7,
    sackPermitted: draw() < 0.7,
    windowScale: draw() < 0.7,
    sendBuffer: 4096 << upTo(6),
    receiveBuffer: 4096 << upTo(6),
    rtoMin: `${200 + upTo(800)}ms`,
  }
  for (const name of names)
    topology[name] = name === 'a' || name === 'b' ? { kind: 'host', tcp } : 'router'
  const links = names.slice(1).map((name, i): LinkBetween => {
    const impaired = (most: number) => (draw() < 0.5 ? draw() * most : 0)
    return {
      ends: { [names[i]!]: `10.0.${i}.1/24`, [name]: `10.0.${i}.2/24` },
      delay: upTo(20e6),
      jitter: draw() < 0.5 ? upTo(1e6) : 0,
      loss: impaired(0.08),
      duplicate: impaired(0.05),
      reorder: impaired(0.1),
      corrupt: impaired(0.05),
      ...(draw() < 0.6 ? { rate: 1e6 + upTo(20e6), queue: `${5 + upTo(50)} frames` } : {}),
      mtu: 600 + upTo(900),
    }
  })
  const { a, b } = talk(5_000 + upTo(20_000), `10.0.${names.length - 2}.2`)
  return defineScenario({ name: 'random', topology, links, programs: { a, b } })
}

test('the ways to run agree on random networks', { timeout: 120_000 }, async () => {
  for (let number = 0; number < 24; number++) {
    const { difference } = await verify(randomNetwork(number), String(number))
    expect(difference, `network ${number}`).toBeNull()
  }
})

describe('a digest', () => {
  test('is another one for another seed where chance plays', async () => {
    const digestOf = async (seed: string, link: LinkSpec) => {
      const scenario = twoHosts({ ...talk(20_000, '10.0.0.2'), link })
      return (await runScenario(scenario, { seed, files })).digest
    }
    const seeds = ['1', '2', 'three', '']
    const lossy = await Promise.all(seeds.map((seed) => digestOf(seed, { loss: '5%' })))
    expect(new Set(lossy).size).toBe(4)
    expect(await digestOf('three', { loss: '5%' })).toBe(lossy[2])
  })
})

describe('what differs is shown:', () => {
  test('a program that remembers the run before', async () => {
    let runs = 0
    const scenario = twoHosts({
      a: async (host) => {
        const socket = host.udp(99)
        for (let i = 0; i < 3; i++) socket.sendTo('same', '10.0.0.2', 7)
        socket.sendTo(`run ${Math.min(++runs, 2)}`, '10.0.0.2', 7)
      },
    })
    const { digest, difference } = await verify(scenario)
    expect(digest).toBeNull()
    expect(difference!.ground).toBe('repeated')
    // open, opened and bind; ARP; three times the call that waits for it; the fourth differs.
    expect(difference!.expected!.kind).toBe('call')
    expect(difference!.record).toBeGreaterThan(5)
  })

  test('a run that ends earlier', async () => {
    let runs = 0
    const scenario = twoHosts({
      a: async (host) => {
        runs += 1
        // The run that is compared, and the run that fetches its record, send nothing.
        if (runs === 1 || runs === 3) host.udp().sendTo('x', '10.0.0.2', 7)
      },
    })
    const { difference } = await verify(scenario)
    expect(difference).toMatchObject({ ground: 'repeated', record: 1, actual: null })
    expect(difference!.what).toBe('it has ended where the plain run goes on')
  })
})
