import type { Seq } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { away } from './scoreboard.ts'
import type { TcpState } from './state.ts'

// What loss recovery knows of a connection.

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
  /** When the window was last reduced. */
  reducedAt: Nanos
  /** One segment goes out whatever the window says. */
  force: boolean
  /** RFC 6675 §4 (4): the last resort is used up. */
  rescued: boolean
  /** The step of F-RTO (RFC 5682) that is waited in, 1 or 2; 0: none. */
  frto: number
}

export const createEpisode = (now: Nanos, recoverFs: number): Episode => ({
  recoverFs,
  prrDelivered: 0,
  prrOut: 0,
  reducedAt: now,
  force: true,
  rescued: false,
  frto: 0,
})

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

/** Bytes between SND.UNA and SND.NXT that are not in the network. */
export function outside(s: TcpState): number {
  const { recovery, board } = s
  if (recovery.phase === OPEN) return 0
  // What arrived out of turn lets new data out: RFC 3042, RFC 6675 §5 (3).
  if (recovery.phase === DISORDER && !s.policy.limitedTransmit) return 0
  return recovery.left + (board === null ? 0 : away(board))
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
