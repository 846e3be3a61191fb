import { seqDiff, seqGeq, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { frtoSaysSpurious } from './frto.ts'
import type { TcpOut } from './output.ts'
import { prr, prrInSegments } from './prr.ts'
import { enterLoss, enterRecovery, leaveEpisode } from './episode.ts'
import { DISORDER, LOSS, OPEN, RECOVERY } from './recovery.ts'
import type { TcpState } from './state.ts'
import { retransmitFirst, transmit } from './transmit.ts'
import { forgetUndo, undoLoss } from './undo.ts'

// Loss recovery with a peer that does not SACK: RFC 5681 §3.2, RFC 6582, limited transmit (RFC 3042).

/** New data is acknowledged, SND.UNA has moved. */
export function renoAckArrives(s: TcpState, now: Nanos, acked: number, out: TcpOut): void {
  const { recovery, snd } = s
  recovery.dupAcks = 0
  if (frtoSaysSpurious(s, null, acked, false)) undoLoss(s, now, acked, NEVER, out)
  if (recovery.phase === RECOVERY) {
    if (seqLt(snd.una, recovery.recover)) return partialAck(s, now, acked, out)
    leaveEpisode(s)
    controlOf(s).recovered(s, now, seqDiff(snd.max, snd.una))
  } else if (recovery.phase === LOSS) {
    if (seqGeq(snd.una, recovery.recover)) leaveEpisode(s)
  } else if (recovery.phase === DISORDER) {
    recovery.phase = OPEN
    recovery.left = 0
  }
  forgetUndo(s)
}

/** RFC 6582 §3.2 step 3, partial acknowledgement: the next hole is sent again at once. */
function partialAck(s: TcpState, now: Nanos, acked: number, out: TcpOut): void {
  const { recovery } = s
  const fresh = Math.max(acked - recovery.left, 0)
  recovery.left = Math.max(recovery.left - acked + (acked >= s.mss ? s.mss : 0), 0)
  recovery.partial = true
  retransmitFirst(s, now, 'fast', out)
  reduce(s, fresh)
}

/** RFC 6582 §3.2 steps 1 and 2; RFC 5681 §3.2. */
export function renoDuplicate(s: TcpState, now: Nanos, out: TcpOut): void {
  const { recovery, snd, policy } = s
  recovery.dupAcks += 1
  if (recovery.phase === RECOVERY) {
    recovery.left += s.mss
    return reduce(s, s.mss)
  }
  if (frtoSaysSpurious(s, null, 0, false)) return
  // Duplicates of what a timeout sent again show nothing (RFC 6582 §3.2 step 1).
  if (recovery.phase === LOSS || seqLt(snd.una, recovery.recover)) return
  recovery.phase = DISORDER
  if (recovery.dupAcks < policy.dupAckThreshold) {
    // RFC 3042 §2: the first two let a segment each out.
    if (policy.limitedTransmit) recovery.left = Math.min(recovery.dupAcks, 2) * s.mss
    return
  }
  enterRecovery(s, now)
  recovery.left = policy.dupAckThreshold * s.mss
  if (policy.wholeWindows) reduce(s, s.mss, s.mss)
  retransmitFirst(s, now, 'fast', out)
  if (!policy.wholeWindows) reduce(s, recovery.left)
}

/** RFC 6937 §3, where a duplicate ACK stands for a segment delivered. */
function reduce(s: TcpState, delivered: number, lost = 0): void {
  const { cc, recovery, snd, policy } = s
  if (!policy.prr || !controlOf(s).prr) return
  const pipe = seqDiff(snd.max, snd.una) - recovery.left - lost
  if (policy.wholeWindows) {
    cc.cwnd =
      pipe +
      prrInSegments(recovery.episode!, delivered, pipe, cc.ssthresh, s.mss, delivered > s.mss)
    return
  }
  cc.cwnd = pipe + prr(recovery.episode!, delivered, pipe, cc.ssthresh, s.mss)
}

/** RFC 6298 (5.4): everything is sent again from the first byte on that is not acknowledged. */
export function renoTimeout(s: TcpState, now: Nanos, out: TcpOut): void {
  const { recovery, snd } = s
  enterLoss(s, now)
  recovery.recover = (snd.max + 1) | 0
  snd.nxt = snd.una
  s.fellBack = 'rto'
  transmit(s, now, out, 'rto')
}
