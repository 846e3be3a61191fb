import type { IpAddress } from '../address.ts'
import type { Application, ApplicationOut } from '../application.ts'
import { type Bytes, concatBytes, equalBytes, NO_BYTES } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketEvent, SocketId } from '../host/socket.ts'
import { type PingStatistics, pingStatistics } from '../tcp-ping/statistics.ts'
import { NEVER, type Nanos } from '../time.ts'

/*
 * The other side of an echo: over TCP and UDP (RFC 862) or ICMP (RFC 792). It sends so many
 * messages, one an interval, and holds what comes back against them.
 */

export interface EchoConfig {
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  readonly remote: IpAddress
  /** Without meaning for ICMP. */
  readonly port: number
  readonly count: number
  /** Bytes of each message, at least 4. */
  readonly size: number
  readonly interval: Nanos
  readonly timeout: Nanos
  /** Of ICMP requests. */
  readonly ttl: number
}

export type EchoReport =
  | {
      readonly kind: 'echo'
      readonly number: number
      readonly rtt: Nanos
      readonly ttl: number | null
    }
  | { readonly kind: 'missing'; readonly number: number }
  /** What came back is not what was sent. */
  | { readonly kind: 'different'; readonly number: number }
  | {
      readonly kind: 'icmp'
      readonly number: number
      readonly from: IpAddress
      readonly type: number
      readonly code: number
    }
  | { readonly kind: 'failed'; readonly error: Errno | null }
  | { readonly kind: 'done'; readonly statistics: PingStatistics }

export interface EchoClientState {
  readonly config: EchoConfig
  socket: SocketId
  /** Of the message that is out; 0 before the first. */
  number: number
  sentAt: Nanos
  out: boolean
  /** Over TCP: what is to be sent, and what has come of the echo. */
  pending: Bytes | null
  waiting: boolean
  got: Bytes
  /** The message times out, and the next one is due. */
  deadline: Nanos
  nextAt: Nanos
  rtts: Nanos[]
  over: boolean
}

export const createEchoClient = (config: EchoConfig): EchoClientState => ({
  config,
  socket: -1,
  number: 0,
  sentAt: 0,
  out: false,
  pending: null,
  waiting: false,
  got: NO_BYTES,
  deadline: NEVER,
  nextAt: NEVER,
  rtts: [],
  over: false,
})

type Out = ApplicationOut<EchoReport>

export const echoClient: Application<EchoClientState, 'stop', EchoReport> = {
  name: 'echo-client',
  step(state, now, input, out) {
    if (state.over) return
    if (input.kind === 'start') {
      const { protocol } = state.config
      return out.call({ kind: 'open', protocol })
    }
    if (input.kind === 'command') finish(state, out)
    if (input.kind === 'socket') heard(state, now, input.event, out)
    if (input.kind === 'timer' && state.deadline <= now) {
      out.report({ kind: 'missing', number: state.number })
      settled(state, out)
    }
    if (input.kind === 'timer' && state.nextAt <= now) next(state, now, out)
    out.wake(Math.min(state.deadline, state.nextAt))
  },
}

/** The bytes of a message: its number, then a pattern. */
function messageOf(number: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i < 4 ? number >>> (24 - 8 * i) : 0x61 + (i % 26)
  return bytes
}

function heard(state: EchoClientState, now: Nanos, event: SocketEvent, out: Out): void {
  const { config } = state
  switch (event.kind) {
    case 'opened': {
      state.socket = event.socket
      const remote = { address: config.remote, port: config.port }
      if (config.protocol === 'tcp') {
        out.call({ kind: 'set', socket: event.socket, option: 'TCP_NODELAY', value: 1 })
        return out.call({ kind: 'connect', socket: event.socket, remote })
      }
      return next(state, now, out)
    }
    case 'connected':
      return next(state, now, out)
    case 'readable':
      return out.call({ kind: 'receive', socket: event.socket, max: Infinity })
    case 'received':
      state.got = concatBytes([state.got, ...event.chunks])
      if (state.out && state.got.length >= config.size) {
        const echo = state.got.subarray(0, config.size)
        state.got = state.got.subarray(config.size)
        judge(state, now, echo, null, out)
      }
      if (event.ended) failed(state, null, out)
      return
    case 'queued':
      state.pending =
        event.bytes === state.pending!.length ? null : state.pending!.subarray(event.bytes)
      state.waiting = state.pending !== null
      return
    case 'writable':
      state.waiting = false
      return send(state, out)
    case 'datagram':
      return judge(state, now, event.payload, null, out)
    case 'echo-reply':
      if (event.sequence === (state.number & 0xffff))
        judge(state, now, event.payload, event.ttl, out)
      return
    case 'icmp-error': {
      const { from, type, code } = event
      out.report({ kind: 'icmp', number: state.number, from, type, code })
      if (event.hard || config.protocol !== 'tcp') settled(state, out)
      return
    }
    case 'failed':
    case 'rejected':
      return failed(state, event.error, out)
    default:
  }
}

function next(state: EchoClientState, now: Nanos, out: Out): void {
  const { protocol, count, size, interval, timeout, remote, port, ttl } = state.config
  if (state.number === count) return finish(state, out)
  // A message that is still out has its time first.
  if (state.out) {
    state.nextAt = state.deadline
    return
  }
  state.number += 1
  state.sentAt = now
  state.out = true
  state.deadline = now + timeout
  state.nextAt = now + interval
  const bytes = messageOf(state.number, size)
  const { socket } = state
  if (protocol === 'udp') {
    out.call({ kind: 'send-to', socket, bytes, remote: { address: remote, port } })
  } else if (protocol === 'icmp') {
    const sequence = state.number & 0xffff
    out.call({ kind: 'send-echo', socket, remote, sequence, bytes, ttl })
  } else {
    state.pending = state.pending === null ? bytes : concatBytes([state.pending, bytes])
    send(state, out)
  }
}

function send(state: EchoClientState, out: Out): void {
  if (state.waiting || state.pending === null) return
  state.waiting = true
  out.call({ kind: 'send', socket: state.socket, bytes: state.pending })
}

function judge(
  state: EchoClientState,
  now: Nanos,
  echo: Bytes,
  ttl: number | null,
  out: Out,
): void {
  const { number } = state
  if (!state.out) return // late: it was given up
  if (!equalBytes(echo, messageOf(number, state.config.size))) {
    // Over UDP it may be a late echo of an earlier message.
    if (state.config.protocol !== 'tcp') return
    out.report({ kind: 'different', number })
  } else {
    const rtt = now - state.sentAt
    state.rtts.push(rtt)
    out.report({ kind: 'echo', number, rtt, ttl })
  }
  settled(state, out)
}

function settled(state: EchoClientState, out: Out): void {
  state.out = false
  state.deadline = NEVER
  if (state.number === state.config.count) finish(state, out)
}

function failed(state: EchoClientState, error: Errno | null, out: Out): void {
  if (state.over) return
  out.report({ kind: 'failed', error })
  finish(state, out)
}

function finish(state: EchoClientState, out: Out): void {
  if (state.over) return
  state.over = true
  state.deadline = NEVER
  state.nextAt = NEVER
  if (state.socket >= 0) out.call({ kind: 'close', socket: state.socket })
  const statistics = pingStatistics(state.number, state.rtts)
  out.report({ kind: 'done', statistics })
}
