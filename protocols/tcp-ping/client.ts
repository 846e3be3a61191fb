import type { Endpoint, IpAddress } from '../address.ts'
import type { Application, ApplicationOut } from '../application.ts'
import { type Bytes, concatBytes, indexOfByte, NO_BYTES } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketEvent, SocketId } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import { type PingStatistics, pingStatistics } from './statistics.ts'

/*
 * The client of a TCP ping: one message after the other, on a connection each or on one for all.
 * An ICMP error belongs to a ping if the header that it quotes names the ping's own connection: the
 * socket hears of no other.
 */

export interface PingConfig {
  readonly server: { readonly address: IpAddress; readonly port: number }
  readonly count: number
  readonly timeout: Nanos
  /** Between the end of a ping and the next one. */
  readonly interval: Nanos
  /** All on one connection, each message a line. */
  readonly persistent: boolean
  /** What time 0 is, seconds since 1970 and microseconds: it is a part of the message. */
  readonly startSeconds: number
  readonly startMicros: number
  /** How long an ICMP error is waited for behind a timeout. */
  readonly icmpWait: Nanos
}

/** What an ICMP error said about a ping. */
export interface PingIcmp {
  readonly from: IpAddress
  readonly version: 4 | 6
  readonly type: number
  readonly code: number
}

export type PingReport =
  | {
      readonly kind: 'reply'
      readonly packet: number
      readonly text: string
      /** From before the connection was opened, where each ping has its own. */
      readonly rtt: Nanos
      /** How long the handshake took of that; `null` on a connection that was there. */
      readonly handshake: Nanos | null
    }
  | { readonly kind: 'timeout'; readonly packet: number; readonly icmp: PingIcmp | null }
  /** Nothing listens there: a RST came. */
  | { readonly kind: 'refused'; readonly packet: number }
  /** `icmp`: `null` where only the error's name is known. */
  | {
      readonly kind: 'unreachable'
      readonly packet: number
      readonly error: Errno
      readonly icmp: PingIcmp | null
    }
  | { readonly kind: 'broken'; readonly packet: number; readonly error: Errno | null }
  | { readonly kind: 'done'; readonly statistics: PingStatistics }

type Phase = 'between' | 'connecting' | 'asked' | 'listening' | 'over'

export interface PingClientState {
  readonly config: PingConfig
  phase: Phase
  packet: number
  socket: SocketId
  connected: boolean
  startedAt: Nanos
  handshake: Nanos | null
  /** What the reply has to be, and what of it has come. */
  expected: Bytes
  got: Bytes
  pending: Bytes | null
  waiting: boolean
  icmp: PingIcmp | null
  deadline: Nanos
  rtts: Nanos[]
}

export const createPingClient = (config: PingConfig): PingClientState => ({
  config,
  phase: 'between',
  packet: 0,
  socket: -1,
  connected: false,
  startedAt: 0,
  handshake: null,
  expected: NO_BYTES,
  got: NO_BYTES,
  pending: null,
  waiting: false,
  icmp: null,
  deadline: NEVER,
  rtts: [],
})

type Out = ApplicationOut<PingReport>

/** The command ends it before its time: the statistics follow. */
export const pingClient: Application<PingClientState, 'stop', PingReport> = {
  name: 'ping-client',
  step(state, now, input, out) {
    switch (input.kind) {
      case 'start':
        next(state, now, out)
        break
      case 'timer':
        if (state.deadline <= now) due(state, now, out)
        break
      case 'command':
        if (state.phase === 'asked' || state.phase === 'connecting') state.packet -= 1
        finish(state, out)
        break
      case 'socket':
        heard(state, now, input.event, out)
        break
    }
    out.wake(state.deadline)
  },
}

/** The next ping, or the end. */
function next(state: PingClientState, now: Nanos, out: Out): void {
  const { config } = state
  if (state.packet === config.count) return finish(state, out)
  state.packet += 1
  state.icmp = null
  state.startedAt = now
  state.handshake = null
  state.deadline = now + config.timeout
  if (state.connected) return ask(state, now, out)
  state.phase = 'connecting'
  state.got = NO_BYTES
  state.pending = null
  state.waiting = false
  out.call({ kind: 'open', protocol: 'tcp' })
}

function heard(state: PingClientState, now: Nanos, event: SocketEvent, out: Out): void {
  if (event.kind === 'opened') {
    state.socket = event.socket
    const { address, port }: Endpoint = state.config.server
    // Nagle's algorithm would keep a message back that follows one without an answer.
    out.call({ kind: 'set', socket: event.socket, option: 'TCP_NODELAY', value: 1 })
    return out.call({ kind: 'connect', socket: event.socket, remote: { address, port } })
  }
  if (event.socket !== state.socket) return
  switch (event.kind) {
    case 'connected':
      state.connected = true
      state.handshake = now - state.startedAt
      return ask(state, now, out)
    case 'readable':
      return out.call({ kind: 'receive', socket: event.socket, max: Infinity })
    case 'received':
      state.got = concatBytes([state.got, ...event.chunks])
      replied(state, now, out)
      if (event.ended && event.socket === state.socket) broken(state, now, null, out)
      return
    case 'queued':
      state.pending =
        event.bytes === state.pending!.length ? null : state.pending!.subarray(event.bytes)
      state.waiting = state.pending !== null
      return
    case 'writable':
      state.waiting = false
      return send(state, out)
    case 'icmp-error': {
      const { from, type, code } = event
      state.icmp = { from, type, code, version: typeof from === 'string' ? 6 : 4 }
      return
    }
    case 'failed':
    case 'rejected':
      return broken(state, now, event.error, out)
    default:
  }
}

