import { type Seq, seqDiff, seqGt, seqLeq } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { createEpisode, type Episode, isRecovering, outside } from './recovery.ts'
import { prrInSegments } from './prr.ts'
import { ACK, CWR, ECE, SYN, type TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'

// Explicit congestion notification, RFC 3168. Sections below are its own. A router marks a packet
// instead of dropping it, the receiver says so in its ACKs, and the sender answers as to a loss, of
// which there was none.

/** §5: the codepoints in the low two bits of an IP header's traffic class. */
export const NOT_ECT = 0
export const ECT_0 = 2
export const CE = 3
export const ECN_BITS = 3

/** `request`: our SYN asks for it; `accept`: a peer's SYN may. */
export const ECN_POLICIES = ['off', 'accept', 'request'] as const
export type EcnPolicy = (typeof ECN_POLICIES)[number]

/** Of a connection whose two ends have agreed on it. */
export interface Ecn {
  /** §6.1.3, receiver: ACKs carry ECE until the peer says CWR. */
  echo: boolean
  /** §6.1.2, sender: the next new data carries CWR. */
  cwr: boolean
  /** What had been sent at the last reduction: until it is acknowledged, there is no other. */
  recover: Seq
  /** A packet of the peer's was capable of it (TCPI_OPT_ECN_SEEN). */
  seen: boolean
  /** The window shrinks segment by segment (RFC 6937), where it is counted so. */
  reduction: Episode | null
}

const BOTH = ECE | CWR

/** §6.1.1: the bits of our SYN or SYN,ACK. Unanswered, it is repeated without. */
export function synEcnFlags(s: TcpState): number {
  if (s.state === 'SYN-RECEIVED') return s.ecn === null ? 0 : ECE
  return asksForEcn(s) ? BOTH : 0
}

/** Whether the SYN that was sent last has asked. */
const asksForEcn = ({ policy, rto }: TcpState): boolean =>
  policy.ecn === 'request' && rto.retransmits <= policy.ecnSynRetries

/** §6.1.1: takes what the peer's SYN or SYN,ACK offers. */
export function agreeOnEcn(s: TcpState, { flags }: TcpSegment): void {
  const { policy } = s
  const bits = flags & BOTH
  const agreed =
    flags & ACK
      ? // Both bits come back from hosts that reflect what they do not know.
        asksForEcn(s) && bits === ECE
      : policy.ecn !== 'off' && bits === BOTH
  s.ecn = agreed ? { echo: false, cwr: false, recover: s.iss, reduction: null, seen: false } : null
}

/** §6.1.3: what an acceptable data segment says to its receiver, and the mark that it came with. */
export function noteMark(ecn: Ecn, { flags, payload }: TcpSegment, codepoint: number): void {
  if (payload.length === 0 || flags & SYN) return
  if (codepoint !== NOT_ECT) ecn.seen = true
  if (flags & CWR) ecn.echo = false
  if (codepoint === CE) ecn.echo = true
}

/** §6.1.2: an ACK with ECE: the window shrinks as for a loss, once for each window of data. */
export function echoArrives(s: TcpState, now: Nanos, ecn: Ecn, ack: Seq): void {
  const { cc, snd } = s
  if (isRecovering(s) || seqLeq(ack, ecn.recover)) return
  const control = controlOf(s)
  const { cwnd } = cc
  const { wholeWindows } = s.policy
  control.lost(s, now, wholeWindows ? cwnd : seqDiff(snd.max, snd.una))
  if (wholeWindows) {
    cc.ssthresh = Math.max(Math.floor(cc.ssthresh / s.mss), 2) * s.mss
    ecn.reduction = createEpisode(now, cwnd)
  } else if (control.prr) cc.cwnd = Math.min(cc.cwnd, cc.ssthresh)
  windowReduced(s)
}

/** An ACK has delivered so many bytes while the window shrinks for a mark. */
export function shrinkOn(s: TcpState, ecn: Ecn, delivered: number, wins: boolean): void {
  const { cc, snd, mss } = s
  if (ecn.reduction === null) return
  // Until more than what was out then is acknowledged: CWR is to reach the receiver.
  if (seqGt(snd.una, ecn.recover)) {
    ecn.reduction = null
    cc.cwnd = cc.ssthresh
  } else if (delivered > 0) {
    const pipe = seqDiff(snd.max, snd.una) - outside(s)
    cc.cwnd = pipe + prrInSegments(ecn.reduction, delivered, pipe, cc.ssthresh, mss, wins)
  }
}

/** The window has shrunk, whatever the reason: the receiver hears of it. */
export function windowReduced({ ecn, snd }: TcpState): void {
  if (ecn === null) return
  ecn.cwr = true
  ecn.recover = snd.max
}
