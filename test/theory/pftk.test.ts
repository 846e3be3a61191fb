import { describe, expect, test } from 'vitest'
import { measureFlow } from '../../bench/theory/flow.ts'
import { pftk } from '../../bench/theory/models.ts'

// Reno without SACK, and without what came after the model (limited transmit, PRR, F-RTO), under
// independent losses, against Padhye's full model: within a quarter up to 5 %.
// A round trip of 100 ms, the first timeout 1 s, so many seconds that some hundred losses are in them.
// Reno counts bytes (RFC 3465): a window grows by a segment in a round trip, however many ACKs there
// are. That is the model with an ACK for every segment, for delayed ACKs, too.

describe.each([1, 2] as const)('an ACK for every %i', (every) => {
  test.each([
    [0.001, 250],
    [0.003, 250],
    [0.01, 300],
    [0.02, 400],
    [0.05, 600],
  ])('p = %f', (loss, seconds) => {
    const { goodput, mss } = measureFlow({
      tcp: {
        congestion: 'reno',
        hystart: false,
        slowStartLimit: 1,
        sackPermitted: false,
        // The model's Reno knows nothing of these.
        limitedTransmit: false,
        prr: false,
        frto: false,
        rtoMin: '1s',
        ackEvery: every,
      },
      link: { delay: '50ms' },
      forth: { loss },
      warmUp: 30,
      seconds,
    })
    const theory = pftk(loss, 0.1, 1, { every: 1 }) * (1 - loss)
    const ratio = goodput / mss / theory
    expect(ratio).toBeGreaterThan(0.75)
    expect(ratio).toBeLessThan(1.25)
  })
})
