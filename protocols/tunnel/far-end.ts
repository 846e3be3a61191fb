import type { Application, ApplicationOut } from '../application.ts'
import { type ArqReceiver, createArqReceiver, isComplete, receiveUnit } from '../arq/receiver.ts'
import { type Bytes } from '../bytes.ts'
import type { SocketId } from '../host/socket.ts'
import { ms, NEVER, type Nanos, s as seconds } from '../time.ts'
import type { TunnelReport, TunnelShape } from './near-end.ts'
import {
  encodeRpAck,
  isAck,
  parseRp,
  PROTOCOL_RELIABLE,
  type RpPacket,
  type RpVersion,
  type TunnelEnds,
} from './rp.ts'

export interface FarEndConfig {
  readonly shape: TunnelShape
  readonly version: RpVersion
  readonly ends: TunnelEnds
  readonly first: number
  /** What a packet takes here. */
  readonly service: Nanos
  /** What is forwarded and not acknowledged goes again at each sweep. */
  readonly sweep: Nanos
  /** Acknowledges acknowledgements, as the original does. */
  readonly acknowledgesAll: boolean
  /** One-way: after so long without a packet the file is over. */
  readonly idle: Nanos
}

export const FAR_DEFAULTS = {
  service: ms(100),
  sweep: seconds(10),
  acknowledgesAll: true,
  idle: seconds(30),
} as const

/** Sweeps that a forwarded packet is worth. */
const SWEEPS = 15

interface Pending {
  readonly sequence: number
  readonly inner: Bytes
  readonly sentAt: Nanos
  sweeps: number
}

/** Plain data. */
export interface FarEnd {
  readonly config: FarEndConfig
  socket: SocketId
  /** What waits to be served, in order. */
  queue: RpPacket[]
  pending: Pending[]
  receiver: ArqReceiver
  bytes: number
  startedAt: Nanos
  finished: boolean
  timers: { service: Nanos; sweep: Nanos; idle: Nanos }
  over: boolean
}

export const createFarEnd = (config: FarEndConfig): FarEnd => ({
  config,
  socket: -1,
  queue: [],
  pending: [],
  receiver: createArqReceiver('each', 1024),
  bytes: 0,
  startedAt: 0,
  finished: false,
  timers: { service: NEVER, sweep: NEVER, idle: NEVER },
  over: false,
})

type FarOut = ApplicationOut<TunnelReport>

/**
 * B, as the original has it: acknowledges what A sends, takes the inner packet out and sends it on.
 * In the other shape it keeps what is inside.
 */
export const farEnd: Application<FarEnd, never, TunnelReport> = {
  name: 'tunnel-far-end',
  step(s, now, input, out) {
    if (s.over) return
    if (input.kind === 'start') {
      s.startedAt = now
      out.call({ kind: 'open', protocol: 'raw', number: PROTOCOL_RELIABLE })
    } else if (input.kind === 'timer') timer(s, now, out)
    else if (input.kind === 'socket') {
      const { event } = input
      if (event.kind === 'opened') {
        s.socket = event.socket
        out.call({ kind: 'set', socket: event.socket, option: 'IP_HDRINCL', value: 1 })
      } else if (event.kind === 'datagram') arrives(s, now, event.payload, out)
      else if (event.kind === 'rejected' && event.call === 'open') {
        s.over = true
        out.report({ kind: 'refused', error: event.error })
      }
    }
    const { timers } = s
    out.wake(s.over ? NEVER : Math.min(timers.service, timers.sweep, timers.idle))
  },
}

function arrives(s: FarEnd, now: Nanos, bytes: Bytes, out: FarOut): void {
  const { version, ends, shape } = s.config
  const packet = parseRp(version, bytes)
  if (packet === null || packet.source !== ends.near || packet.destination !== ends.far) return
  s.timers.idle = shape === 'one-way' ? now + s.config.idle : NEVER
  if (!isAck(version, packet)) {
    // The view belongs to whoever brought it; what waits is ours.
    s.queue.push({ ...packet, body: Uint8Array.from(packet.body) })
    if (s.timers.service === NEVER) s.timers.service = now + s.config.service
    return
  }
  s.pending = s.pending.filter(({ sequence }) => sequence !== packet.header.sequence)
  if (s.pending.length === 0) s.timers.sweep = NEVER
  if (s.config.acknowledgesAll) acknowledge(s, packet.header.sequence, out)
}

