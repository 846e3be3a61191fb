import { expect, test } from 'vitest'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { defineScenario, type Fault, type NodeSpec, type Program } from '../../sim/scenario.ts'

/** What a program on `a` writes down, with the milliseconds of its host's clock; two ways to run. */
async function play(
  program: (say: (what: string) => void) => Program,
  { node = 'host', faults = [] }: { node?: NodeSpec; faults?: Fault[] } = {},
): Promise<string[]> {
  const said: string[] = []
  const scenario = defineScenario({
    name: 'times',
    topology: { a: node, b: 'host' },
    links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms' }],
    programs: {
      a: (host) => program((what) => said.push(`${host.now / 1e6} ${what}`))(host),
      b: async (host) => {
        for await (const socket of host.listen(80)) void socket.receiveAll()
      },
    },
    faults,
    until: '10s',
  })
  const options = { seed: '1', files: new MemoryFiles() }
  const { digest, failure } = await runScenario(scenario, options)
  expect(failure).toBe(null)
  const once = said.splice(0)
  expect((await runScenario(scenario, { ...options, recorded: true })).digest).toBe(digest)
  expect(said).toEqual(once)
  return once
}

test('at: when the clock shows it, and at once where that has passed', async () => {
  const said = await play((say) => async (host) => {
    await host.at('250ms')
    say('at')
    await host.at('100ms')
    say('late')
  })
  expect(said).toEqual(['250 at', '250 late'])
})

test('every: at multiples of the span, however long the body takes', async () => {
  const said = await play((say) => async (host) => {
    for await (const count of host.every('100ms')) {
      say(`tick ${count}`)
      if (count === 3) return
      await host.sleep('70ms')
    }
  })
  expect(said).toEqual(['100 tick 1', '200 tick 2', '300 tick 3'])
})

test('when: behind the event that shows it', async () => {
  const said = await play((say) => async (host) => {
    const established = host.when('state ESTABLISHED on b').then(() => say('b is connected'))
    const anything = host.when((record) => record.kind === 'received').then(() => say('a frame'))
    await host.connect('10.0.0.2', 80)
    say('connected')
    await Promise.all([established, anything])
  })
  // ARP there and back, SYN and its answer; b hears of it 10 ms after a does.
  expect(said).toEqual(['10 a frame', '40 connected', '50 b is connected'])
})

test('a fast clock: programs sleep by it', async () => {
  const times: number[] = []
  const scenario = defineScenario({
    name: 'fast',
    topology: { a: { kind: 'host', clock: { drift: '1000ppm' } } },
    links: [],
    programs: {
      a: async (host) => {
        await host.sleep('1s')
        host.mark('slept')
        times.push(host.now)
      },
    },
  })
  const { marks } = await runScenario(scenario, { seed: '1' })
  // The first instant at which a clock that gains 1 ms a second shows 1 s or more.
  expect(marks['slept']).toBe(999_001_000)
  expect(times).toEqual([1_000_000_001])
})

test('a program does not go on behind a crash, nor before its host is resumed', async () => {
  const ticks: (say: (what: string) => void) => Program = (say) => async (host) => {
    for await (const count of host.every('100ms')) {
      say(`boot ${host.boots} tick ${count}`)
      if (count === 3) return
    }
  }
  const crash: Fault = { at: '150ms', crash: 'a', for: '500ms' }
  expect(await play(ticks, { faults: [crash] })).toEqual([
    '100 boot 1 tick 1',
    '750 boot 2 tick 1',
    '850 boot 2 tick 2',
    '950 boot 2 tick 3',
  ])
  const pause: Fault = { at: '150ms', pause: 'a', for: '100ms' }
  expect(await play(ticks, { faults: [pause] })).toEqual([
    '100 boot 1 tick 1',
    '250 boot 1 tick 2',
    '300 boot 1 tick 3',
  ])
})

test('a condition that means nothing is a user error', async () => {
  const failed = play(() => async (host) => host.when('first blink on a'))
  await expect(failed).rejects.toThrow("'blink' is nothing to wait for")
})
