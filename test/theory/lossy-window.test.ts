import { expect, test } from 'vitest'
import { SMALL_WINDOW, smallWindowGoodput } from '../../bench/theory/small-window.ts'

/** Fewer round trips where every one is much alike. */
const SECONDS: { readonly [loss: number]: number } = {
  0: 60,
  0.01: 60,
  0.1: 60,
  0.2: 200,
  0.3: 600,
}

test.each(SMALL_WINDOW)('32 KiB over 100 ms at a loss of %f: more than %f kB/s', (loss, theirs) => {
  for (const seed of loss === 0 ? ['1'] : ['1', '2', '3']) {
    const goodput = smallWindowGoodput(loss, 'bbr', seed, SECONDS[loss]!)
    expect(goodput / 1000, `seed ${seed}`).toBeGreaterThan(theirs)
  }
})
