import { type DropRule, listedFrames, parseDropPattern } from './drop-rule.ts'
import type { LinkOptions } from './link.ts'
import type { DropSpec, LinkSpec, Quantity } from './scenario.ts'
import { didYouMean } from './suggest.ts'
import { parseDuration, parseQueue, parseRate, parseRatio, parseSize } from './units.ts'
import { type Refusal, UserError, isRefusal, refused } from './user-error.ts'

type Changes = { -readonly [Option in keyof LinkOptions]?: LinkOptions[Option] }

/** RFC 791 §3.1: every link carries 68 bytes; 65,535 is the longest IPv4 packet. */
const MTU_MIN = 68
const MTU_MAX = 65_535

const READERS: {
  readonly [Key in Exclude<keyof LinkSpec, 'drop'>]: (
    q: Quantity,
    to: Changes,
  ) => Refusal | undefined
} = {
  delay: (q, to) => store(parseDuration(q), (n) => (to.delay = n)),
  jitter: (q, to) => store(parseDuration(q), (n) => (to.jitter = n)),
  loss: (q, to) => store(parseRatio(q), (n) => (to.loss = n)),
  duplicate: (q, to) => store(parseRatio(q), (n) => (to.duplicate = n)),
  reorder: (q, to) => store(parseRatio(q), (n) => (to.reorder = n)),
  corrupt: (q, to) => store(parseRatio(q), (n) => (to.corrupt = n)),
  rate: (q, to) => store(parseRate(q), (n) => (to.rate = n)),
  mtu: (q, to) => store(parseMtu(q), (n) => (to.mtu = n)),
  queue: (q, to) =>
    store(parseQueue(q), (limit) => {
      to.queueFrames = 'frames' in limit ? limit.frames : Infinity
      to.queueBytes = 'bytes' in limit ? limit.bytes : Infinity
    }),
}
export const LINK_KEYS: readonly string[] = [...Object.keys(READERS), 'drop']

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
  for (const [key, written] of Object.entries(spec)) {
    if (besides.includes(key) || written === undefined) continue
    if (key === 'drop') {
      changes.drops = readDrops(written as DropSpec | readonly DropSpec[], where)
      continue
    }
    if (!Object.hasOwn(READERS, key)) throw unknownKey(key, [...LINK_KEYS, ...besides], where)
    const q: unknown = written
    const refusal =
      typeof q === 'string' || typeof q === 'number'
        ? READERS[key as keyof typeof READERS](q, changes)
        : { error: `${String(q)} is not a quantity` }
    if (isRefusal(refusal)) throw refused(refusal, `${where}: ${key}`, String(q))
  }
  return changes
}

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
