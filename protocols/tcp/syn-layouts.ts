import {
  OPTION_END,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
} from './options.ts'

/** Option kinds in their order on a SYN, for each set of options that it may carry; see `synSet`. */
export type SynLayouts = readonly (readonly number[])[]

/** Which layout serves a SYN with these options beside the MSS. */
export const synSet = (sack: boolean, timestamps: boolean, scale: boolean): number =>
  (sack ? 1 : 0) | (timestamps ? 2 : 0) | (scale ? 4 : 0)

const KINDS: { readonly [word: string]: number } = {
  mss: OPTION_MSS,
  nop: OPTION_NOP,
  eol: OPTION_END,
  sackOK: OPTION_SACK_PERMITTED,
  TS: OPTION_TIMESTAMPS,
  wscale: OPTION_WINDOW_SCALE,
}

/** Eight lines in the words of packetdrill, in any order: what a line has says which set it is for. */
export function synLayouts(lines: readonly string[]): SynLayouts {
  const layouts: (readonly number[])[] = []
  for (const line of lines) {
    const words = line.split(',')
    const has = (word: string): boolean => words.includes(word)
    layouts[synSet(has('sackOK'), has('TS'), has('wscale'))] = words.map((word) => KINDS[word]!)
  }
  return layouts
}