function acknowledge(s: FarEnd, sequence: number, out: FarOut): void {
  const { version, ends } = s.config
  const bytes = encodeRpAck(version, ends.far, ends.near, sequence, 0)
  out.call({ kind: 'send-to', socket: s.socket, bytes, remote: { address: ends.near, port: 0 } })
  out.report({ kind: 'line', text: `ack sent for packet ${sequence}` })
}

function timer(s: FarEnd, now: Nanos, out: FarOut): void {
  if (now >= s.timers.service) {
    const [packet, ...rest] = s.queue
    s.queue = rest
    s.timers.service = rest.length > 0 ? now + s.config.service : NEVER
    if (packet !== undefined) serve(s, now, packet, out)
  }
  if (now >= s.timers.sweep) sweep(s, now, out)
  if (now >= s.timers.idle && !s.over) end(s, now, out)
}

function serve(s: FarEnd, now: Nanos, { header, body }: RpPacket, out: FarOut): void {
  acknowledge(s, header.sequence, out)
  if (s.config.shape === 'one-way') return keep(s, now, header.sequence, header.noMore, body, out)
  forward(s, body, out)
  if (s.pending.some(({ sequence }) => sequence === header.sequence)) return
  s.pending.push({ sequence: header.sequence, inner: body, sentAt: now, sweeps: 0 })
  if (s.timers.sweep !== NEVER) return
  // The sweeps go by a clock of their own, which began when we did.
  const { sweep: interval } = s.config
  s.timers.sweep = s.startedAt + (Math.floor((now - s.startedAt) / interval) + 1) * interval
}

/** The inner packet, unchanged. */
function forward(s: FarEnd, inner: Bytes, out: FarOut): void {
  const remote = { address: s.config.ends.near, port: 0 }
  out.call({ kind: 'send-to', socket: s.socket, bytes: inner, remote })
}

function sweep(s: FarEnd, now: Nanos, out: FarOut): void {
  const { sweep: interval } = s.config
  for (const pending of s.pending) {
    if (now - pending.sentAt < interval) continue
    pending.sweeps += 1
    const text = `Resending packet with sequence number: ${pending.sequence}`
    out.report({ kind: 'line', text })
    forward(s, pending.inner, out)
  }
  s.pending = s.pending.filter(({ sweeps }) => sweeps < SWEEPS)
  s.timers.sweep = s.pending.length > 0 ? now + interval : NEVER
}

/** The other shape: what is inside the inner packet is the file. */
function keep(
  s: FarEnd,
  now: Nanos,
  sequence: number,
  noMore: boolean,
  body: Bytes,
  out: FarOut,
): void {
  const inner = parseRp(s.config.version, body)
  if (inner === null) return
  const distance = sequence - s.config.first - s.receiver.next
  const nearest = s.config.version === 'id-only' ? (distance << 16) >> 16 : distance | 0
  const { chunks } = receiveUnit(s.receiver, s.receiver.next + nearest, inner.body, noMore)
  for (const chunk of chunks) s.bytes += chunk.length
  if (chunks.length > 0) out.report({ kind: 'data', chunks })
  if (isComplete(s.receiver) && !s.finished) {
    s.finished = true
    out.report({ kind: 'finished', bytes: s.bytes, span: now - s.startedAt })
  }
}

/** Nothing has come for long: copies need no answer any more. */
function end(s: FarEnd, now: Nanos, out: FarOut): void {
  s.over = true
  out.call({ kind: 'close', socket: s.socket })
  if (s.finished) return
  // Without a mark the silence is all that says so.
  const whole = s.config.version === 'id-only' && s.bytes > 0
  if (whole) out.report({ kind: 'finished', bytes: s.bytes, span: now - s.startedAt })
  else out.report({ kind: 'failed', why: 'no answer' })
}
