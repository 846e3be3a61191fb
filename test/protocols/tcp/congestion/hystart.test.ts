import { expect, test } from 'vitest'
import {
  createHystart,
  hystartGrowth,
  type HystartState,
} from '../../../../protocols/tcp/congestion/hystart.ts'
import { ms } from '../../../../protocols/time.ts'

const MSS = 1000

/** One round: `acks` ACKs of a segment each, all with this RTT; what the window grew by. */
function round(h: HystartState, rtt: number, acks = 10): number | 'over' {
  const end = h.windowEnd
  let grown = 0
  for (let i = 1; i <= acks; i++) {
    const ack = end - (acks - i) * MSS
    const growth = hystartGrowth(h, ack, end + acks * MSS, ms(rtt), MSS)
    if (growth < 0) return 'over'
    grown += growth
  }
  return grown
}

const rounds = (h: HystartState, ...rtts: number[]) => rtts.map((rtt) => round(h, rtt))

test('steady round trips: slow start goes on', () => {
  const h = createHystart(10 * MSS)
  expect(rounds(h, 100, 100, 100, 100, 100, 100, 100)).toEqual(Array(7).fill(10_000))
})

test('an eighth longer: a quarter of the growth from the eighth ACK on, and five rounds later it is over', () => {
  const h = createHystart(10 * MSS)
  // 112 / 8 = 14 ms. In the round that shows it seven ACKs count in full, three a quarter.
  expect(rounds(h, 100, 112, 126, 126, 126, 126, 126)).toEqual([
    10_000,
    10_000,
    7750,
    2500,
    2500,
    2500,
    'over',
  ])
})

test.each([
  ['4 ms at least', 8, 11.9, 12],
  ['16 ms at most', 400, 415, 416],
])('the threshold: %s', (_, base, below, above) => {
  const not = createHystart(10 * MSS)
  expect(rounds(not, base, below)[1]).toBe(10_000)
  const yes = createHystart(10 * MSS)
  expect(rounds(yes, base, above)[1]).toBe(7750)
})

test('fewer than eight samples in a round decide nothing', () => {
  const h = createHystart(10 * MSS)
  expect(round(h, 100, 7)).toBe(7000)
  expect(round(h, 200, 7)).toBe(7000)
  expect(h.cssRounds).toBe(0)
})

test('shorter again: it was a burst, and slow start is resumed', () => {
  const h = createHystart(10 * MSS)
  expect(rounds(h, 100, 130, 129)).toEqual([10_000, 7750, 7 * 250 + 3000])
  expect(h.cssBaselineMinRtt).toBe(Infinity)
  expect(round(h, 129)).toBe(10_000)
})
