import alea from 'seedrandom/lib/alea.js'

/** Where a stream stands: plain data. */
export interface RandomState {
  readonly c: number
  readonly s0: number
  readonly s1: number
  readonly s2: number
}

/** One named sequence of draws. Two streams of a run never share a draw. */
export interface RandomStream {
  /** The next draw: at least 0, less than 1, a multiple of 2^-32. */
  (): number
  /** A copy of the position: plain data, for `restoreStream`. */
  state(): RandomState
}

/**
 * The stream `name` of the run `seed`. It depends on these two texts alone: not on which other
 * streams exist, nor on how often anyone drew from them.
 */
export const stream = (seed: string, name: string): RandomStream =>
  alea(`${seed}/${name}`, { state: true })

/** A stream that goes on where the one with this state stood. */
export const restoreStream = (state: RandomState): RandomStream => alea('', { state })
