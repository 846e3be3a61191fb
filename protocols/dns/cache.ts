import { NEVER, type Nanos, s } from '../time.ts'
import {
  DNS_TYPES,
  type DnsMessage,
  type DnsName,
  type DnsQuestion,
  type DnsRecord,
  sameName,
  typeOf,
} from './message.ts'

/** RFC 2308 §5: a "no" is remembered for three hours at most. */
const NEGATIVE_MAX = s(3 * 3600)
/** RFC 8767 §4: a TTL of more than a week is taken for one. */
const TTL_MAX = s(7 * 24 * 3600)
/** The oldest go when there are more. */
export const CACHE_MAX = 1000

/** What a question came to. `no-name`, `no-data`: the two kinds of "no" (RFC 2308 §2). */
export type DnsAnswer =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[] }
  | { readonly kind: 'no-name' }
  | { readonly kind: 'no-data' }

/** Immutable; a class, so that Immer passes it through as one value. */
export class CacheEntry {
  readonly question: DnsQuestion
  readonly answer: DnsAnswer
  readonly until: Nanos

  constructor(question: DnsQuestion, answer: DnsAnswer, until: Nanos) {
    this.question = question
    this.answer = answer
    this.until = until
  }
}

/** The answer that is remembered, or `null`. */
export function remembered(
  cache: readonly CacheEntry[],
  now: Nanos,
  question: DnsQuestion,
): DnsAnswer | null {
  const entry = cache.find(
    (each) =>
      each.until > now &&
      each.question.type === question.type &&
      sameName(each.question.name, question.name),
  )
  return entry?.answer ?? null
}

/** The cache with one more, without what has ended. */
export function remember(
  cache: readonly CacheEntry[],
  now: Nanos,
  entry: CacheEntry,
): CacheEntry[] {
  if (entry.until <= now) return [...cache]
  const { name, type } = entry.question
  const others = cache.filter(
    ({ until, question }) =>
      until > now && (question.type !== type || !sameName(question.name, name)),
  )
  return [...others, entry].slice(-CACHE_MAX)
}

/**
 * Follows the aliases in a response from the name that was asked for. `alias`: it leads to a name
 * about which the response says nothing. `until`: how long the result holds.
 */
export function conclusion(
  response: DnsMessage,
  question: DnsQuestion,
  now: Nanos,
):
  | { readonly kind: 'done'; readonly answer: DnsAnswer; readonly until: Nanos }
  | { readonly kind: 'alias'; readonly to: DnsName; readonly until: Nanos } {
  let name = question.name
  let until: Nanos = NEVER
  const followed: DnsName[] = []
  for (;;) {
    const here = response.answers.filter((record) => sameName(record.name, name))
    const records = here.filter(({ data }) => typeOf(data) === question.type)
    if (records.length > 0) {
      for (const { ttl } of records) until = Math.min(until, now + lifetime(ttl))
      return { kind: 'done', answer: { kind: 'records', records }, until }
    }
    const alias = here.find(({ data }) => data.kind === 'CNAME')
    if (alias === undefined || question.type === DNS_TYPES.CNAME) break
    until = Math.min(until, now + lifetime(alias.ttl))
    followed.push(name)
    name = (alias.data as { name: DnsName }).name
    if (followed.some((each) => sameName(each, name))) break // a circle leads nowhere
  }
  const soa = response.authorities.find(({ data }) => data.kind === 'SOA')
  if (followed.length > 0 && soa === undefined && response.rcode === 0) {
    return { kind: 'alias', to: name, until }
  }
  const kind = response.rcode === 3 ? 'no-name' : 'no-data'
  return { kind: 'done', answer: { kind }, until: Math.min(until, now + negativeLifetime(soa)) }
}

const lifetime = (ttl: number): Nanos => Math.min(s(ttl), TTL_MAX)

/** RFC 2308 §5; without an SOA a "no" is not remembered. */
function negativeLifetime(soa: DnsRecord | undefined): Nanos {
  if (soa === undefined || soa.data.kind !== 'SOA') return 0
  return Math.min(s(Math.min(soa.ttl, soa.data.minimum)), NEGATIVE_MAX)
}
