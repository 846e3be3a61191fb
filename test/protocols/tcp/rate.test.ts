import { describe, expect, test } from 'vitest'
import { createRate, rateAppLimited, rateDelivered, rateSent } from '../../../protocols/tcp/rate.ts'
import { ms, NEVER } from '../../../protocols/time.ts'

// draft-cheng-iccrg-delivery-rate-estimation, by hand: 1000 bytes a segment.

describe('delivery rate', () => {
  test('a steady sender: what was delivered since the segment was sent, in that time', () => {
    const r = createRate(0)
    // One segment every 10 ms, each acknowledged 40 ms later: 100 kB/s.
    const rates: number[] = []
    for (let i = 1; i <= 20; i++) {
      rateSent(r, ms(10 * i), i * 1000, i === 1, false)
      if (i <= 4) continue
      rateDelivered(r, ms(10 * i), 1000, NEVER, (i - 4) * 1000, 0)
      rates.push(r.sample.deliveryRate)
      expect(r.sample.rtt).toBe(ms(40))
    }
    // The first five were sent when nothing had been delivered since the beginning, at 10 ms.
    const beginning = [1000 / 0.04, 2000 / 0.05, 3000 / 0.06, 4000 / 0.07, 5000 / 0.08]
    for (const [i, each] of beginning.entries()) expect(rates[i]).toBeCloseTo(each, 6)
    expect(new Set(rates.slice(5))).toEqual(new Set([100_000]))
  })

  test('ACKs that come together do not look like a faster path: the sending counts (§4.1.2)', () => {
    const r = createRate(0)
    for (let i = 1; i <= 4; i++) rateSent(r, ms(10 * i), i * 1000, i === 1, false)
    rateDelivered(r, ms(50), 1000, NEVER, 1000, 0)
    for (let i = 5; i <= 8; i++) rateSent(r, ms(10 * i), i * 1000, false, false)
    // Seven segments at once, 80 ms after the first: sent in 70 ms.
    rateDelivered(r, ms(81), 7000, NEVER, 8000, 0)
    expect(r.sample.deliveryRate).toBeCloseTo((7000 * 1e9) / ms(70), 6)
  })

  test('an interval shorter than any round trip gives no rate, and ends no round (§4.1.3)', () => {
    const r = createRate(0)
    rateSent(r, ms(10), 1000, true, false)
    rateDelivered(r, ms(20), 1000, NEVER, 1000, ms(40))
    expect(r.sample.deliveryRate).toBe(-1)
    expect(r.sample.priorDelivered).toBe(-1)
    expect(r.delivered).toBe(1000)
  })

  test('while the application keeps back, samples say so, until all that was out is delivered', () => {
    const r = createRate(0)
    rateSent(r, ms(10), 1000, true, false)
    rateAppLimited(r, 1000)
    rateSent(r, ms(20), 2000, false, false)
    rateDelivered(r, ms(50), 1000, NEVER, 1000, 0)
    expect(r.sample.isAppLimited).toBe(false) // sent before
    rateDelivered(r, ms(60), 1000, NEVER, 2000, 0)
    expect(r.sample.isAppLimited).toBe(true)
    expect(r.appLimited).toBe(0)
  })

  test('what was sent twice gives a rate and no round trip', () => {
    const r = createRate(0)
    rateSent(r, ms(10), 1000, true, false)
    rateSent(r, ms(300), 1000, false, true)
    rateDelivered(r, ms(340), 1000, ms(300), 1000, 0)
    expect(r.sample.rtt).toBe(-1)
    expect(r.sample.deliveryRate).toBeGreaterThan(0)
  })
})
