import type { Nanos } from '../../protocols/time.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import type { DropTailOptions, QueueDiscipline, QueueLimit, WaitingFrame } from './discipline.ts'
import { FrameFifo } from './frame-fifo.ts'

/**
 * First in, first out, for a link that had another discipline before. Everywhere else drop-tail
 * needs no queue: `sim/link-transmitter.ts` knows all times when a frame is offered.
 */
export class DropTailQueue implements QueueDiscipline {
  readonly #options: DropTailOptions
  readonly #fifo = new FrameFifo()

  constructor(options: DropTailOptions) {
    this.#options = options
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

  dequeue(): WaitingFrame | null {
    return this.#fifo.shift()
  }
}

export function hasRoom(fifo: FrameFifo, size: number, limit: QueueLimit): boolean {
  return fifo.frames < limit.limitFrames && fifo.bytes + size <= limit.limitBytes
}
