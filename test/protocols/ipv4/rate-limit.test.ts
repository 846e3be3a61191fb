import { produce } from 'immer'
import { expect, test } from 'vitest'
import { createRateLimit, type RateLimit, takeToken } from '../../../protocols/ipv4/rate-limit.ts'
import { ms, type Nanos, s } from '../../../protocols/time.ts'

/** Whether a token was there at each of the times, in place and recorded. */
function taken(limit: RateLimit, times: readonly Nanos[]): boolean[] {
  let recorded = structuredClone(limit)
  return times.map((now) => {
    let kept = false
    recorded = produce(recorded, (draft) => {
      kept = takeToken(draft, now)
    })
    expect(takeToken(limit, now)).toBe(kept)
    return kept
  })
}

test('a full bucket gives its burst at once, then one token an interval', () => {
  const times = [0, 0, 0, 0, ms(99), ms(100), ms(100), ms(199), ms(200)]
  const expected = [true, true, true, false, false, true, false, false, true]
  expect(taken(createRateLimit(ms(100), 3), times)).toEqual(expected)
})

test('it never holds more than the burst, however long it rests', () => {
  const day = s(86_400)
  const times = [0, day, day, day, day + ms(100), day + ms(100)]
  expect(taken(createRateLimit(ms(100), 2), times)).toEqual([true, true, true, false, true, false])
})

test('an interval that divides nothing loses nothing', () => {
  const limit = createRateLimit(333_333_333, 1)
  const times = [0, 333_333_332, 333_333_333, 666_666_665, 666_666_666, 999_999_998, 999_999_999]
  expect(taken(limit, times)).toEqual([true, false, true, false, true, false, true])
})

test('refused packets cost nothing', () => {
  const limit = createRateLimit(ms(10), 1)
  takeToken(limit, 0)
  for (let i = 0; i < 1000; i++) expect(takeToken(limit, ms(9))).toBe(false)
  expect(takeToken(limit, ms(10))).toBe(true)
})
