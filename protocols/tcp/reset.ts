import { NO_BYTES } from '../bytes.ts'
import { seqAdd, type Seq } from '../sequence.ts'
import { NO_OPTIONS } from './options.ts'
import { ACK, RST, TcpSegment } from './segment.ts'

// Resets, RFC 9293 §3.5.2. A reset carries no window and no options.

/** The reset that answers a segment nobody expects; `null` for a reset: those are never answered. */
export function resetFor(seg: TcpSegment): TcpSegment | null {
  if (seg.flags & RST) return null
  return seg.flags & ACK
    ? resetAt(seg.destinationPort, seg.sourcePort, seg.ack, 0, RST)
    : resetAt(seg.destinationPort, seg.sourcePort, 0, seqAdd(seg.seq, seg.length), RST | ACK)
}

export const resetAt = (
  localPort: number,
  remotePort: number,
  seq: Seq,
  ack: Seq,
  flags: number,
): TcpSegment => new TcpSegment(localPort, remotePort, seq, ack, flags, 0, 0, NO_OPTIONS, NO_BYTES)
