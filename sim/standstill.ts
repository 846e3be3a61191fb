import type { Nanos } from '../protocols/time.ts'
import { formatDuration } from './units.ts'
import { UserError } from './user-error.ts'

/** Five gigabytes over a link that takes no time are fewer. */
const EVENTS_MAX = 10_000_000

/**
 * Notices that a run has come to stand: events follow each other for ever, all at one instant. A
 * program that sleeps for no time in a loop does that, and a frame that goes round without delay.
 */
export class Standstill {
  readonly #limit: number
  #at: Nanos = -1
  #since = 0

  constructor(limit = EVENTS_MAX) {
    this.#limit = limit
  }

  /** @throws UserError once too many events have passed since the clock last moved. */
  check(now: Nanos, events: number): void {
    if (now !== this.#at) {
      this.#at = now
      this.#since = events
    } else if (events - this.#since > this.#limit) {
      throw new UserError(`the clock stands still at ${formatDuration(now)}`, {
        hint: `${this.#limit} events in one instant: something goes round without delay`,
      })
    }
  }
}
