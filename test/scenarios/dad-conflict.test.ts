import { expect, test } from 'vitest'
import dadConflict from '../../scenarios/dad-conflict.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

const run = async (settings: { [name: string]: string } = {}, seed = '1') => {
  const files = new MemoryFiles()
  const { notes, verdict } = await runScenario(dadConflict, { seed, settings, files })
  expect(verdict, `seed ${seed}`).toBe('passed')
  return notes
}

test('who comes later does not take what is there, with every seed', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    expect(await run({}, String(seed))).toEqual({
      a: 'ready after 0 s',
      b: 'an address is taken',
      'a reaches c': 'yes',
      'b reaches c': 'yes',
    })
  }
})

test('of two that ask together one gets it', async () => {
  const yielded = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) {
    const { a, b } = await run({ start: 'together' }, String(seed))
    for (const [name, said] of Object.entries({ a, b })) {
      if (said === 'an address is taken') yielded.add(name)
      // A wait of 0 to 1 s, then a second of silence behind the one probe.
      else expect(Number(/^ready after (.*) s$/.exec(String(said))?.[1])).toBeLessThan(2)
    }
  }
  expect([...yielded].sort()).toEqual(['a', 'b'])
})

test('it is the same in every way of running', async () => {
  for (const start of ['later', 'together']) {
    const options = { seed: '5', settings: { start }, files: new MemoryFiles() }
    expect((await verifyScenario(dadConflict, options)).difference).toBeNull()
  }
})
