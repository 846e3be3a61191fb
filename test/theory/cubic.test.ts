import { expect, test } from 'vitest'
import { measureFlow } from '../../bench/theory/flow.ts'
import { cubicResponse } from '../../bench/theory/models.ts'

// The average window of CUBIC where every n-th segment is lost, against RFC 9438 §5.1. The formula leaves
// out the round trips that a recovery takes, so ours lies below it where epochs are short.

test.each([
  // CUBIC's own region, from p = 1e-4 on.
  [100, 1e-2, 150],
  [100, 1e-3, 200],
  [100, 1e-4, 100],
  // As Reno.
  [10, 1e-2, 20],
  [10, 1e-3, 30],
  [10, 1e-4, 8],
])('a round trip of %i ms, p = %f', (rtt, p, seconds) => {
  const { window } = measureFlow({
    tcp: { congestion: 'cubic' },
    link: { delay: `${rtt / 2}ms` },
    forth: { drop: `every ${Math.round(1 / p)}th data segment` },
    warmUp: 10 + rtt / 4,
    seconds,
  })
  const ratio = window / cubicResponse(p, rtt / 1000)
  expect(ratio).toBeGreaterThan(0.85)
  expect(ratio).toBeLessThan(1.1)
})
