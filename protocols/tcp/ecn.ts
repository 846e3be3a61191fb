import { type Seq, seqDiff, seqGt, seqLeq } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import {
  type AccurateEcn,
  agreesToAccurate,
  answerToSyn,
  ASKS,
  asksForAccurate,
  countMark,
  createAccurateEcn,
  feedback,
  hasAccurateOption,
  marksTold,
} from './accurate-ecn.ts'
import { CE, NOT_ECT } from './codepoints.ts'
import { controlOf } from './congestion/control-of.ts'
import { createEpisode, type Episode, isRecovering, outside } from './recovery.ts'
import { prrInSegments } from './prr.ts'
import { ACK, AE, CWR, ECE, SYN, type TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'

// Explicit congestion notification, RFC 3168. Sections below are its own. A router marks a packet
// instead of dropping it, the receiver says so in its ACKs, and the sender answers as to a loss, of
// which there was none. What RFC 9768 makes of the same bits stands in `accurate-ecn.ts`.

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
  /** In the place of `echo` and `cwr` where both know RFC 9768; `null`: not both. */
  readonly accurate: AccurateEcn | null
}

const BOTH = ECE | CWR

/** §6.1.1: the bits of our SYN or SYN,ACK. Unanswered, it is repeated without. */
export function synEcnFlags(s: TcpState): number {
  const { ecn, policy } = s
  if (s.state === 'SYN-SENT') {
    if (asksForEcn(s)) return policy.accurateEcn === 'request' ? ASKS : BOTH
    return 0
  }
  if (ecn === null) return 0
  return ecn.accurate === null ? ECE : answerToSyn(ecn.accurate)
}

/** Whether the SYN that was sent last has asked. */
const asksForEcn = ({ policy, rto }: TcpState): boolean =>
  (policy.ecn === 'request' || policy.accurateEcn === 'request') &&
  rto.retransmits <= policy.ecnSynRetries

/** §6.1.1, RFC 9768 §3.1.2: takes what the peer's SYN or SYN,ACK offers. `codepoint`: what it came with. */
export function agreeOnEcn(s: TcpState, { flags, options }: TcpSegment, codepoint: number): void {
  const { policy } = s
  const client = (flags & ACK) !== 0
  const bits = flags & BOTH
  const isAccurate = client
    ? policy.accurateEcn === 'request' && asksForEcn(s) && agreesToAccurate(flags)
    : policy.accurateEcn !== 'off' && asksForAccurate(flags)
  const agreed = client
    ? // Both bits come back from hosts that reflect what they do not know.
      asksForEcn(s) && bits === ECE && !(flags & AE)
    : policy.ecn !== 'off' && bits === BOTH
  const accurate = isAccurate ? createAccurateEcn(codepoint, client) : null
  if (accurate !== null) accurate.optionCame = hasAccurateOption(options)
  const both = agreed || isAccurate
  s.ecn = both
    ? { echo: false, cwr: false, recover: s.iss, reduction: null, seen: false, accurate }
    : null
}

/** What a segment of ours, no SYN, says of the marks that have come. */
export const marksOf = ({ echo, accurate }: Ecn): number =>
  accurate === null ? (echo ? ECE : 0) : feedback(accurate)

/** §6.1.3: what an acceptable segment says to its receiver, and the mark that it came with. */
export function noteMark(s: TcpState, ecn: Ecn, seg: TcpSegment, codepoint: number): void {
  const { flags, payload } = seg
  if (flags & SYN) return
  if (codepoint !== NOT_ECT && payload.length > 0) ecn.seen = true
  if (ecn.accurate !== null) {
    // Told at once: the next ACK does not wait.
    if (countMark(ecn.accurate, seg, codepoint)) s.rcv.quick = Math.max(s.rcv.quick, 1)
    return
  }
  if (payload.length === 0) return
  if (flags & CWR) ecn.echo = false
  if (codepoint === CE) ecn.echo = true
}

/** How many packets of ours an ACK says were marked; `Infinity`: some. `acked`: bytes, as in `marksTold`. */
export function marksIn(s: TcpState, { accurate }: Ecn, seg: TcpSegment, acked: number): number {
  if (accurate !== null) return marksTold(accurate, seg, acked, s.mss)
  return seg.flags & ECE ? Infinity : 0
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
  ecn.cwr = ecn.accurate === null
  ecn.recover = snd.max
}
