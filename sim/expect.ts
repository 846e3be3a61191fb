import { type DirectionSummary, resent } from '../trace/summary.ts'
import type { Outcome } from './outcome.ts'
import { percentile } from './samples.ts'
import type { Expectation, ExpectationSpec, Limits, Quantity } from './scenario.ts'
import { didYouMean } from './suggest.ts'
import {
  formatDuration,
  formatRate,
  formatRatio,
  parseDuration,
  parseRate,
  parseRatio,
} from './units.ts'
import { isRefusal, refused, UserError } from './user-error.ts'

/** What an expectation is held against: an outcome, and the samples behind it. */
export interface Measured {
  readonly outcome: Omit<Outcome, 'expectations' | 'verdict'>
  readonly sorted: (sample: string) => readonly number[]
}

/** How a value is written, and read. */
interface Scale {
  readonly parse: (written: Quantity) => number
  readonly format: (value: number) => string
}

/** @throws UserError for an expectation that means nothing. */
export function evaluate(spec: ExpectationSpec, measured: Measured, where: string): Expectation {
  if (spec.note !== undefined) return noteExpectation(spec, spec.note, measured)
  if (spec.sample !== undefined) return sampleExpectation(spec, spec.sample, measured, where)
  if (spec.mark !== undefined) return markExpectation(spec, spec.mark, measured, where)
  if (spec.goodput !== undefined) {
    const value = sum(flowsOf(spec.goodput, measured), (d) => d.goodput)
    return limited(`goodput of ${spec.goodput}`, value, spec, rates(where))
  }
  if (spec.retransmissions !== undefined) {
    const value = sum(flowsOf(spec.retransmissions, measured), resent)
    return limited(`retransmissions of ${spec.retransmissions}`, value, spec, plain)
  }
  if (spec.utilisation !== undefined) {
    const link = linkOf(spec.utilisation, measured, where)
    return limited(`utilisation of ${link.name}`, link.utilisation ?? 0, spec, ratios(where))
  }
  if (spec.drops !== undefined) {
    const link = linkOf(spec.drops, measured, where)
    const value = Object.values(link.dropped).reduce((total, n) => total + n, 0)
    return limited(`drops on ${link.name}`, value, spec, plain)
  }
  throw new UserError('it expects nothing', {
    where,
    hint: "say 'note', 'sample', 'mark', 'goodput', 'retransmissions', 'utilisation' or 'drops'",
  })
}

function noteExpectation(spec: Limits, name: string, { outcome }: Measured): Expectation {
  const value = outcome.notes[name]
  if (spec.equals !== undefined) {
    return {
      that: `${name} is ${spec.equals}`,
      holds: value === spec.equals,
      actual: value === undefined ? 'never noted' : String(value),
    }
  }
  return limited(name, typeof value === 'number' ? value : NaN, spec, plain)
}

function sampleExpectation(
  spec: Limits & { readonly percentile?: number },
  name: string,
  { sorted }: Measured,
  where: string,
): Expectation {
  const rank = spec.percentile ?? 100
  if (!(rank > 0 && rank <= 100)) {
    throw new UserError(`there is no percentile ${rank}`, { where, hint: 'from 1 to 100' })
  }
  const values = sorted(name)
  const what = `${rank === 100 ? 'maximum' : `p${rank}`} of ${name}`
  const value = values.length === 0 ? NaN : percentile(values, rank)
  return limited(what, value, spec, durations(where))
}

/** Something happened, in time: after the start, another mark, or the last fault. */
function markExpectation(
  spec: { readonly within?: Quantity; readonly after?: string },
  name: string,
  { outcome }: Measured,
  where: string,
): Expectation {
  const at = outcome.marks[name]
  const after = spec.after ?? 'start'
  const from =
    after === 'start' ? 0 : after === 'faults' ? outcome.faultsEnded : outcome.marks[after]
  const since = after === 'start' ? '' : ` after ${after === 'faults' ? 'the faults' : after}`
  if (spec.within === undefined) {
    return { that: `${name} happens`, holds: at !== undefined, actual: happened(at) }
  }
  const within = durations(where).parse(spec.within)
  return {
    that: `${name} happens within ${formatDuration(within)}${since}`,
    holds: at !== undefined && from !== undefined && at - from <= within,
    actual:
      at === undefined || from === undefined
        ? `it never did${from === undefined ? `, nor did ${after}` : ''}`
        : at < from
          ? `${formatDuration(from - at)} before`
          : `${formatDuration(at - from)}${since}`,
  }
}

const happened = (at: number | undefined): string =>
  at === undefined ? 'it never did' : `at ${formatDuration(at)}`

const RELATIONS: readonly {
  readonly key: 'below' | 'above' | 'atMost' | 'atLeast' | 'equals'
  readonly words: string
  readonly holds: (value: number, limit: number) => boolean
}[] = [
  { key: 'below', words: 'is below', holds: (v, l) => v < l },
  { key: 'above', words: 'is above', holds: (v, l) => v > l },
  { key: 'atMost', words: 'is at most', holds: (v, l) => v <= l },
  { key: 'atLeast', words: 'is at least', holds: (v, l) => v >= l },
  { key: 'equals', words: 'is', holds: (v, l) => v === l },
]

function limited(what: string, value: number, limits: Limits, scale: Scale): Expectation {
  const asked = RELATIONS.filter(({ key }) => limits[key] !== undefined)
  const parsed = asked.map((relation) => ({
    ...relation,
    limit: scale.parse(limits[relation.key]!),
  }))
  const said = parsed.map(({ words, limit }) => `${words} ${scale.format(limit)}`)
  return {
    that: said.length === 0 ? `${what} is known` : `${what} ${said.join(' and ')}`,
    holds: !Number.isNaN(value) && parsed.every(({ holds, limit }) => holds(value, limit)),
    actual: Number.isNaN(value) ? 'nothing was measured' : scale.format(value),
  }
}

const plain: Scale = { parse: Number, format: String }
const durations = (where: string): Scale => ({
  parse: (q) => checked(parseDuration(q), where, q),
  format: formatDuration,
})
const rates = (where: string): Scale => ({
  parse: (q) => checked(parseRate(q), where, q),
  format: formatRate,
})
const ratios = (where: string): Scale => ({
  parse: (q) => checked(parseRatio(q), where, q),
  format: formatRatio,
})

function checked(
  value: ReturnType<typeof parseDuration>,
  where: string,
  written: Quantity,
): number {
  if (isRefusal(value)) throw refused(value, where, String(written))
  return value
}

/** `a>b`: all that flows from a to b; `all`: everything, each direction. */
function flowsOf(name: string, { outcome }: Measured): DirectionSummary[] {
  return outcome.flows.flatMap((flow) => {
    const [from, to] = [flow.from.node ?? flow.from.address, flow.to.node ?? flow.to.address]
    if (name === 'all') return [flow.forward, flow.backward]
    if (name === `${from}>${to}`) return [flow.forward]
    return name === `${to}>${from}` ? [flow.backward] : []
  })
}

function sum(flows: readonly DirectionSummary[], of: (d: DirectionSummary) => number): number {
  return flows.length === 0 ? NaN : flows.reduce((total, flow) => total + of(flow), 0)
}

function linkOf(name: string, { outcome }: Measured, where: string): Outcome['links'][number] {
  const found = outcome.links.find((link) => link.name === name)
  if (found !== undefined) return found
  const names = outcome.links.map((link) => link.name)
  const hint = didYouMean(name, names) ?? `expected one of ${names.join(', ')}`
  throw new UserError(`nothing was sent on a link '${name}'`, { where, word: name, hint })
}
