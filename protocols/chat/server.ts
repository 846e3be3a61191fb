import type { Application } from '../application.ts'
import { concatBytes } from '../bytes.ts'
import type { SocketEvent } from '../host/socket.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { obey, part, WELCOME } from './commands.ts'
import { createLineBuffer, feedLines, takeLine } from './lines.ts'
import type { ChatPolicy } from './policy.ts'
import {
  type ChatOut,
  type ChatReport,
  type ChatState,
  type Leaving,
  type Link,
  linkOf,
  sayTo,
  tell,
  userOf,
} from './state.ts'

/*
 * A chat server: people with unique names talk in pairs, or in rooms. Connections, limits and
 * back-pressure are here; what a line means is in commands.ts.
 */

/** So long a peer that was told the end may go on sending. */
const LINGER: Nanos = s(2)
const BACKLOG = 128
const RECEIVE_MAX = 16 * 1024

export const chatServer: Application<ChatState, never, ChatReport> = {
  name: 'chat',
  step(state, now, input, out) {
    if (input.kind === 'start') return out.call({ kind: 'open', protocol: 'tcp' })
    if (input.kind === 'socket') heard(state, now, input.event, out)
    settle(state, now, out)
    let next = NEVER
    for (const link of state.links) next = Math.min(next, deadlineOf(state, link, now))
    for (const { awayUntil } of state.users) next = Math.min(next, awayUntil)
    out.wake(next)
  },
}

function heard(state: ChatState, now: Nanos, event: SocketEvent, out: ChatOut): void {
  const { socket } = event
  if (event.kind === 'opened') {
    state.listener = socket
    const { address, policy } = state
    out.call({ kind: 'bind', socket, address, port: policy.port })
    return out.call({ kind: 'listen', socket, backlog: BACKLOG })
  }
  if (event.kind === 'accepted') return accepted(state, now, event, out)
  if (socket === state.listener) {
    if (event.kind === 'rejected') out.report({ kind: 'refused', error: event.error })
    return
  }
  if (event.kind === 'closed') {
    const closed = linkOf(state, socket)
    if (closed !== undefined) drop(state, now, closed, closed.leaving ?? 'broken', out)
    state.links = state.links.filter((link) => link.socket !== socket)
    return
  }
  const link = linkOf(state, socket)
  if (link !== undefined) heardBy(state, now, link, event, out)
}

function accepted(
  state: ChatState,
  now: Nanos,
  { socket, remote }: SocketEvent & { readonly kind: 'accepted' },
  out: ChatOut,
): void {
  const { address, port } = remote
  state.links.push({
    socket,
    remote: { address, port },
    name: null,
    lines: createLineBuffer(),
    readable: false,
    ended: false,
    tokens: state.policy.burst,
    countedAt: now,
    readyAt: 0,
    out: [],
    outBytes: 0,
    waiting: false,
    tookAt: now,
    leaving: null,
    shut: false,
    lingerUntil: NEVER,
    gone: false,
  })
  out.report({ kind: 'connected', remote: { address, port } })
  const link = state.links.at(-1)!
  if (state.links.length <= state.policy.clientsMax) return sayTo(link, WELCOME)
  sayTo(link, 'ERR The server is full')
  link.leaving = 'full'
}

function heardBy(state: ChatState, now: Nanos, link: Link, event: SocketEvent, out: ChatOut): void {
  switch (event.kind) {
    case 'readable':
      link.readable = true
      return
    case 'received':
      if (!link.shut) feedLines(link.lines, event.chunks)
      if (event.ended) link.ended = true
      return
    case 'queued': {
      const first = link.out[0]!
      link.outBytes -= event.bytes
      link.tookAt = now
      if (event.bytes < first.length) link.out[0] = first.subarray(event.bytes)
      else {
        link.out.shift()
        link.waiting = false
      }
      return
    }
    case 'writable':
      link.waiting = false
      return
    case 'failed':
    case 'rejected':
      return drop(state, now, link, link.leaving ?? 'broken', out)
    default:
  }
}

/** Does everything that can be done now; what one does may let another go on. */
function settle(state: ChatState, now: Nanos, out: ChatOut): void {
  for (const { name, awayUntil } of state.users.slice()) if (awayUntil <= now) part(state, name)
  for (let again = true; again;) {
    again = false
    // Links may go while this goes on.
    for (const link of state.links.slice()) {
      if (!link.gone && goOn(state, now, link, out)) again = true
    }
  }
}