function ask(state: PingClientState, now: Nanos, out: Out): void {
  state.phase = 'asked'
  const text = `ping ${state.packet} ${timeText(state.config, now)}`
  const line = state.config.persistent ? `${text}\n` : text
  state.expected = new TextEncoder().encode(line.toUpperCase())
  const bytes = new TextEncoder().encode(line)
  state.pending = state.pending === null ? bytes : concatBytes([state.pending, bytes])
  send(state, out)
}

function send(state: PingClientState, out: Out): void {
  if (state.waiting || state.pending === null) return
  state.waiting = true
  out.call({ kind: 'send', socket: state.socket, bytes: state.pending })
}

/** Python's `time.time()` as it prints: microseconds, without the zeros at the end. */
function timeText({ startSeconds, startMicros }: PingConfig, now: Nanos): string {
  const micros = startMicros + Math.floor(now / 1000)
  const seconds = startSeconds + Math.floor(micros / 1e6)
  const fraction = String(micros % 1e6)
    .padStart(6, '0')
    .replace(/0{1,5}$/, '')
  return `${seconds}.${fraction}`
}

/** Whether the reply is whole. Late ones of earlier pings are passed over, line by line. */
function replied(state: PingClientState, now: Nanos, out: Out): void {
  if (state.phase !== 'asked') return
  const { config, expected, got } = state
  if (!config.persistent) {
    if (got.length >= expected.length) reply(state, now, got.subarray(0, expected.length), out)
    return
  }
  let rest = got
  for (let end = indexOfByte(rest, LF); end >= 0; end = indexOfByte(rest, LF)) {
    const line = rest.subarray(0, end + 1)
    rest = rest.subarray(end + 1)
    state.got = rest
    if (textOf(line) === textOf(expected)) return reply(state, now, line.subarray(0, end), out)
  }
}

const LF = 10

const textOf = (bytes: Bytes): string => new TextDecoder().decode(bytes as Uint8Array)

function reply(state: PingClientState, now: Nanos, bytes: Bytes, out: Out): void {
  const rtt = now - state.startedAt
  const { packet, handshake } = state
  state.rtts.push(rtt)
  out.report({ kind: 'reply', packet, text: textOf(bytes), rtt, handshake })
  goOn(state, now, out)
}

/** A ping is over: its connection, too, where it had one of its own. */
function goOn(state: PingClientState, now: Nanos, out: Out): void {
  if (!state.config.persistent || !state.connected) leave(state, out)
  const { interval, count } = state.config
  state.phase = 'between'
  state.deadline = NEVER
  if (interval === 0 || state.packet === count) return next(state, now, out)
  state.deadline = now + interval
}

function leave(state: PingClientState, out: Out): void {
  if (state.socket >= 0) out.call({ kind: 'close', socket: state.socket })
  state.socket = -1
  state.connected = false
}

function due(state: PingClientState, now: Nanos, out: Out): void {
  if (state.phase === 'between') return next(state, now, out)
  const { icmpWait } = state.config
  if (state.phase !== 'listening' && state.icmp === null && icmpWait > 0) {
    state.phase = 'listening'
    state.deadline = now + icmpWait
    return
  }
  const { packet, icmp } = state
  out.report({ kind: 'timeout', packet, icmp: icmp === null ? null : { ...icmp } })
  goOn(state, now, out)
}

function broken(state: PingClientState, now: Nanos, error: Errno | null, out: Out): void {
  state.connected = false
  if (state.phase === 'between' || state.phase === 'over') return leave(state, out)
  const { packet } = state
  const icmp = state.icmp === null ? null : { ...state.icmp }
  if (error === 'ECONNREFUSED' && icmp === null) out.report({ kind: 'refused', packet })
  else if (error === 'ETIMEDOUT') out.report({ kind: 'timeout', packet, icmp })
  else if (error !== null && (icmp !== null || UNREACHABLE.has(error))) {
    out.report({ kind: 'unreachable', packet, error, icmp })
  } else out.report({ kind: 'broken', packet, error })
  goOn(state, now, out)
}

const UNREACHABLE: ReadonlySet<Errno> = new Set<Errno>([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENONET',
  'EACCES',
])

function finish(state: PingClientState, out: Out): void {
  if (state.phase === 'over') return
  state.phase = 'over'
  state.deadline = NEVER
  leave(state, out)
  out.report({ kind: 'done', statistics: pingStatistics(state.packet, state.rtts) })
}
