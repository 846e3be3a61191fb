import type { Nanos } from '../protocols/time.ts'
import { spread, uniformSpread } from './distribution.ts'
import type { Slot } from './link-options.ts'
import { type RandomStream, stream } from './random.ts'

/**
 * The slots at the far end of a link: what has arrived waits there for the next one to open. A
 * slot that nobody waits for is not spent; the frame that comes too late for it has the next one
 * drawn from the moment at which it came. Draws are taken per slot, not per frame.
 */
export class Slots {
  readonly #draws: RandomStream
  #slot: Slot
  /** Nothing leaves before. */
  #opens: Nanos = -1
  #framesLeft: number
  #bytesLeft: number

  constructor(seed: string, name: string, slot: Slot) {
    this.#draws = stream(seed, `${name}/slot`)
    this.#slot = slot
    this.#framesLeft = slot.frames
    this.#bytesLeft = slot.bytes
  }

  /** Holds for slots that are drawn from now on. */
  configure(slot: Slot): void {
    this.#slot = slot
  }

  /** When the frame leaves that comes first and arrived at this time. */
  opensFor(arrival: Nanos): Nanos {
    if (this.#opens < arrival) this.#next(arrival)
    return this.#opens
  }

  /** A frame of so many bytes has left, now. As in netem the last one may be longer than the rest. */
  passed(now: Nanos, size: number): void {
    this.#framesLeft -= 1
    this.#bytesLeft -= size
    if (this.#framesLeft <= 0 || this.#bytesLeft <= 0) this.#next(now)
  }

  #next(from: Nanos): void {
    const { span, frames, bytes } = this.#slot
    this.#opens = from + Math.max(this.#wait(span), 0)
    this.#framesLeft = frames
    this.#bytesLeft = bytes
  }

  #wait(span: Slot['span']): Nanos {
    if ('min' in span) {
      if (span.min === span.max) return span.min
      return span.min + Math.floor(this.#draws() * (span.max - span.min + 1))
    }
    const { distribution, delay, jitter } = span
    const draw = this.#draws()
    if (distribution === null) return delay + uniformSpread(jitter, draw)
    return delay + spread(distribution, jitter, draw)
  }
}
