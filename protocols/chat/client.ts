import type { Endpoint, IpAddress } from '../address.ts'
import type { Application, ApplicationOut } from '../application.ts'
import { type Bytes, concatBytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketEvent, SocketId } from '../host/socket.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { createLineBuffer, feedLines, type LineBuffer, takeLine } from './lines.ts'

/*
 * The other side of a chat: it logs in, turns what its user types into commands, and, where it has
 * a key, connects again by itself when the connection breaks, and goes back to its room.
 */

export type ChatCommand =
  /** What the user typed: `/chat ben`, `/end`, `/quit`, or words for whoever it is talking to. */
  | { readonly kind: 'typed'; readonly text: string }
  /** The user types no more: what was typed is sent, then the connection ended. */
  | { readonly kind: 'finish' }

export type ChatClientReport =
  /** A line of the server's: `OK`, `ERR`, `INFO` or `FROM`, and what follows. */
  | { readonly kind: 'line'; readonly tag: string; readonly text: string }
  | { readonly kind: 'connected' }
  /** The connection broke, or did not come about; `retryIn`: `NEVER` where that was all. */
  | { readonly kind: 'lost'; readonly error: Errno | null; readonly retryIn: Nanos }
  /** What was typed cannot be sent. */
  | { readonly kind: 'hint'; readonly text: string }
  | { readonly kind: 'finished' }

export interface ChatClientConfig {
  readonly server: { readonly address: IpAddress; readonly port: number }
  readonly name: string
  /** Nobody else knows it; `''`: the client does not come back. */
  readonly key: string
}

type Phase = 'connecting' | 'login' | 'ready' | 'resting' | 'over'

export interface ChatClientState {
  readonly config: ChatClientConfig
  phase: Phase
  socket: SocketId
  lines: LineBuffer
  out: Bytes[]
  waiting: boolean
  /** Sent and not answered: each command has one OK or ERR. */
  unanswered: string[]
  /** Typed before the login was done. */
  early: string[]
  finishing: boolean
  quitting: boolean
  room: string | null
  inChat: boolean
  attempts: number
  retryAt: Nanos
}

/** A server's lines are short; one beyond this is passed over. */
const LINE_MAX = 1 << 20
const EARLY_MAX = 1000
const REST_MAX = 30

export const createChatClient = (config: ChatClientConfig): ChatClientState => ({
  config,
  phase: 'connecting',
  socket: -1,
  lines: createLineBuffer(),
  out: [],
  waiting: false,
  unanswered: [],
  early: [],
  finishing: false,
  quitting: false,
  room: null,
  inChat: false,
  attempts: 0,
  retryAt: NEVER,
})

type Out = ApplicationOut<ChatClientReport>

export const chatClient: Application<ChatClientState, ChatCommand, ChatClientReport> = {
  name: 'chat-client',
  step(state, now, input, out) {
    switch (input.kind) {
      case 'start':
        return out.call({ kind: 'open', protocol: 'tcp' })
      case 'command':
        if (state.phase === 'over') return
        if (input.command.kind === 'finish') state.finishing = true
        else typed(state, input.command.text, out)
        break
      case 'timer':
        if (state.phase === 'resting' && state.retryAt <= now) {
          state.retryAt = NEVER
          state.phase = 'connecting'
          out.call({ kind: 'open', protocol: 'tcp' })
        }
        break
      case 'socket':
        heard(state, now, input.event, out)
        break
    }
    goOn(state, out)
    out.wake(state.retryAt)
  },
}

function heard(state: ChatClientState, now: Nanos, event: SocketEvent, out: Out): void {
  if (event.kind === 'opened') {
    state.socket = event.socket
    const { address, port }: Endpoint = state.config.server
    return out.call({ kind: 'connect', socket: event.socket, remote: { address, port } })
  }
  if (event.socket !== state.socket || state.phase === 'over') return
  switch (event.kind) {
    case 'connected': {
      state.phase = 'login'
      state.lines = createLineBuffer()
      state.out = []
      state.waiting = false
      const { name, key } = state.config
      out.report({ kind: 'connected' })
      state.out.push(lineBytes(key === '' ? `HELLO ${name}` : `HELLO ${name} ${key}`))
      return
    }
    case 'readable':
      return out.call({ kind: 'receive', socket: event.socket, max: Infinity })
    case 'received':
      feedLines(state.lines, event.chunks)
      for (let line = takeLine(state.lines, LINE_MAX); line !== null;) {
        if (line !== 'too long') said(state, line.text, out)
        line = takeLine(state.lines, LINE_MAX)
      }
      if (event.ended) lost(state, now, null, out)
      return
    case 'queued': {
      const first = state.out[0]!
      if (event.bytes < first.length) state.out[0] = first.subarray(event.bytes)
      else {
        state.out.shift()
        state.waiting = false
      }
      return
    }
    case 'writable':
      state.waiting = false
      return
    case 'failed':
    case 'rejected':
      return lost(state, now, event.error, out)
    default:
  }
}

