import type { Application, ApplicationOut } from '../application.ts'
import { fixedTimeout, type ArqPolicy, STOP_AND_WAIT } from '../arq/policy.ts'
import { type ArqReceiver, createArqReceiver, isComplete, receiveUnit } from '../arq/receiver.ts'
import { type ArqEvent, arqSender } from '../arq/sender.ts'
import { type ArqSender, arqSenderNextDue, createArqSender } from '../arq/sender-state.ts'
import type { Bytes } from '../bytes.ts'
import type { SocketId } from '../host/socket.ts'
import { ms, NEVER, type Nanos, s as seconds } from '../time.ts'
import {
  encodeChunk,
  encodeRpAck,
  parseRp,
  PROTOCOL_RELIABLE,
  type RpPacket,
  type RpVersion,
  type TunnelEnds,
} from './rp.ts'

/** Where the file comes out: at A again, whence it went, or at B. */
export type TunnelShape = 'loop-back' | 'one-way'

export interface NearEndConfig {
  readonly shape: TunnelShape
  readonly version: RpVersion
  readonly ends: TunnelEnds
  readonly content: Bytes
  readonly chunkBytes: number
  /** The number of the first chunk. */
  readonly first: number
  readonly policy: ArqPolicy
  /** After all is acknowledged so long is waited for what comes back. */
  readonly idle: Nanos
}

/**
 * A chunk each 0.1 s, whatever is acknowledged; a sweep each 2 s sends again what is older than
 * that. The original sweeps for ever: here a peer that has not answered 15 times is gone.
 */
export const NEAR_POLICY: ArqPolicy = {
  ...STOP_AND_WAIT,
  window: 1024,
  acknowledgement: 'each',
  timer: 'sweep',
  timeout: fixedTimeout(seconds(2)),
  pace: ms(100),
  retries: 15,
}
export const CHUNK_BYTES = 10

/** Plain data. */
export interface NearEnd {
  readonly config: NearEndConfig
  socket: SocketId
  arq: ArqSender
  receiver: ArqReceiver
  bytes: number
  startedAt: Nanos
  timers: { idle: Nanos }
  over: boolean
}

export type TunnelReport =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'refused'; readonly error: string }
  /** The next bytes of the file, in order. */
  | { readonly kind: 'data'; readonly chunks: readonly Bytes[] }
  | { readonly kind: 'finished'; readonly bytes: number; readonly span: Nanos }
  | { readonly kind: 'failed'; readonly why: 'no answer' | 'nothing came back' }

export const createNearEnd = (config: NearEndConfig): NearEnd => ({
  config,
  socket: -1,
  arq: createArqSender(config.policy, 1),
  receiver: createArqReceiver('each', config.policy.window),
  bytes: 0,
  startedAt: 0,
  timers: { idle: NEVER },
  over: false,
})

type NearOut = ApplicationOut<TunnelReport>

/** A, as the original has it: sends the file into the tunnel, and takes what comes back. */
export const nearEnd: Application<NearEnd, never, TunnelReport> = {
  name: 'tunnel-near-end',
  step(s, now, input, out) {
    if (s.over) return
    if (input.kind === 'start') {
      s.startedAt = now
      out.call({ kind: 'open', protocol: 'raw', number: PROTOCOL_RELIABLE })
    } else if (input.kind === 'timer') {
      if (now >= s.timers.idle) fail(s, 'nothing came back', out)
      else if (now >= arqSenderNextDue(s.arq)) stepArq(s, now, { kind: 'timer', owner: 0 }, out)
    } else if (input.kind === 'socket') {
      const { event } = input
      if (event.kind === 'opened') opened(s, now, event.socket, out)
      else if (event.kind === 'datagram') arrives(s, now, event.payload, out)
      else if (event.kind === 'rejected' && event.call === 'open') {
        s.over = true
        out.report({ kind: 'refused', error: event.error })
      }
    }
    out.wake(s.over ? NEVER : Math.min(s.timers.idle, arqSenderNextDue(s.arq)))
  },
}

function opened(s: NearEnd, now: Nanos, socket: SocketId, out: NearOut): void {
  s.socket = socket
  out.call({ kind: 'set', socket, option: 'IP_HDRINCL', value: 1 })
  const total = Math.ceil(s.config.content.length / s.config.chunkBytes)
  stepArq(s, now, { kind: 'call', call: { kind: 'offer', total, closed: true } }, out)
}

