import { didYouMean } from '../suggest.ts'
import { parseCount, parseDuration, parseQueue, parseRatio, parseSize } from '../units.ts'
import { type Refusal, isRefusal } from '../user-error.ts'
import type {
  CodelOptions,
  DisciplineOptions,
  FqCodelOptions,
  PieOptions,
  RedOptions,
} from './discipline.ts'

type Quantity = string | number

/**
 * A queue discipline with its options as data. The words are those of tc(8): `limit 1000`, `target
 * 5ms`. A bare number is a count of frames where a limit is meant.
 */
export interface QueueRecord {
  readonly kind: 'drop-tail' | 'red' | 'codel' | 'fq_codel' | 'pie'
  readonly [option: string]: Quantity | boolean | undefined
}

/** What a link's `queue` may say: how much waits, drop-tail, or a discipline as text or data. */
export type QueueSpec = Quantity | QueueRecord

/** What it comes to: the part of `LinkOptions` that is about the queue. */
export interface QueueChoice {
  readonly queueFrames: number
  readonly queueBytes: number
  readonly discipline: DisciplineOptions | null
}

type Value = number | boolean
type Parser = (written: Quantity) => Value | Limit | Refusal
interface Limit {
  readonly unit: 'frames' | 'bytes'
  readonly value: number
}
type Read = { readonly [option: string]: Value | Limit | undefined }

/** The options of each kind, and how each is read; a flag stands alone, or as a boolean. */
const OPTIONS = {
  'drop-tail': { limit },
  red: {
    limit: amount,
    min: amount,
    max: amount,
    probability: parseRatio,
    weight: (written) => positive(parseRatio(written)),
    mean: (written) => positive(parseSize(written)),
    gentle: flag,
    ecn: flag,
  },
  codel: { limit, target: span, interval: span, ecn: flag },
  fq_codel: {
    limit,
    memory: parseSize,
    flows,
    target: span,
    interval: span,
    quantum: (written) => positive(parseSize(written)),
    batch: (written) => positive(parseCount(written)),
    ecn: flag,
  },
  pie: {
    limit,
    target: span,
    tupdate: span,
    alpha: factor,
    beta: factor,
    burst: parseDuration,
    mean: parseSize,
    ecn: flag,
  },
} as const satisfies { readonly [kind: string]: { readonly [option: string]: Parser } }
type Kind = keyof typeof OPTIONS

const KINDS = Object.keys(OPTIONS) as Kind[]
const FLAGS = ['ecn', 'gentle']
/** What tc(8) and the RFCs call some of these. */
const OTHER_NAMES: { readonly [name: string]: Kind } = {
  'fq-codel': 'fq_codel',
  droptail: 'drop-tail',
  fifo: 'drop-tail',
}

/** Reads a link's `queue`. */
export function parseQueueSpec(written: unknown): QueueChoice | Refusal {
  if (typeof written === 'number') return dropTail(written)
  if (typeof written === 'string') {
    const words = written.trim().split(/\s+/)
    return /^[a-z]/i.test(words[0]!) ? fromWords(words) : dropTail(written)
  }
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    return { error: `${String(written)} is not a queue`, suggestion: EXPECTED }
  }
  const { kind, ...options } = written as { readonly [option: string]: unknown }
  return fromOptions(typeof kind === 'string' ? kind : '', options)
}

const EXPECTED = "expected '100 frames', '64KiB', or a discipline such as 'codel target 5ms ecn'"

function dropTail(written: Quantity): QueueChoice | Refusal {
  const room = parseQueue(written)
  if (isRefusal(room)) return room
  return {
    queueFrames: 'frames' in room ? room.frames : Infinity,
    queueBytes: 'bytes' in room ? room.bytes : Infinity,
    discipline: null,
  }
}

/** `codel limit 1000 target 5ms ecn`. */
function fromWords([kind, ...words]: readonly string[]): QueueChoice | Refusal {
  const options: { [option: string]: unknown } = {}
  for (let at = 0; at < words.length; at++) {
    const option = words[at]!
    const off = /^no(ecn|gentle)$/.exec(option)?.[1]
    if (FLAGS.includes(option)) options[option] = true
    else if (off !== undefined) options[off] = false
    else {
      if (Object.hasOwn(options, option)) return { error: `'${option}' stands twice` }
      let value = words[++at]
      if (value === undefined) return { error: `'${option}' has no value` }
      if (/^(frames?|packets?)$/.test(words[at + 1] ?? '')) value += ` ${words[++at]}`
      options[option] = value
    }
  }
  return fromOptions(kind!, options)
}

