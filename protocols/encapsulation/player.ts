import type { Endpoint } from '../address.ts'
import type { Application, ApplicationOut } from '../application.ts'
import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketCall, SocketEvent, SocketId } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import type { Conversation } from './conversations.ts'

/*
 * One host's part in conversations: it connects or listens, says its lines when their time comes,
 * and ends a connection behind the last one. Everything on the wire is made by the host's TCP.
 */

/** So long before its first message a connection is opened, and so long behind the last closed. */
const LEAD: Nanos = 10_000_000

export interface PlayerReport {
  readonly kind: 'failed'
  /** Of the table: the first message of the conversation. */
  readonly line: number
  readonly call: SocketCall['kind'] | null
  readonly error: Errno
}

interface Part {
  readonly transport: 'tcp' | 'udp'
  readonly isClient: boolean
  readonly own: Endpoint
  readonly peer: Endpoint
  readonly line: number
  /** What this host says, in the order of time. */
  readonly lines: readonly { readonly at: Nanos; readonly payload: Bytes }[]
  readonly opensAt: Nanos
  readonly closesAt: Nanos
  /** -1: none yet. */
  socket: SocketId
  /** Where datagrams to a client go that has chosen its own port. */
  peerPort: number
  ready: boolean
  started: boolean
  /** It has said that it says no more. */
  shut: boolean
  peerEnded: boolean
  ended: boolean
  /** The next line, and what of the line before the socket has not taken. */
  next: number
  rest: Bytes | null
  waiting: boolean
}

interface Door {
  readonly transport: 'tcp' | 'udp'
  readonly port: number
  socket: SocketId
}

export interface PlayerState {
  readonly parts: Part[]
  /** Ports that this host answers on. */
  readonly doors: Door[]
  /** What sockets are being opened for, in order: an index of `doors`, or -1 - one of `parts`. */
  opening: number[]
}

export function createPlayer(
  address: Endpoint['address'],
  conversations: readonly Conversation[],
): PlayerState {
  const parts: Part[] = []
  const doors: Door[] = []
  for (const { transport, client, server, lines } of conversations) {
    const isClient = client.address === address
    if (!isClient && server.address !== address) continue
    const [own, peer] = isClient ? [client, server] : [server, client]
    parts.push({
      transport,
      isClient,
      own,
      peer,
      line: lines[0]!.line,
      lines: lines.filter(({ fromClient }) => fromClient === isClient),
      opensAt: Math.max(0, lines[0]!.at - LEAD),
      closesAt: lines.at(-1)!.at + LEAD,
      socket: -1,
      peerPort: peer.port,
      ready: false,
      started: false,
      shut: false,
      peerEnded: false,
      ended: false,
      next: 0,
      rest: null,
      waiting: false,
    })
    const isOpen = (door: Door) => door.transport === transport && door.port === own.port
    if (!isClient && !doors.some(isOpen)) doors.push({ transport, port: own.port, socket: -1 })
  }
  return { parts, doors, opening: [] }
}

type Out = ApplicationOut<PlayerReport>

export const playerEngine: Application<PlayerState, never, PlayerReport> = {
  name: 'player',
  step(state, now, input, out) {
    if (input.kind === 'start') {
      for (const [index, { transport }] of state.doors.entries()) open(state, index, transport, out)
    } else if (input.kind === 'socket') heard(state, input.event, out)
    play(state, now, out)
  },
}

function open(state: PlayerState, what: number, protocol: 'tcp' | 'udp', out: Out): void {
  state.opening.push(what)
  out.call({ kind: 'open', protocol })
}

function heard(state: PlayerState, event: SocketEvent, out: Out): void {
  if (event.kind === 'opened') return opened(state, event.socket, out)
  if (event.kind === 'accepted') {
    const door = state.doors.find(({ socket }) => socket === event.listener)
    const { remote } = event
    const part = state.parts.find(
      ({ isClient, transport, own, peer, ready }) =>
        !isClient &&
        !ready &&
        transport === 'tcp' &&
        own.port === door?.port &&
        peer.address === remote.address &&
        (peer.port === 0 || peer.port === remote.port),
    )
    if (part === undefined) return out.call({ kind: 'abort', socket: event.socket })
    part.socket = event.socket
    part.ready = true
    return out.call({ kind: 'set', socket: event.socket, option: 'TCP_NODELAY', value: 1 })
  }
  if (event.kind === 'datagram') return datagram(state, event)
  const part = state.parts.find(({ socket, ended }) => socket === event.socket && !ended)
  if (part !== undefined) heardBy(part, event, out)
}

