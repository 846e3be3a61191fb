import { NO_BYTES } from '../bytes.ts'
import { seqAdd, type Seq } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import { NO_OPTIONS, timestampOptions } from './options.ts'
import { ACK, RST, TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import { timestampAt } from './transmit.ts'
import { advertise } from './window.ts'

// Resets, RFC 9293 §3.5.2. An answer carries no window and no options; what
// ends a connection from this side may.

/** The reset that answers a segment nobody expects; `null` for a reset: those are never answered. */
export function resetFor(seg: TcpSegment): TcpSegment | null {
  if (seg.flags & RST) return null
  return seg.flags & ACK
    ? resetAt(seg.destinationPort, seg.sourcePort, seg.ack, 0, RST)
    : resetAt(seg.destinationPort, seg.sourcePort, 0, seqAdd(seg.seq, seg.length), RST | ACK)
}

/** The connection is given up from this side (§3.10.5). */
export function resetOf(s: TcpState, now: Nanos): TcpSegment {
  const { localPort, remotePort, snd, rcv, policy } = s
  if (!policy.resetTellsWindow) return resetAt(localPort, remotePort, snd.max, rcv.nxt, RST | ACK)
  const options = s.timestamps ? timestampOptions(timestampAt(s, now), s.tsRecent) : NO_OPTIONS
  return resetAt(localPort, remotePort, snd.max, rcv.nxt, RST | ACK, advertise(s), options)
}

export const resetAt = (
  localPort: number,
  remotePort: number,
  seq: Seq,
  ack: Seq,
  flags: number,
  window = 0,
  options = NO_OPTIONS,
): TcpSegment =>
  new TcpSegment(localPort, remotePort, seq, ack, flags, window, 0, options, NO_BYTES)
