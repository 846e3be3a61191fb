import { ms, type Nanos, s } from '../time.ts'

/*
 * Automatic repeat request, the machine behind every transfer here: numbered units go to one peer
 * or to several, and what is not acknowledged goes again. A policy is what makes it stop-and-wait,
 * go-back-N, selective repeat, or one of the originals that it stands in for.
 */

/**
 * What a receiver says of what it has, and what becomes of a unit out of order:
 * - `each`: every unit by itself; units out of order are kept (selective repeat).
 * - `cumulative`: the unit in order; silence for any other (go-back-N).
 * - `last-in-order`: the unit in order; for any other once more the last that was in order.
 * - `selective`: all below a unit, and a map of those beyond, which are kept.
 */
export type Acknowledgement = 'each' | 'cumulative' | 'last-in-order' | 'selective'

/**
 * What is waited for, and what goes again when it does not come:
 * - `packet`: each unit has a deadline; it alone goes again.
 * - `window`: the oldest unit has one, which progress restarts; all that is out goes again.
 * - `silence`: no acknowledgement of anything new for so long since one was heard or anything was
 *   sent; all that is out goes again.
 * - `sweep`: whatever the acknowledgements say, a sweep each interval sends again everything that
 *   was first sent at least that long ago.
 */
export type ArqTimer = 'packet' | 'window' | 'silence' | 'sweep'

export interface ArqTimeout {
  /** In force before the first sample; with `fixed` for good. */
  readonly initial: Nanos
  /** `false`: estimated from round trips (RFC 6298, without the rounding up to a second). */
  readonly fixed: boolean
  /** An estimated timeout is at least this much above the smoothed round trip. */
  readonly min: Nanos
  readonly max: Nanos
  /** Each timeout doubles the next, up to `max`. */
  readonly backOff: boolean
}

export interface ArqPolicy {
  /** Units that may be under way, and that a receiver keeps out of order. */
  readonly window: number
  readonly acknowledgement: Acknowledgement
  readonly timer: ArqTimer
  readonly timeout: ArqTimeout
  /** The time between two units that are sent for the first time; 0: as the window allows. */
  readonly pace: Nanos
  /** Timeouts in a row without progress that a peer is forgiven; `Infinity`: for ever. */
  readonly retries: number
  /** What happens to a peer beyond that: the transfer fails, or goes on without it. */
  readonly exhausted: 'fail' | 'drop-peer'
  /** Units beyond one that is missing, after which it goes again at once; 0: never. */
  readonly fastResend: number
  /** The window begins small, grows with acknowledgements and is halved by loss (RFC 5681). */
  readonly congestion: boolean
}

export const fixedTimeout = (timeout: Nanos): ArqTimeout => ({
  initial: timeout,
  fixed: true,
  min: timeout,
  max: timeout,
  backOff: false,
})

/** RFC 6298 with a floor that suits a file transfer on its own port. */
export const ESTIMATED: ArqTimeout = {
  initial: ms(500),
  fixed: false,
  min: ms(20),
  max: s(4),
  backOff: true,
}

/** One unit at a time, as the originals have it; but they never gave up. */
export const STOP_AND_WAIT: ArqPolicy = {
  window: 1,
  acknowledgement: 'last-in-order',
  timer: 'packet',
  timeout: fixedTimeout(ms(100)),
  pace: 0,
  retries: 50,
  exhausted: 'fail',
  fastResend: 0,
  congestion: false,
}

/** What this project uses where no original says otherwise. */
export const SOUND: ArqPolicy = {
  window: 64,
  acknowledgement: 'selective',
  timer: 'packet',
  timeout: ESTIMATED,
  pace: 0,
  retries: 7,
  exhausted: 'fail',
  fastResend: 3,
  congestion: true,
}
