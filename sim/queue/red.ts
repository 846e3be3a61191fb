import type { Nanos } from '../../protocols/time.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import { stream } from '../random.ts'
import type {
  QueueDiscipline,
  QueueOut,
  QueuePlace,
  RedOptions,
  WaitingFrame,
} from './discipline.ts'
import { mark } from './ecn.ts'
import { FrameFifo } from './frame-fifo.ts'

/*
 * Random Early Detection: S. Floyd and V. Jacobson, "Random Early Detection Gateways for
 * Congestion Avoidance", 1993, §4; "gentle" as Floyd proposed it in 2000. The names are theirs.
 */

export interface RedState {
  /** The average queue, in frames or bytes. */
  avg: number
  /** Frames since the last one that was chosen; -1 while the average is below `min`. */
  count: number
}

export const newRedState = (): RedState => ({ avg: 0, count: -1 })

/** What the law says of a frame: keep it, mark or drop it, or drop it in any case. */
export type RedVerdict = 'keep' | 'early' | 'forced'

/**
 * Brings the average up to date with the arrival of a frame that finds `waiting` frames or bytes.
 * `idle`: how many typical frames the idle link could have sent before it.
 */
export function redAverage(state: RedState, law: RedOptions, waiting: number, idle: number): void {
  const decayed = idle > 0 ? state.avg * power(1 - law.weight, idle) : state.avg
  state.avg = (1 - law.weight) * decayed + law.weight * waiting
}

/** Decides about a frame of `size` bytes with a draw from 0 to 1. */
export function redVerdict(
  state: RedState,
  law: RedOptions,
  size: number,
  draw: number,
): RedVerdict {
  const { avg } = state
  if (avg < law.min) {
    state.count = -1
    return 'keep'
  }
  if (avg >= (law.gentle ? 2 * law.max : law.max)) {
    state.count = 0
    return 'forced'
  }
  state.count += 1
  let pb =
    avg < law.max
      ? (law.probability * (avg - law.min)) / (law.max - law.min)
      : law.probability + ((1 - law.probability) * (avg - law.max)) / law.max
  if (law.unit === 'bytes') pb = (pb * size) / law.meanSize
  // Spreads the choices evenly: the gap between two is uniform, not geometric.
  const pa = state.count * pb < 1 ? pb / (1 - state.count * pb) : 1
  if (draw >= pa) return 'keep'
  state.count = 0
  return avg < law.max ? 'early' : 'forced'
}

/** By squaring: multiplications alone, which every machine rounds alike. */
function power(base: number, exponent: number): number {
  let result = 1
  let square = base
  for (let left = exponent; left > 0 && result > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square
    square *= square
  }
  return result
}

/** Longer pauses than this leave nothing of the average. */
const IDLE_MAX = 2 ** 40

export class RedQueue implements QueueDiscipline {
  readonly #options: RedOptions
  readonly #place: QueuePlace
  readonly #draw: () => number
  readonly #fifo = new FrameFifo()
  readonly #state = newRedState()

  constructor(options: RedOptions, place: QueuePlace) {
    this.#options = options
    this.#place = place
    this.#draw = stream(place.seed, `${place.name}/red`)
  }

  get frames(): number {
    return this.#fifo.frames
  }
  get bytes(): number {
    return this.#fifo.bytes
  }

  enqueue(now: Nanos, waiting: WaitingFrame, out: QueueOut): LinkDropReason | null {
    const { unit, limit, ecn } = this.#options
    const fifo = this.#fifo
    redAverage(this.#state, this.#options, fifo[unit], this.#idleFrames(now))
    const verdict = redVerdict(this.#state, this.#options, waiting.size, this.#draw())
    // RFC 3168 §7: where the average says that marks do not help, ECN is no excuse.
    const spared = verdict === 'early' && ecn && fifo[unit] < limit && mark(waiting, 'red', out)
    if (verdict !== 'keep' && !spared) return 'red'
    if (fifo[unit] + (unit === 'frames' ? 1 : waiting.size) > limit) return 'queue-full'
    fifo.push(waiting)
    return null
  }

  dequeue(): WaitingFrame | null {
    return this.#fifo.shift()
  }

  /** Typical frames that could have gone since the link went idle. */
  #idleFrames(now: Nanos): number {
    const { freeAt, rate } = this.#place
    if (this.#fifo.frames > 0 || now <= freeAt) return 0
    if (rate === 0) return IDLE_MAX
    const frames = Math.floor(((now - freeAt) * rate) / (this.#options.meanSize * 8e9))
    return Math.min(frames, IDLE_MAX)
  }
}
