import type { Application } from '../application.ts'
import { concatBytes, NO_BYTES, type Bytes } from '../bytes.ts'
import type { SocketEvent } from '../host/socket.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { answer, answerError } from './answer.ts'
import { HEAD_MAX, readHead } from './request.ts'
import {
  answered,
  type Found,
  type HttpCommand,
  type HttpConnection,
  type HttpOut,
  type HttpReport,
  type HttpState,
} from './state.ts'

/*
 * An HTTP/1.1 file server, RFC 9110 and 9112: GET and HEAD, ranges, folders, persistent connections.
 * It has no files itself: it reports what it wants to know (`look`, `read`), and its user answers by
 * a command, at once or later. Requests are answered one at a time, in order (RFC 9112 §9.3.2).
 * Left out: methods that change anything, content codings, conditional requests but If-None-Match.
 */

/** Policy. */
const CONNECTIONS_MAX = 256
const BACKLOG = 128
/** A connection that neither asks nor takes for so long is ended. */
export const HTTP_PATIENCE: Nanos = s(15)
/** How long a peer that was told the end may go on sending. */
const LINGER: Nanos = s(2)
const CHUNK = 64 * 1024

export const createHttpServer = (port: number, startSeconds: number): HttpState => ({
  port,
  startSeconds,
  listener: -1,
  nextId: 0,
  connections: [],
})

export const httpServer: Application<HttpState, HttpCommand, HttpReport> = {
  name: 'http',
  step(state, now, input, out) {
    switch (input.kind) {
      case 'start':
        return out.call({ kind: 'open', protocol: 'tcp' })
      case 'command': {
        const { command } = input
        const connection = state.connections.find(({ id, gone }) => id === command.id && !gone)
        if (connection === undefined) return
        if (command.kind === 'found') found(state, now, connection, command.entry, out)
        else data(connection, command.bytes, out)
        goOn(state, now, connection, out)
        break
      }
      case 'timer':
        for (const each of state.connections) if (each.deadline <= now) expire(each, out)
        break
      case 'socket':
        heard(state, now, input.event, out)
        break
    }
    let next = NEVER
    for (const { deadline, gone } of state.connections) if (!gone) next = Math.min(next, deadline)
    out.wake(next)
  },
}

function heard(state: HttpState, now: Nanos, event: SocketEvent, out: HttpOut): void {
  const { socket } = event
  if (event.kind === 'opened') {
    state.listener = socket
    out.call({ kind: 'bind', socket, address: null, port: state.port })
    return out.call({ kind: 'listen', socket, backlog: BACKLOG })
  }
  if (event.kind === 'accepted') return accepted(state, now, event, out)
  if (socket === state.listener) {
    if (event.kind === 'rejected') out.report({ kind: 'refused', error: event.error })
    return
  }
  if (event.kind === 'closed') {
    state.connections = state.connections.filter((each) => each.socket !== socket)
    return
  }
  const c = state.connections.find((each) => each.socket === socket)
  if (c === undefined || c.gone) return
  switch (event.kind) {
    case 'readable':
      c.readable = true
      break
    case 'received':
      if (event.bytes > 0) {
        c.inbox = c.shut ? NO_BYTES : concatBytes([c.inbox, ...event.chunks])
        if (!c.shut) c.deadline = now + HTTP_PATIENCE
      }
      if (event.ended) c.ended = true
      break
    case 'queued': {
      const first = c.pending[0]!
      c.deadline = now + HTTP_PATIENCE
      if (event.bytes < first.length) c.pending[0] = first.subarray(event.bytes)
      else {
        c.pending.shift()
        c.waiting = false
      }
      break
    }
    case 'writable':
      c.waiting = false
      break
    case 'rejected':
    case 'failed':
      c.gone = true
      break
    default:
  }
  goOn(state, now, c, out)
}

function accepted(
  state: HttpState,
  now: Nanos,
  { socket, remote }: SocketEvent & { readonly kind: 'accepted' },
  out: HttpOut,
): void {
  const { address, port } = remote
  const c: HttpConnection = {
    socket,
    remote: { address, port },
    inbox: NO_BYTES,
    readable: false,
    ended: false,
    skip: 0,
    id: -1,
    request: null,
    sending: null,
    pending: [],
    waiting: false,
    last: false,
    shut: false,
    gone: false,
    deadline: now + HTTP_PATIENCE,
  }
  state.connections.push(c)
  if (state.connections.length <= CONNECTIONS_MAX) return
  answerError(state, now, c, 503, `all ${CONNECTIONS_MAX} connections are taken`)
  goOn(state, now, state.connections.at(-1)!, out)
}

