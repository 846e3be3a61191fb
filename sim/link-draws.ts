import type { Nanos } from '../protocols/time.ts'
import { type Distribution, spread, uniformSpread } from './distribution.ts'
import { LossChain, type LossModel } from './loss-model.ts'
import { type RandomStream, stream } from './random.ts'

/** What chance decides about: the parts of `LinkOptions` with these names. */
export interface Chances {
  readonly jitter: Nanos
  readonly jitterCorrelation: number
  readonly distribution: Distribution | null
  readonly loss: number
  readonly lossCorrelation: number
  readonly lossModel: LossModel | null
  readonly duplicate: number
  readonly duplicateCorrelation: number
  readonly reorder: number
  readonly reorderCorrelation: number
  readonly reorderGap: number
  readonly corrupt: number
  readonly corruptCorrelation: number
}

/**
 * What chance has in store for each frame of one direction.
 *
 * Every purpose has a stream of its own, and a frame takes one draw from each that is switched on,
 * whatever happens to it. So switching one impairment on leaves the others' draws where they were,
 * and a queue that drops a frame does not change the luck of the next.
 */
export class LinkDraws {
  readonly #seed: string
  readonly #name: string
  readonly #sources: { [purpose: string]: Source } = {}
  #chances: Chances = NO_CHANCES
  #chain: LossChain | null = null
  #loss = NO_DRAW
  #lossState = NO_DRAW
  #duplicate = NO_DRAW
  #reorder = NO_DRAW
  #corrupt = NO_DRAW
  #corruptBit = NO_DRAW
  #jitter = NO_DRAW
  #copyJitter = NO_DRAW
  /** Frames since the last one that was reordered. */
  #sinceReorder = 0

  /** Of the frame drawn for last. */
  lost = false
  duplicated = false
  reordered = false
  corrupted = false
  /** Added to the delay of the frame and of its copy. */
  jitter: Nanos = 0
  copyJitter: Nanos = 0
  /** Where in the frame the flipped bit lies: from 0, less than 1. */
  corruptPosition = 0

  constructor(seed: string, name: string) {
    this.#seed = seed
    this.#name = name
  }

  /** A stream that is switched off and on again goes on where it stood. */
  configure(chances: Chances): void {
    this.#chances = chances
    const { lossModel } = chances
    if (lossModel === null) this.#chain = null
    else if (this.#chain?.model !== lossModel) this.#chain = new LossChain(lossModel)
    const loses = lossModel !== null || chances.loss > 0
    const losses = lossModel === null ? chances.lossCorrelation : 0
    this.#loss = this.#sourceIf(loses, 'loss', losses)
    this.#lossState = this.#sourceIf(lossModel?.kind === 'gemodel', 'loss-state')
    const { duplicateCorrelation, reorderCorrelation, corruptCorrelation } = chances
    this.#duplicate = this.#sourceIf(chances.duplicate > 0, 'duplicate', duplicateCorrelation)
    this.#reorder = this.#sourceIf(chances.reorder > 0, 'reorder', reorderCorrelation)
    this.#corrupt = this.#sourceIf(chances.corrupt > 0, 'corrupt', corruptCorrelation)
    this.#corruptBit = this.#sourceIf(chances.corrupt > 0, 'corrupt-bit')
    const { jitter, jitterCorrelation } = chances
    this.#jitter = this.#sourceIf(jitter > 0, 'jitter', jitterCorrelation)
    const both = jitter > 0 && chances.duplicate > 0
    this.#copyJitter = this.#sourceIf(both, 'copy-jitter', jitterCorrelation)
  }

  /** Draws for the next frame. */
  next(): void {
    const chances = this.#chances
    // A draw is less than 1: a ratio of 1 takes every frame, a ratio of 0 none.
    if (this.#chain === null) this.lost = chances.loss > 0 && this.#loss() < chances.loss
    else this.lost = this.#nextOfChain(this.#chain)
    this.duplicated = chances.duplicate > 0 && this.#duplicate() < chances.duplicate
    this.reordered = chances.reorder > 0 && this.#nextReordered(chances)
    if (chances.corrupt > 0) {
      this.corrupted = this.#corrupt() < chances.corrupt
      this.corruptPosition = this.#corruptBit()
    } else this.corrupted = false
    if (chances.jitter > 0) {
      this.jitter = jitterOf(chances, this.#jitter())
      if (chances.duplicate > 0) this.copyJitter = jitterOf(chances, this.#copyJitter())
    } else this.jitter = this.copyJitter = 0
  }

  /** The four states take one draw, Gilbert–Elliott one for the state and one for the loss. */
  #nextOfChain(chain: LossChain): boolean {
    const loss = this.#loss()
    return chain.model.kind === 'state'
      ? chain.next(loss, loss)
      : chain.next(this.#lossState(), loss)
  }

  /** The draw is taken also where the gap leaves no choice. */
  #nextReordered({ reorder, reorderGap }: Chances): boolean {
    const chosen = this.#reorder() < reorder && this.#sinceReorder >= reorderGap - 1
    this.#sinceReorder = chosen ? 0 : this.#sinceReorder + 1
    return chosen
  }

  #sourceIf(on: boolean, purpose: string, correlation = 0): () => number {
    if (!on) return NO_DRAW
    const source = (this.#sources[purpose] ??= {
      draws: stream(this.#seed, `${this.#name}/${purpose}`),
      last: -1,
    })
    return correlation === 0 ? source.draws : () => correlated(source, correlation)
  }
}

interface Source {
  readonly draws: RandomStream
  /** The last result where results are correlated; -1 before the first. */
  last: number
}

/**
 * netem's: a mean of the draw and of the last result, weighted by the correlation. The results are
 * correlated by just that, but lie closer to ½ than the draws: their variance is (1 - ρ) / (1 + ρ)
 * of a uniform one's, and a share taken of them is not quite that share.
 */
function correlated(source: Source, rho: number): number {
  const draw = source.draws()
  // The first has nothing to follow.
  source.last = source.last < 0 ? draw : draw * (1 - rho) + source.last * rho
  return source.last
}

const jitterOf = ({ distribution, jitter }: Chances, draw: number): Nanos =>
  distribution === null ? uniformSpread(jitter, draw) : spread(distribution, jitter, draw)

const NO_DRAW = (): number => 0
const NO_CHANCES: Chances = {
  jitter: 0,
  jitterCorrelation: 0,
  distribution: null,
  loss: 0,
  lossCorrelation: 0,
  lossModel: null,
  duplicate: 0,
  duplicateCorrelation: 0,
  reorder: 0,
  reorderCorrelation: 0,
  reorderGap: 1,
  corrupt: 0,
  corruptCorrelation: 0,
}
