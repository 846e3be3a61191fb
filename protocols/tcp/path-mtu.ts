import { seqDiff, seqGt, seqLt, type Seq } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import { sendMss } from './negotiate.ts'
import type { TcpOut } from './output.ts'
import { startOver } from './recovery.ts'
import type { TcpState } from './state.ts'
import { sendSyn, transmit } from './transmit.ts'

// What a connection does about the size of its segments: RFC 1191 §6, and RFC 2923 §2.1 where
// routers keep silent. Left out: probing upwards (RFC 4821).

/**
 * A segment that began at `seq` and is in flight was too big; `routeMss` is what fits. What was
 * sent is sent again in smaller pieces at once, beginning slowly (RFC 1191 §6.5).
 */
export function pathShrinks(
  s: TcpState,
  now: Nanos,
  routeMss: number,
  seq: Seq,
  out: TcpOut,
): void {
  const before = s.mss
  s.routeMss = routeMss
  const wasLower = before <= sendMss(s)
  // A flight brings one error a segment; behind SND.NXT everything is about to be sent again.
  if (wasLower && !seqLt(seq, s.snd.nxt)) return
  s.mss = Math.min(before, sendMss(s))
  // A window of whole segments has as many of the smaller ones.
  if (s.policy.wholeWindows) s.cc.cwnd = Math.floor(s.cc.cwnd / before) * s.mss
  switch (s.state) {
    case 'SYN-SENT':
      // It was the text of the SYN that was too much (RFC 7413 §4.2.2).
      return s.fastOpen !== null && s.rto.total === 0 ? sendSyn(s, now, out) : undefined
    case 'ESTABLISHED':
    case 'CLOSE-WAIT':
    case 'FIN-WAIT-1':
    case 'CLOSING':
    case 'LAST-ACK':
      return sendAgain(s, now, out)
    default:
  }
}

function sendAgain(s: TcpState, now: Nanos, out: TcpOut): void {
  const { snd, cc, rto, timers } = s
  if (!seqGt(snd.max, snd.una)) return
  cc.ssthresh = Math.max(cc.ssthresh, cc.cwnd) // nothing was lost to congestion
  if (!s.policy.wholeWindows) cc.cwnd = s.mss
  startOver(s)
  snd.nxt = snd.una
  timers.retransmit = now + rto.rto
  s.fellBack = 'mtu'
  transmit(s, now, out, 'mtu')
}

/** What is known of the path has changed while nothing was too big: it has aged, or others learned. */
export function pathKnown(s: TcpState, routeMss: number): void {
  if (routeMss === s.routeMss) return
  const { snd } = s
  // Of what is in flight the errors tell.
  if (routeMss < s.routeMss && seqGt(snd.max, snd.una)) return
  s.routeMss = routeMss
  if (s.peerMss > 0) s.mss = sendMss(s)
}

/**
 * RFC 2923 §2.1: full segments vanish again and again, and no router says why. One that any path
 * carries may get through.
 */
export function suspectBlackHole(s: TcpState, out: TcpOut): void {
  const { policy, snd, rto } = s
  if (policy.blackHoleAfter === 0 || rto.retransmits < policy.blackHoleAfter) return
  if (seqDiff(snd.max, snd.una) < s.mss || policy.blackHoleMss >= s.holeMss) return
  s.holeMss = policy.blackHoleMss
  const lower = sendMss(s)
  if (lower >= s.mss) return
  s.mss = lower
  out.event({ kind: 'black-hole', socket: s.id, mss: lower })
}
