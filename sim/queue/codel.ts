import type { Nanos } from '../../protocols/time.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import { codelDequeue, newCodelState } from './codel-law.ts'
import type {
  CodelOptions,
  QueueDiscipline,
  QueueOut,
  QueuePlace,
  WaitingFrame,
} from './discipline.ts'
import { hasRoom } from './drop-tail.ts'
import { FrameFifo } from './frame-fifo.ts'

/** One queue under the control law of CoDel, RFC 8289. */
export class CodelQueue implements QueueDiscipline {
  readonly #options: CodelOptions
  readonly #place: QueuePlace
  readonly #fifo = new FrameFifo()
  readonly #state = newCodelState()

  constructor(options: CodelOptions, place: QueuePlace) {
    this.#options = options
    this.#place = place
  }

  get frames(): number {
    return this.#fifo.frames
  }
  get bytes(): number {
    return this.#fifo.bytes
  }

  enqueue(_now: Nanos, waiting: WaitingFrame): LinkDropReason | null {
    if (!hasRoom(this.#fifo, waiting.size, this.#options)) return 'queue-full'
    this.#fifo.push(waiting)
    return null
  }

  dequeue(now: Nanos, out: QueueOut): WaitingFrame | null {
    return codelDequeue(this.#state, this.#options, this.#place, this.#fifo, now, 'codel', out)
  }
}
