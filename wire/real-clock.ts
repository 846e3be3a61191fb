import type { Nanos } from '../protocols/time.ts'

/** A timer of Node takes no longer than this; what is later is asked for again. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1

/** Nanoseconds since it was made. */
export class RealClock {
  readonly #start = process.hrtime.bigint()

  get now(): Nanos {
    return Number(process.hrtime.bigint() - this.#start)
  }

  /** Wakes at or after `time`, never before; the result takes that back. */
  at(time: Nanos, wake: () => void): () => void {
    let timer: NodeJS.Timeout
    const wait = (): void => {
      const left = time - this.now
      // `setTimeout` cuts fractions off and may fire early: so it is asked again.
      timer = setTimeout(
        () => (this.now >= time ? wake() : wait()),
        Math.min(Math.max(Math.ceil(left / 1e6), 0), TIMEOUT_MAX_MS),
      )
    }
    wait()
    return () => clearTimeout(timer)
  }
}
