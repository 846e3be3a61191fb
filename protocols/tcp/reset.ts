import { NO_BYTES } from '../bytes.ts'
import { seqAdd, type Seq } from '../sequence.ts'
import { NO_OPTIONS } from './options.ts'
import { ACK, RST, TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import { advertise } from './window.ts'

// Resets, RFC 9293 §3.5.2. A reset carries no window and no options.

/** The reset that answers a segment nobody expects; `null` for a reset: those are never answered. */
export function resetFor(seg: TcpSegment): TcpSegment | null {
  if (seg.flags & RST) return null
  return seg.flags & ACK
    ? resetAt(seg.destinationPort, seg.sourcePort, seg.ack, 0, RST)
    : resetAt(seg.destinationPort, seg.sourcePort, 0, seqAdd(seg.seq, seg.length), RST | ACK)
}

/** The connection is given up from this side (§3.10.5). */
export function resetOf(s: TcpState): TcpSegment {
  const { localPort, remotePort, snd, rcv, policy } = s
  const window = policy.resetTellsWindow ? advertise(s) : 0
  return resetAt(localPort, remotePort, snd.max, rcv.nxt, RST | ACK, window)
}

export const resetAt = (
  localPort: number,
  remotePort: number,
  seq: Seq,
  ack: Seq,
  flags: number,
  window = 0,
): TcpSegment =>
  new TcpSegment(localPort, remotePort, seq, ack, flags, window, 0, NO_OPTIONS, NO_BYTES)
