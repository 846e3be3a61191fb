import { advance, mixed, share } from './splitmix.ts'
import { type Nanos, us } from './time.ts'

/** Random numbers whose whole state is one word in the state of an engine. */
export interface RandomWord {
  /** The generator's state, a signed 32-bit integer. */
  random: number
}

/** The next 32 bits, as a signed integer. */
export function drawWord(state: RandomWord): number {
  state.random = advance(state.random)
  return mixed(state.random)
}

/** The next share: at least 0, less than 1. */
export function drawShare(state: RandomWord): number {
  state.random = advance(state.random)
  return share(state.random)
}

/** A span from `min` to `max`, in whole microseconds. */
export const drawSpan = (state: RandomWord, min: Nanos, max: Nanos): Nanos =>
  min + Math.floor(((max - min) / MICROSECOND) * drawShare(state)) * MICROSECOND

const MICROSECOND: Nanos = us(1)
