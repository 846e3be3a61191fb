import { type DropRule, listedFrames, parseDropPattern } from './drop-rule.ts'
import {
  type Correlated,
  parseJitter,
  parseLoss,
  parseReorder,
  parseShare,
  parseSlot,
  readDistribution,
  readTrace,
} from './impairment-words.ts'
import type { LinkOptions, ScheduledChange } from './link-options.ts'
import type {
  DistributionSpec,
  DropSpec,
  LinkSpec,
  Quantity,
  ScheduleEntry,
  TraceSpec,
} from './scenario.ts'
import { parseQueueSpec } from './queue/parse-queue.ts'
import { didYouMean } from './suggest.ts'
import { parseDuration, parseRate, parseSize } from './units.ts'
import { type Refusal, UserError, isRefusal, refused } from './user-error.ts'

type Changes = { -readonly [Option in keyof LinkOptions]?: LinkOptions[Option] }

/** RFC 791 §3.1: every link carries 68 bytes; 65,535 is the longest IPv4 packet. */
const MTU_MIN = 68
const MTU_MAX = 65_535

/** Keeps what the value says, or tells what is wrong with it. A key sets all that it is about. */
type Reader = (written: unknown, to: Changes) => Refusal | undefined

const READERS: { readonly [Key in Exclude<keyof LinkSpec, 'drop' | 'schedule'>]-?: Reader } = {
  delay: quantity(parseDuration, (delay, to) => (to.delay = delay)),
  jitter: correlated(parseJitter, 'jitter', 'jitterCorrelation'),
  distribution: (written, to) => {
    if (typeof written !== 'string' && !isListOrFile(written)) return notA(written, 'distribution')
    const read = readDistribution(written as DistributionSpec)
    return store(read, ({ distribution }) => (to.distribution = distribution))
  },
  keepOrder: (written, to) => {
    if (typeof written !== 'boolean') return notA(written, "'true' or 'false'")
    to.keepOrder = written
    return undefined
  },
  loss: quantity(parseLoss, (loss, to) => {
    to.loss = 'model' in loss ? 0 : loss.value
    to.lossCorrelation = 'model' in loss ? 0 : loss.correlation
    to.lossModel = 'model' in loss ? loss.model : null
  }),
  duplicate: correlated(parseShare, 'duplicate', 'duplicateCorrelation'),
  reorder: quantity(parseReorder, ({ value, correlation, gap }, to) => {
    to.reorder = value
    to.reorderCorrelation = correlation
    to.reorderGap = gap
  }),
  corrupt: correlated(parseShare, 'corrupt', 'corruptCorrelation'),
  rate: quantity(parseRate, (rate, to) => {
    to.rate = rate
    to.trace = null
  }),
  trace: (written, to) => {
    if (typeof written !== 'string' && !isListOrFile(written))
      return notA(written, 'delivery trace')
    return store(readTrace(written as TraceSpec), (trace) => {
      to.trace = trace
      to.rate = 0
    })
  },
  slot: (written, to) => {
    if (written === 'none') to.slot = null
    else return quantity(parseSlot, (slot, into) => (into.slot = slot))(written, to)
    return undefined
  },
  mtu: quantity(parseMtu, (mtu, to) => (to.mtu = mtu)),
  queue: (written, to) => store(parseQueueSpec(written), (choice) => Object.assign(to, choice)),
}
const LINK_KEYS: readonly string[] = [...Object.keys(READERS), 'drop', 'schedule']

/**
 * Reads what a link does in one direction. Keys that are not there stay out of the result;
 * `besides` are keys that the caller reads.
 *
 * @throws UserError for an unknown key or a quantity that cannot be read.
 */
export function readLinkSpec(
  spec: LinkSpec,
  where: string,
  besides: readonly string[] = [],
): Partial<LinkOptions> {
  const changes: Changes = {}
  for (const [key, written] of Object.entries(spec) as [string, unknown][]) {
    if (besides.includes(key) || written === undefined) continue
    if (key === 'drop') {
      changes.drops = readDrops(written as DropSpec | readonly DropSpec[], where)
    } else if (key === 'schedule') {
      changes.schedule = readSchedule(written, `${where}: schedule`)
    } else {
      if (!Object.hasOwn(READERS, key)) throw unknownKey(key, [...LINK_KEYS, ...besides], where)
      const refusal = READERS[key as keyof typeof READERS](written, changes)
      if (isRefusal(refusal)) throw refused(refusal, `${where}: ${key}`, wordOf(written))
    }
  }
  if (spec.rate !== undefined && spec.trace !== undefined) {
    throw new UserError('both a rate and a trace', {
      where,
      word: 'trace',
      hint: 'the trace says when frames may leave: take the rate away',
    })
  }
  return changes
}

