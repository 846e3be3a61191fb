import { expect, test } from 'vitest'
import multicast from '../../scenarios/multicast.ts'
import { MemoryFiles } from '../../sim/files.ts'
import { runScenario } from '../../sim/run.ts'
import { verifyScenario } from '../../sim/verify.ts'

test.each(['false', 'true'])('listeners get what they want, ipv6=%s', async (ipv6) => {
  const settings = { ipv6 }
  const options = { seed: '1', settings, files: new MemoryFiles() }
  const { verdict, notes } = await runScenario(multicast, options)
  expect(verdict).toBe('passed')
  expect(notes).toEqual({ a: 10, b: 5, c: 0 })
  expect((await verifyScenario(multicast, options)).difference).toBeNull()
})

test('with loss each listener misses others', async () => {
  const options = { seed: '3', settings: { loss: '30%', count: '40' }, files: new MemoryFiles() }
  const { verdict, notes } = await runScenario(multicast, options)
  expect(verdict).toBe('passed')
  expect(notes['a']).toBeGreaterThan(15)
  expect(notes['a']).toBeLessThan(40)
})
