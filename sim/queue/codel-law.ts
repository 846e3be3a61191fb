import { NEVER, type Nanos } from '../../protocols/time.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import type { QueueOut, QueuePlace, WaitingFrame } from './discipline.ts'
import { mark } from './ecn.ts'
import type { FrameFifo } from './frame-fifo.ts'
import { ETHERNET_HEADER } from '../../protocols/ethernet/frame.ts'

/*
 * The control law of CoDel, RFC 8289 §5, with the names of its pseudo-code. All arithmetic is on
 * whole nanoseconds. Marking goes beside dropping (RFC 3168): a marked frame is delivered, and counts as a
 * drop would.
 */

export interface CodelState {
  /** When the delay will have been above the target for an interval; `NEVER` while it is below. */
  firstAboveTime: Nanos
  dropNext: Nanos
  /** Drops since the dropping state was entered. */
  count: number
  lastCount: number
  dropping: boolean
}

export interface CodelLaw {
  readonly target: Nanos
  readonly interval: Nanos
  readonly ecn: boolean
}

export const newCodelState = (): CodelState => ({
  firstAboveTime: NEVER,
  dropNext: 0,
  count: 0,
  lastCount: 0,
  dropping: false,
})

/** Takes the next frame out of `fifo`, dropping or marking on the way as the law demands. */
export function codelDequeue(
  state: CodelState,
  law: CodelLaw,
  place: QueuePlace,
  fifo: FrameFifo,
  now: Nanos,
  why: LinkDropReason,
  out: QueueOut,
): WaitingFrame | null {
  let first = fifo.shift()
  let mayDrop = isAboveForLong(state, law, place, fifo, first, now)
  if (state.dropping) {
    if (!mayDrop) state.dropping = false
    // Several drops may be due when frames are large beside the spacing of the drops.
    while (state.dropping && now >= state.dropNext) {
      state.count += 1
      if (law.ecn && mark(first!, why, out)) {
        state.dropNext += controlSpan(law.interval, state.count)
        return first
      }
      out.discard(first!, why)
      first = fifo.shift()
      mayDrop = isAboveForLong(state, law, place, fifo, first, now)
      if (mayDrop) state.dropNext += controlSpan(law.interval, state.count)
      else state.dropping = false
    }
  } else if (mayDrop) {
    if (!law.ecn || !mark(first!, why, out)) {
      out.discard(first!, why)
      first = fifo.shift()
      // The clock of the new head starts, as in the RFC; it is delivered whatever it says.
      isAboveForLong(state, law, place, fifo, first, now)
    }
    state.dropping = true
    enterDropping(state, law, now)
  }
  return first
}

/** RFC 8289 §5.6, "dodequeue": has the delay been above the target for an interval? */
function isAboveForLong(
  state: CodelState,
  law: CodelLaw,
  place: QueuePlace,
  fifo: FrameFifo,
  first: WaitingFrame | null,
  now: Nanos,
): boolean {
  const isBelow =
    first === null ||
    now - first.arrived < law.target ||
    // What is left is less than a frame: the link would run dry.
    fifo.bytes <= place.mtu + ETHERNET_HEADER
  if (isBelow) {
    state.firstAboveTime = NEVER
    return false
  }
  if (state.firstAboveTime === NEVER) {
    state.firstAboveTime = now + law.interval
    return false
  }
  return now >= state.firstAboveTime
}

/** RFC 8289 §5.5: soon after the last time, dropping goes on near the rate it had reached. */
function enterDropping(state: CodelState, law: CodelLaw, now: Nanos): void {
  const delta = state.count - state.lastCount
  state.count = delta > 1 && now - state.dropNext < 16 * law.interval ? delta : 1
  state.dropNext = now + controlSpan(law.interval, state.count)
  state.lastCount = state.count
}

/**
 * `interval / sqrt(count)`, rounded down: the largest x with x² · count ≤ interval². The square
 * root only guesses; the comparison of whole numbers decides, so every machine finds the same.
 */
export function controlSpan(interval: Nanos, count: number): Nanos {
  const square = BigInt(interval) * BigInt(interval)
  const fits = (x: number): boolean => BigInt(x) * BigInt(x) * BigInt(count) <= square
  let span = Math.floor(interval / Math.sqrt(count))
  while (!fits(span)) span -= 1
  while (fits(span + 1)) span += 1
  return span
}
