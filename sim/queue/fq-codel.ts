import type { Nanos } from '../../protocols/time.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import { stream } from '../random.ts'
import { codelDequeue, type CodelState, newCodelState } from './codel-law.ts'
import type {
  FqCodelOptions,
  QueueDiscipline,
  QueueOut,
  QueuePlace,
  WaitingFrame,
} from './discipline.ts'
import { flowHash } from './flow-hash.ts'
import { FrameFifo } from './frame-fifo.ts'

interface FlowQueue {
  readonly fifo: FrameFifo
  readonly codel: CodelState
  /** Bytes that it may still send in this round. */
  credit: number
  /** Which list it stands in. */
  list: 'new' | 'old' | null
}

/**
 * Flows hashed to queues that share the link by deficit round robin, each under CoDel; a flow
 * that starts, or sends less than its share, goes first. RFC 8290.
 */
export class FqCodelQueue implements QueueDiscipline {
  readonly #options: FqCodelOptions
  readonly #place: QueuePlace
  /** §4.1: unlike for each link and run, so that no set of flows always collides. */
  readonly #perturbation: number
  /** By hash; made when first used. */
  readonly #flows: (FlowQueue | undefined)[]
  readonly #new = new FlowList()
  readonly #old = new FlowList()
  frames = 0
  bytes = 0

  constructor(options: FqCodelOptions, place: QueuePlace) {
    this.#options = options
    this.#place = place
    this.#perturbation = (stream(place.seed, `${place.name}/fq-codel`)() * 0x1_0000_0000) | 0
    this.#flows = Array.from({ length: options.flows }, () => undefined)
  }

  enqueue(_now: Nanos, waiting: WaitingFrame, out: QueueOut): LinkDropReason | null {
    const flow = this.#flowOf(waiting)
    flow.fifo.push(waiting)
    this.frames += 1
    this.bytes += waiting.size
    if (flow.list === null) {
      flow.list = 'new'
      flow.credit = this.#options.quantum
      this.#new.push(flow)
    }
    const { limitFrames, limitBytes } = this.#options
    let why: LinkDropReason | null = null
    while (this.frames > limitFrames || this.bytes > limitBytes) {
      if (this.#dropFromFattest(waiting, out)) why = 'queue-full'
    }
    return why
  }

  /** RFC 8290 §4.2. */
  dequeue(now: Nanos, out: QueueOut): WaitingFrame | null {
    for (;;) {
      const list = this.#new.size > 0 ? this.#new : this.#old
      const flow = list.first
      if (flow === null) return null
      if (flow.credit <= 0) {
        flow.credit += this.#options.quantum
        list.shift()
        this.#append(flow)
        continue
      }
      const { frames, bytes } = flow.fifo
      const next = codelDequeue(
        flow.codel,
        this.#options,
        this.#place,
        flow.fifo,
        now,
        'fq-codel',
        out,
      )
      this.frames -= frames - flow.fifo.frames
      this.bytes -= bytes - flow.fifo.bytes
      if (next !== null) {
        flow.credit -= next.size
        return next
      }
      list.shift()
      // Through the old list once: else a flow could stay new by sending a frame at a time.
      if (list === this.#new) this.#append(flow)
      else flow.list = null
    }
  }

  #append(flow: FlowQueue): void {
    flow.list = 'old'
    this.#old.push(flow)
  }

  #flowOf(waiting: WaitingFrame): FlowQueue {
    const hash = flowHash(waiting.frame, this.#perturbation) >>> 0
    const index = hash % this.#options.flows
    return (this.#flows[index] ??= {
      fifo: new FrameFifo(),
      codel: newCodelState(),
      credit: 0,
      list: null,
    })
  }

  /**
   * RFC 8290 §4.1: half of what the longest queue holds in bytes goes, from its head, but no more
   * than a batch of frames. Whether `newest` was among them.
   */
  #dropFromFattest(newest: WaitingFrame, out: QueueOut): boolean {
    // In the order of the table: the first of equally long ones.
    let fattest: FlowQueue | null = null
    for (const flow of this.#flows) {
      if (flow !== undefined && flow.fifo.bytes > (fattest?.fifo.bytes ?? 0)) fattest = flow
    }
    const fifo = fattest!.fifo
    const half = fifo.bytes / 2
    let gone = 0
    for (let dropped = 0; dropped < this.#options.dropBatch && gone < half; dropped++) {
      const victim = fifo.shift()!
      gone += victim.size
      this.frames -= 1
      this.bytes -= victim.size
      if (victim === newest) return true
      out.discard(victim, 'queue-full')
    }
    return false
  }
}

/** Flows that take turns. */
class FlowList {
  #flows: FlowQueue[] = []
  #head = 0

  get size(): number {
    return this.#flows.length - this.#head
  }
  get first(): FlowQueue | null {
    return this.#flows[this.#head] ?? null
  }

  push(flow: FlowQueue): void {
    this.#flows.push(flow)
  }

  /** Takes out the first. */
  shift(): void {
    this.#head += 1
    if (this.#head < 64 || 2 * this.#head < this.#flows.length) return
    this.#flows = this.#flows.slice(this.#head)
    this.#head = 0
  }
}
