import type { Application, ApplicationOut } from '../application.ts'
import type { Endpoint } from '../address.ts'
import { type Bytes, concatBytes, NO_BYTES } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketEvent, SocketId } from '../host/socket.ts'
import { emitDns, framed, idOf, parseDns, unframed } from './codec.ts'
import {
  DNS_PORT,
  DNS_RCODES,
  DNS_UDP_MAX,
  type DnsMessage,
  type DnsRcode,
  type DnsRecord,
} from './message.ts'
import { type DnsZone, lookUp } from './zone.ts'

/*
 * A small authoritative name server for scenarios, RFC 1034 §4.3.2 over UDP and TCP. Left out:
 * recursion, delegations, wildcards, zone transfers, EDNS.
 */

/** Connections beyond are closed at once: a client needs one. */
const CONNECTIONS_MAX = 64
/** A client whose question is longer means something else. */
const REQUEST_MAX = 4096

interface Connection {
  readonly socket: SocketId
  /** Received and not understood yet. */
  rest: Bytes
}

/** Plain data. */
export interface DnsServerState {
  readonly zones: readonly DnsZone[]
  readonly port: number
  udp: SocketId
  listener: SocketId
  connections: Connection[]
}

export type DnsServerReport =
  | { readonly kind: 'answered'; readonly name: string; readonly rcode: DnsRcode }
  | { readonly kind: 'refused'; readonly error: Errno }

type Out = ApplicationOut<DnsServerReport>

export const createDnsServer = (zones: readonly DnsZone[], port = DNS_PORT): DnsServerState => ({
  zones,
  port,
  udp: -1,
  listener: -1,
  connections: [],
})

export const dnsServer: Application<DnsServerState, never, DnsServerReport> = {
  name: 'dns-server',

  step(state, _now, input, out) {
    if (input.kind === 'start') {
      out.call({ kind: 'open', protocol: 'udp' })
      out.call({ kind: 'open', protocol: 'tcp' })
    } else if (input.kind === 'socket') heard(state, input.event, out)
  },
}

function heard(state: DnsServerState, event: SocketEvent, out: Out): void {
  switch (event.kind) {
    case 'opened': {
      const { socket } = event
      out.call({ kind: 'bind', socket, address: null, port: state.port })
      if (event.protocol === 'udp') state.udp = socket
      else {
        state.listener = socket
        out.call({ kind: 'listen', socket, backlog: CONNECTIONS_MAX })
      }
      return
    }
    case 'rejected':
      if (event.call === 'bind' || event.call === 'listen')
        out.report({ kind: 'refused', error: event.error })
      return
    case 'datagram':
      return answerDatagram(state, event.payload, event.remote, out)
    case 'accepted':
      if (state.connections.length < CONNECTIONS_MAX)
        state.connections.push({ socket: event.socket, rest: NO_BYTES })
      else out.call({ kind: 'abort', socket: event.socket })
      return
    case 'readable':
      return out.call({ kind: 'receive', socket: event.socket, max: Infinity })
    case 'received':
      return streamArrives(state, event, out)
    case 'closed':
      state.connections = state.connections.filter(({ socket }) => socket !== event.socket)
      return
    default:
  }
}

function answerDatagram(state: DnsServerState, query: Bytes, remote: Endpoint, out: Out): void {
  const answer = answerTo(state, query, out)
  if (answer === null) return
  let bytes = emitDns(answer)
  if (bytes.length > DNS_UDP_MAX) {
    // RFC 2181 §9: what does not fit whole is asked for again over TCP.
    bytes = emitDns({ ...answer, truncated: true, answers: [], authorities: [], additionals: [] })
  }
  out.call({ kind: 'send-to', socket: state.udp, bytes, remote })
}

function streamArrives(
  state: DnsServerState,
  { socket, chunks, ended }: SocketEvent & { kind: 'received' },
  out: Out,
): void {
  const connection = state.connections.find((each) => each.socket === socket)
  if (connection === undefined) return
  const { messages, rest } = unframed(concatBytes([connection.rest, ...chunks]))
  connection.rest = rest
  for (const message of messages) {
    const answer = answerTo(state, message, out)
    if (answer !== null) out.call({ kind: 'send', socket, bytes: framed(emitDns(answer)) })
  }
  if (rest.length > REQUEST_MAX) out.call({ kind: 'abort', socket })
  else if (ended) out.call({ kind: 'close', socket })
}

/** `null`: not a question, and no answer. */
function answerTo(state: DnsServerState, bytes: Bytes, out: Out): DnsMessage | null {
  const query = parseDns(bytes)
  if (!query.ok) {
    const id = idOf(bytes)
    return id === null ? null : response({ ...EMPTY, id }, 'FORMERR')
  }
  const { value } = query
  if (value.response) return null
  const question = value.questions[0]
  const answer =
    value.opcode !== 0
      ? response(value, 'NOTIMP')
      : question === undefined || value.questions.length > 1
        ? response(value, 'FORMERR')
        : answered(state.zones, value)
  const rcode = DNS_RCODES[answer.rcode]!
  if (question !== undefined) out.report({ kind: 'answered', name: question.name, rcode })
  return answer
}

function answered(zones: readonly DnsZone[], query: DnsMessage): DnsMessage {
  // The zone with the longest name knows best.
  const sorted = zones.toSorted((a, b) => b.origin.length - a.origin.length)
  for (const zone of sorted) {
    const found = lookUp(zone, query.questions[0]!)
    if (found.kind === 'elsewhere') continue
    const rcode = found.kind === 'no-name' ? 'NXDOMAIN' : 'NOERROR'
    // RFC 2308 §2: the SOA says how long a "no" may be remembered.
    const authorities = found.kind === 'answer' ? [] : [negative(zone.soa)]
    const answers = found.records
    return { ...response(query, rcode), authoritative: true, answers, authorities }
  }
  return response(query, 'REFUSED')
}

/** RFC 2308 §3: with the smaller of its TTL and its minimum. */
function negative(soa: DnsRecord): DnsRecord {
  const { data, ttl } = soa
  return data.kind === 'SOA' ? { ...soa, ttl: Math.min(ttl, data.minimum) } : soa
}

const EMPTY: DnsMessage = {
  id: 0,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
}

const response = (query: DnsMessage, rcode: DnsRcode): DnsMessage => ({
  ...EMPTY,
  id: query.id,
  opcode: query.opcode,
  response: true,
  recursionDesired: query.recursionDesired,
  rcode: DNS_RCODES.indexOf(rcode),
  questions: query.questions,
})