/**
 * Reads what a link does from some moment on, which cannot be another schedule.
 *
 * @throws UserError as `readLinkSpec` does.
 */
export function readLinkChange(spec: LinkSpec, where: string): Partial<LinkOptions> {
  if (spec.schedule === undefined) return readLinkSpec(spec, where)
  const hint = 'a schedule belongs to the link itself'
  throw new UserError('a change cannot hold a schedule', { where, word: 'schedule', hint })
}

/** In the order of time; changes at the same instant in the order in which they are written. */
function readSchedule(written: unknown, where: string): ScheduledChange[] {
  if (!Array.isArray(written)) {
    const hint = "write [{ at: '5s', rate: '1Mbit' }]"
    throw new UserError('a schedule is a list of changes', { where, hint })
  }
  const changes = (written as readonly ScheduleEntry[]).map((entry, index) => {
    const place = `${where} ${index + 1}`
    if (entry.at === undefined) {
      throw new UserError('it has no time', { where: place, hint: "write { at: '5s', … }" })
    }
    const { at: when, ...rest } = entry
    const at = parseDuration(when)
    if (isRefusal(at)) throw refused(at, `${place}: at`, String(when))
    return { at, set: readLinkChange(rest, place), keys: Object.keys(rest) }
  })
  return changes.sort((a, b) => a.at - b.at)
}

function quantity<T extends object | number>(
  parse: (q: Quantity) => T | Refusal,
  keep: (value: T, to: Changes) => void,
): Reader {
  return (written, to) =>
    typeof written === 'string' || typeof written === 'number'
      ? store(parse(written), (value) => keep(value, to))
      : notA(written, 'quantity')
}

type Share = 'jitter' | 'duplicate' | 'corrupt'

function correlated<Key extends Share>(
  parse: (q: Quantity) => Correlated | Refusal,
  key: Key,
  ofKey: `${Key}Correlation`,
): Reader {
  return quantity(parse, ({ value, correlation }, to: { [option: string]: unknown }) => {
    to[key] = value
    to[ofKey] = correlation
  })
}

const isListOrFile = (x: unknown): boolean =>
  typeof x === 'object' && x !== null && (Array.isArray(x) || 'bytes' in x)

const notA = (written: unknown, what: string): Refusal => ({
  error: `${String(written)} is not ${what.startsWith("'") ? what : `a ${what}`}`,
})

/** The part of a text that is likely to stand in one line of a file. */
const wordOf = (written: unknown): string => String(written).split('\n')[0]!.slice(0, 80)

export function unknownKey(key: string, known: readonly string[], where: string): UserError {
  const hint = didYouMean(key, known)
  return new UserError(`unknown key '${key}'`, {
    where,
    word: key,
    hint,
  })
}

function store<T extends object | number>(
  value: T | Refusal,
  keep: (value: T) => void,
): Refusal | undefined {
  if (isRefusal(value)) return value
  keep(value)
  return undefined
}

function parseMtu(q: Quantity): number | Refusal {
  // A bare number in text is what ip(8) takes, and there is only one unit it could have.
  const mtu = typeof q === 'string' && /^\s*\d+\s*$/.test(q) ? Number(q) : parseSize(q)
  if (typeof mtu !== 'number' || (mtu >= MTU_MIN && mtu <= MTU_MAX)) return mtu
  return { error: `${mtu} is not an MTU`, suggestion: `expected ${MTU_MIN} to ${MTU_MAX} bytes` }
}

function readDrops(spec: DropSpec | readonly DropSpec[], where: string): DropRule[] {
  const isOne = !Array.isArray(spec) || spec.every((entry) => typeof entry === 'number')
  const list = isOne ? [spec as DropSpec] : (spec as readonly DropSpec[])
  return list.map((one) => readDrop(one, `${where}: drop`))
}

function readDrop(spec: DropSpec, where: string): DropRule {
  if (typeof spec === 'function') return spec
  if (typeof spec === 'string') {
    const rule = parseDropPattern(spec)
    if (isRefusal(rule)) throw refused(rule, where, spec)
    return rule
  }
  const wrong = Array.isArray(spec)
    ? spec.find((index) => !Number.isSafeInteger(index) || index < 1)
    : spec
  if (wrong === undefined) return listedFrames(spec)
  throw new UserError(`${String(wrong)} is not a frame number`, {
    where,
    hint: "expected a pattern such as '3rd data segment', or frame numbers counted from 1",
  })
}
