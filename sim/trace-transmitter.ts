import { ETHERNET_HEADER } from '../protocols/ethernet/frame.ts'
import type { Nanos } from '../protocols/time.ts'
import {
  type DeliveryTrace,
  OPPORTUNITY_BYTES,
  firstOpportunityAfter,
  opportunityTime,
} from './mahimahi.ts'

/**
 * The sending end of a link that follows a delivery trace, with the byte budget of Mahimahi's link
 * queue. An opportunity carries `OPPORTUNITY_BYTES`: what is left of one goes to the next frame that
 * already waits, a frame may span several, and what nobody uses in its instant is lost. A frame
 * that is offered at the very instant of an opportunity has missed it.
 *
 * It answers as `Transmitter` does: the limits count the frames that wait, and a frame stops
 * waiting when its first byte leaves.
 */
export class TraceTransmitter {
  readonly trace: DeliveryTrace
  #frameLimit = Infinity
  #byteLimit = Infinity
  /** The opportunity that the frame accepted last ends in, and what is left of it. */
  #opportunity = -1
  #left = 0
  /** Of the frames that wait: when the first byte leaves, and their sizes. */
  #starts: Nanos[] = []
  #sizes: number[] = []
  #head = 0
  /** Frames and bytes that wait, what was accepted included. */
  frames = 0
  bytes = 0

  constructor(trace: DeliveryTrace) {
    this.trace = trace
  }

  configure(frameLimit: number, byteLimit: number): void {
    this.#frameLimit = frameLimit
    this.#byteLimit = byteLimit
  }

  /** When the opportunity passes that serves the frame accepted last. */
  get freeAt(): Nanos {
    return this.#opportunity < 0 ? 0 : opportunityTime(this.trace, this.#opportunity)
  }

  /** When a frame that waits may begin: for whoever keeps the queue and calls `begin` then. */
  nextStart(now: Nanos): Nanos {
    return this.firstStart(Math.max(now - 1, 0))
  }

  /** The same for a frame that is offered now and finds nobody waiting. */
  firstStart(now: Nanos): Nanos {
    const { trace } = this
    if (this.freeAt <= now) return opportunityTime(trace, firstOpportunityAfter(trace, now))
    return opportunityTime(trace, this.#left === 0 ? this.#opportunity + 1 : this.#opportunity)
  }

  /** When the last byte leaves of a frame whose turn has come: it has waited for this instant. */
  begin(now: Nanos, size: number): Nanos {
    return this.accept(Math.max(now - 1, 0), size)
  }

  /** How long the frame has to wait that was accepted last, at `now`. */
  waitOfLast(now: Nanos): Nanos {
    return this.frames === 0 ? 0 : this.#starts.at(-1)! - now
  }

  /** When the frame's last byte leaves; -1 where the queue has no room for it. */
  accept(now: Nanos, size: number): Nanos {
    this.settle(now)
    // Every frame waits for its first opportunity, and there is no idle link to take it at once.
    if (this.frames >= this.#frameLimit || this.bytes + size > this.#byteLimit) return -1
    const trace = this.trace
    if (this.#opportunity < 0 || opportunityTime(trace, this.#opportunity) <= now) {
      this.#opportunity = firstOpportunityAfter(trace, now)
      this.#left = OPPORTUNITY_BYTES
    } else if (this.#left === 0) this.#next()
    this.#starts.push(opportunityTime(trace, this.#opportunity))
    this.#sizes.push(size)
    this.frames += 1
    this.bytes += size
    let rest = size - ETHERNET_HEADER
    while (rest > this.#left) {
      rest -= this.#left
      this.#next()
    }
    this.#left -= rest
    return opportunityTime(trace, this.#opportunity)
  }

  /** Lets go what no longer waits. */
  settle(now: Nanos): void {
    while (this.frames > 0 && this.#starts[this.#head]! <= now) {
      this.bytes -= this.#sizes[this.#head]!
      this.#head += 1
      this.frames -= 1
    }
    // Kept short without moving the rest at every frame.
    if (this.#head < 64 || this.#head * 2 < this.#starts.length) return
    this.#starts = this.#starts.slice(this.#head)
    this.#sizes = this.#sizes.slice(this.#head)
    this.#head = 0
  }

  #next(): void {
    this.#opportunity += 1
    this.#left = OPPORTUNITY_BYTES
  }
}
