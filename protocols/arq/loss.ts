/*
 * Loss by choice at the receiver, as the course project asks for it: a number between 0 and 1 is
 * drawn for every data packet before anything else is done with it, and up to p it is lost. For
 * experiments that have to go one way, a list of sequence numbers.
 */

export interface Loss {
  /** 0: none, 1: all. */
  readonly probability: number
  /** These are lost when they come, each as often as it is listed, whatever the draw. */
  listed: number[]
  /** 32 bits, from which the draws are made. */
  random: number
}

export const NO_LOSS: Loss = { probability: 0, listed: [], random: 0 }

/** `seed`: any 32 bits. */
export const createLoss = (
  probability: number,
  seed: number,
  listed: readonly number[] = [],
): Loss => ({ probability, listed: [...listed], random: seed | 0 })

/** Whether a packet with this sequence number is lost. */
export function isLost(loss: Loss, sequence: number): boolean {
  const drawn = loss.probability > 0 && draw(loss) <= loss.probability
  const at = loss.listed.indexOf(sequence)
  if (at >= 0) loss.listed = loss.listed.filter((_, i) => i !== at)
  return drawn || at >= 0
}

/** More than 0, less than 1: so that p = 0 loses nothing and p = 1 everything. */
function draw(loss: Loss): number {
  loss.random = (loss.random + 0x6d2b79f5) | 0
  return ((mix(loss.random) >>> 0) + 0.5) / 2 ** 32
}

/** Murmur3's finaliser, twice with other constants: neighbours come out unrelated. */
function mix(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return h ^ (h >>> 16)
}
