import { type Seq, seqDiff } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { windowReduced } from './ecn.ts'
import { away } from './scoreboard.ts'
import type { TcpState } from './state.ts'

// What loss recovery knows of a connection, and how it enters and leaves an episode of loss.

/** The phases of loss recovery, in the numbers of Linux's `tcpi_ca_state`. */
export const OPEN = 0
/** Something came out of turn: perhaps lost, perhaps late. */
export const DISORDER = 1
/** Fast recovery: RFC 6675 §5, RFC 6582 §3.2. */
export const RECOVERY = 3
/** After a timeout. */
export const LOSS = 4
export type Phase = typeof OPEN | typeof DISORDER | typeof RECOVERY | typeof LOSS

export interface Recovery {
  phase: Phase
  /**
   * RecoveryPoint of RFC 6675, `recover` of RFC 6582: up to here the episode goes. SND.MAX when the
   * loss was found; without SACK one more after a timeout, whose go-back-N makes duplicates of its
   * own.
   */
  recover: Seq
  dupAcks: number
  /** A partial acknowledgement came in this recovery. */
  partial: boolean
  /** Bytes that duplicate ACKs without SACK say have left the network. */
  left: number
  episode: Episode | null
  undo: Undo | null
}

/** From the finding of a loss until everything sent before it is acknowledged. */
export interface Episode {
  /** RFC 6937 §3, bytes. */
  recoverFs: number
  prrDelivered: number
  prrOut: number
  /** One segment goes out whatever the window says. */
  force: boolean
  /** RFC 6675 §4 (4): the last resort is used up. */
  rescued: boolean
  /** The step of F-RTO (RFC 5682) that is waited in, 1 or 2; 0: none. */
  frto: number
}

/** What was so before the loss that perhaps was none: see `undo.ts`. */
export interface Undo {
  readonly cwnd: number
  readonly ssthresh: number
  readonly flight: number
  /** SND.UNA then. */
  readonly una: Seq
  /** Retransmissions of which no duplicate has been told yet. */
  resent: number
  /** When this is acknowledged nobody will tell any more. */
  until: Seq
}

export const createRecovery = (iss: Seq): Recovery => ({
  phase: OPEN,
  recover: iss,
  dupAcks: 0,
  partial: false,
  left: 0,
  episode: null,
  undo: null,
})

export const isRecovering = (s: TcpState): boolean => s.recovery.phase === RECOVERY

/** Whether RACK finds what is lost: it needs SACK (RFC 8985 §4). */
export const usesRack = (s: TcpState): boolean => s.sackPermitted && s.policy.rack

/**
 * FlightSize of RFC 5681 §2. What limited transmit sent is beyond `cwnd` and does not count
 * (RFC 3042 §2).
 */
const flightSize = (s: TcpState): number =>
  Math.min(seqDiff(s.snd.max, s.snd.una), Math.max(s.cc.cwnd, s.mss))

function begin(s: TcpState, phase: Phase): Episode {
  const { recovery, snd } = s
  recovery.phase = phase
  recovery.recover = snd.max
  recovery.partial = false
  recovery.left = 0
  return (recovery.episode = {
    recoverFs: seqDiff(snd.max, snd.una),
    prrDelivered: 0,
    prrOut: 0,
    force: true,
    rescued: false,
    frto: 0,
  })
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

/** Loss was found while ACKs come in. */
export function enterRecovery(s: TcpState, now: Nanos): void {
  const control = controlOf(s)
  remember(s)
  control.lost(s, now, flightSize(s))
  begin(s, RECOVERY)
  if (control.prr) s.cc.cwnd = s.cc.ssthresh
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
  controlOf(s).timedOut(s, now, flightSize(s), first)
  windowReduced(s)
  begin(s, LOSS).frto = frto ? 1 : 0
  recovery.dupAcks = 0
}

/** After a timeout the window grows as in slow start; in fast recovery PRR leads it. */
export const growsWindow = (s: TcpState): boolean =>
  s.recovery.phase !== RECOVERY || !controlOf(s).prr

/** Bytes between SND.UNA and SND.NXT that are not in the network. */
export function outside(s: TcpState): number {
  const { recovery, board } = s
  if (recovery.phase === OPEN) return 0
  // What arrived out of turn lets new data out: RFC 3042, RFC 6675 §5 (3).
  if (recovery.phase === DISORDER && !s.policy.limitedTransmit) return 0
  return recovery.left + (board === null ? 0 : away(board))
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

/** The sender begins anew, and what came before says nothing any more. */
export function startOver(s: TcpState): void {
  const { recovery } = s
  s.board = null
  s.timers.reorder = s.timers.tailLoss = NEVER
  recovery.phase = OPEN
  recovery.recover = (s.snd.max + 1) | 0
  recovery.dupAcks = 0
  recovery.partial = false
  recovery.left = 0
  recovery.episode = null
  recovery.undo = null
}
