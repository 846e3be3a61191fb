import type { Endpoint } from '../../protocols/address.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import type { Socket } from '../../protocols/host/state.ts'
import { type Carry, onSocket, pendingError, rejection, simple, within } from './attempt.ts'
import {
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_ZEROCOPY,
  MSG_FASTOPEN,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  numberOf,
} from './constants.ts'
import type { Descriptor, Descriptors } from './descriptors.ts'
import { noteCall } from './error-queue.ts'
import { failedWith, type Outcome, returned } from './errno-result.ts'
import type { SystemCall } from './script.ts'
import type { MessageHeader } from './message-header.ts'

// Calls that move data. Bytes are zeros, and only their number is told.

/** @param wanted what `recvmsg` is to say about the message; `null`: nobody looks. */
export const receive = (length: number, flags: number, wanted: MessageHeader | null): Carry =>
  onSocket((d, _call, _line, files) => {
    const waits = !d.nonblocking && !(flags & MSG_DONTWAIT)
    const wholly = waits && (flags & MSG_WAITALL) !== 0 && (flags & MSG_PEEK) === 0
    let taken = 0
    return within(files.stage, d.receiveTimeout, {
      otherwise: waits ? null : 'EAGAIN',
      soFar: () => taken,
      try: () => {
        if (d.protocol === 'udp') return datagram(d, files, length, flags, wanted?.flags ?? null)
        const outcome = fromStream(d, length - taken, flags, waits, files)
        if (!wholly || outcome === null) return tellingQueue(d, outcome, wanted, files)
        if (outcome.value > 0) taken += outcome.value
        // An error or the end of the stream comes with the next call, if there was anything.
        const over = outcome.value <= 0 || taken === length
        return over ? (taken > 0 ? returned(taken) : outcome) : null
      },
    })
  })

/** TCP_INQ: what is left to be read; 1 where only the end of the stream is. */
function tellingQueue(
  d: Descriptor,
  outcome: Outcome | null,
  wanted: MessageHeader | null,
  files: Descriptors,
): Outcome | null {
  const expected = wanted?.inQueue ?? null
  if (outcome === null || outcome.value < 0 || expected === null) return outcome
  const s = files.socketOf(d)
  const connection = s?.kind === 'connection' ? s : null
  const left = d.left + (connection?.receiveQueue?.bytes ?? 0)
  const ended = connection === null || connection.rcv.fin
  const actual = d.tellsQueue ? (left === 0 && ended ? 1 : left) : -1
  if (actual === expected) return outcome
  const text = (bytes: number): string => (bytes < 0 ? 'no control message' : `TCP_CM_INQ ${bytes}`)
  return { ...outcome, differs: { expected: text(expected), actual: text(actual) } }
}

function fromStream(
  d: Descriptor,
  length: number,
  flags: number,
  waits: boolean,
  files: Descriptors,
): Outcome | null {
  const peeks = (flags & MSG_PEEK) !== 0
  if (d.left > 0) {
    const bytes = Math.min(d.left, length)
    if (!peeks) d.left -= bytes
    return returned(bytes)
  }
  if (d.error !== null) return pendingError(d)
  const s = files.socketOf(d)
  if (s === null) return d.connected ? returned(0) : failedWith('ENOTCONN')
  if (s.kind !== 'connection') return failedWith('ENOTCONN')
  const held = s.receiveQueue?.bytes ?? 0
  const ended = s.rcv.fin || s.readShut
  const enough = ended || !waits || held >= Math.min(s.policy.receiveLowWater, length)
  if (held > 0 && enough) {
    return returned(peeks ? Math.min(held, length) : files.take(s.id, length))
  }
  return ended || length === 0 ? returned(0) : null
}

function datagram(
  d: Descriptor,
  files: Descriptors,
  length: number,
  flags: number,
  wantedFlags: number | null,
): Outcome | null {
  if (d.error !== null) return pendingError(d)
  const first = d.datagrams[0]
  if (first === undefined) return null
  if (!(flags & MSG_PEEK)) {
    d.datagrams.shift()
    if (d.id !== null) simple(files, { kind: 'release', socket: d.id, size: first.length })
  }
  const cut = first.length > length ? MSG_TRUNC : 0
  const whole = (flags & MSG_TRUNC) !== 0
  const outcome = returned(whole ? first.length : Math.min(first.length, length))
  if (wantedFlags === null || wantedFlags === cut) return outcome
  const text = (bits: number): string => `msg_flags 0x${bits.toString(16)}`
  return { ...outcome, differs: { expected: text(wantedFlags), actual: text(cut) } }
}

