import type { Endpoint, IpAddress } from '../address.ts'
import type { ApplicationOut } from '../application.ts'
import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketId } from '../host/socket.ts'
import type { Nanos } from '../time.ts'
import type { LineBuffer } from './lines.ts'
import type { ChatPolicy } from './policy.ts'

/** Why somebody is no longer connected. */
export type Leaving = 'quit' | 'ended' | 'broken' | 'too slow' | 'replaced' | 'full'

export type ChatReport =
  | { readonly kind: 'connected'; readonly remote: Endpoint }
  | {
      readonly kind: 'disconnected'
      readonly remote: Endpoint
      readonly name: string | null
      readonly why: Leaving
    }
  | { readonly kind: 'refused'; readonly error: Errno }

/** A connection. */
export interface Link {
  readonly socket: SocketId
  readonly remote: Endpoint
  /** Who it is; `null` before HELLO. */
  name: string | null
  readonly lines: LineBuffer
  readable: boolean
  ended: boolean
  /** Tokens left, when they were counted, and when the next line may be looked at. */
  tokens: number
  countedAt: Nanos
  readyAt: Nanos
  /** What is to be sent, not yet taken by the socket. */
  out: Bytes[]
  outBytes: number
  waiting: boolean
  /** When the socket last took something, or there was nothing to take. */
  tookAt: Nanos
  /** Nothing more is said; then the end is waited for until `lingerUntil`. */
  leaving: Leaving | null
  shut: boolean
  lingerUntil: Nanos
  gone: boolean
}

/** Somebody who has a name. It outlives its connection where it has a key. */
export interface User {
  readonly name: string
  readonly key: string
  /** -1: cut off. */
  socket: SocketId
  partner: string | null
  room: string | null
  /** What was said to it while it was cut off. */
  missed: string[]
  /** When it is given up. */
  awayUntil: Nanos
}

export interface Remembered {
  /** Two names in order, or a room. */
  readonly of: string
  lines: string[]
}

export interface ChatState {
  readonly policy: ChatPolicy
  /** Where it listens; `null`: on every address of the host. */
  readonly address: IpAddress | null
  listener: SocketId
  links: Link[]
  users: User[]
  history: Remembered[]
}

export type ChatOut = ApplicationOut<ChatReport>

export const createChatServer = (
  policy: ChatPolicy,
  address: IpAddress | null = null,
): ChatState => ({
  policy,
  address,
  listener: -1,
  links: [],
  users: [],
  history: [],
})

export const userOf = (state: ChatState, name: string | null): User | undefined =>
  name === null ? undefined : state.users.find((user) => user.name === name)

export const linkOf = (state: ChatState, socket: SocketId): Link | undefined =>
  socket < 0 ? undefined : state.links.find((link) => link.socket === socket && !link.gone)

/** Puts a line into a connection's queue. */
export function sayTo(link: Link, text: string): void {
  if (link.gone || link.leaving !== null) return
  const bytes = new TextEncoder().encode(`${text}\n`)
  link.out.push(bytes)
  link.outBytes += bytes.length
}

/** To a user, wherever it is: what it cannot get now it gets when it is back. */
export function tell(state: ChatState, user: User, text: string): void {
  const link = linkOf(state, user.socket)
  if (link !== undefined) return sayTo(link, text)
  user.missed.push(text)
  if (user.missed.length > state.policy.historyMax) user.missed.shift()
}

export function remember(state: ChatState, of: string, line: string): void {
  const { historyMax } = state.policy
  if (historyMax === 0) return
  let found = state.history.find((each) => each.of === of)
  if (found === undefined) {
    state.history.push({ of, lines: [] })
    found = state.history.at(-1)!
  }
  found.lines.push(line)
  if (found.lines.length > historyMax) found.lines.shift()
}

export function forget(state: ChatState, of: string): void {
  state.history = state.history.filter((each) => each.of !== of)
}

/** A conversation of two: neither name has a line end in it. */
export const pairOf = (a: string, b: string): string => (a < b ? `${a}\n${b}` : `${b}\n${a}`)
export const roomOf = (room: string): string => `#${room}`
