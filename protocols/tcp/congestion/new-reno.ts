import type { CongestionControl } from './congestion.ts'

/** RFC 5681: slow start, congestion avoidance by byte counting, halving on loss. */
export const newReno: CongestionControl = {
  name: 'reno',
  prr: true,

  acked(c, bytes, mss) {
    if (c.cwnd < c.ssthresh) {
      c.cwnd += Math.min(bytes, mss) // RFC 5681 (2)
      return
    }
    c.bytesAcked += bytes
    if (c.bytesAcked >= c.cwnd) {
      c.bytesAcked -= c.cwnd
      c.cwnd += mss
    }
  },

  lost(c, flight, mss) {
    c.ssthresh = Math.max(Math.floor(flight / 2), 2 * mss) // RFC 5681 (4)
    c.bytesAcked = 0
  },

  timedOut(c, flight, mss, first) {
    // Further timeouts of the same segment leave ssthresh alone (RFC 5681 §3.1).
    if (first) c.ssthresh = Math.max(Math.floor(flight / 2), 2 * mss)
    c.cwnd = mss
    c.bytesAcked = 0
  },

  recovered(c, flight, mss) {
    c.cwnd = Math.min(c.ssthresh, Math.max(flight, mss) + mss) // RFC 6582 §3.2 step 3
  },

  undone(c, cwnd, ssthresh) {
    c.cwnd = Math.max(c.cwnd, cwnd)
    c.ssthresh = ssthresh
    c.bytesAcked = 0
  },
}
