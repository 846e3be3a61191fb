import type { WaitingFrame } from './discipline.ts'

/** Frames that wait, first in, first out. A ring that grows from nothing. */
export class FrameFifo {
  #ring: (WaitingFrame | null)[] = []
  #head = 0
  frames = 0
  bytes = 0

  push(waiting: WaitingFrame): void {
    if (this.frames === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.frames++) & (this.#ring.length - 1)] = waiting
    this.bytes += waiting.size
  }

  /** `null` where none is left. */
  shift(): WaitingFrame | null {
    if (this.frames === 0) return null
    const first = this.#ring[this.#head]!
    this.#ring[this.#head] = null
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.frames -= 1
    this.bytes -= first.size
    return first
  }

  #grow(): void {
    const old = this.#ring
    const length = Math.max(2 * old.length, FIRST_CAPACITY)
    this.#ring = Array.from({ length }, (_, i) =>
      i < old.length ? old[(this.#head + i) & (old.length - 1)]! : null,
    )
    this.#head = 0
  }
}

/** A power of two, as every later capacity. */
const FIRST_CAPACITY = 8
