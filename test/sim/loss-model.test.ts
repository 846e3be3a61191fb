import { describe, expect, test } from 'vitest'
import { fourStates, gilbertElliott, LossChain, lossShare } from '../../sim/loss-model.ts'

/** What becomes of frames with these draws: for the step of the state, and for the loss. */
function fates(chain: LossChain, draws: readonly (readonly [step: number, loss: number])[]) {
  return draws.map(([step, loss]) => (chain.next(step, loss) ? 'lost' : 'ok'))
}

describe('step by step', () => {
  test('Gilbert–Elliott: a frame meets the state as it is, then the state moves', () => {
    const chain = new LossChain(gilbertElliott(0.1, 0.5, 0.8, 0.2))
    expect(
      fates(chain, [
        [0.1, 0.2], // good; stays, for a draw has to be below
        [0.09, 0.19], // good: lost by its 20 %; turns bad
        [0.5, 0.8], // bad, yet delivered; stays
        [0.6, 0.79], // bad: lost by its 80 %
        [0.49, 0.79], // bad: lost; turns good
        [0.9, 0.2], // good
      ]),
    ).toEqual(['ok', 'lost', 'ok', 'lost', 'lost', 'ok'])
  })

  test('four states: the state moves, and says what becomes of the frame', () => {
    const chain = new LossChain(fourStates(0.1, 0.2, 0.3, 0.4, 0.05))
    const same = (draw: number) => [draw, draw] as const
    expect(
      fates(chain, [
        same(0.16), // 1: 0.05 to 4, 0.1 more to 3; stays
        same(0.04), // to 4: an isolated loss
        same(0.0), // from 4 always back to 1
        same(0.14), // to 3
        same(0.5), // 3: 0.3 to 2, 0.2 more to 1; stays
        same(0.29), // to 2: delivered within the burst
        same(0.4), // 2: 0.4 to 3; stays
        same(0.39), // to 3
        same(0.49), // to 1
        same(0.9),
      ]),
    ).toEqual(['ok', 'lost', 'ok', 'lost', 'lost', 'ok', 'ok', 'lost', 'ok', 'ok'])
  })
})

test('the share that is lost in the long run', () => {
  expect(lossShare(gilbertElliott(0.3))).toBeCloseTo(0.3, 15)
  expect(lossShare(gilbertElliott(0.01, 0.04))).toBeCloseTo(0.2, 15)
  expect(lossShare(gilbertElliott(0.01, 0.04, 0.5, 0.1))).toBeCloseTo(0.18, 15)
  expect(lossShare(gilbertElliott(0, 0, 1, 0.25))).toBe(0.25)
  expect(lossShare(fourStates(0.3))).toBeCloseTo(0.3, 15)
  // 1 : 3 : 2 : 4 as 1 : 0.5 : 0.75 : 0.1, of which 3 and 4 lose.
  expect(lossShare(fourStates(0.1, 0.2, 0.3, 0.2, 0.1))).toBeCloseTo(0.6 / 2.35, 15)
  // Nothing leads out of the burst.
  expect(lossShare(fourStates(0.1, 0, 0, 0.5))).toBe(1)
  expect(lossShare(fourStates(0.1, 0, 0.3, 0.1))).toBeCloseTo(0.25, 15)
  expect(lossShare(fourStates(0, 1, 0, 1, 0.25))).toBeCloseTo(0.2, 15)
})
