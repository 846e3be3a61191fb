import { expect, test } from 'vitest'
import arpConflict from '../../scenarios/arp-conflict.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

const run = async (settings: { [name: string]: string } = {}, seed = '1') => {
  const { notes, verdict } = await runScenario(arpConflict, {
    seed,
    settings,
    files: new MemoryFiles(),
  })
  expect(verdict).toBe('passed')
  return notes
}

test('a newcomer that probes yields, with every seed', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { a, c, chatter, ...others } = await run({}, String(seed))
    // PROBE_WAIT up to 1 s, two pauses of 1 to 2 s, ANNOUNCE_WAIT of 2 s.
    const ready = Number(/^ready after (\d\.\d+) s$/.exec(String(a))?.[1])
    expect(ready, `seed ${seed}`).toBeGreaterThanOrEqual(4)
    expect(ready, `seed ${seed}`).toBeLessThan(7)
    expect(c).toBe('the address is taken')
    // A line a second until 60 s, from 4 ms of ARP and 4 ms of handshake later on.
    expect(chatter).toBe(`${Math.ceil(60 - ready - 0.008)} lines`)
    expect(others).toEqual({})
  }
})

test('one that does not ask gets the address, and the connection breaks on both sides', async () => {
  for (const defend of ['once', 'never']) {
    expect(await run({ newcomer: 'announce', defend })).toMatchObject({
      c: 'ready after 20 s',
      chatter: 'EADDRNOTAVAIL',
      'the connection': 'ECONNRESET',
    })
  }
})

test('where neither yields, both think that the address is theirs', async () => {
  const notes = await run({ newcomer: 'announce', defend: 'always' })
  expect(notes).toMatchObject({ a: expect.stringContaining('ready'), c: 'ready after 20 s' })
})

test('a host alone in the world keeps its address', async () => {
  const { c, chatter } = await run({ at: '100s' })
  expect(c).toBeUndefined()
  expect(chatter).toMatch(/^5\d lines$/)
})

test('it is the same in every way of running', async () => {
  for (const newcomer of ['probe', 'announce']) {
    const options = { seed: '5', settings: { newcomer }, files: new MemoryFiles() }
    expect((await verifyScenario(arpConflict, options)).difference).toBeNull()
  }
})
