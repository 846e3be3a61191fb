import { seqAdd, seqLt } from '../../sequence.ts'
import type { TcpState } from '../state.ts'
import { NO_THRESHOLD } from './congestion.ts'
import { createHystart, hystartGrowth } from './hystart.ts'

/**
 * RFC 5681 §3.1 with byte counting (RFC 3465): the window grows by what was acknowledged, up to
 * `slowStartLimit` segments. The first slow start of a connection is HyStart++'s (RFC 9406 §4.3).
 */
export function slowStart(s: TcpState, bytes: number): void {
  const { cc, mss, policy, snd } = s
  // RFC 3465 §2.3: after a timeout an ACK may cover what arrived long ago.
  const limit = seqLt(snd.una, s.recovery.recover)
    ? policy.lossSlowStartLimit
    : policy.slowStartLimit
  const credit = Math.min(bytes, limit * mss)
  if (!policy.hystart || cc.ssthresh !== NO_THRESHOLD) {
    cc.cwnd = policy.wholeWindows ? Math.min(cc.cwnd + credit, cc.ssthresh) : cc.cwnd + credit
    return
  }
  const h = (cc.hystart ??= createHystart(snd.nxt))
  const growth = hystartGrowth(h, seqAdd(snd.una, bytes), snd.nxt, s.rto.latest, credit)
  if (growth >= 0) {
    cc.cwnd += growth
    return
  }
  cc.hystart = null
  cc.ssthresh = cc.cwnd
}
