import { describe, expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { carryEngine } from '../../protocols/tunnel/carry.ts'
import { CARRY_DEFAULTS, createCarry } from '../../protocols/tunnel/carry-state.ts'
import { runScenario } from '../../sim/run.ts'
import type { Host } from '../../sim/programs.ts'
import { defineScenario, type Fault } from '../../sim/scenario.ts'
import { verifyScenario } from '../../sim/verify.ts'

// IPv6 inside, IPv4 outside: two sites that speak nothing else.

const carry = (peer: string, random: number) => (host: Host) => {
  const { boots } = host
  const own = { peer: ip(peer), random: Uint8Array.of(random, boots), epoch: boots * 1000 }
  host.run(carryEngine(null), createCarry({ ...CARRY_DEFAULTS, ...own }))
}

const sites = (faults: readonly Fault[], mtu = 1500) =>
  defineScenario({
    name: 'six-in-four',
    topology: {
      north: 'host',
      a: { kind: 'router', tun: 'fd09::1/64', routes: ['fd02::/64 via fd09::2'] },
      b: { kind: 'router', tun: 'fd09::2/64', routes: ['fd01::/64 via fd09::1'] },
      south: 'host',
    },
    links: [
      { ends: { north: 'fd01::10/64', a: 'fd01::1/64' } },
      { ends: { a: '192.0.2.1/30', b: '192.0.2.2/30' }, delay: '5ms', loss: '10%', mtu },
      { ends: { b: 'fd02::1/64', south: 'fd02::10/64' } },
    ],
    programs: {
      a: carry('192.0.2.2', 1),
      b: carry('192.0.2.1', 2),
      north: async (host) => {
        await host.sleep('2s')
        let answered = 0
        for (let i = 0; i < 10; i++) {
          if ((await host.ping('fd02::10', { timeout: '2s' }))?.kind === 'reply') answered += 1
        }
        host.note('answered', answered)
        const socket = await host.connect('fd02::10', 5000)
        await socket.send(new Uint8Array(100_000))
        socket.shutdown()
        await socket.receive()
        host.note('segment size', socket.info().tcpi_snd_mss)
        socket.close()
      },
      south: async (host) => {
        const socket = await host.listen(5000).accept()
        let bytes = 0
        for await (const part of socket) bytes += part.length
        host.note('bytes', bytes)
        socket.close()
      },
    },
    faults,
    until: '60s',
  })
const scenario = sites([])

describe('a TUN in a topology', () => {
  test('IPv6 goes through, and TCP finds out the size of its segments', async () => {
    const { notes, failure } = await runScenario(scenario, { seed: '1' })
    expect(failure).toBeNull()
    // 1462 bytes, less 40 for IPv6, 20 for TCP and 12 for its stamps.
    expect(notes).toEqual({ answered: 10, bytes: 100_000, 'segment size': 1462 - 72 })
  })

  test('in place, recorded and byte by byte alike', async () => {
    expect((await verifyScenario(scenario, { seed: '2' })).difference).toBeNull()
  })

  test('a gateway crashes and starts again, on paths of any width: all arrives', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fault = { at: `${2200 + 37 * seed}ms`, crash: seed % 3 === 0 ? 'a' : 'b', for: '2s' }
      const scenario = sites([fault], 1500 - 20 * (seed % 5))
      const { notes, failure } = await runScenario(scenario, { seed: String(seed) })
      expect([seed, failure, notes['bytes']]).toEqual([seed, null, 100_000])
    }
  }, 30_000)

  test.each([
    ['10.0.0.1/24', '10.0.0.1 is already an address of a'],
    ['10.9.0.1', "'10.9.0.1'"],
    ['x/24', "'x/24'"],
  ])('a TUN of %s cannot be', async (tun, message) => {
    const wrong = defineScenario({
      name: 'wrong',
      topology: { a: 'host', b: { kind: 'host', tun } },
      links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' } }],
    })
    await expect(runScenario(wrong, { seed: '1' })).rejects.toThrow(message)
  })
})