function arrives(s: NearEnd, now: Nanos, bytes: Bytes, out: NearOut): void {
  const { version, ends, shape } = s.config
  const packet = parseRp(version, bytes)
  if (packet === null || packet.destination !== ends.near) return
  if (packet.source === ends.far) return acknowledged(s, now, packet, out)
  if (packet.source === ends.inner && shape === 'loop-back') cameBack(s, now, packet, out)
}

function acknowledged(s: NearEnd, now: Nanos, { header }: RpPacket, out: NearOut): void {
  const unit = unitOf(s, header.sequence, s.arq.base)
  out.report({
    kind: 'line',
    text: `Received ack packet with sequence number: ${header.sequence}`,
  })
  if (unit < 0) return
  const packet = { kind: 'ack', below: 0, units: [unit] } as const
  stepArq(s, now, { kind: 'packet', packet, port: 0 }, out)
}

/** Numbers wrap at 2³², Identifications at 2¹⁶: the nearest is meant. */
function unitOf(s: NearEnd, sequence: number, near: number): number {
  const distance = sequence - s.config.first - near
  const nearest = s.config.version === 'id-only' ? (distance << 16) >> 16 : distance | 0
  return near + nearest
}

function sequenceOf({ config }: NearEnd, unit: number): number {
  return (config.first + unit) % (config.version === 'id-only' ? 2 ** 16 : 2 ** 32)
}

/** B has taken the chunk out of the tunnel and sent it on: to us. */
function cameBack(s: NearEnd, now: Nanos, { header, body }: RpPacket, out: NearOut): void {
  const { version, ends, content, chunkBytes } = s.config
  const unit = unitOf(s, header.sequence, s.receiver.next)
  const isLast = header.noMore || unit === Math.ceil(content.length / chunkBytes) - 1
  const { chunks, ack } = receiveUnit(s.receiver, unit, body, isLast)
  if (ack === null) return
  const bytes = encodeRpAck(version, ends.near, ends.far, header.sequence, 1)
  out.call({ kind: 'send-to', socket: s.socket, bytes, remote: { address: ends.far, port: 0 } })
  for (const chunk of chunks) s.bytes += chunk.length
  if (chunks.length > 0) out.report({ kind: 'data', chunks })
  endIfWhole(s, now, out)
}

/** Here the file is written once: the original appends, with every copy that comes in late. */
function endIfWhole(s: NearEnd, now: Nanos, out: NearOut): void {
  if (s.over || !s.arq.over) return
  if (s.config.shape === 'loop-back' && s.config.content.length > 0 && !isComplete(s.receiver)) {
    s.timers.idle = now + s.config.idle
    return
  }
  s.over = true
  out.call({ kind: 'close', socket: s.socket })
  const bytes = s.config.shape === 'loop-back' ? s.bytes : s.config.content.length
  out.report({ kind: 'finished', bytes, span: now - s.startedAt })
}

function fail(s: NearEnd, why: 'no answer' | 'nothing came back', out: NearOut): void {
  s.over = true
  if (s.socket >= 0) out.call({ kind: 'close', socket: s.socket })
  out.report({ kind: 'failed', why })
}

type ArqInput = Parameters<typeof arqSender.step>[2]

function stepArq(s: NearEnd, now: Nanos, input: ArqInput, out: NearOut): void {
  const { version, ends, content, chunkBytes } = s.config
  const last = Math.ceil(content.length / chunkBytes) - 1
  const events: ArqEvent[] = []
  arqSender.step(s.arq, now, input, {
    send: (packet) => {
      if (packet.kind !== 'data') return
      const { unit } = packet
      const from = unit * chunkBytes
      const chunk = content.subarray(from, Math.min(from + chunkBytes, content.length))
      const header = { sequence: sequenceOf(s, unit), acknowledges: 0, noMore: unit === last }
      const bytes = encodeChunk(version, ends, header, chunk)
      out.call({ kind: 'send-to', socket: s.socket, bytes, remote: { address: ends.far, port: 0 } })
    },
    event: (event) => {
      if (event.kind !== 'timeout') return void events.push(event)
      const text = `Resending packet with sequence number: ${sequenceOf(s, event.unit)}`
      out.report({ kind: 'line', text })
    },
    wake: () => {},
  })
  for (const event of events) {
    if (event.kind === 'failed') fail(s, 'no answer', out)
    else if (event.kind === 'done') endIfWhole(s, now, out)
  }
}
