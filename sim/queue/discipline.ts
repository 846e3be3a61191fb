import type { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import type { Nanos } from '../../protocols/time.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import type { Fate } from './fate.ts'

/** A frame in a queue. What chance has in store for it was drawn when it was offered. */
export interface WaitingFrame {
  /** Replaced by one that says CE where the discipline marks it. */
  frame: EthernetFrame
  readonly size: number
  readonly arrived: Nanos
  readonly fate: Fate
  /** A forced-drop rule takes it once it has been transmitted. */
  readonly forced: boolean
}

/** What a discipline says about frames other than the one it is asked about. */
export interface QueueOut {
  discard(waiting: WaitingFrame, why: LinkDropReason): void
  /** `waiting.frame` says CE now. */
  mark(waiting: WaitingFrame, by: LinkDropReason): void
}

/** The link whose queue it is. The link keeps it up to date. */
export interface QueuePlace {
  /** The direction's name and the run's seed: together they name the random streams. */
  readonly name: string
  readonly seed: string
  /** Bits per second; 0: transmission takes no time. */
  rate: number
  /** The largest Ethernet payload, bytes. */
  mtu: number
  /** When the transmission under way ends; in the past where the link is idle. */
  freeAt: Nanos
}

/**
 * Frames that wait for the rate, and the rule by which they leave or are dropped. Times never go
 * back from call to call. The frame being transmitted is no longer in here.
 */
export interface QueueDiscipline {
  readonly frames: number
  readonly bytes: number
  /** Why this frame is dropped; `null` where it waits now. Others may go in its place, by `out`. */
  enqueue(now: Nanos, waiting: WaitingFrame, out: QueueOut): LinkDropReason | null
  /** The next frame to transmit; `null` where none is left. */
  dequeue(now: Nanos, out: QueueOut): WaitingFrame | null
}

/** How much may wait. */
export interface QueueLimit {
  readonly limitFrames: number
  readonly limitBytes: number
}

export interface DropTailOptions extends QueueLimit {
  readonly kind: 'drop-tail'
}

/** RFC 8289. Times in nanoseconds. */
export interface CodelOptions extends QueueLimit {
  readonly kind: 'codel'
  /** The standing queue that is acceptable, as a delay. */
  readonly target: Nanos
  /** How long the delay may stay above the target. */
  readonly interval: Nanos
  /** Marks packets that understand it instead of dropping them. */
  readonly ecn: boolean
}

/** RFC 8290. */
export interface FqCodelOptions extends QueueLimit {
  readonly kind: 'fq-codel'
  readonly target: Nanos
  readonly interval: Nanos
  readonly ecn: boolean
  /** Bytes that a flow may send before it is another's turn. */
  readonly quantum: number
  /** Queues that flows are hashed to. */
  readonly flows: number
  /** The most frames that go at once when there is no room. */
  readonly dropBatch: number
}

/** Floyd and Jacobson, 1993. Thresholds, limit and average count frames or bytes. */
export interface RedOptions {
  readonly kind: 'red'
  readonly unit: 'frames' | 'bytes'
  readonly limit: number
  readonly min: number
  readonly max: number
  /** Of a drop where the average reaches `max`. */
  readonly probability: number
  /** Of the newest sample in the average. */
  readonly weight: number
  /** Above `max` the probability rises to 1 at twice `max` instead of jumping there. */
  readonly gentle: boolean
  /** Bytes of a typical frame: how fast the average decays while the link is idle. */
  readonly meanSize: number
  readonly ecn: boolean
}

/** RFC 8033. */
export interface PieOptions extends QueueLimit {
  readonly kind: 'pie'
  readonly target: Nanos
  /** Between two updates of the drop probability. */
  readonly update: Nanos
  /** Per second: how the probability follows the delay's distance from the target, … */
  readonly alpha: number
  /** … and its growth. */
  readonly beta: number
  /** How long a burst may go untouched. */
  readonly burst: Nanos
  /** Bytes; no frame is dropped at random while no more than two of these wait. */
  readonly meanSize: number
  readonly ecn: boolean
}

/** A queue that decides later than at the frame's arrival, or by more than its room. */
export type DisciplineOptions = RedOptions | CodelOptions | FqCodelOptions | PieOptions
