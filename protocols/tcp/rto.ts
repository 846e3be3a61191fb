import type { Seq } from '../sequence.ts'
import { NEVER, type Nanos, UNMADE } from '../time.ts'
import type { TcpChoices } from './policy.ts'

// RFC 6298, Computing TCP's Retransmission Timer. Section numbers below are its own.

export interface RtoState {
  /** -1 before the first sample. */
  srtt: Nanos
  rttvar: Nanos
  /** What the segment at hand measures; -1 where it measures nothing. */
  latest: Nanos
  /** The timeout in force, back-off included. */
  rto: Nanos
  /** Retransmissions by timeout since the last progress. */
  retransmits: number
  /** Probes of a closed window since it closed. */
  probes: number
  /** All retransmitted segments so far. */
  total: number
  /** The segment that is timed: the sample is taken when `timedEnd` is acknowledged. */
  timedEnd: Seq
  /** When it was sent; NEVER when none is timed, or Karn's rule forbids it (section 3). */
  timedAt: Nanos
  /** When anything was last sent: an idle sender starts again slowly (RFC 5681 §4.1). */
  sentAt: Nanos
  /**
   * The timestamp that the first retransmission carried; an ACK that echoes an older one
   * shows that the retransmission was not needed (RFC 3522). 0 where not watched.
   */
  retransmitTs: number
  /** Where it began. */
  retransmitSeq: Seq
  /** The timestamp that the last retransmission carried. */
  latestTs: number
  watching: boolean
  /** Since when nothing that was sent has been acknowledged (RFC 5482). */
  stuckAt: Nanos
}

export function createRto(initial: Nanos): RtoState {
  const rto = {
    srtt: -1,
    rttvar: 0,
    latest: -1,
    rto: initial,
    retransmits: 0,
    probes: 0,
    total: 0,
    timedEnd: 0,
    timedAt: UNMADE,
    sentAt: UNMADE,
    retransmitTs: 0,
    retransmitSeq: 0,
    latestTs: 0,
    watching: false,
    stuckAt: UNMADE,
  }
  rto.timedAt = rto.sentAt = rto.stuckAt = NEVER
  return rto
}

/** Takes one round-trip time measurement, and ends any back-off. */
export function sampleRtt(r: RtoState, rtt: Nanos, policy: TcpChoices): void {
  if (r.srtt < 0) {
    r.srtt = rtt // (2.2)
    r.rttvar = rtt / 2
  } else {
    r.rttvar = 0.75 * r.rttvar + 0.25 * Math.abs(r.srtt - rtt) // (2.3)
    r.srtt = 0.875 * r.srtt + 0.125 * rtt
  }
  if (!policy.rtoAdaptive) {
    r.rto = policy.rtoInitial
    return
  }
  r.rto = timeoutFrom(r, policy)
}

/**
 * RFC 4015 §4 step 9: the path takes longer than the estimate knew, and a timeout that was too early is
 * not to follow another.
 */
export function adaptToDelay(r: RtoState, rtt: Nanos, policy: TcpChoices): void {
  if (!policy.rtoAdaptive) return
  r.srtt = Math.max(r.srtt, rtt)
  r.rttvar = Math.max(r.rttvar, rtt / 2)
  r.rto = timeoutFrom(r, policy)
}

/** Back-off ends though nothing was measured. */
export function endBackOff(r: RtoState, policy: TcpChoices): void {
  if (policy.rtoAdaptive && r.srtt >= 0) r.rto = timeoutFrom(r, policy)
}

function timeoutFrom(r: RtoState, policy: TcpChoices): Nanos {
  const unclamped = r.srtt + Math.max(policy.rtoGranularity, 4 * r.rttvar) + policy.rtoSlop
  return Math.round(Math.min(Math.max(unclamped, policy.rtoMin), policy.rtoMax)) // (2.4) (2.5)
}

/** (5.5). What is added to a timeout is not doubled with it. */
export function backOff(r: RtoState, policy: TcpChoices): void {
  const { rtoSlop: slop } = policy
  const slopped = r.srtt < 0 && r.rto === policy.rtoInitial ? 0 : slop // the first has none
  r.rto = Math.min(2 * (r.rto - slopped) + slop, policy.rtoMax)
}