/** A line of the server's. Some tell where the client is. */
function said(state: ChatClientState, line: string, out: Out): void {
  const space = line.indexOf(' ')
  const tag = space < 0 ? line : line.slice(0, space)
  const text = space < 0 ? '' : line.slice(space + 1)
  out.report({ kind: 'line', tag, text })
  if (tag === 'OK' && /^(Logged in as|Welcome back,) /.test(text)) return ready(state, text)
  if (state.phase === 'login' && tag === 'ERR') {
    // A name that cannot be had: there is nothing to go on with.
    state.quitting = true
    state.phase = 'over'
    out.call({ kind: 'close', socket: state.socket })
    return out.report({ kind: 'lost', error: null, retryIn: NEVER })
  }
  if (tag === 'OK' || tag === 'ERR') state.unanswered.shift()
  if (tag === 'OK' && text.startsWith('Joined #')) state.room = text.slice(8).split(' ')[0]!
  if (tag === 'OK' && text.startsWith('Left #')) state.room = null
  const starts = tag === 'OK' ? /^Chat started with / : /^\S+ started a chat with you$/
  const ends = tag === 'OK' ? /^Chat ended$/ : / (ended the chat|disconnected\. Chat ended\.)$/
  if ((tag === 'OK' || tag === 'INFO') && starts.test(text)) state.inChat = true
  if ((tag === 'OK' || tag === 'INFO') && ends.test(text)) state.inChat = false
  if (tag === 'INFO' && text === 'You have logged in elsewhere') state.quitting = true
}

function ready(state: ChatClientState, text: string): void {
  state.phase = 'ready'
  state.attempts = 0
  // The server knows it no more, it was started anew: back to the room, at least.
  if (text.startsWith('Logged in')) {
    state.inChat = false
    if (state.room !== null) put(state, `JOIN ${state.room}`)
  }
  for (const line of state.early) put(state, line)
  state.early = []
}

const COMMANDS: { readonly [typed: string]: string } = {
  chat: 'CHAT',
  msg: 'MSG',
  end: 'END',
  list: 'LIST',
  quit: 'QUIT',
  join: 'JOIN',
  say: 'SAY',
  leave: 'LEAVE',
  rooms: 'ROOMS',
  history: 'HISTORY',
}

export const CHAT_HELP =
  '/chat NAME, /end, /list, /join ROOM, /leave, /rooms, /history [N], /quit; ' +
  'anything else is said to your partner, or in your room'

function typed(state: ChatClientState, written: string, out: Out): void {
  const text = written.replace(/[\r\n]+/g, ' ').trimEnd()
  if (text === '') return
  const slash = /^\/(\w+)\s*(.*)$/s.exec(text)
  if (slash === null) {
    return queue(state, `${!state.inChat && state.room !== null ? 'SAY' : 'MSG'} ${text}`, out)
  }
  const command = COMMANDS[slash[1]!.toLowerCase()]
  if (command === undefined) return out.report({ kind: 'hint', text: CHAT_HELP })
  queue(state, slash[2] === '' ? command : `${command} ${slash[2]}`, out)
}

function queue(state: ChatClientState, line: string, out: Out): void {
  if (line === 'QUIT') state.quitting = true
  if (state.phase === 'ready') return put(state, line)
  if (state.early.length < EARLY_MAX) state.early.push(line)
  else out.report({ kind: 'hint', text: `not connected: '${line}' is lost` })
}

const lineBytes = (line: string): Bytes => new TextEncoder().encode(`${line}\n`)

function put(state: ChatClientState, line: string): void {
  state.unanswered.push(line)
  state.out.push(lineBytes(line))
}

function goOn(state: ChatClientState, out: Out): void {
  if (state.finishing && state.phase === 'ready' && !state.quitting) {
    state.quitting = true
    put(state, 'QUIT')
  }
  const connected = state.phase === 'login' || state.phase === 'ready'
  if (!connected || state.waiting || state.out.length === 0) return
  const bytes = concatBytes(state.out)
  state.out = [bytes]
  state.waiting = true
  out.call({ kind: 'send', socket: state.socket, bytes })
}

/** The connection is over: for good, or until the next attempt after 1, 2, 4, … 30 s. */
function lost(state: ChatClientState, now: Nanos, error: Errno | null, out: Out): void {
  out.call({ kind: 'close', socket: state.socket })
  state.socket = -1
  // Nobody knows whether these have arrived: to send them again might say them twice.
  const lines = state.unanswered.filter((line) => line !== 'QUIT')
  state.unanswered = []
  for (const line of lines) out.report({ kind: 'hint', text: `no answer to: ${line}` })
  if (state.quitting) {
    state.phase = 'over'
    return out.report(
      error === null ? { kind: 'finished' } : { kind: 'lost', error, retryIn: NEVER },
    )
  }
  if (state.config.key === '' || state.finishing) {
    state.phase = 'over'
    return out.report({ kind: 'lost', error, retryIn: NEVER })
  }
  const rest = s(Math.min(REST_MAX, 2 ** Math.min(state.attempts, 5)))
  state.attempts += 1
  state.phase = 'resting'
  state.retryAt = now + rest
  out.report({ kind: 'lost', error, retryIn: rest })
}
