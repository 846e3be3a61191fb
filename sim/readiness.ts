import type { Socket } from '../protocols/host/state.ts'
import { seqDiff, seqLeq } from '../protocols/sequence.ts'
import { isPending } from '../protocols/tcp/fast-open.ts'
import type { TcpState } from '../protocols/tcp/state.ts'

// What poll says of a socket, as Linux has it: for programs, and for the calls of packetdrill scripts.

export const POLLIN = 0x1
export const POLLPRI = 0x2
export const POLLOUT = 0x4
export const POLLERR = 0x8
export const POLLHUP = 0x10
export const POLLRDHUP = 0x2000

/** Told whether asked for or not. */
export const ALWAYS = POLLERR | POLLHUP

/** What is above a host knows of a socket, and the host does not. */
export interface Held {
  /** An error that nobody has been told (SO_ERROR). */
  readonly error: boolean
  /** Connections or datagrams that wait for the program. */
  readonly waiting: number
}

/** The events that a socket is ready for; `null`: the host has let it go. */
export function readinessOf(socket: Socket | null, { error, waiting }: Held): number {
  const failed = error ? POLLERR : 0
  switch (socket?.kind) {
    case 'listener':
      return waiting > 0 ? POLLIN : 0
    case 'connection':
      return failed | connectionReadiness(socket)
    case 'unbound':
      return failed | POLLOUT | POLLHUP
    case undefined:
      return failed | POLLIN | POLLOUT | POLLHUP | POLLRDHUP
    default:
      return failed | POLLOUT | (waiting > 0 ? POLLIN : 0)
  }
}

function connectionReadiness(s: TcpState): number {
  // RFC 7413: it is in use, or waits for the first bytes, before its handshake is over.
  if (s.state === 'SYN-SENT') return s.fastOpen !== null && s.fastOpen.waits ? POLLOUT : 0
  if (s.state === 'SYN-RECEIVED' && !isPending(s)) return 0
  const { rcv } = s
  const ended = rcv.fin || s.readShut
  let bits = 0
  const held = s.receiveQueue?.bytes ?? 0
  if (held >= s.policy.receiveLowWater || ended) bits |= POLLIN
  if (rcv.up !== null && seqLeq(rcv.up, rcv.nxt)) bits |= POLLPRI
  if (ended) bits |= POLLRDHUP
  if (ended && s.finQueued) bits |= POLLHUP
  if (s.finQueued || isWritable(s)) bits |= POLLOUT
  return bits
}

/** sk_stream_is_writeable: where memory is counted, a third of it is free; and little waits to be sent. */
function isWritable({ snd, policy }: TcpState): boolean {
  const { sendBuffer, bufferUnit, notSentLowWater } = policy
  const queued = seqDiff(snd.end, snd.una)
  if (2 * seqDiff(snd.end, snd.nxt) >= notSentLowWater) return false
  return bufferUnit > 1 ? 3 * queued <= 2 * sendBuffer : queued < sendBuffer
}

/** What a socket is ready for, in the words of poll(2). */
export interface Readiness {
  /** POLLIN: a read, or an `accept`, would not wait; also at the end of the stream. */
  readonly readable: boolean
  /** POLLOUT: there is room to send, or sending says at once why not. */
  readonly writable: boolean
  /** POLLPRI: urgent data has come up to its mark, and has not been read. */
  readonly priority: boolean
  /** POLLRDHUP: the peer sends no more. */
  readonly readHangUp: boolean
  /** POLLHUP: nothing goes either way. */
  readonly hangUp: boolean
  /** POLLERR: SO_ERROR has something to say. */
  readonly error: boolean
}

export const readinessIn = (bits: number): Readiness => ({
  readable: (bits & POLLIN) !== 0,
  writable: (bits & POLLOUT) !== 0,
  priority: (bits & POLLPRI) !== 0,
  readHangUp: (bits & POLLRDHUP) !== 0,
  hangUp: (bits & POLLHUP) !== 0,
  error: (bits & POLLERR) !== 0,
})
