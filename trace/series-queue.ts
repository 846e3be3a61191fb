import { NEVER, type Nanos } from '../protocols/time.ts'
import type { TraceRecord } from './record.ts'
import type { SeriesChanges } from './series.ts'

/** What waits at one end of a link, and when each of the waiting frames leaves. */
class Queue {
  readonly name: string
  frames = 0
  bytes = 0
  /** Of frames whose departure was known when they came, in order. */
  readonly departures: { readonly at: Nanos; readonly bytes: number }[] = []
  head = 0

  constructor(name: string) {
    this.name = name
  }

  get nextDeparture(): Nanos {
    return this.departures[this.head]?.at ?? NEVER
  }
}

/**
 * How much waits at each link, from the records alone. A drop-tail queue says when a frame comes how
 * long it will wait, so that its departure is known; other queues say it when it happens.
 */
export class QueueSeries {
  readonly #changes: SeriesChanges
  readonly #queues = new Map<string, Queue>()
  #next: Nanos = NEVER

  constructor(changes: SeriesChanges) {
    this.#changes = changes
  }

  observe(record: TraceRecord): void {
    this.advance(record.at)
    switch (record.kind) {
      case 'sent': {
        // What is transmitted at once has not waited.
        if (record.waits === 0 || isRefused(record.dropped)) return
        const queue = this.#of(record.link)
        const bytes = record.frame.size
        queue.frames += 1
        queue.bytes += bytes
        if (record.waits !== NEVER) {
          const at = record.at + record.waits
          queue.departures.push({ at, bytes })
          if (at < this.#next) this.#next = at
        }
        return this.#say(record.at, queue)
      }
      case 'departed':
      case 'discarded': {
        const queue = this.#of(record.link)
        if (queue.frames === 0) return
        queue.frames -= 1
        queue.bytes -= record.frame.size
        return this.#say(record.at, queue)
      }
      default:
    }
  }

  /** Says every departure up to a time, across all links in the order of time. */
  advance(until: Nanos): void {
    while (this.#next <= until) {
      const at = this.#next
      let next: Nanos = NEVER
      for (const queue of this.#queues.values()) {
        while (queue.nextDeparture <= at) leave(queue)
        if (queue.nextDeparture < next) next = queue.nextDeparture
        this.#say(at, queue)
      }
      this.#next = next
    }
  }

  #say(at: Nanos, queue: Queue): void {
    const { name, frames, bytes } = queue
    this.#changes.sample(at, name, { queueFrames: frames, queueBytes: bytes })
  }

  #of(link: string): Queue {
    let queue = this.#queues.get(link)
    if (queue === undefined) {
      queue = new Queue(`link ${link}`)
      this.#queues.set(link, queue)
    }
    return queue
  }
}

/** A frame that was lost later on has waited like any other. */
const isRefused = (dropped: string | null): boolean =>
  dropped !== null && dropped !== 'loss' && dropped !== 'forced'

function leave(queue: Queue): void {
  const { bytes } = queue.departures[queue.head++]!
  queue.frames -= 1
  queue.bytes -= bytes
  if (queue.head < 256) return
  queue.departures.splice(0, queue.head)
  queue.head = 0
}
