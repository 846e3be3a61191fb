import { seqDiff, seqGeq, seqGt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import type { TcpOut } from './output.ts'
import { OPEN } from './recovery.ts'
import { resendLast } from './resend.ts'
import { SAYS_DUPLICATE } from './sack.ts'
import type { TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import { sendData } from './transmit.ts'

// Tail loss probes, RFC 8985 §7: when ACKs fail to come, one segment asks for one before the timeout.

/** §7.3: something new if there is anything, whatever `cwnd` says, or else the last segment again. */
export function sendTailProbe(s: TcpState, now: Nanos, out: TcpOut): void {
  const { rack, snd, timers, board } = s
  if (rack === null || board === null || snd.una === snd.max) return
  const room = snd.wnd - seqDiff(snd.nxt, snd.una)
  const next = Math.min(seqDiff(snd.end, snd.nxt), s.mss)
  // Where segments are whole, a part of one is no probe (tcp_snd_wnd_test).
  const length = s.policy.wholeWindows && room < next ? 0 : Math.min(next, room)
  rack.probeIsRetrans = length <= 0
  if (length > 0) {
    const seq = snd.nxt
    snd.nxt = (seq + length) | 0
    sendData(s, now, seq, length, false, 'tlp', out)
  } else resendLast(s, board, now, out)
  rack.probeEnd = snd.nxt
  rack.probing = true
  timers.retransmit = now + s.rto.rto
  s.rto.timedAt = NEVER // what it took until now is no round trip
}

/** §7.4: what an ACK says of the probe. A loss that it repaired is a loss all the same. */
export function probeAnswered(
  s: TcpState,
  now: Nanos,
  seg: TcpSegment,
  acked: number,
  said: number,
): void {
  const { rack } = s
  if (rack === null || !rack.probing || !seqGeq(seg.ack, rack.probeEnd)) return
  const repaired =
    rack.probeIsRetrans && (said & SAYS_DUPLICATE) === 0 && seqGt(seg.ack, rack.probeEnd)
  const useless = acked === 0 && seg.options.sack.length === 0
  if (rack.probeIsRetrans && (said & SAYS_DUPLICATE) === 0 && !repaired && !useless) return
  rack.probing = false
  if (!repaired || s.recovery.phase !== OPEN) return
  const control = controlOf(s)
  control.lost(s, now, s.cc.cwnd)
  if (control.prr) s.cc.cwnd = s.cc.ssthresh
}
