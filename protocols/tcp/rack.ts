import { type Seq, seqGeq, seqGt, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { RECOVERY } from './recovery.ts'
import { LOST, markLost, RETRANSMITTED, SACKED, type Scoreboard, startOf } from './scoreboard.ts'
import type { TcpState } from './state.ts'

// RACK, RFC 8985 §6: what was sent before something that has arrived is lost when it is late. Section
// numbers and names are the RFC's.

/** §5.3, and what tail loss probes remember (§7.1). */
export interface Rack {
  /** The segment sent last of those that have arrived: its burst (RACK.xmit_ts), and its end in it. */
  burst: number
  endSeq: Seq
  rtt: Nanos
  minRtt: Nanos
  /** The highest sequence number that has arrived. */
  fack: Seq
  reorderingSeen: boolean
  reoWndMult: number
  reoWndPersist: number
  /** The round in which duplicates were told of ends here. */
  dsackRound: Seq
  inDsackRound: boolean
  /** TLP.end_seq while a probe is out. */
  probeEnd: Seq
  probing: boolean
  probeIsRetrans: boolean
}

export const createRack = (una: Seq): Rack => ({
  burst: -1,
  endSeq: una,
  rtt: 0,
  minRtt: NEVER,
  fack: una,
  reorderingSeen: false,
  reoWndMult: 1,
  reoWndPersist: PERSIST,
  dsackRound: una,
  inDsackRound: false,
  probeEnd: una,
  probing: false,
  probeIsRetrans: false,
})

/** §6.2 step 4: recoveries without duplicates after which the window is small again. */
const PERSIST = 16

/**
 * Step 2 and step 3, for a run that has arrived.
 *
 * @param sure a retransmission is known to be what arrived, not the original (step 2)
 */
export function rackDelivered(
  r: Rack,
  now: Nanos,
  sentAt: Nanos,
  burst: number,
  end: Seq,
  fate: number,
  sure: boolean,
): void {
  const rtt = now - sentAt
  if (fate & RETRANSMITTED) {
    if (!sure || rtt < r.minRtt) return
  } else if (rtt < r.minRtt) r.minRtt = rtt // step 1
  if (seqGt(end, r.fack)) r.fack = end
  else if (seqLt(end, r.fack) && (fate & RETRANSMITTED) === 0) r.reorderingSeen = true
  r.rtt = rtt
  if (burst > r.burst || (burst === r.burst && seqGt(end, r.endSeq))) {
    r.burst = burst
    r.endSeq = end
  }
}

/** Step 4: a duplicate was told of. Once a round the window grows by a quarter of the round trip. */
export function rackDuplicate(r: Rack, una: Seq, nxt: Seq): void {
  if (r.inDsackRound && seqGeq(una, r.dsackRound)) r.inDsackRound = false
  if (r.inDsackRound) return
  r.dsackRound = nxt
  r.inDsackRound = true
  r.reoWndMult += 1
  r.reoWndPersist = PERSIST
}

/** Step 4: a recovery has ended. */
export function rackRecovered(r: Rack): void {
  r.reoWndPersist -= 1
  if (r.reoWndPersist <= 0) r.reoWndMult = 1
}

/** DupThresh: more where reordering has been seen, as far as anybody counts. */
export const duplicatesFor = ({ tally, policy }: TcpState): number =>
  tally === null ? policy.dupAckThreshold : tally.reordering

/** Step 4: RACK.reo_wnd. */
export function reorderingWindow(s: TcpState, r: Rack, b: Scoreboard): Nanos {
  if (!r.reorderingSeen) {
    if (s.recovery.phase >= RECOVERY || b.segsSacked >= duplicatesFor(s)) return 0
  }
  return Math.min(Math.floor((r.reoWndMult * r.minRtt) / 4), s.rto.srtt)
}

/** Step 5: marks what is lost, and sets the timer for what may yet arrive (§6.3). */
export function rackDetectLoss(s: TcpState, r: Rack, b: Scoreboard, now: Nanos): void {
  const window = r.rtt + reorderingWindow(s, r, b)
  let timeout = 0
  for (let i = b.head; i < b.ends.length; i++) {
    const fate = b.fates[i]!
    if (fate & (SACKED | LOST)) continue
    const burst = b.bursts[i]!
    if (burst > r.burst || (burst === r.burst && seqGeq(b.ends[i]!, r.endSeq))) {
      // What was sent once was sent in order: behind, everything is younger still.
      if ((fate & RETRANSMITTED) === 0 && seqGeq(startOf(b, i), b.highRxt)) break
      continue
    }
    const remaining = b.times[i]! + window - now
    if (remaining <= 0) markLost(b, i)
    else if (remaining > timeout) timeout = remaining
  }
  s.timers.reorder = timeout > 0 ? now + timeout : NEVER
}
