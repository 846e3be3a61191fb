import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { type FrameTest, parseFrameKind } from './frame-kind.ts'
import { type Refusal, isRefusal } from './user-error.ts'

/**
 * Which frames a link is forced to drop. A rule keeps no state: a predicate sees the frame and its
 * number among all frames offered to the direction, counted from 1; for a `CountedDrop` the
 * direction keeps the count. So a rule may serve several directions and several runs.
 */
export type DropRule = DropPredicate | CountedDrop

/** Must depend on its arguments alone, or the run cannot be repeated. */
export type DropPredicate = (frame: EthernetFrame, index: number) => boolean

/** Of the frames that `counts` accepts, those whose ordinal, counted from 1, `picks` accepts. */
export interface CountedDrop {
  readonly about: string
  readonly counts: FrameTest
  readonly picks: (ordinal: number) => boolean
}

/** The rules of one direction, and how far each has counted. */
export class ForcedDrops {
  readonly #rules: readonly DropRule[]
  /** Per rule. */
  readonly #counted: number[]

  constructor(rules: readonly DropRule[]) {
    this.#rules = rules
    this.#counted = rules.map(() => 0)
  }

  /** Whether to drop this frame. Ask once for every frame offered: every rule counts it. */
  takes(frame: EthernetFrame, index: number): boolean {
    let taken = false
    for (let i = 0; i < this.#rules.length; i++) {
      const rule = this.#rules[i]!
      if (typeof rule === 'function') taken = rule(frame, index) || taken
      else if (rule.counts(frame)) taken = rule.picks((this.#counted[i]! += 1)) || taken
    }
    return taken
  }
}

/** Frames by their number among all frames offered to the direction, counted from 1. */
export function listedFrames(indices: readonly number[]): DropPredicate {
  const listed = new Set(indices)
  return (_, index) => listed.has(index)
}

/**
 * Reads a pattern: `3rd data segment`, `first SYN`, `2nd and 4th ACK`, `first 3 data segments`,
 * `data segments 3-5`, `frames 1, 4, 7-9`, `every 10th frame`, `every other ACK`, `every FIN`.
 *
 * Refuses what cannot be decided when the frame is sent, such as `last FIN`.
 */
export function parseDropPattern(text: string): DropRule | Refusal {
  const about = text.trim().replace(/\s+/g, ' ')
  const undecidable = refuseUndecidable(about)
  if (undecidable !== null) return undecidable
  const split = everyNth(about) ?? firstFew(about) ?? ordinalsFirst(about) ?? numbersLast(about)
  if (split === null) return { error: `'${text}' is not a drop pattern`, suggestion: EXAMPLES }
  if (isRefusal(split.picks)) return split.picks
  const counts = parseFrameKind(split.kind)
  return isRefusal(counts) ? counts : { about, counts, picks: split.picks }
}

const EXAMPLES = "expected for example '3rd data segment', 'frames 3-5' or 'every 10th frame'"

type Picks = (ordinal: number) => boolean
interface Split {
  readonly kind: string
  readonly picks: Picks | Refusal
}

function refuseUndecidable(about: string): Refusal | null {
  if (/\b(last|final|penultimate)\b/i.test(about)) {
    return {
      error: `'${about}' cannot be decided: nobody knows at sending time whether another follows`,
      suggestion: "count from the front: 'first …', '3rd …'",
    }
  }
  if (/^(a|any|some|random)\b/i.test(about)) {
    return {
      error: `'${about}' does not say which`,
      suggestion: "give a number, as in '3rd data segment', or use 'loss' for chance",
    }
  }
  return null
}

function everyNth(about: string): Split | null {
  const match = /^(?:every|each|all) (?:(other|\S*\d\S*|[a-z]+(?:st|nd|rd|th)) )?(.+)$/i.exec(about)
  if (match === null) return null
  const [, step, kind] = match
  if (step === undefined) return { kind: kind!, picks: () => true }
  const n = /^other$/i.test(step) ? 2 : readOrdinal(step)
  return { kind: kind!, picks: isRefusal(n) ? n : (ordinal) => ordinal % n === 0 }
}

function firstFew(about: string): Split | null {
  const match = /^first (\d+) (.+)$/i.exec(about)
  if (match === null) return null
  return { kind: match[2]!, picks: inRanges([[1, Number(match[1])]]) }
}

const ORDINAL = String.raw`(?:\d+(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)`
const ORDINALS = new RegExp(
  `^(${ORDINAL}(?:(?:,? and | ?, ?| to | ?[-–] ?)${ORDINAL})*) (.+)$`,
  'i',
)

function ordinalsFirst(about: string): Split | null {
  const match = ORDINALS.exec(about)
  return match === null ? null : { kind: match[2]!, picks: readRanges(match[1]!, readOrdinal) }
}

const NUMBERS = /^(.+?) #?(\d+(?:(?:,? and | ?, ?| to | ?[-–] ?)\d+)*)$/i

function numbersLast(about: string): Split | null {
  const match = NUMBERS.exec(about)
  return match === null ? null : { kind: match[1]!, picks: readRanges(match[2]!, readNumber) }
}

/** `3, 5-7 and 9`: single numbers and ranges. */
function readRanges(list: string, read: (text: string) => number | Refusal): Picks | Refusal {
  const ranges: [number, number][] = []
  for (const part of list.split(/,? and | ?, ?/i)) {
    const ends = part.split(/ to | ?[-–] ?/i).map(read)
    const wrong = ends.find(isRefusal)
    if (wrong !== undefined) return wrong
    const [from, to = from] = ends as number[]
    if (ends.length > 2 || from! > to!) {
      return { error: `'${part}' is not a range`, suggestion: "write it as '3-5', lower end first" }
    }
    ranges.push([from!, to!])
  }
  return inRanges(ranges)
}

function inRanges(ranges: readonly (readonly [number, number])[]): Picks | Refusal {
  if (ranges.some(([from, to]) => from < 1 || to < 1)) {
    return { error: 'there is no frame number 0', suggestion: 'the first one has the number 1' }
  }
  return (ordinal) => ranges.some(([from, to]) => from <= ordinal && ordinal <= to)
}

const WORDS = 'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ')

const readNumber = (text: string): number => Number(text)

function readOrdinal(text: string): number | Refusal {
  const word = WORDS.indexOf(text.toLowerCase())
  if (word >= 0) return word + 1
  const match = /^(\d+)(st|nd|rd|th)?$/i.exec(text)
  if (match === null) return { error: `'${text}' is not an ordinal`, suggestion: EXAMPLES }
  const n = Number(match[1])
  if (n < 1) return { error: `'${text}' does not exist`, suggestion: "counting starts at '1st'" }
  const suffix = suffixOf(n)
  if (suffix === match[2]?.toLowerCase()) return n
  return { error: `'${text}' is not an ordinal`, suggestion: `did you mean '${n}${suffix}'?` }
}

function suffixOf(n: number): string {
  if (n % 100 >= 11 && n % 100 <= 13) return 'th'
  return ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th'
}
