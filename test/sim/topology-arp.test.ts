import { describe, expect, test } from 'vitest'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { type ArpSpec, defineScenario, type Topology } from '../../sim/scenario.ts'
import { readArp } from '../../sim/topology-arp.ts'
import { planNetwork } from '../../sim/topology.ts'
import { UserError } from '../../sim/user-error.ts'
import { Log } from './two-hosts.ts'

const links = [{ ends: { a: '10.0.0.1/24', b: '10.0.0.1/24' } }]

test('a word, or a record of what differs from it', () => {
  expect(readArp(undefined, 'node a')).toBeNull()
  expect(readArp('off', 'node a')).toBeNull()
  expect(readArp('probe', 'node a')).toEqual({ method: 'probe', defend: 'once', from: 0 })
  expect(readArp('announce', 'node a')).toMatchObject({ method: 'announce' })
  expect(readArp({ defend: 'always', from: '2s' }, 'node a')).toEqual({
    method: 'probe',
    defend: 'always',
    from: 2e9,
  })
})

describe('what cannot be right is one clear line', () => {
  test.each([
    [
      'another word',
      'prob',
      'node a: arp',
      "'prob' is not a way to do this",
      "did you mean 'probe'?",
    ],
    [
      'another defence',
      { defend: 'twice' },
      'node a: arp.defend',
      "'twice' is not",
      'there is never, once, always',
    ],
    ['another key', { defence: 'once' }, 'node a: arp', "unknown key 'defence'", "'defend'"],
    ['a time without a unit', { from: '2' }, 'node a: arp.from', "'2'", ''],
  ])('%s', (_, spec, where, message, hint) => {
    let error: unknown
    try {
      readArp(spec as ArpSpec, 'node a')
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(UserError)
    expect((error as UserError).where).toBe(where)
    expect((error as UserError).message).toContain(message)
    expect((error as UserError).hint ?? '').toContain(hint)
  })
})

test('an address may be there twice where one of the two finds out by itself', () => {
  const plan = (topology: Topology) => () => planNetwork(topology, links)
  expect(plan({ a: 'host', b: 'host' })).toThrow('10.0.0.1 is already an address of a')
  expect(plan({ a: 'host', b: { kind: 'host', arp: 'off' } })).toThrow('already an address')
  expect(plan({ a: 'host', b: { kind: 'host', arp: 'probe' } })).not.toThrow()
  expect(plan({ a: { kind: 'host', arp: 'announce' }, b: 'host' })).not.toThrow()
  const alone = { a: { kind: 'host', arp: 'probe' }, b: 'host' } as const
  const twice = [{ ends: { a: ['10.0.0.1/24', '10.0.0.1/24'], b: '10.0.0.2/24' } }]
  expect(() => planNetwork(alone, twice)).toThrow('already an address of a')
})

test('a host has no address before it may use it, and begins anew after a crash', async () => {
  const log = new Log()
  const scenario = defineScenario({
    name: 'anew',
    topology: { a: { kind: 'host', arp: { method: 'announce', from: '3s' } }, b: 'host' },
    links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms' }],
    programs: {
      a: async (host) => {
        const early = await host.connect('10.0.0.2', 80).then(
          () => 'connected',
          (error: { code: string }) => error.code,
        )
        log.say(host, early)
        await host.ready()
        log.say(host, 'ready')
        const answer = await host.echo('10.0.0.2').request(0x0a000002, 1, new Uint8Array(8), 64)
        log.say(host, answer?.kind ?? 'nothing')
      },
    },
    faults: [{ at: '10s', crash: 'a', for: '2s' }],
  })
  await runScenario(scenario, { seed: '1', files: new MemoryFiles() })
  expect(log.lines).toEqual([
    '0 a ENETUNREACH',
    '3000 a ready',
    // ARP and the echo, 20 ms each.
    '3040 a reply',
    // At once: it is up already when it comes back.
    '12000 a ENETUNREACH',
    '12000 a ready',
    '12040 a reply',
  ])
})
