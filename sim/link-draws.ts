import type { Nanos } from '../protocols/time.ts'
import { type RandomStream, stream } from './random.ts'

/** The ratios and the span that chance decides about. */
export interface Chances {
  readonly jitter: Nanos
  readonly loss: number
  readonly duplicate: number
  readonly reorder: number
  readonly corrupt: number
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
  readonly #streams: { [purpose: string]: RandomStream } = {}
  #chances: Chances = { jitter: 0, loss: 0, duplicate: 0, reorder: 0, corrupt: 0 }
  #loss = NO_DRAW
  #duplicate = NO_DRAW
  #reorder = NO_DRAW
  #corrupt = NO_DRAW
  #corruptBit = NO_DRAW
  #jitter = NO_DRAW
  #copyJitter = NO_DRAW

  /** Of the frame drawn for last. */
  lost = false
  duplicated = false
  reordered = false
  corrupted = false
  /** Added to the delay of the frame and of its copy: -jitter … +jitter. */
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
    this.#loss = this.#streamIf(chances.loss > 0, 'loss')
    this.#duplicate = this.#streamIf(chances.duplicate > 0, 'duplicate')
    this.#reorder = this.#streamIf(chances.reorder > 0, 'reorder')
    this.#corrupt = this.#streamIf(chances.corrupt > 0, 'corrupt')
    this.#corruptBit = this.#streamIf(chances.corrupt > 0, 'corrupt-bit')
    this.#jitter = this.#streamIf(chances.jitter > 0, 'jitter')
    const both = chances.jitter > 0 && chances.duplicate > 0
    this.#copyJitter = this.#streamIf(both, 'copy-jitter')
  }

  /** Draws for the next frame. */
  next(): void {
    const chances = this.#chances
    // A draw is less than 1: a ratio of 1 takes every frame, a ratio of 0 none.
    this.lost = chances.loss > 0 && this.#loss() < chances.loss
    this.duplicated = chances.duplicate > 0 && this.#duplicate() < chances.duplicate
    this.reordered = chances.reorder > 0 && this.#reorder() < chances.reorder
    if (chances.corrupt > 0) {
      this.corrupted = this.#corrupt() < chances.corrupt
      this.corruptPosition = this.#corruptBit()
    } else this.corrupted = false
    if (chances.jitter > 0) {
      const span = 2 * chances.jitter + 1
      this.jitter = Math.floor(this.#jitter() * span) - chances.jitter
      if (chances.duplicate > 0) {
        this.copyJitter = Math.floor(this.#copyJitter() * span) - chances.jitter
      }
    } else this.jitter = this.copyJitter = 0
  }

  #streamIf(on: boolean, purpose: string): () => number {
    if (!on) return NO_DRAW
    return (this.#streams[purpose] ??= stream(this.#seed, `${this.#name}/${purpose}`))
  }
}

const NO_DRAW = (): number => 0
