import type { Application, ApplicationOut } from '../application.ts'
import type { Endpoint } from '../address.ts'
import { type Bytes, concatBytes, NO_BYTES } from '../bytes.ts'
import type { SocketEvent, SocketId } from '../host/socket.ts'
import { drawShare, drawWord } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { CacheEntry, conclusion, type DnsAnswer, remember, remembered } from './cache.ts'
import { emitDns, framed, parseDns, unframed } from './codec.ts'
import { type DnsMessage, type DnsName, type DnsQuestion, isName, sameName } from './message.ts'

/*
 * A stub resolver, RFC 1034 §5.3.1: it asks recursive or authoritative servers one after the other.
 * Each try has a port and a number of its own, and an answer must come from whom it asked, with the
 * question in it (RFC 5452). Left out: search lists, EDNS, 0x20 encoding.
 */

/** As resolv.conf(5) has them: the wait for an answer, and how often each server is asked. */
export const DNS_TIMEOUT: Nanos = s(5)
export const DNS_ATTEMPTS = 2
/** A chain of aliases over several questions that is longer goes in a circle. */
const ALIASES_MAX = 8

export interface DnsResolverConfig {
  readonly servers: readonly Endpoint[]
  readonly timeout: Nanos
  readonly attempts: number
}

interface Query {
  /** As the command named it. */
  readonly id: number
  readonly asked: DnsQuestion
  /** `asked`, or where its aliases led. */
  question: DnsQuestion
  aliases: number
  /** How long what the aliases said holds. */
  until: Nanos
  tries: number
  transaction: number
  socket: SocketId
  /** Over TCP: what has come of the answer. */
  stream: Bytes | null
  due: Nanos
}

/** Plain data. */
export interface DnsResolverState {
  readonly config: DnsResolverConfig
  random: number
  queries: Query[]
  /** Queries whose sockets are being opened, in order. */
  opening: number[]
  cache: CacheEntry[]
}

/** A name and a type (see `DNS_TYPES`) to find; `id` is the user's, and comes back with the result. */
export interface DnsResolverCommand {
  readonly kind: 'resolve'
  readonly id: number
  readonly name: DnsName
  readonly type: number
}

export type DnsResult =
  | DnsAnswer
  /** Nobody answered in time, or every server refused or failed. */
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'server-failure' }
  | { readonly kind: 'bad-name' }

export type DnsResolverReport =
  | { readonly kind: 'result'; readonly id: number; readonly result: DnsResult }
  | {
      readonly kind: 'asked'
      readonly server: Endpoint
      readonly question: DnsQuestion
      readonly tcp: boolean
    }

type Out = ApplicationOut<DnsResolverReport>

/** `seed`: any 32 bits. */
export const createDnsResolver = (
  servers: readonly Endpoint[],
  seed: number,
  { timeout = DNS_TIMEOUT, attempts = DNS_ATTEMPTS }: Partial<DnsResolverConfig> = {},
): DnsResolverState => ({
  config: { servers, timeout, attempts },
  random: seed | 0,
  queries: [],
  opening: [],
  cache: [],
})

export const dnsResolver: Application<DnsResolverState, DnsResolverCommand, DnsResolverReport> = {
  name: 'dns-resolver',

  step(state, now, input, out) {
    if (input.kind === 'command') resolve(state, now, input.command, out)
    else if (input.kind === 'socket') heard(state, now, input.event, out)
    else if (input.kind === 'timer') timer(state, now, out)
  },
}

function resolve(r: DnsResolverState, now: Nanos, command: DnsResolverCommand, out: Out): void {
  const { id, type } = command
  const name = command.name.replace(/\.$/, '')
  const report = (result: DnsResult) => out.report({ kind: 'result', id, result })
  if (!isName(name) || name === '') return report({ kind: 'bad-name' })
  const question = { name, type }
  const known = remembered(r.cache, now, question)
  if (known !== null) return report(known)
  if (r.config.servers.length === 0) return report({ kind: 'timed-out' })
  const query: Query = {
    id,
    asked: question,
    question,
    aliases: 0,
    until: NEVER,
    tries: 0,
    transaction: 0,
    socket: -1,
    stream: null,
    due: NEVER,
  }
  r.queries.push(query)
  ask(r, now, query, 'udp', out)
}

/** A fresh socket for each try: an answer to an earlier one, or a forged one, finds nobody. */
function ask(r: DnsResolverState, now: Nanos, query: Query, over: 'udp' | 'tcp', out: Out): void {
  leave(query, out)
  query.transaction = drawWord(r) & 0xffff
  query.stream = over === 'tcp' ? NO_BYTES : null
  query.due = now + r.config.timeout
  r.opening.push(query.id)
  const server = serverOf(r, query)
  out.report({ kind: 'asked', server, question: { ...query.question }, tcp: over === 'tcp' })
  out.call({ kind: 'open', protocol: over })
  tellDue(r, out)
}

function serverOf(r: DnsResolverState, query: Query): Endpoint {
  const { servers } = r.config
  return { ...servers[query.tries % servers.length]! }
}

