import { type Nanos, us } from './time.ts'

/**
 * splitmix32, a counter through a mixing function: random numbers whose whole state is one word in the
 * state of an engine. Every value comes once in a round; it does not hide anything.
 */
export interface RandomWord {
  /** The generator's state, a signed 32-bit integer. */
  random: number
}

/** The next 32 bits, as a signed integer. */
export function drawWord(state: RandomWord): number {
  state.random = (state.random + STRIDE) | 0
  let h = state.random
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** The next share: at least 0, less than 1. */
export function drawShare(state: RandomWord): number {
  return (drawWord(state) >>> 0) / 0x100000000
}

/** A span from `min` to `max`, in whole microseconds. */
export const drawSpan = (state: RandomWord, min: Nanos, max: Nanos): Nanos =>
  min + Math.floor(((max - min) / MICROSECOND) * drawShare(state)) * MICROSECOND

const MICROSECOND: Nanos = us(1)
const STRIDE = 0x9e3779b9 | 0
