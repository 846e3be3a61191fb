import { type Seq, seqAdd, seqDiff, seqGt, seqLeq } from '../sequence.ts'
import type { TcpOut } from './output.ts'
import { SYN, type TcpSegment, URG } from './segment.ts'
import type { TcpState } from './state.ts'

/*
 * Urgent data, RFC 9293 §3.8.5 as RFC 6093 reads it: the pointer names the byte behind the last urgent
 * one, and urgent bytes stay in the stream, in their order (SO_OOBINLINE). The mark is the last of them;
 * what is read ends before it once, so that an application sees where it is.
 */

/** What the field can say. */
const FARTHEST = 0xffff

/** What was queued last is urgent, with all that is before it. */
export function queueUrgent({ snd }: TcpState): void {
  snd.up = snd.end
}

/** The field of a segment that begins at `seq`; 0: it has no URG. Where SND.UP is too far, as far as it goes. */
export function urgentPointer({ snd }: TcpState, seq: Seq): number {
  if (snd.up === null) return 0
  return Math.min(Math.max(seqDiff(snd.up, seq), 0), FARTHEST)
}

/** The peer has all of it: there is no SND.UP any more. */
export function urgentAcknowledged({ snd }: TcpState): void {
  if (snd.up !== null && seqLeq(snd.up, snd.una)) snd.up = null
}

/** RFC 9293 §3.10.7.4, "sixth, check the URG bit": told of where it is news (MUST-32). */
export function urgentArrives(s: TcpState, seg: TcpSegment, out: TcpOut): void {
  const { rcv } = s
  if ((seg.flags & (URG | SYN)) !== URG || rcv.fin || s.orphan) return
  const up = seqAdd(seg.seq, seg.urgent)
  const read = readSoFar(s)
  if (!seqGt(up, read) || (rcv.up !== null && seqLeq(up, rcv.up))) return
  rcv.up = up
  out.event({ kind: 'urgent', socket: s.id, ahead: seqDiff(up, read) })
}

/** How much of `max` one call may read: it stops before the mark, and goes on from there. */
export function untilMark(s: TcpState, max: number): number {
  if (s.rcv.up === null) return max
  const mark = seqDiff(s.rcv.up, readSoFar(s)) - 1
  return mark > 0 ? Math.min(max, mark) : max
}

/** Behind a read: what was urgent and has been read is forgotten. */
export function urgentRead(s: TcpState): void {
  if (s.rcv.up !== null && seqLeq(s.rcv.up, readSoFar(s))) s.rcv.up = null
}

/** The next byte to be read is the last urgent one (SIOCATMARK). */
export const isAtMark = (s: TcpState): boolean =>
  s.rcv.up !== null && seqDiff(s.rcv.up, readSoFar(s)) === 1

/** The number of the next byte that the application will get. A FIN has a number, and is none. */
function readSoFar({ rcv, receiveQueue }: TcpState): Seq {
  const held = receiveQueue === null ? 0 : receiveQueue.bytes
  return seqAdd(rcv.nxt, -held - (rcv.fin ? 1 : 0))
}