/** Sends what can be sent, then understands the next request. */
function goOn(state: HttpState, now: Nanos, c: HttpConnection, out: HttpOut): void {
  while (!c.gone) {
    if (c.pending.length > 0) {
      if (c.waiting) break
      c.waiting = true
      return out.call({ kind: 'send', socket: c.socket, bytes: c.pending[0]! })
    }
    if (c.sending !== null) return ask(c, out)
    if (c.id >= 0) break
    if (c.last) return end(now, c, out)
    if (!understand(state, now, c, out)) break
  }
  receive(c, out)
}

/** Asks for the next piece of a file, or is done with it. */
function ask(c: HttpConnection, out: HttpOut): void {
  const sending = c.sending!
  if (sending.asked) return
  sending.asked = true
  const { at, to } = sending
  const path = [...sending.path]
  out.report({ kind: 'read', id: c.id, path, from: at, length: Math.min(CHUNK, to - at) })
}

/** `false` where more has to come in first. */
function understand(state: HttpState, now: Nanos, c: HttpConnection, out: HttpOut): boolean {
  const skipped = Math.min(c.skip, c.inbox.length)
  c.skip -= skipped
  if (skipped > 0) c.inbox = c.inbox.subarray(skipped)
  const head = c.skip > 0 ? null : readHead(c.inbox)
  if (head === null) {
    if (!c.ended) return false
    c.last = true // whoever stops in the middle of a request gets no answer
    return true
  }
  c.inbox = c.inbox.subarray(head.next)
  const { request } = head
  if ('status' in request) {
    answerError(state, now, c, request.status, request.reason)
    out.report(answered(c, '-', '-', request.status))
    return true
  }
  c.request = request
  c.skip = request.bodyBytes
  c.id = state.nextId++
  answer(state, now, c, null, out)
  return true
}

function found(
  state: HttpState,
  now: Nanos,
  c: HttpConnection,
  entry: Found | null,
  out: HttpOut,
): void {
  if (c.request !== null && c.sending === null) answer(state, now, c, { entry }, out)
}

function data(c: HttpConnection, bytes: Bytes | null, out: HttpOut): void {
  const { sending } = c
  if (sending === null || !sending.asked) return
  sending.asked = false
  if (bytes === null || bytes.length === 0) {
    // The length was promised: only a broken connection tells that it is not kept.
    c.gone = true
    return out.call({ kind: 'abort', socket: c.socket })
  }
  const taken = bytes.subarray(0, sending.to - sending.at)
  c.pending.push(taken)
  sending.at += taken.length
  if (sending.at < sending.to) return
  c.sending = null
  c.id = -1
}

function receive(c: HttpConnection, out: HttpOut): void {
  if (c.gone) return
  if (c.shut && c.ended) {
    c.gone = true
    return out.call({ kind: 'close', socket: c.socket })
  }
  // One request at a time is read: what else comes waits in the socket.
  const room = c.shut || c.skip > 0 ? CHUNK : HEAD_MAX + 4 - c.inbox.length
  if (!c.readable || room <= 0 || c.ended || (c.id >= 0 && !c.shut)) return
  c.readable = false
  out.call({ kind: 'receive', socket: c.socket, max: room })
}

/** RFC 9112 §9.6: the end is said first, and the peer heard out, so that it gets the answer. */
function end(now: Nanos, c: HttpConnection, out: HttpOut): void {
  if (!c.shut) {
    c.shut = true
    c.inbox = NO_BYTES
    c.deadline = now + LINGER
    out.call({ kind: 'shutdown', socket: c.socket })
  }
  receive(c, out)
}

function expire(c: HttpConnection, out: HttpOut): void {
  if (c.gone) return
  c.gone = true
  // One that holds the server up is broken off. An idle one ends in peace, and so does one that was
  // told the end: what it has not acknowledged yet may still be on its way over a slow path.
  const idle = c.pending.length === 0 && c.sending === null
  out.call({ kind: idle || c.shut ? 'close' : 'abort', socket: c.socket })
}
