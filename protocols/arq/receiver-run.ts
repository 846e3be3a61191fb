import type { ApplicationOut } from '../application.ts'
import { type Bytes } from '../bytes.ts'
import { NEVER, type Nanos } from '../time.ts'
import type { FileReceiver, Incoming } from './file-receiver-state.ts'
import type { ReceiveFailure, ReceiveReport } from './report.ts'

/* What the receiver of a file does, once it is known what to do. */

export type ReceiverOut = ApplicationOut<ReceiveReport>

/** In pieces of this size what comes in is handed over. */
const PIECE = 0x10000

/** Bytes that are in order, and come once. */
export function take(incoming: Incoming, chunks: readonly Bytes[], out: ReceiverOut): void {
  if (chunks.length === 0) return
  const hash = incoming.session === null ? null : incoming.hash.clone()
  for (const chunk of chunks) {
    if (chunk.length === 0) continue
    hash?.update(chunk)
    incoming.bytes += chunk.length
    incoming.pending.push(chunk)
    incoming.pendingBytes += chunk.length
  }
  if (hash !== null) incoming.hash = hash
  if (incoming.pendingBytes >= PIECE) flush(incoming, out)
}

export function flush(incoming: Incoming, out: ReceiverOut): void {
  if (incoming.pendingBytes === 0) return
  out.report({ kind: 'data', chunks: [...incoming.pending], bytes: incoming.pendingBytes })
  incoming.pending = []
  incoming.pendingBytes = 0
}

/** All has come. Copies are answered for a while: the last acknowledgement may have been lost. */
export function finished(
  s: FileReceiver,
  now: Nanos,
  by: 'hash' | 'end' | 'silence',
  out: ReceiverOut,
): void {
  const incoming = s.incoming!
  incoming.verdict = 'ok'
  flush(incoming, out)
  s.timers.idle = NEVER
  s.timers.linger = now + s.config.linger
  out.report({ kind: 'finished', bytes: incoming.bytes, by })
  if (by === 'silence') close(s, out)
}

/** What has come so far is of no use, or is all that will come. */
export function fail(s: FileReceiver, why: ReceiveFailure, out: ReceiverOut): void {
  if (s.incoming !== null) flush(s.incoming, out)
  out.report({ kind: 'failed', why })
  close(s, out)
}

export function close(s: FileReceiver, out: ReceiverOut): void {
  s.over = true
  s.timers.idle = s.timers.linger = NEVER
  if (s.socket >= 0) out.call({ kind: 'close', socket: s.socket })
  out.report({ kind: 'closed' })
}
