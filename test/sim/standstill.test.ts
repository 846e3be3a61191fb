import { expect, test } from 'vitest'
import { Standstill } from '../../sim/standstill.ts'

test('so many events in one instant are enough; when the clock moves they are counted anew', () => {
  const standstill = new Standstill(100)
  for (const [now, events] of [
    [0, 50],
    [0, 150],
    [5, 200],
    [5, 300],
    [6, 301],
  ] as const) {
    expect(() => standstill.check(now, events)).not.toThrow()
  }
  expect(() => standstill.check(6, 401)).not.toThrow()
  expect(() => standstill.check(6, 402)).toThrow('the clock stands still at 6ns')
})
