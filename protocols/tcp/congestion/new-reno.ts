import type { Nanos } from '../../time.ts'
import type { TcpState } from '../state.ts'
import { type CongestionControl, NO_THRESHOLD } from './congestion.ts'
import { slowStart } from './slow-start.ts'

/** RFC 5681: congestion avoidance by byte counting, halving on loss. */
export const newReno: CongestionControl = {
  name: 'reno',
  prr: true,

  start() {},

  acked(s, _now, bytes) {
    const { cc, mss } = s
    if (cc.cwnd < cc.ssthresh) return slowStart(s, bytes)
    cc.bytesAcked += bytes
    if (cc.bytesAcked >= cc.cwnd) {
      cc.bytesAcked -= cc.cwnd
      cc.cwnd += mss
    }
  },

  lost({ cc, mss }, _now, flight) {
    cc.hystart = null
    cc.ssthresh = Math.max(Math.floor(flight / 2), 2 * mss) // RFC 5681 (4)
    cc.bytesAcked = 0
  },

  timedOut({ cc, mss }, _now, flight, first) {
    // Further timeouts of the same segment leave ssthresh alone (RFC 5681 §3.1).
    if (first) cc.ssthresh = Math.max(Math.floor(flight / 2), 2 * mss)
    cc.hystart = null
    cc.cwnd = mss
    cc.bytesAcked = 0
  },

  recovered({ cc, mss }, _now, flight) {
    cc.cwnd = Math.min(cc.ssthresh, Math.max(flight, mss) + mss) // RFC 6582 §3.2 step 3
  },

  undone({ cc }, _now, cwnd, ssthresh) {
    cc.cwnd = Math.max(cc.cwnd, cwnd)
    cc.ssthresh = ssthresh
    cc.bytesAcked = 0
  },

  sampled() {},

  /** RFC 5681 §4.1: after an idle RTO the network is asked anew. */
  resumed(s, now, idle) {
    const { cc, mss, policy } = s
    if (!idle || !policy.idleRestart) return
    const restart = Math.min(cc.cwnd, policy.initialWindow * mss)
    if (!policy.idleHalves) cc.cwnd = restart
    else halveForIdleness(s, now, restart)
  },
}

/** RFC 2861 §3.1: once for each timeout, and what the path has borne is remembered. */
function halveForIdleness(s: TcpState, now: Nanos, restart: number): void {
  const { cc, rto } = s
  if (cc.ssthresh !== NO_THRESHOLD) cc.ssthresh = Math.max(cc.ssthresh, 0.75 * cc.cwnd)
  for (let idle = now - rto.sentAt - rto.rto; idle > 0 && cc.cwnd > restart; idle -= rto.rto) {
    cc.cwnd /= 2
  }
  cc.cwnd = Math.max(Math.floor(cc.cwnd / s.mss) * s.mss, restart)
}
