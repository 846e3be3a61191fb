import { describe, expect, test } from 'vitest'
import { pipeGoodput } from '../../bench/theory/pipe.ts'
import { RFC } from '../../protocols/tcp/profiles/rfc.ts'
import { ms, s } from '../../protocols/time.ts'

// smoltcp publishes what it gets through a buffer of 32 KiB over a round trip of 100 ms when segments are
// lost both ways (its `netsim` test, kB/s). It has no congestion control, so ours must not take a loss
// for congestion either to be compared: BBR. A TCP of ours acknowledges before its application reads:
// with two segments more its window is the same 32 KiB. And a segment divides the window, for
// silly window avoidance would leave the rest of it unused.

const SEGMENT = 1024
const POLICY = RFC.with({
  congestion: 'bbr',
  mss: SEGMENT + 12,
  sendBuffer: 32_768,
  receiveBuffer: 32_768 + 2 * SEGMENT,
  rtoMin: ms(200),
  rtoMax: s(60),
})

/** Loss, its kB/s, and how long ours has to run for a steady figure. */
const PUBLISHED = [
  [0, 322.9, 120],
  [0.01, 219.7, 120],
  [0.1, 37.8, 120],
  [0.2, 6.1, 300],
  [0.3, 1.16, 1000],
] as const

describe('32 KiB over 100 ms, beside what smoltcp publishes', () => {
  test.each(PUBLISHED)('loss %f', (loss, theirs, seconds) => {
    const goodputs = ['1', '2', '3', '4', '5'].map((seed) =>
      pipeGoodput({ policy: POLICY, delay: ms(50), loss, until: s(seconds), seed }),
    )
    console.log(loss, theirs, goodputs.map((x) => x / 1000))
    expect(Math.min(...goodputs) / 1000).toBeGreaterThan(theirs)
  })
})
