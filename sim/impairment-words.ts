import type { Nanos } from '../protocols/time.ts'
import { type Distribution, parseDistribution, tableDistribution } from './distribution.ts'
import {
  DISTRIBUTION_NAMES,
  type DistributionName,
  namedDistribution,
} from './distribution-tables.ts'
import type { Slot } from './link-options.ts'
import { type LossModel, fourStates, gilbertElliott } from './loss-model.ts'
import { type DeliveryTrace, deliveryTrace, parseDeliveryTrace } from './mahimahi.ts'
import type { DistributionSpec, Quantity, TraceSpec } from './scenario.ts'
import { didYouMean } from './suggest.ts'
import { parseCount, parseDuration, parseRatio, parseSize } from './units.ts'
import { type Refusal, isRefusal } from './user-error.ts'

/*
 * What a scenario says about impairments, in the words of tc-netem(8). Every function gives a value
 * or says what is wrong.
 */

/** A value, and how much of a frame's luck is that of the frame before. */
export interface Correlated {
  readonly value: number
  readonly correlation: number
}

/** `'1%'`, or `'1% 25%'` with a correlation. */
export const parseShare = (q: Quantity): Correlated | Refusal =>
  correlated(q, parseRatio, "a share and a correlation such as '1% 25%'")

/** `'2ms'`, or `'2ms 25%'` with a correlation. Nanoseconds. */
export const parseJitter = (q: Quantity): Correlated | Refusal =>
  correlated(q, parseDuration, "a jitter and a correlation such as '2ms 25%'")

function correlated(
  q: Quantity,
  parse: (q: Quantity) => number | Refusal,
  expected: string,
): Correlated | Refusal {
  const words = wordsOf(q)
  const value = parse(words.length === 2 ? words[0]! : q)
  if (words.length > 2)
    return { error: `'${q}' has too many parts`, suggestion: `expected ${expected}` }
  if (isRefusal(value)) return value
  const correlation = words.length === 2 ? parseRatio(words[1]!) : 0
  return isRefusal(correlation) ? correlation : { value, correlation }
}

/** Words between spaces; `'5 %'` and `'2 ms'` are one. */
const wordsOf = (q: Quantity): string[] =>
  typeof q === 'number'
    ? [String(q)]
    : q
        .trim()
        .replace(/(\d)\s+(?=[a-zµμ%])/gi, '$1')
        .split(/\s+/)

/** `loss` or the model that rules in its place. */
export type Loss = Correlated | { readonly model: LossModel }

/** `'1%'`, `'random 1% 25%'`, `'state p13 p31 p32 p23 p14'` or `'gemodel p r 1-h 1-k'`. */
export function parseLoss(q: Quantity): Loss | Refusal {
  const named = typeof q === 'string' ? /^\s*([a-z]\S*)\s*(.*)$/is.exec(q) : null
  if (named === null) return parseShare(q)
  const [, name, rest] = named as unknown as [string, string, string]
  if (name === 'random') return parseShare(rest)
  const most = { state: 5, gemodel: 4 }[name]
  if (most === undefined) {
    const hint = didYouMean(name, ['random', 'state', 'gemodel'])
    return {
      error: `'${name}' is not a loss model`,
      ...(hint === undefined ? {} : { suggestion: hint }),
    }
  }
  const written = wordsOf(rest).filter((word) => word !== '')
  const shares: number[] = []
  for (const word of written) {
    const share = parseRatio(word)
    if (isRefusal(share)) return share
    shares.push(share)
  }
  const [first, ...others] = shares
  if (first === undefined || shares.length > most) {
    const forms = { state: "'state p13 p31 p32 p23 p14'", gemodel: "'gemodel p r 1-h 1-k'" }
    const suggestion = `expected ${forms[name as keyof typeof forms]}: one to ${most} of them`
    return { error: `'${q}' has ${shares.length} probabilities`, suggestion }
  }
  return name === 'gemodel'
    ? { model: gilbertElliott(first, ...others) }
    : stateModel(first, others)
}

function stateModel(p13: number, others: readonly number[]): Loss | Refusal {
  const model = fourStates(p13, ...others)
  const { p31, p32, p14 } = model
  const [state, sum] = p13 + p14 > 1 ? [1, p13 + p14] : [3, p31 + p32]
  if (sum <= 1) return { model }
  const names = state === 1 ? 'p13 and p14' : 'p31 and p32'
  return {
    error: `${names} lead away from state ${state}, together more often than always`,
    suggestion: 'together they are at most 100%',
  }
}

