import alea from 'seedrandom/lib/alea.js'
import type { Endpoint, IpAddress } from '../address.ts'
import type { Application, ApplicationOut } from '../application.ts'
import { type Bytes, concatBytes, indexOfByte, NO_BYTES } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import type { SocketEvent, SocketId } from '../host/socket.ts'

/*
 * The server of a TCP ping: what it receives it sends back in upper case, or, by chance, not at all.
 * That loss happens above TCP, which has delivered and acknowledged the message: nothing is sent
 * again. What is lost below, by IP or on a link, TCP sends again, and the ping is only late.
 */

/** Where the generator of losses stands: plain data. */
export interface GeneratorState {
  readonly c: number
  readonly s0: number
  readonly s1: number
  readonly s2: number
}

export const PING_PORT = 11_000
const BACKLOG = 128
/** A message is read at most so many bytes at a time. */
const READ_MAX = 1024

export type PingServerReport =
  | { readonly kind: 'accepted'; readonly remote: Endpoint }
  /** A message was let go. */
  | { readonly kind: 'lost'; readonly remote: Endpoint }
  | { readonly kind: 'refused'; readonly error: Errno }

interface Pinger {
  readonly socket: SocketId
  readonly remote: Endpoint
  /** Messages are lines; decided by whether the first piece has a line end in it. `null`: not yet. */
  lines: boolean | null
  partial: Bytes
  pending: Bytes[]
  waiting: boolean
  readable: boolean
  ended: boolean
  gone: boolean
}

export interface PingServerState {
  readonly port: number
  readonly address: IpAddress | null
  /** Of messages, 0 to 1. */
  readonly loss: number
  random: GeneratorState
  listener: SocketId
  pingers: Pinger[]
}

type Out = ApplicationOut<PingServerReport>

export const createPingServer = (options: {
  readonly port?: number
  readonly address?: IpAddress | null
  readonly loss?: number
  readonly seed: string
}): PingServerState => ({
  port: options.port ?? PING_PORT,
  address: options.address ?? null,
  loss: options.loss ?? 0,
  random: alea(`${options.seed}/ping-loss`, { state: true }).state(),
  listener: -1,
  pingers: [],
})

export const pingServer: Application<PingServerState, never, PingServerReport> = {
  name: 'ping-server',
  step(state, _now, input, out) {
    if (input.kind === 'start') out.call({ kind: 'open', protocol: 'tcp' })
    else if (input.kind === 'socket') heard(state, input.event, out)
  },
}

function heard(state: PingServerState, event: SocketEvent, out: Out): void {
  const { socket } = event
  if (event.kind === 'opened') {
    state.listener = socket
    out.call({ kind: 'bind', socket, address: state.address, port: state.port })
    return out.call({ kind: 'listen', socket, backlog: BACKLOG })
  }
  if (event.kind === 'accepted') {
    const { address, port } = event.remote
    state.pingers.push({
      socket,
      remote: { address, port },
      lines: null,
      partial: NO_BYTES,
      pending: [],
      waiting: false,
      readable: false,
      ended: false,
      gone: false,
    })
    out.call({ kind: 'set', socket, option: 'TCP_NODELAY', value: 1 })
    return out.report({ kind: 'accepted', remote: { address, port } })
  }
  if (socket === state.listener) {
    if (event.kind === 'rejected') out.report({ kind: 'refused', error: event.error })
    return
  }
  if (event.kind === 'closed') {
    state.pingers = state.pingers.filter((each) => each.socket !== socket)
    return
  }
  const pinger = state.pingers.find((each) => each.socket === socket)
  if (pinger !== undefined && !pinger.gone) heardBy(state, pinger, event, out)
}

function heardBy(state: PingServerState, pinger: Pinger, event: SocketEvent, out: Out): void {
  switch (event.kind) {
    case 'readable':
      pinger.readable = true
      break
    case 'received':
      if (event.bytes > 0) messages(state, pinger, concatBytes(event.chunks), out)
      if (event.ended) pinger.ended = true
      break
    case 'queued': {
      const first = pinger.pending[0]!
      if (event.bytes < first.length) pinger.pending[0] = first.subarray(event.bytes)
      else {
        pinger.pending.shift()
        pinger.waiting = false
      }
      break
    }
    case 'writable':
      pinger.waiting = false
      break
    case 'failed':
    case 'rejected':
      pinger.gone = true
      break
    default:
  }
  goOn(pinger, out)
}

/** What was read is one message, or, where the client ends its first one with a line end, lines. */
function messages(state: PingServerState, pinger: Pinger, bytes: Bytes, out: Out): void {
  pinger.lines ??= indexOfByte(bytes, LF) >= 0
  if (!pinger.lines) return answer(state, pinger, bytes, out)
  let rest: Bytes = concatBytes([pinger.partial, bytes])
  for (let end = indexOfByte(rest, LF); end >= 0; end = indexOfByte(rest, LF)) {
    answer(state, pinger, rest.subarray(0, end + 1), out)
    rest = rest.subarray(end + 1)
  }
  // A line without end is answered in pieces: nobody makes the server keep it.
  if (rest.length >= READ_MAX) answer(state, pinger, rest, out)
  pinger.partial = rest.length >= READ_MAX ? NO_BYTES : rest
}

const LF = 10

function answer(state: PingServerState, pinger: Pinger, message: Bytes, out: Out): void {
  // One draw a message, whatever the loss: the same seed loses the same ones.
  const next = alea('', { state: state.random })
  const drawn = next()
  state.random = next.state()
  const { address, port } = pinger.remote
  if (drawn < state.loss) return out.report({ kind: 'lost', remote: { address, port } })
  pinger.pending.push(upperCase(message))
}

/** Of ASCII: the bytes of other characters stay as they are. */
function upperCase(message: Bytes): Uint8Array {
  const upper = new Uint8Array(message.length)
  for (let i = 0; i < message.length; i++) {
    const byte = message[i]!
    upper[i] = byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte
  }
  return upper
}

function goOn(pinger: Pinger, out: Out): void {
  const { socket, pending } = pinger
  if (pinger.gone || pinger.waiting) return
  if (pending.length > 0) {
    pinger.waiting = true
    return out.call({ kind: 'send', socket, bytes: pending[0]! })
  }
  if (pinger.ended) {
    pinger.gone = true
    return out.call({ kind: 'close', socket })
  }
  if (!pinger.readable) return
  pinger.readable = false
  out.call({ kind: 'receive', socket, max: READ_MAX })
}
