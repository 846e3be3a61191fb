import { NEVER, type Nanos } from '../time.ts'
import { createEstimate, type Estimate } from './estimate.ts'
import type { ArqPolicy } from './policy.ts'

/** One of those who are to get every unit. */
export interface ArqPeer {
  /** It has every unit below this one. */
  below: number
  /** The highest unit that it is known to have; -1: none. */
  highest: number
  /** Timeouts in a row without progress. */
  timeouts: number
  /** When the last one of those was. */
  timedOutAt: Nanos
  /** It has been given up. */
  lost: boolean
  estimate: Estimate
}

/** A unit that is under way, at `unit % slots.length`. */
export interface ArqSlot {
  firstAt: Nanos
  /** When it last went, to anybody. */
  sentAt: Nanos
  sends: number
  /** Of the timer `packet`. */
  deadline: Nanos
  /** Peers that are not known to have it. */
  missing: number
  /** By peer: `MISSING`, `HELD` or `RESENT`. */
  held: number[]
}

export const MISSING = 0
export const HELD = 1
/** Still missing, and sent again because later units arrived. */
export const RESENT = 2

/** Plain data. */
export interface ArqSender {
  readonly policy: ArqPolicy
  /** Units that may be sent so far. */
  total: number
  /** There will be no more. */
  closed: boolean
  /** All below have reached everybody. */
  base: number
  /** The next to be sent for the first time. */
  next: number
  /** Of congestion control, in units; `Infinity` without it. */
  congestionWindow: number
  slowStartThreshold: number
  /** Loss before this instant has been answered. */
  reducedAt: Nanos
  peers: ArqPeer[]
  slots: ArqSlot[]
  /** Finished or failed: nothing is sent any more. */
  over: boolean
  /** When it began: the grid of the timer `sweep`. -1: not yet. */
  startedAt: Nanos
  /** The earliest that a unit may go for the first time. */
  pacedUntil: Nanos
  /** `resend` is no later than the earliest deadline of a unit that is under way. */
  timers: { resend: Nanos; pace: Nanos }
}

/** RFC 6928 */
const INITIAL_WINDOW = 10

export const createArqSender = (policy: ArqPolicy, peers: number): ArqSender => ({
  policy,
  total: 0,
  closed: false,
  base: 0,
  next: 0,
  congestionWindow: policy.congestion ? Math.min(INITIAL_WINDOW, policy.window) : Infinity,
  slowStartThreshold: Infinity,
  reducedAt: -1,
  peers: Array.from({ length: peers }, () => ({
    below: 0,
    highest: -1,
    timeouts: 0,
    timedOutAt: -1,
    lost: false,
    estimate: createEstimate(policy.timeout),
  })),
  slots: Array.from({ length: policy.window }, () => ({
    firstAt: 0,
    sentAt: 0,
    sends: 0,
    deadline: NEVER,
    missing: 0,
    held: Array.from({ length: peers }, () => MISSING),
  })),
  over: false,
  startedAt: -1,
  pacedUntil: 0,
  timers: { resend: NEVER, pace: NEVER },
})

export const slotOf = (s: ArqSender, unit: number): ArqSlot => s.slots[unit % s.slots.length]!

export const arqSenderNextDue = (s: ArqSender): Nanos => Math.min(s.timers.resend, s.timers.pace)
