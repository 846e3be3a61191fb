import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ms, type Nanos, s } from '../../protocols/time.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { HostClock } from '../../sim/host-clock.ts'
import { runScenario } from '../../sim/run.ts'
import { type ClockSpec, defineScenario } from '../../sim/scenario.ts'

test('50 ppm fast gains 50 µs a second, from where the skew put it', () => {
  const clock = new HostClock(7, 50_000)
  expect(clock.toLocal(0)).toBe(7)
  expect(clock.toLocal(s(1))).toBe(s(1) + 50_000 + 7)
  expect(clock.toLocal(s(100_000))).toBe(s(100_000) + 5_000_000_000 + 7)
  expect(clock.toLocal(10_000)).toBe(10_007) // half a nanosecond is not shown yet
  expect(clock.toLocal(20_000)).toBe(20_008)
})

test('slow: the clock never goes back', () => {
  const clock = new HostClock(0, -100_000)
  for (let t = 0; t < 50_000; t++) {
    expect(clock.toLocal(t + 1)).toBeGreaterThanOrEqual(clock.toLocal(t))
  }
  expect(clock.toLocal(s(10))).toBe(s(10) - 1_000_000)
})

test('toWorld is the first instant at which the clock shows a time', () => {
  const instant = fc.integer({ min: 0, max: 1e14 })
  const drift = fc.integer({ min: -5_000_000, max: 5_000_000 })
  const skew = fc.integer({ min: -1e9, max: 1e9 })
  fc.assert(
    fc.property(instant, drift, skew, (local, ppb, off) => {
      const clock = new HostClock(off, ppb)
      const world = clock.toWorld(local)
      expect(clock.toLocal(world)).toBeGreaterThanOrEqual(local)
      if (world > 0) expect(clock.toLocal(world - 1)).toBeLessThan(local)
    }),
    { seed: 7, numRuns: 500 },
  )
  expect(new HostClock(0, 3).toWorld(Infinity)).toBe(Infinity)
})

test('a fast host times out early by the world’s clock, and programs see their host’s time', async () => {
  const times: Nanos[] = []
  const scenario = defineScenario({
    name: 'clocks',
    topology: {
      a: { kind: 'host', clock: { skew: '-2ms', drift: '1000ppm' } },
      b: 'host',
    },
    links: [
      {
        ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' },
        delay: '1ms',
        to: { b: { drop: ['first SYN', 'second SYN'] } },
      },
    ],
    programs: {
      a: async (host) => {
        host.note('starts at', host.now)
        await host.connect('10.0.0.2', 80)
      },
      b: async (host) => {
        host.note('b starts at', host.now)
        await host.listen(80).accept()
      },
    },
    until: '20s',
  })
  const options = { seed: '1', files: new MemoryFiles() }
  const outcome = await runScenario(scenario, {
    ...options,
    observers: [
      (r) => {
        if (r.kind === 'event' && r.said.kind === 'timer') times.push(r.at)
      },
    ],
  })
  expect(outcome.notes).toEqual({ 'starts at': ms(-2), 'b starts at': 0 })
  // The SYN's timer runs 1 s, then 2 s, of a clock that gains a microsecond every millisecond. Its
  // first instant at or past 1 s is 1 s + 1 ns, so the second deadline is 3 s + 1 ns.
  expect(times.slice(0, 2)).toEqual([999_001_000, 2_997_002_999])
  const recorded = await runScenario(scenario, { ...options, recorded: true, wireExact: true })
  expect(recorded.digest).toBe(outcome.digest)
})

test.each([
  [{ skew: '5' }, /clock\.skew: '5' has no unit|'5' has no unit/],
  [{ drift: '50' }, /'50' is no drift/],
  [{ drift: '9000ppm' }, /at most 5000ppm/],
  [{ drif: '5ppm' }, /unknown key 'drif'/],
])('bad clocks: %j', async (clock, line) => {
  const scenario = defineScenario({
    name: 'clocks',
    topology: { a: { kind: 'host', clock: clock as ClockSpec }, b: 'host' },
    links: [],
  })
  await expect(runScenario(scenario, { seed: '1', files: new MemoryFiles() })).rejects.toThrow(line)
})