function fromOptions(
  word: string,
  options: { readonly [option: string]: unknown },
): QueueChoice | Refusal {
  const kind = kindOf(word)
  if (kind === null) {
    const suggestion = word === '' ? EXPECTED : (didYouMean(word, KINDS) ?? EXPECTED)
    return { error: `'${word}' is not a queue discipline`, suggestion }
  }
  const parsers: { readonly [option: string]: Parser } = OPTIONS[kind]
  const read: { [option: string]: Value | Limit } = {}
  for (const [option, written] of Object.entries(options)) {
    if (written === undefined) continue
    if (!Object.hasOwn(parsers, option)) {
      const hint = didYouMean(option, Object.keys(parsers))
      const error = `${kind} has no option '${option}'`
      return hint === undefined ? { error } : { error, suggestion: hint }
    }
    const value = readOption(parsers[option]!, written)
    if (isRefusal(value)) return { ...value, error: `${kind} ${option}: ${value.error}` }
    read[option] = value
  }
  return choiceOf(kind, read)
}

function readOption(parser: Parser, written: unknown): Value | Limit | Refusal {
  if (parser === flag) {
    if (typeof written === 'boolean') return written
    return { error: `'${String(written)}' is neither true nor false` }
  }
  if (typeof written === 'string' || typeof written === 'number') return parser(written)
  return { error: `${String(written)} is not a quantity` }
}

function kindOf(word: string): Kind | null {
  if (Object.hasOwn(OPTIONS, word)) return word as Kind
  return Object.hasOwn(OTHER_NAMES, word) ? OTHER_NAMES[word]! : null
}

function choiceOf(kind: Kind, read: Read): QueueChoice | Refusal {
  const room = read['limit'] as Limit | undefined
  const limits = (frames: number) => ({
    limitFrames: room === undefined ? frames : room.unit === 'frames' ? room.value : Infinity,
    limitBytes: room?.unit === 'bytes' ? room.value : Infinity,
  })
  switch (kind) {
    case 'drop-tail': {
      const { limitFrames, limitBytes } = limits(Infinity)
      return { queueFrames: limitFrames, queueBytes: limitBytes, discipline: null }
    }
    case 'red':
      return redOf(read)
    case 'codel':
      return managed(codelOf(read, limits(CODEL_LIMIT)))
    case 'fq_codel':
      return managed(fqCodelOf(read, limits(FQ_CODEL_LIMIT)))
    case 'pie':
      return managed(pieOf(read, limits(PIE_LIMIT)))
  }
}

const managed = (discipline: DisciplineOptions): QueueChoice => ({
  queueFrames: Infinity,
  queueBytes: Infinity,
  discipline,
})

const CODEL_LIMIT = 1000
const PIE_LIMIT = 1000
/** RFC 8290 §5.2.3; the other defaults are those of §5.2, too. */
const FQ_CODEL_LIMIT = 10_240
const FQ_CODEL_MEMORY = 32 * 2 ** 20

/** The defaults of each discipline: RFC 8289 §5.3, RFC 8033 §4.2 to §4.4. */
type Limits = Pick<CodelOptions, 'limitFrames' | 'limitBytes'>

const codelOf = (read: Read, limits: Limits): CodelOptions => ({
  kind: 'codel',
  ...limits,
  target: number(read, 'target', 5e6),
  interval: number(read, 'interval', 100e6),
  ecn: read['ecn'] === true,
})

const fqCodelOf = (read: Read, limits: Limits): FqCodelOptions => ({
  kind: 'fq-codel',
  limitFrames: limits.limitFrames,
  limitBytes: Math.min(limits.limitBytes, number(read, 'memory', FQ_CODEL_MEMORY)),
  target: number(read, 'target', 5e6),
  interval: number(read, 'interval', 100e6),
  quantum: number(read, 'quantum', 1514),
  flows: number(read, 'flows', 1024),
  dropBatch: number(read, 'batch', 64),
  ecn: read['ecn'] !== false,
})

