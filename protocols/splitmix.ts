/*
 * splitmix32: a counter through a mixing function. One word of state, every value once in a round;
 * for the small choices of engines, which keep the word in their state. It does not hide anything.
 */

const STRIDE = 0x9e3779b9 | 0

/** The state after `state`. */
export const advance = (state: number): number => (state + STRIDE) | 0

/** The signed 32-bit draw that belongs to a state. */
export function mixed(state: number): number {
  let h = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** The same as a share: at least 0, less than 1. */
export const share = (state: number): number => (mixed(state) >>> 0) / 0x100000000