export interface Reorder extends Correlated {
  readonly gap: number
}

/** `'25%'`, `'25% 50%'`, `'25% 50% gap 5'`, or `'gap 5'` for every fifth. */
export function parseReorder(q: Quantity): Reorder | Refusal {
  const match = typeof q === 'string' ? /^\s*(.*?)\s*\bgap\s+(\S+)\s*$/i.exec(q) : null
  if (match === null) {
    const share = parseShare(q)
    return isRefusal(share) ? share : { ...share, gap: 1 }
  }
  const gap = parseCount(match[2]!)
  if (isRefusal(gap)) return gap
  if (gap < 1) return { error: `a gap of ${gap}`, suggestion: 'expected a count from 1' }
  const share = match[1] === '' ? { value: 1, correlation: 0 } : parseShare(match[1]!)
  return isRefusal(share) ? share : { ...share, gap }
}

const SLOT_FORMS =
  "expected '10ms 20ms packets 5 bytes 3000B' or 'distribution normal 20ms 5ms packets 5'"

/** `MIN [MAX] [packets N] [bytes SIZE]` or `distribution NAME DELAY JITTER …`. */
export function parseSlot(q: Quantity): Slot | Refusal {
  const words = String(q).trim().split(/\s+/)
  const limits = { frames: Infinity, bytes: Infinity }
  for (;;) {
    const key = words.at(-2)
    if (key !== 'packets' && key !== 'frames' && key !== 'bytes') break
    const [, word] = words.splice(-2) as [string, string]
    const limit = key === 'bytes' && /\D/.test(word) ? parseSize(word) : parseCount(word)
    if (isRefusal(limit)) return limit
    if (limit < 1) return { error: `a slot for ${word} ${key}`, suggestion: 'expected 1 or more' }
    limits[key === 'bytes' ? 'bytes' : 'frames'] = limit
  }
  const named = words[0] === 'distribution'
  const name = named ? words.splice(0, 2)[1] : undefined
  const spans: Nanos[] = []
  for (const word of typeof q === 'number' ? [] : words) {
    const span = parseDuration(word)
    if (isRefusal(span)) return { ...span, suggestion: span.suggestion ?? SLOT_FORMS }
    spans.push(span)
  }
  const [first, second] = typeof q === 'number' ? [q] : spans
  if (first === undefined || spans.length > 2 || (named && second === undefined)) {
    return { error: `'${q}' is not a slot`, suggestion: SLOT_FORMS }
  }
  if (named) {
    const distribution = nameOf(name ?? '')
    if (isRefusal(distribution)) return distribution
    return { span: { ...distribution, delay: first, jitter: second! }, ...limits }
  }
  const max = second ?? first
  if (max >= first) return { span: { min: first, max }, ...limits }
  return { error: `'${q}': the longest wait is below the shortest`, suggestion: SLOT_FORMS }
}

function nameOf(name: string): { distribution: Distribution | null } | Refusal {
  if ((DISTRIBUTION_NAMES as readonly string[]).includes(name)) {
    return { distribution: namedDistribution(name as DistributionName) }
  }
  const hint = didYouMean(name, DISTRIBUTION_NAMES)
  const error = `'${name}' is not a distribution`
  return { error, ...(hint === undefined ? {} : { suggestion: hint }) }
}

/** A name, the entries of a table, or a file in the format of tc's `.dist`. */
export function readDistribution(
  spec: DistributionSpec,
): { distribution: Distribution | null } | Refusal {
  if (typeof spec === 'string') return nameOf(spec)
  const read = 'bytes' in spec ? parseDistribution(asciiOf(spec.bytes)) : tableDistribution(spec)
  return isRefusal(read) ? read : { distribution: read }
}

/** The text of a trace, its milliseconds, or a file. */
export function readTrace(spec: TraceSpec): DeliveryTrace | Refusal {
  if (typeof spec === 'string') return parseDeliveryTrace(spec)
  return 'bytes' in spec ? parseDeliveryTrace(asciiOf(spec.bytes)) : deliveryTrace(spec)
}

function asciiOf(bytes: { readonly length: number; readonly [at: number]: number }): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at++) parts.push(String.fromCharCode(bytes[at]!))
  return parts.join('')
}
