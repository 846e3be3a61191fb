import { assert } from '../protocols/assert.ts'
import type { Nanos } from '../protocols/time.ts'

const SECOND = 1_000_000_000
/** 0.5 %: far beyond any real clock, and the arithmetic below stays exact. */
const DRIFT_MAX = 5_000_000

/**
 * A host's own clock: it started `skew` off, and gains `drift` nanoseconds in every second (parts
 * per billion; negative: it loses). Engines on the host see its time, the trace the world's.
 * Whole nanoseconds both ways, exact for as long as times are.
 */
export class HostClock {
  readonly skew: Nanos
  readonly drift: number

  constructor(skew: Nanos, drift: number) {
    assert(Number.isSafeInteger(skew), 'a skew is whole nanoseconds')
    assert(Number.isSafeInteger(drift) && Math.abs(drift) <= DRIFT_MAX, 'a drift is within 0.5 %')
    this.skew = skew
    this.drift = drift
  }

  /** What the host's clock shows at a time of the world. */
  toLocal(world: Nanos): Nanos {
    const seconds = Math.floor(world / SECOND)
    const rest = world - seconds * SECOND
    return world + this.skew + seconds * this.drift + Math.floor((rest * this.drift) / SECOND)
  }

  /** The first time of the world at which the host's clock shows `local` or later. */
  toWorld(local: Nanos): Nanos {
    if (!Number.isFinite(local)) return local
    // A first guess is off by a few nanoseconds at most: walk the rest.
    const guess = Math.floor((local - this.skew) / (1 + this.drift / SECOND))
    let world = Math.max(guess, 0)
    while (world > 0 && this.toLocal(world - 1) >= local) world -= 1
    while (this.toLocal(world) < local) world += 1
    return world
  }
}