function opened(state: PlayerState, socket: SocketId, out: Out): void {
  const what = state.opening.shift()!
  if (what >= 0) {
    const door = state.doors[what]!
    door.socket = socket
    out.call({ kind: 'bind', socket, address: null, port: door.port })
    if (door.transport === 'tcp') out.call({ kind: 'listen', socket, backlog: 128 })
    return
  }
  const part = state.parts[-1 - what]!
  part.socket = socket
  if (part.own.port !== 0 || part.transport === 'udp') {
    out.call({ kind: 'bind', socket, address: part.own.address, port: part.own.port })
  }
  if (part.transport === 'udp') part.ready = true
  else {
    out.call({ kind: 'set', socket, option: 'TCP_NODELAY', value: 1 })
    const { address, port } = part.peer
    out.call({ kind: 'connect', socket, remote: { address, port } })
  }
}

/** The first datagram of a client that chose its port tells where answers go. */
function datagram(state: PlayerState, event: SocketEvent & { readonly kind: 'datagram' }): void {
  for (const part of state.parts) {
    const { peer, own, transport, isClient } = part
    if (isClient || transport !== 'udp' || own.port !== event.local.port) continue
    if (peer.address !== event.remote.address || part.ready) continue
    if (peer.port !== 0 && peer.port !== event.remote.port) continue
    part.socket = event.socket
    part.peerPort = event.remote.port
    part.ready = true
    return
  }
}

function heardBy(part: Part, event: SocketEvent, out: Out): void {
  switch (event.kind) {
    case 'connected':
      part.ready = true
      return
    case 'readable':
      return out.call({ kind: 'receive', socket: event.socket, max: Infinity })
    case 'received':
      if (event.ended) part.peerEnded = true
      return
    case 'queued':
      part.rest = part.rest!.length === event.bytes ? null : part.rest!.subarray(event.bytes)
      part.waiting = part.rest !== null
      return
    case 'writable':
      part.waiting = false
      return
    case 'rejected':
    case 'failed': {
      const call = event.kind === 'rejected' ? event.call : null
      part.ended = true
      return out.report({ kind: 'failed', line: part.line, call, error: event.error })
    }
    default:
  }
}

/** Says what is due, and when it wants to be asked again. */
function play(state: PlayerState, now: Nanos, out: Out): void {
  let next = NEVER
  for (const [index, part] of state.parts.entries()) {
    if (part.ended) continue
    if (part.isClient && !part.started) {
      if (part.opensAt > now) next = Math.min(next, part.opensAt)
      else {
        part.started = true
        open(state, -1 - index, part.transport, out)
      }
    }
    if (part.ready) next = Math.min(next, speak(part, now, out))
  }
  out.wake(next)
}

/** The time at which there is more to do; `NEVER` where an event comes first. */
function speak(part: Part, now: Nanos, out: Out): Nanos {
  while (!part.waiting) {
    const { rest } = part
    if (rest !== null) {
      part.waiting = true
      out.call({ kind: 'send', socket: part.socket, bytes: rest })
      return NEVER
    }
    const line = part.lines[part.next]
    if (line === undefined) break
    if (line.at > now) return line.at
    part.next += 1
    if (part.transport === 'udp') {
      const remote = { address: part.peer.address, port: part.peerPort }
      out.call({ kind: 'send-to', socket: part.socket, bytes: line.payload, remote })
    } else if (line.payload.length > 0) part.rest = line.payload
  }
  if (part.waiting) return NEVER
  return part.isClient ? endAsClient(part, now, out) : endAsServer(part, out)
}

/** The client ends its side behind the last line of both, and waits for the server to follow. */
function endAsClient(part: Part, now: Nanos, out: Out): Nanos {
  if (part.closesAt > now) return part.closesAt
  if (part.transport === 'udp' || part.peerEnded) {
    part.ended = true
    out.call({ kind: 'close', socket: part.socket })
  } else if (!part.shut) {
    part.shut = true
    out.call({ kind: 'shutdown', socket: part.socket })
  }
  return NEVER
}

function endAsServer(part: Part, out: Out): Nanos {
  if (!part.peerEnded) return NEVER
  part.ended = true
  out.call({ kind: 'close', socket: part.socket })
  return NEVER
}
