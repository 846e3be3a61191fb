import { NEVER, type Nanos } from '../../protocols/time.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import { stream } from '../random.ts'
import type {
  PieOptions,
  QueueDiscipline,
  QueueOut,
  QueuePlace,
  WaitingFrame,
} from './discipline.ts'
import { hasRoom } from './drop-tail.ts'
import { mark } from './ecn.ts'
import { FrameFifo } from './frame-fifo.ts'

/*
 * Proportional Integral controller Enhanced, RFC 8033, with the names of its pseudo-code. The delay
 * is measured by time stamps (§4.3 leaves the choice): that of the frame that left last, 0 where it
 * left nothing behind. Of the optional parts there are ECN (§5.1) and the cap of the adjustment
 * (§5.5); derandomisation (§5.4) and the switch that turns PIE off (§5.3) are left out.
 */

export interface PieState {
  dropProb: number
  qdelay: Nanos
  qdelayOld: Nanos
  burstAllowance: Nanos
  /** When the probability is computed next; `NEVER` before the first frame. */
  updateAt: Nanos
}

export const newPieState = (law: PieOptions): PieState => ({
  dropProb: 0,
  qdelay: 0,
  qdelayOld: 0,
  burstAllowance: law.burst,
  updateAt: NEVER,
})

/** RFC 8033 §4.2: [below this probability, the step is divided by]. */
const AUTO_TUNING: readonly (readonly [number, number])[] = [
  [0.000001, 2048],
  [0.00001, 512],
  [0.0001, 128],
  [0.001, 32],
  [0.01, 8],
  [0.1, 2],
]

/** §4.2, §4.4 and §5.5: what happens every `update`. */
export function pieUpdate(state: PieState, law: PieOptions): void {
  const { qdelay, qdelayOld, dropProb } = state
  let p =
    (law.alpha * (qdelay - law.target)) / NANOS_PER_SECOND +
    (law.beta * (qdelay - qdelayOld)) / NANOS_PER_SECOND
  p /= AUTO_TUNING.find(([below]) => dropProb < below)?.[1] ?? 1
  if (dropProb >= 0.1 && p > 0.02) p = 0.02
  let next = dropProb + p
  if (qdelay === 0 && qdelayOld === 0) next *= 0.98
  state.dropProb = Math.min(Math.max(next, 0), 1)
  state.qdelayOld = qdelay
  state.burstAllowance = Math.max(state.burstAllowance - law.update, 0)
}

const NANOS_PER_SECOND = 1e9

/** Every update that is due up to `now`. Between two frames nothing changes but by these. */
export function pieCatchUp(state: PieState, law: PieOptions, now: Nanos): void {
  if (state.updateAt === NEVER) state.updateAt = now + law.update
  while (state.updateAt <= now) {
    if (state.dropProb + state.qdelay + state.qdelayOld + state.burstAllowance === 0) {
      // At rest: no further update changes anything.
      state.updateAt += (Math.floor((now - state.updateAt) / law.update) + 1) * law.update
      return
    }
    pieUpdate(state, law)
    state.updateAt += law.update
  }
}

/** §4.1 and §4.4: whether an arriving frame is chosen. `bytes` wait; `draw` is from 0 to 1. */
export function pieChooses(state: PieState, law: PieOptions, bytes: number, draw: number): boolean {
  const { dropProb, qdelay, qdelayOld, burstAllowance } = state
  if (dropProb === 0 && 2 * qdelay < law.target && 2 * qdelayOld < law.target) {
    state.burstAllowance = law.burst
  }
  if (burstAllowance > 0) return false
  if (2 * qdelayOld < law.target && dropProb < 0.2) return false
  if (bytes <= 2 * law.meanSize) return false
  return draw < dropProb
}

/** §5.1: above this probability congestion is too heavy for marks. */
const MARK_BELOW = 0.1

export class PieQueue implements QueueDiscipline {
  readonly #options: PieOptions
  readonly #draw: () => number
  readonly #fifo = new FrameFifo()
  readonly #state: PieState

  constructor(options: PieOptions, place: QueuePlace) {
    this.#options = options
    this.#draw = stream(place.seed, `${place.name}/pie`)
    this.#state = newPieState(options)
  }

  get frames(): number {
    return this.#fifo.frames
  }
  get bytes(): number {
    return this.#fifo.bytes
  }

  enqueue(now: Nanos, waiting: WaitingFrame, out: QueueOut): LinkDropReason | null {
    const state = this.#state
    const fifo = this.#fifo
    pieCatchUp(state, this.#options, now)
    const chosen = pieChooses(state, this.#options, fifo.bytes, this.#draw())
    if (!hasRoom(fifo, waiting.size, this.#options)) return 'queue-full'
    if (chosen) {
      const mayMark = this.#options.ecn && state.dropProb < MARK_BELOW
      if (!mayMark || !mark(waiting, 'pie', out)) return 'pie'
    }
    fifo.push(waiting)
    return null
  }

  dequeue(now: Nanos): WaitingFrame | null {
    const first = this.#fifo.shift()
    if (first === null) return null
    pieCatchUp(this.#state, this.#options, now)
    this.#state.qdelay = this.#fifo.frames === 0 ? 0 : now - first.arrived
    return first
  }
}