export const send = (length: number, flags: number, to: Endpoint | null): Carry =>
  onSocket((d, _call, _line, files) => {
    let taken = 0
    let opened = false
    const waits = !d.nonblocking && !(flags & MSG_DONTWAIT)
    return within(files.stage, d.sendTimeout, {
      otherwise: waits ? null : 'EAGAIN',
      soFar: () => taken,
      try: () => {
        if (d.error !== null) return pendingError(d)
        if (d.id === null) return failedWith('EPIPE')
        const bytes = new Uint8Array(length - taken)
        const urgent = (flags & MSG_OOB) !== 0
        const more = (flags & MSG_MORE) !== 0
        const record = (flags & MSG_EOR) !== 0
        if (d.protocol === 'udp' && urgent) return failedWith('EOPNOTSUPP')
        if (files.socketOf(d)?.kind === 'listener') return failedWith('EPIPE')
        if (d.protocol === 'udp') return sendDatagram(files, d.id, bytes, to)
        const s = files.socketOf(d)
        if (to !== null && !opened && mayOpen(s, flags)) {
          opened = true
          const { id } = d
          const outcome = opening(
            d,
            { kind: 'send-to', socket: id, bytes, remote: to, waits },
            files,
          )
          if (typeof outcome !== 'number') return outcome
          taken += outcome
          return sentSoFar(d, files, taken, length, waits)
        }
        if (flags & MSG_FASTOPEN && d.connected && !opened) {
          if (!d.standing) return failedWith('EISCONN')
          d.standing = false
        }
        const holds = s?.kind === 'connection' && s.state === 'SYN-SENT'
        if (holds && !(s.fastOpen?.waits ?? false)) return null
        const events = files.stage.call({ kind: 'send', socket: d.id, bytes, urgent, more, record })
        const refused = rejection(events)
        if (refused !== null) return refused
        const queued = queuedIn(events)
        taken += queued
        noteSent(d, files, queued, flags)
        return sentSoFar(d, files, taken, length, waits)
      },
    })
  })

/** Whether somebody waits to hear of these bytes. */
function noteSent(d: Descriptor, files: Descriptors, bytes: number, flags: number): void {
  const s = files.socketOf(d)
  if (s?.kind !== 'connection') return
  noteCall(d.errors, s, bytes, (flags & MSG_ZEROCOPY) !== 0)
  files.settle(d)
}

const queuedIn = (events: readonly HostEvent[]): number =>
  events.reduce((bytes, event) => bytes + (event.kind === 'queued' ? event.bytes : 0), 0)

/** Whether a call that sends to an address connects the socket with it. */
export function opensBySending(
  d: Descriptor,
  { name, args }: SystemCall,
  line: number,
  files: Descriptors,
): boolean {
  if (name !== 'sendto' || d.protocol !== 'tcp') return false
  return mayOpen(files.socketOf(d), numberOf(args[3], line))
}

function mayOpen(s: Socket | null, flags: number): boolean {
  if (flags & MSG_FASTOPEN) return s?.kind === 'unbound' || isOnItsWay(s)
  return s?.kind === 'unbound' && s.policy.fastOpen.sendConnects
}

const isOnItsWay = (s: Socket | null): boolean => s?.kind === 'connection' && s.state === 'SYN-SENT'

/** How many bytes were taken, or what else becomes of it. */
function opening(d: Descriptor, call: SocketCall, files: Descriptors): number | Outcome {
  d.connecting = true
  const events = files.stage.call(call)
  const refused = rejection(events)
  if (refused === null) return queuedIn(events)
  if (!isOnItsWay(files.socketOf(d))) d.connecting = false
  return refused
}

/** All is taken, or as much as there is room for, or the socket has yet to connect. */
function sentSoFar(
  d: Descriptor,
  files: Descriptors,
  taken: number,
  length: number,
  waits: boolean,
): Outcome | null {
  const s = files.socketOf(d)
  const connects = isOnItsWay(s) && s?.kind === 'connection' && !s.policy.fastOpen.sendConnects
  if (connects && waits) return null
  if (taken === 0 && connects) return failedWith('EINPROGRESS')
  return taken === length || (taken > 0 && !waits) ? returned(taken) : null
}

function sendDatagram(
  files: Descriptors,
  id: number,
  bytes: Uint8Array,
  remote: Endpoint | null,
): Outcome {
  const call: SocketCall =
    remote === null
      ? { kind: 'send', socket: id, bytes }
      : { kind: 'send-to', socket: id, bytes, remote }
  return rejection(files.stage.call(call)) ?? returned(bytes.length)
}