function leave(query: Query, out: Out): void {
  if (query.socket >= 0) out.call({ kind: 'close', socket: query.socket })
  query.socket = -1
}

function heard(r: DnsResolverState, now: Nanos, event: SocketEvent, out: Out): void {
  if (event.kind === 'opened') return opened(r, event, out)
  const query = r.queries.find(({ socket }) => socket === event.socket)
  if (query === undefined) return
  switch (event.kind) {
    case 'rejected':
      // Somebody has the port: another one does as well.
      if (event.call === 'bind' && event.error === 'EADDRINUSE') bindAnywhere(r, query, out)
      else if (event.call !== 'set') next(r, now, query, out)
      return
    case 'datagram':
      return answerArrives(r, now, query, event.payload, out)
    case 'icmp-error':
      if (event.hard) next(r, now, query, out)
      return
    case 'connected':
      if (query.stream === null) return // a datagram socket says so, too, and has sent already
      out.call({ kind: 'send', socket: query.socket, bytes: framed(queryBytes(query)) })
      return
    case 'readable':
      return out.call({ kind: 'receive', socket: event.socket, max: Infinity })
    case 'received': {
      const { messages, rest } = unframed(concatBytes([query.stream ?? NO_BYTES, ...event.chunks]))
      query.stream = rest
      if (messages.length > 0) answerArrives(r, now, query, messages[0]!, out)
      else if (event.ended) next(r, now, query, out)
      return
    }
    case 'failed':
      query.socket = -1
      return next(r, now, query, out)
    default:
  }
}

function opened(
  r: DnsResolverState,
  { socket, protocol }: SocketEvent & { kind: 'opened' },
  out: Out,
): void {
  const id = r.opening.shift()
  const query = r.queries.find((each) => each.id === id)
  if (query === undefined) return out.call({ kind: 'close', socket })
  query.socket = socket
  const remote = serverOf(r, query)
  if (protocol === 'udp') {
    bindAnywhere(r, query, out)
    out.call({ kind: 'connect', socket, remote })
    out.call({ kind: 'send', socket, bytes: queryBytes(query) })
  } else out.call({ kind: 'connect', socket, remote })
}

/** RFC 5452 §9.2: a port that nobody can foresee from the last one. */
function bindAnywhere(r: DnsResolverState, { socket }: Query, out: Out): void {
  const port = 1024 + Math.floor(drawShare(r) * (65_536 - 1024))
  out.call({ kind: 'bind', socket, address: null, port })
}

function queryBytes({ transaction, question }: Query): Uint8Array {
  return emitDns({
    id: transaction,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 0,
    questions: [{ ...question }],
    answers: [],
    authorities: [],
    additionals: [],
  })
}

/** RFC 5452 §9.1: the number and the question must match; the socket hears its server alone. */
function answerArrives(
  r: DnsResolverState,
  now: Nanos,
  query: Query,
  bytes: Bytes,
  out: Out,
): void {
  const parsed = parseDns(bytes)
  if (!parsed.ok || !answers(parsed.value, query)) return
  const response = parsed.value
  if (response.truncated && query.stream === null) return ask(r, now, query, 'tcp', out)
  if (response.rcode !== 0 && response.rcode !== 3) return next(r, now, query, out)
  const { question } = query
  const found = conclusion(response, question, now)
  const until = Math.min(query.until, found.until)
  if (found.kind === 'done') {
    r.cache = remember(r.cache, now, new CacheEntry({ ...query.asked }, found.answer, until))
    return finish(r, query, found.answer, out)
  }
  query.aliases += 1
  if (query.aliases > ALIASES_MAX) return finish(r, query, { kind: 'server-failure' }, out)
  query.until = until
  query.question = { name: found.to, type: question.type }
  query.tries = 0
  ask(r, now, query, 'udp', out)
}

const answers = (m: DnsMessage, { transaction, question }: Query): boolean =>
  m.response &&
  m.id === transaction &&
  m.questions.length === 1 &&
  m.questions[0]!.type === question.type &&
  sameName(m.questions[0]!.name, question.name)

/** The next server, or the first one again; until each was asked so often. */
function next(r: DnsResolverState, now: Nanos, query: Query, out: Out): void {
  const { servers, attempts } = r.config
  query.tries += 1
  if (query.tries < servers.length * attempts) return ask(r, now, query, 'udp', out)
  finish(r, query, { kind: query.due <= now ? 'timed-out' : 'server-failure' }, out)
}

function finish(r: DnsResolverState, query: Query, result: DnsResult, out: Out): void {
  leave(query, out)
  r.queries = r.queries.filter(({ id }) => id !== query.id)
  tellDue(r, out)
  out.report({ kind: 'result', id: query.id, result })
}

function timer(r: DnsResolverState, now: Nanos, out: Out): void {
  for (const { id } of r.queries.filter(({ due }) => due <= now)) {
    const query = r.queries.find((each) => each.id === id)
    if (query !== undefined) next(r, now, query, out)
  }
  tellDue(r, out)
}

function tellDue(r: DnsResolverState, out: Out): void {
  out.wake(r.queries.reduce((at, { due }) => Math.min(at, due), NEVER))
}
