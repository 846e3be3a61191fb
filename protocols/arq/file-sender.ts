import type { Application, ApplicationInput } from '../application.ts'
import type { Bytes } from '../bytes.ts'
import type { SocketEvent } from '../host/socket.ts'
import type { Nanos } from '../time.ts'
import { decodePlain, unitOf } from './dialect.ts'
import { endpointOf } from './endpoint.ts'
import {
  begin,
  markLost,
  over,
  plainSequence,
  type SenderOut,
  sendSession,
  stepArq,
} from './file-sender-run.ts'
import { type FileSender, fileSenderNextDue, totalUnits } from './file-sender-state.ts'
import type { SendReport } from './report.ts'
import { arqSenderNextDue } from './sender-state.ts'
import { control, greetAll, sessionArrives, shrink } from './sender-session.ts'

export type SendCommand = { readonly kind: 'cancel' }

/**
 * Sends a file to one receiver or to several, each over a socket of its own: in a dialect of the
 * course projects, or as a session.
 */
export const fileSender: Application<FileSender, SendCommand, SendReport> = {
  name: 'file-sender',
  step(s, now, input, out) {
    if (s.phase === 'over') return
    handle(s, now, input, out)
    out.wake(fileSenderNextDue(s))
  },
}

function handle(
  s: FileSender,
  now: Nanos,
  input: ApplicationInput<SendCommand>,
  out: SenderOut,
): void {
  switch (input.kind) {
    case 'start':
      s.startedAt = now
      if (s.config.group !== null) return out.call({ kind: 'open', protocol: 'udp' })
      for (const _ of s.peers) out.call({ kind: 'open', ...s.config.carrier })
      return
    case 'socket':
      return socketEvent(s, now, input.event, out)
    case 'timer':
      control(s, now, out)
      if (now >= arqSenderNextDue(s.arq)) stepArq(s, now, { kind: 'timer', owner: 0 }, out)
      return
    case 'command':
      for (let i = 0; i < s.peers.length; i++) {
        sendSession(s, i, { kind: 'abort', why: 'cancelled' }, out)
        markLost(s, i, 'cancelled', out)
      }
      return over(s, now, out)
  }
}

function socketEvent(s: FileSender, now: Nanos, event: SocketEvent, out: SenderOut): void {
  if (event.kind === 'opened') return opened(s, now, event.socket, out)
  const index = peerOf(s, event)
  const peer = s.peers[index]
  if (peer === undefined || s.phase !== 'running') return
  switch (event.kind) {
    case 'datagram':
      return arrives(s, now, index, event.payload, out)
    case 'icmp-error':
      // A hint (RFC 1122 §4.1.3.3): the receiver may be about to start. The retries decide.
      if (event.error === 'EMSGSIZE') return tooBig(s, now, index, out)
      peer.why = 'unreachable'
      return
    case 'rejected':
      if (event.error === 'EMSGSIZE') return tooBig(s, now, index, out)
      if (event.error === 'ENETUNREACH' || event.error === 'EHOSTUNREACH') peer.why = 'unreachable'
      return
    default:
  }
}

/** Whom an event is about. On the socket that all share, who sent what came; -1: nobody of them. */
function peerOf(s: FileSender, event: SocketEvent): number {
  const { group, peers } = s.config
  if (group === null) return s.peers.findIndex(({ socket }) => socket === event.socket)
  switch (event.kind) {
    case 'datagram': {
      const { address, port } = event.remote
      return peers.findIndex((peer) => peer.address === address && peer.port === port)
    }
    case 'icmp-error':
      return peers.findIndex(({ address }) => address === event.remote)
    case 'rejected':
      // What is too big is so for all; of another error it is not known whom it is about.
      return event.error === 'EMSGSIZE' ? 0 : -1
    default:
      return -1
  }
}

function opened(s: FileSender, now: Nanos, socket: number, out: SenderOut): void {
  if (s.config.group !== null) {
    for (const peer of s.peers) peer.socket = socket
    return allOpened(s, now, out)
  }
  const index = s.peers.findIndex((peer) => peer.socket < 0)
  const remote = endpointOf(s.config.peers[index]!)
  s.peers[index]!.socket = socket
  out.call({ kind: 'connect', socket, remote })
  if (s.config.wire.kind === 'session' && s.config.carrier.protocol === 'raw') {
    out.call({ kind: 'set', socket, option: 'IP_MTU_DISCOVER', value: 2 })
  }
  if (index === s.peers.length - 1) allOpened(s, now, out)
}

function allOpened(s: FileSender, now: Nanos, out: SenderOut): void {
  s.phase = 'running'
  if (s.config.wire.kind === 'session') return greetAll(s, now, out)
  for (const peer of s.peers) peer.stage = 'sending'
  begin(s, now, out)
}

function arrives(s: FileSender, now: Nanos, index: number, datagram: Bytes, out: SenderOut): void {
  const { wire, policy } = s.config
  if (wire.kind === 'session') return sessionArrives(s, now, index, datagram, out)
  const packet = decodePlain(wire.dialect, datagram)
  if (packet === null || packet.kind !== 'ack' || !packet.intact) return
  const last = totalUnits(s) - 1
  const unit =
    packet.sequence === plainSequence(s, wire.dialect, last)
      ? last
      : unitOf(wire.dialect, packet.sequence, s.unitBytes, s.arq.base)
  if (unit < 0) return
  const alone = policy.acknowledgement === 'each'
  const ack = { kind: 'ack', below: alone ? 0 : unit + 1, units: alone ? [unit] : [] } as const
  s.peers[index]!.why = null
  stepArq(s, now, { kind: 'packet', packet: ack, port: index }, out)
}

/** The path takes no datagram of that size. */
function tooBig(s: FileSender, now: Nanos, index: number, out: SenderOut): void {
  if (s.config.wire.kind === 'session' && shrink(s, now, out)) return
  s.peers[index]!.why = 'too big'
}
