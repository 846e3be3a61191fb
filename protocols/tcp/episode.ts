import { seqDiff } from '../sequence.ts'
import type { Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { windowReduced } from './ecn.ts'
import {
  createEpisode,
  DISORDER,
  type Episode,
  LOSS,
  OPEN,
  outside,
  type Phase,
  RECOVERY,
} from './recovery.ts'
import type { TcpState } from './state.ts'

// How a connection enters and leaves an episode of loss.

/**
 * FlightSize of RFC 5681 §2. What limited transmit sent is beyond `cwnd` and does not count
 * (RFC 3042 §2).
 */
const flightSize = (s: TcpState): number =>
  Math.min(seqDiff(s.snd.max, s.snd.una), Math.max(s.cc.cwnd, s.mss))

/** @param before the congestion window before the loss */
function begin(s: TcpState, now: Nanos, phase: Phase, before = 0): Episode {
  const { recovery, snd } = s
  recovery.phase = phase
  recovery.recover = snd.max
  recovery.partial = false
  recovery.left = 0
  const flight = seqDiff(snd.max, snd.una)
  const counts = s.policy.wholeWindows && phase === RECOVERY
  return (recovery.episode = createEpisode(now, counts ? before : flight))
}

function remember(s: TcpState): void {
  const { recovery, cc, snd } = s
  // A second loss within the first: what comes back is what was so before both.
  const before = recovery.phase >= RECOVERY ? recovery.undo : null
  recovery.undo = {
    cwnd: before === null ? cc.cwnd : before.cwnd,
    ssthresh: before === null ? cc.ssthresh : before.ssthresh,
    flight: before === null ? flightSize(s) : before.flight,
    una: snd.una,
    resent: 0,
    until: snd.max,
  }
}

/** What a loss is a part of: Linux takes the window itself. */
const lossWindow = (s: TcpState): number => (s.policy.wholeWindows ? s.cc.cwnd : flightSize(s))

/** Windows that are whole segments have such a threshold. */
function roundThreshold({ cc, mss, policy }: TcpState): void {
  if (policy.wholeWindows) cc.ssthresh = Math.max(Math.floor(cc.ssthresh / mss), 2) * mss
}

/** Loss was found while ACKs come in. */
export function enterRecovery(s: TcpState, now: Nanos): void {
  const control = controlOf(s)
  remember(s)
  const { cwnd } = s.cc
  // The window is shrinking already, for a mark.
  const reduction = s.ecn === null ? null : s.ecn.reduction
  if (reduction === null) {
    control.lost(s, now, lossWindow(s))
    roundThreshold(s)
  }
  const episode = begin(s, now, RECOVERY, cwnd)
  if (reduction !== null) {
    episode.recoverFs = reduction.recoverFs
    episode.prrDelivered = reduction.prrDelivered
    episode.prrOut = reduction.prrOut
    s.ecn!.reduction = null
  }
  if (control.prr) s.cc.cwnd = s.cc.ssthresh
  if (reduction === null) windowReduced(s)
}

/**
 * RFC 5681 §4.3: a retransmission that is lost is a second sign of congestion, and the window shrinks
 * once more. PRR begins anew from what is in the network.
 */
export function reduceAgain(s: TcpState, now: Nanos, e: Episode): void {
  const control = controlOf(s)
  control.lost(s, now, flightSize(s))
  e.reducedAt = now
  e.recoverFs = Math.max(seqDiff(s.snd.max, s.snd.una) - outside(s), s.mss)
  e.prrDelivered = e.prrOut = 0
  e.force = true
  if (control.prr) s.cc.cwnd = Math.min(s.cc.cwnd, s.cc.ssthresh)
  windowReduced(s)
}

/** The retransmission timer fired. */
export function enterLoss(s: TcpState, now: Nanos): void {
  const { recovery, rto, policy } = s
  // Within fast recovery ssthresh has been set for this loss, and most of what SND.MAX - SND.UNA
  // spans has left the network (RFC 5681 §3.1 means FlightSize): half of it would be too much.
  const first = rto.retransmits === 1 && recovery.phase !== RECOVERY
  // RFC 5682 §2.1: not where an earlier loss is being repaired.
  const frto = policy.frto && recovery.phase !== RECOVERY
  remember(s)
  controlOf(s).timedOut(s, now, lossWindow(s), first)
  roundThreshold(s)
  windowReduced(s)
  begin(s, now, LOSS).frto = frto ? 1 : 0
  recovery.dupAcks = 0
}

/** All that was out when the loss was found is acknowledged, or was never lost. */
export function leaveEpisode(s: TcpState): void {
  const { recovery, board } = s
  recovery.phase = board !== null && board.sacked > 0 ? DISORDER : OPEN
  recovery.episode = null
  recovery.partial = false
  recovery.left = 0
  recovery.dupAcks = 0
  if (recovery.undo !== null) recovery.undo.until = s.snd.max
}

/** After a timeout the window grows as in slow start; in fast recovery PRR leads it. */
export const growsWindow = (s: TcpState): boolean =>
  s.recovery.phase !== RECOVERY || !controlOf(s).prr
