/**
 * Losses that come in bursts, in the vocabulary of tc-netem(8). Every number is a probability,
 * from 0 to 1, per frame.
 */
export type LossModel = FourStates | GilbertElliott

/**
 * Four states, one step a frame: 1 and 2 deliver, 3 and 4 lose. 1 is good reception, 4 an isolated
 * loss, which always goes back to 1; 3 loses a burst, within which 2 delivers.
 */
export interface FourStates {
  readonly kind: 'state'
  readonly p13: number
  readonly p31: number
  readonly p32: number
  readonly p23: number
  readonly p14: number
}

/** A good and a bad state, each with its share of losses. */
export interface GilbertElliott {
  readonly kind: 'gemodel'
  /** From good to bad, and back. */
  readonly p: number
  readonly r: number
  /** Lost in the bad state (netem's 1-h) and in the good one (1-k). */
  readonly lostInBad: number
  readonly lostInGood: number
}

/** The four states with netem's defaults: `p13` alone loses each frame independently. */
export function fourStates(p13: number, p31 = 1 - p13, p32 = 0, p23 = 1, p14 = 0): FourStates {
  return { kind: 'state', p13, p31, p32, p23, p14 }
}

/** Gilbert–Elliott with netem's defaults: `p` alone is Bernoulli, `p` and `r` simple Gilbert. */
export function gilbertElliott(
  p: number,
  r = 1 - p,
  lostInBad = 1,
  lostInGood = 0,
): GilbertElliott {
  return { kind: 'gemodel', p, r, lostInBad, lostInGood }
}

/** The long-run share of frames that a model loses. */
export function lossShare(model: LossModel): number {
  if (model.kind === 'gemodel') {
    const { p, r, lostInBad, lostInGood } = model
    // Where nothing ever changes it stays good, as it starts.
    const bad = p === 0 ? 0 : p / (p + r)
    return bad * lostInBad + (1 - bad) * lostInGood
  }
  const { p13, p31, p32, p23, p14 } = model
  // Balance of flows: out of 1 is into 1, out of 2 is into 2; state 4 lasts one frame.
  if (p31 === 0 && p13 > 0) return p32 === 0 ? 1 : p23 / (p32 + p23)
  const burst = p13 === 0 ? 0 : p13 / p31
  const within = p32 === 0 || burst === 0 ? 0 : (burst * p32) / p23
  return (burst + p14) / (1 + burst + within + p14)
}

/** Where a model stands. It starts in good reception. */
export class LossChain {
  readonly model: LossModel
  #state: 1 | 2 | 3 | 4 = 1

  constructor(model: LossModel) {
    this.model = model
  }

  /** Whether the next frame is lost. Two draws from 0 to 1; the four states need only `step`. */
  next(step: number, loss: number): boolean {
    const { model } = this
    if (model.kind === 'gemodel') {
      // The frame meets the state as it is; the step decides for the next one.
      const good = this.#state === 1
      if (step < (good ? model.p : model.r)) this.#state = good ? 3 : 1
      return loss < (good ? model.lostInGood : model.lostInBad)
    }
    this.#state = after(this.#state, model, step)
    return this.#state >= 3
  }
}

/** netem reads one draw: first the step away from the burst or to the isolated loss, then the other. */
function after(state: 1 | 2 | 3 | 4, m: FourStates, draw: number): 1 | 2 | 3 | 4 {
  switch (state) {
    case 1:
      return draw < m.p14 ? 4 : draw < m.p14 + m.p13 ? 3 : 1
    case 2:
      return draw < m.p23 ? 3 : 2
    case 3:
      return draw < m.p32 ? 2 : draw < m.p32 + m.p31 ? 1 : 3
    case 4:
      return 1
  }
}
