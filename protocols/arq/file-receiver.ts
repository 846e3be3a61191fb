import type { Endpoint } from '../address.ts'
import type { Application, ApplicationInput } from '../application.ts'
import type { Bytes } from '../bytes.ts'
import type { SocketEvent } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import {
  decodePlain,
  encodeAck,
  endUnitOf,
  type PlainPacket,
  sequenceOf,
  unitOf,
} from './dialect.ts'
import { endpointOf } from './endpoint.ts'
import { createIncoming, type FileReceiver, type Incoming } from './file-receiver-state.ts'
import { isLost } from './loss.ts'
import type { ArqAck } from './packet.ts'
import { isComplete, receiveUnit } from './receiver.ts'
import { lossLine, type ReceiveReport } from './report.ts'
import { accept, refuse, sessionDatagram } from './receiver-session.ts'
import { close, fail, finished, type ReceiverOut, take } from './receiver-run.ts'
import type { AbortReason } from './session-format.ts'

export type ReceiveCommand =
  /** Answers `offered`: so much of the file is there already. */
  | { readonly kind: 'accept'; readonly have: Bytes }
  /** Gives the file up; the sender hears why. */
  | { readonly kind: 'abort'; readonly why: AbortReason }

/**
 * Receives one file: in a dialect of the course projects, or as a session, whatever the sender
 * begins with. It knows its sender by the address that the first good packet came from.
 */
export const fileReceiver: Application<FileReceiver, ReceiveCommand, ReceiveReport> = {
  name: 'file-receiver',
  step(s, now, input, out) {
    if (s.over) return
    handle(s, now, input, out)
    out.wake(s.over ? NEVER : Math.min(s.timers.idle, s.timers.linger))
  },
}

function handle(
  s: FileReceiver,
  now: Nanos,
  input: ApplicationInput<ReceiveCommand>,
  out: ReceiverOut,
): void {
  switch (input.kind) {
    case 'start':
      return out.call({ kind: 'open', ...s.config.carrier })
    case 'socket':
      return socketEvent(s, now, input.event, out)
    case 'timer':
      return timer(s, now, out)
    case 'command':
      if (input.command.kind === 'accept') return accept(s, now, input.command.have, out)
      return refuse(s, now, input.command.why, out)
  }
}

function socketEvent(s: FileReceiver, now: Nanos, event: SocketEvent, out: ReceiverOut): void {
  switch (event.kind) {
    case 'opened': {
      s.socket = event.socket
      const port = s.config.carrier.protocol === 'udp' ? s.config.port : 0
      out.call({ kind: 'bind', socket: event.socket, address: null, port })
      const { group } = s.config
      if (group !== null) out.call({ kind: 'join', socket: event.socket, group, via: null })
      return
    }
    case 'rejected':
      if (event.call === 'bind' || event.call === 'open' || event.call === 'join') {
        s.over = true
        out.report({ kind: 'refused', error: event.error })
      }
      return
    case 'datagram': {
      const { payload, remote } = event
      if (s.config.sessions && sessionDatagram(s, now, remote, payload, out)) return
      if (s.config.key === null) plainDatagram(s, now, remote, payload, out)
      return
    }
    default:
  }
}

function timer(s: FileReceiver, now: Nanos, out: ReceiverOut): void {
  if (now >= s.timers.linger) return close(s, out)
  if (now < s.timers.idle) return
  const { incoming } = s
  // Packets come all the time and only say when the last of them came.
  if (incoming !== null && s.heardAt + s.config.idle > now) {
    s.timers.idle = s.heardAt + s.config.idle
    return
  }
  s.timers.idle = NEVER
  if (incoming === null || incoming.verdict !== null) return
  // What says nothing about its end has come to it; a session has not.
  const silent = incoming.session === null && s.config.dialect.end.kind === 'none'
  if (silent && incoming.receiver.next > 0) return finished(s, now, 'silence', out)
  fail(s, 'no sender', out)
}

/** A packet of the course projects. */
function plainDatagram(
  s: FileReceiver,
  now: Nanos,
  remote: Endpoint,
  datagram: Bytes,
  out: ReceiverOut,
): void {
  const { dialect } = s.config
  const packet = decodePlain(dialect, datagram)
  if (packet === null || packet.kind === 'ack' || !isFromSender(s, remote)) return
  // Before the checksum is looked at: so the assignment has it.
  if (isLost(s.loss, packet.sequence)) {
    return out.report({ kind: 'line', text: lossLine(packet.sequence) })
  }
  if (!packet.intact) return
  const incoming = s.incoming ?? begin(s, remote, packet, out)
  if (incoming === null) return
  s.heardAt = now
  if (s.timers.idle === NEVER && incoming.verdict === null) s.timers.idle = now + s.config.idle
  unitArrives(s, now, incoming, packet, out)
}

/** A sender that is another's guest is nobody's. */
function isFromSender({ incoming }: FileReceiver, remote: Endpoint): boolean {
  if (incoming === null) return true
  if (incoming.session !== null) return false
  return incoming.remote.address === remote.address && incoming.remote.port === remote.port
}

/** The first packet tells who sends, and how long units are. */
function begin(
  s: FileReceiver,
  remote: Endpoint,
  packet: PlainPacket,
  out: ReceiverOut,
): Incoming | null {
  const { dialect, acknowledgement, window } = s.config
  const isFirst = packet.sequence === dialect.first
  // Only the first unit says how long all are.
  const asksForFirst = dialect.counts === 'bytes' || dialect.end.kind === 'short'
  if (!isFirst && (asksForFirst || acknowledgement !== 'each')) return null
  const incoming = createIncoming(remote, null, acknowledgement, window)
  incoming.unitBytes = Math.max(packet.data.length, 1)
  s.incoming = incoming
  out.report({ kind: 'begun', file: null, have: 0, from: remote })
  return incoming
}

function unitArrives(
  s: FileReceiver,
  now: Nanos,
  incoming: Incoming,
  packet: PlainPacket,
  out: ReceiverOut,
): void {
  const { dialect } = s.config
  const { receiver, unitBytes } = incoming
  const isEnd = packet.kind === 'end'
  const numbered = isEnd ? endUnitOf : unitOf
  const unit = numbered(dialect, packet.sequence, unitBytes, receiver.next)
  if (isEnd) incoming.endSequence = packet.sequence
  const short = dialect.end.kind === 'short' && isShort(incoming, unit, packet.data)
  const received = receiveUnit(receiver, unit, packet.data, isEnd || short)
  take(incoming, received.chunks, out)
  if (received.ack !== null) acknowledge(s, incoming, received.ack, out)
  if (!isComplete(receiver)) return
  if (incoming.verdict === null) finished(s, now, 'end', out)
}

/** The first unit may be the last as well: an empty one, or one that an empty one would follow. */
const isShort = (incoming: Incoming, unit: number, data: Bytes): boolean =>
  data.length === 0 || (unit > 0 && data.length < incoming.unitBytes)

function acknowledge(s: FileReceiver, incoming: Incoming, ack: ArqAck, out: ReceiverOut): void {
  const { dialect } = s.config
  const unit = ack.units[0] ?? ack.below - 1
  const isEnd = incoming.receiver.end === unit + 1 && incoming.endSequence >= 0
  const sequence = isEnd ? incoming.endSequence : sequenceOf(dialect, unit, incoming.unitBytes)
  const bytes = encodeAck(dialect, sequence)
  out.call({ kind: 'send-to', socket: s.socket, bytes, remote: endpointOf(incoming.remote) })
}
