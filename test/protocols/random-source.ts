import seedAlea from 'seedrandom/lib/alea.js'

/** Signed 32-bit integers, the same for the same seed. */
export const alea = (seed: string): (() => number) => {
  const stream = seedAlea(seed)
  return () => stream.int32()
}