const pieOf = (read: Read, limits: Limits): PieOptions => ({
  kind: 'pie',
  ...limits,
  target: number(read, 'target', 15e6),
  update: number(read, 'tupdate', 15e6),
  alpha: number(read, 'alpha', 0.125),
  beta: number(read, 'beta', 1.25),
  burst: number(read, 'burst', 150e6),
  meanSize: number(read, 'mean', MEAN_SIZE),
  ecn: read['ecn'] === true,
})

/** Of a typical frame: as tc(8) has it where nobody says. */
const MEAN_SIZE = 1000

/** The thresholds that Floyd recommends: five frames and three times as many; 100 for the rest. */
function redOf(read: Read): QueueChoice | Refusal {
  const [min, max, room] = (['min', 'max', 'limit'] as const).map(
    (option) => read[option] as Limit | undefined,
  )
  const unit = (min ?? max ?? room)?.unit ?? 'frames'
  if ([min, max, room].some((each) => each !== undefined && each.unit !== unit)) {
    return {
      error: 'red counts frames or bytes, not both',
      suggestion: "give min, max and limit in one unit, such as 'min 5 frames max 15 frames'",
    }
  }
  const scale = unit === 'bytes' ? number(read, 'mean', MEAN_SIZE) : 1
  const law: RedOptions = {
    kind: 'red',
    unit,
    min: min?.value ?? 5 * scale,
    max: max?.value ?? 3 * (min?.value ?? 5 * scale),
    limit: room?.value ?? 100 * scale,
    probability: number(read, 'probability', 0.1),
    weight: number(read, 'weight', 0.002),
    gentle: read['gentle'] !== false,
    meanSize: number(read, 'mean', MEAN_SIZE),
    ecn: read['ecn'] === true,
  }
  if (law.min >= law.max) {
    return { error: `red: min (${law.min}) is not below max (${law.max})` }
  }
  return managed(law)
}

const number = (read: Read, option: string, byDefault: number): number =>
  (read[option] as number | undefined) ?? byDefault

/** Frames where there is no unit, else frames or bytes. */
function limit(written: Quantity): Limit | Refusal {
  if (typeof written === 'number' || /^\d+$/.test(written)) {
    const count = parseCount(written)
    return isRefusal(count) ? count : atLeastOne({ unit: 'frames', value: count })
  }
  return amount(written)
}

function amount(written: Quantity): Limit | Refusal {
  if (typeof written === 'number') {
    return {
      error: `${written} has no unit`,
      suggestion: `write '${written} frames' or '${written}B'`,
    }
  }
  const room = parseQueue(written)
  if (isRefusal(room)) return room
  return atLeastOne(
    'frames' in room
      ? { unit: 'frames', value: room.frames }
      : { unit: 'bytes', value: room.bytes },
  )
}

const atLeastOne = (room: Limit): Limit | Refusal =>
  room.value > 0 ? room : { error: 'nothing could ever wait', suggestion: 'expected 1 or more' }

const positive = (value: number | Refusal): number | Refusal =>
  value === 0 ? { error: 'it cannot be 0' } : value

function span(written: Quantity): number | Refusal {
  return positive(parseDuration(written))
}

function flows(written: Quantity): number | Refusal {
  const count = positive(parseCount(written))
  if (isRefusal(count) || count <= FLOWS_MAX) return count
  return { error: `${count} are too many`, suggestion: `expected 1 to ${FLOWS_MAX}` }
}
/** As many as tc(8) allows. */
const FLOWS_MAX = 65_536

/** A number per second, without a unit. */
function factor(written: Quantity): number | Refusal {
  const value = typeof written === 'number' ? written : /^[\d.]+$/.test(written) ? +written : NaN
  if (value >= 0 && value < Infinity) return value
  return { error: `'${written}' is not a number`, suggestion: "write one such as '0.125'" }
}

/** Only marks an option as one that is switched on or off. */
function flag(): Refusal {
  return { error: 'a flag has no value' }
}
