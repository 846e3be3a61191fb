import { describe, expect, test } from 'vitest'
import { cubicResponse, mathis, pftk } from '../../bench/theory/models.ts'

// The values were computed from the papers' formulas elsewhere, before this project had any.

describe('segments in a round trip of 100 ms, by the full model of PFTK', () => {
  test.each([
    [1e-4, 121.96, 86.16, 122.15, 86.3],
    [1e-3, 37.66, 26.56, 38.25, 26.97],
    [3e-3, 20.76, 14.62, 21.72, 15.28],
    [1e-2, 9.88, 6.95, 11.33, 7.94],
    [2e-2, 5.92, 4.17, 7.54, 5.28],
    [5e-2, 2.6, 1.86, 4.1, 2.88],
    [0.1, 1.25, 0.91, 2.39, 1.7],
    [0.2, 0.53, 0.4, 1.25, 0.92],
  ])('p = %f', (p, t1b1, t1b2, t03b1, t03b2) => {
    const rtt = 0.1
    expect(pftk(p, rtt, 1, { every: 1 }) * rtt).toBeCloseTo(t1b1, 1)
    expect(pftk(p, rtt, 1, { every: 2 }) * rtt).toBeCloseTo(t1b2, 1)
    expect(pftk(p, rtt, 0.3, { every: 1 }) * rtt).toBeCloseTo(t03b1, 1)
    expect(pftk(p, rtt, 0.3, { every: 2 }) * rtt).toBeCloseTo(t03b2, 1)
  })
})

test.each([
  [1e-2, 12.2, 8.7],
  [1e-3, 38.7, 27.4],
  [1e-4, 122.5, 86.6],
])('the window of Mathis, p = %f', (p, b1, b2) => {
  expect(mathis(p, { every: 1 })).toBeCloseTo(b1, 0)
  expect(mathis(p, { every: 2 })).toBeCloseTo(b2, 0)
})

test.each([
  [1e-2, 12, 12],
  [1e-3, 38, 38],
  [1e-4, 187, 120],
  [1e-5, 1054, 379],
  [1e-6, 5926, 1200],
  [1e-7, 33325, 5926],
])('the window of CUBIC (RFC 9438 §5.1), p = %f', (p, long, short) => {
  expect(Math.abs(cubicResponse(p, 0.1) / long - 1)).toBeLessThan(0.02)
  expect(Math.abs(cubicResponse(p, 0.01) / short - 1)).toBeLessThan(0.02)
})