/** `true` where lines were obeyed, or somebody has left: others may have to say something now. */
function goOn(state: ChatState, now: Nanos, link: Link, out: ChatOut): boolean {
  const { policy } = state
  if (
    isStuck(policy, link, now) ||
    link.outBytes >= 2 * policy.highWater ||
    now >= link.lingerUntil
  ) {
    drop(state, now, link, link.leaving ?? 'too slow', out)
    out.call({ kind: 'abort', socket: link.socket })
    return true
  }
  let obeyed = false
  while (link.leaving === null && mayObey(state, now, link)) {
    const line = takeLine(link.lines, policy.lineMax)
    if (line === null) break
    obeyed = true
    link.tokens -= 1
    if (line === 'too long') sayTo(link, `ERR Line too long: at most ${policy.lineMax} bytes`)
    else obey(state, link, line.text)
  }
  if (link.ended && link.leaving === null && link.readyAt <= now && !hasLine(link)) {
    link.leaving = 'ended'
  }
  send(link, now, out)
  if (link.leaving !== null && link.out.length === 0) return finish(state, now, link, out) || obeyed
  receive(state, link, out)
  return obeyed
}

/** It was to take something a long time ago, and much is piled up. */
const isStuck = ({ highWater, patience }: ChatPolicy, link: Link, now: Nanos): boolean =>
  link.waiting && link.outBytes >= highWater && now - link.tookAt >= patience

const hasLine = ({ lines }: Link): boolean => {
  for (const byte of lines.bytes) if (byte === 10) return true
  return false
}

/**
 * Whether a line may be looked at: the rate allows it (a token bucket), its own answers are read,
 * and so is what goes to its partner. Otherwise it waits, and its sender with it: TCP's window closes.
 */
function mayObey(state: ChatState, now: Nanos, link: Link): boolean {
  const { burst, linesPerSecond, highWater } = state.policy
  if (!hasLine(link) && link.lines.bytes.length <= state.policy.lineMax) return false
  const gained = ((now - link.countedAt) / 1e9) * linesPerSecond
  link.tokens = Math.min(burst, link.tokens + gained)
  link.countedAt = now
  if (link.tokens < 1) {
    link.readyAt = now + Math.ceil(((1 - link.tokens) / linesPerSecond) * 1e9)
    return false
  }
  link.readyAt = now
  if (link.outBytes >= highWater) return false
  const partner = userOf(state, userOf(state, link.name)?.partner ?? null)
  const theirs = partner === undefined ? undefined : linkOf(state, partner.socket)
  return theirs === undefined || theirs.outBytes < highWater
}

function send(link: Link, now: Nanos, out: ChatOut): void {
  if (link.waiting || link.out.length === 0) return
  const bytes = link.out.length === 1 ? link.out[0]! : concatBytes(link.out)
  link.out = [bytes]
  link.waiting = true
  link.tookAt = now
  out.call({ kind: 'send', socket: link.socket, bytes })
}

function receive({ policy }: ChatState, link: Link, out: ChatOut): void {
  // No more is taken in than the next lines need: the rest waits in the socket.
  const full = !link.shut && (hasLine(link) || link.lines.bytes.length > policy.lineMax)
  if (!link.readable || link.ended || full) return
  link.readable = false
  out.call({ kind: 'receive', socket: link.socket, max: RECEIVE_MAX })
}

/** All is said: first the end, then what the peer still sends is heard out. */
function finish(state: ChatState, now: Nanos, link: Link, out: ChatOut): boolean {
  if (!link.shut) {
    link.shut = true
    link.lingerUntil = now + LINGER
    const was = link.leaving!
    depart(state, now, link, was)
    out.report(disconnected(link, was))
    link.name = null
    if (!link.ended) out.call({ kind: 'shutdown', socket: link.socket })
  }
  if (link.ended) {
    link.gone = true
    out.call({ kind: 'close', socket: link.socket })
    return true
  }
  receive(state, link, out)
  return false
}

/** The connection is no more. */
function drop(state: ChatState, now: Nanos, link: Link, why: Leaving, out: ChatOut): void {
  link.gone = true
  link.lingerUntil = NEVER
  if (link.shut) return
  depart(state, now, link, why)
  out.report(disconnected(link, why))
}

const disconnected = ({ remote, name }: Link, why: Leaving): ChatReport => ({
  kind: 'disconnected',
  remote: { address: remote.address, port: remote.port },
  name,
  why,
})

/** Whoever has a key and did not say goodbye may come back; others are gone. */
function depart(state: ChatState, now: Nanos, link: Link, why: Leaving): void {
  const user = userOf(state, link.name)
  if (user === undefined || user.socket !== link.socket) return
  if (user.key === '' || why === 'quit') return part(state, user.name)
  user.socket = -1
  user.awayUntil = now + state.policy.grace
  const partner = userOf(state, user.partner)
  if (partner !== undefined) tell(state, partner, `INFO ${user.name} lost the connection`)
}

function deadlineOf(state: ChatState, link: Link, now: Nanos): Nanos {
  if (link.gone) return NEVER
  const { highWater, patience } = state.policy
  const slowAt = link.waiting && link.outBytes >= highWater ? link.tookAt + patience : NEVER
  return Math.min(link.lingerUntil, slowAt, link.readyAt > now ? link.readyAt : NEVER)
}
