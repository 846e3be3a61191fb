import type { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { unreachable } from '../../protocols/assert.ts'
import { NEVER, type Nanos } from '../../protocols/time.ts'
import type { FrameFate, LinkDropReason } from '../../trace/record.ts'
import type { EventQueue } from '../event-queue.ts'
import type { Transmitter } from '../link-transmitter.ts'
import type { Fate } from './fate.ts'
import { CodelQueue } from './codel.ts'
import type {
  DisciplineOptions,
  DropTailOptions,
  QueueDiscipline,
  QueueOut,
  QueuePlace,
  WaitingFrame,
} from './discipline.ts'
import { DropTailQueue } from './drop-tail.ts'
import { FqCodelQueue } from './fq-codel.ts'
import { PieQueue } from './pie.ts'
import { RedQueue } from './red.ts'

/** What a queue did with a frame that it had taken, as the records of `trace/record.ts` tell it. */
export type QueueOutcome = QueueDiscarded | QueueMarked | QueueDeparted

interface About {
  readonly frame: EthernetFrame
  /** How long it has waited. */
  readonly sojourn: Nanos
}
interface QueueDiscarded extends About {
  readonly kind: 'discarded'
  readonly why: LinkDropReason
}
interface QueueMarked extends About {
  readonly kind: 'marked'
  readonly by: LinkDropReason
}
/** Its transmission began, and the link has decided about it. */
interface QueueDeparted extends About, FrameFate {
  readonly kind: 'departed'
}

/** The link, as its queue sees it: its fate is that of the frame which began last. */
export interface QueuedLink extends FrameFate {
  readonly departures: number
  readonly sender: Pick<Transmitter, 'nextStart' | 'firstStart'>
  begin(now: Nanos, waiting: WaitingFrame): void
}

/**
 * The queue of a link whose discipline decides when a frame's turn comes, and what it did lately.
 * After a change of the discipline what waits leaves by the old one, before anything else.
 */
export class ManagedQueue implements QueueOut {
  /** Since `depart` was called last, in order. */
  readonly outcomes: QueueOutcome[] = []
  /** How many of them came before the frame that is being offered. */
  before = 0
  /** Frames that were taken and then dropped, since the link last looked. */
  discarded = 0
  /** The last one takes new frames. */
  #queues: QueueDiscipline[] = []
  #now: Nanos = 0
  readonly #place: QueuePlace
  readonly #link: QueuedLink
  readonly #events: EventQueue

  constructor(
    options: DisciplineOptions | DropTailOptions,
    place: QueuePlace,
    link: QueuedLink,
    events: EventQueue,
  ) {
    this.#place = place
    this.#link = link
    this.#events = events
    this.change(options)
  }

  change(options: DisciplineOptions | DropTailOptions): void {
    this.#queues = this.#queues.filter((queue) => queue.frames > 0)
    this.#queues.push(createQueue(options, this.#place))
  }

  get frames(): number {
    let frames = 0
    for (const queue of this.#queues) frames += queue.frames
    return frames
  }
  get bytes(): number {
    let bytes = 0
    for (const queue of this.#queues) bytes += queue.bytes
    return bytes
  }

  /**
   * Why a new frame is dropped; `null` where it waits or, the link being idle, has left. What is
   * due must have departed before: a departure goes before an arrival.
   */
  offer(now: Nanos, frame: EthernetFrame, fate: Fate, forced: boolean): LinkDropReason | null {
    this.#now = now
    const waiting = { frame, size: frame.size, arrived: now, fate, forced }
    const why = this.#queues.at(-1)!.enqueue(now, waiting, this)
    if (why !== null) return why
    const link = this.#link
    const start = link.sender.firstStart(now)
    if (start <= now) {
      const next = this.#dequeue(now)
      if (next !== null) link.begin(now, next)
    } else if (this.#events.timeOf(link.departures) === NEVER) {
      this.#events.schedule(link.departures, start)
    }
    return null
  }

  /** Lets go what is due. Forgets the outcomes of the last time. */
  depart(now: Nanos): void {
    this.outcomes.length = 0
    this.#now = now
    const link = this.#link
    while (this.#events.timeOf(link.departures) <= now) {
      // The rate or the trace may have changed since it was scheduled.
      if (link.sender.nextStart(now) <= now) {
        const next = this.#dequeue(now)
        if (next !== null) {
          link.begin(now, next)
          this.#departed(next, link)
        }
      }
      const start = this.frames === 0 ? NEVER : link.sender.nextStart(now)
      if (start === NEVER) this.#events.cancel(link.departures)
      else this.#events.schedule(link.departures, start)
    }
  }

  #dequeue(now: Nanos): WaitingFrame | null {
    for (;;) {
      const next = this.#queues[0]!.dequeue(now, this)
      if (next !== null || this.#queues.length === 1) return next
      this.#queues.shift()
    }
  }

  #departed({ frame, arrived }: WaitingFrame, fate: FrameFate): void {
    const { dropped, arrives, duplicates, corruptedBit, reordered } = fate
    const sojourn = this.#now - arrived
    const said = { dropped, arrives, duplicates, corruptedBit, reordered }
    this.outcomes.push({ kind: 'departed', frame, sojourn, ...said })
  }

  discard({ frame, arrived }: WaitingFrame, why: LinkDropReason): void {
    this.discarded += 1
    this.outcomes.push({ kind: 'discarded', frame, why, sojourn: this.#now - arrived })
  }

  mark({ frame, arrived }: WaitingFrame, by: LinkDropReason): void {
    this.outcomes.push({ kind: 'marked', frame, by, sojourn: this.#now - arrived })
  }
}

export function createQueue(
  options: DisciplineOptions | DropTailOptions,
  place: QueuePlace,
): QueueDiscipline {
  switch (options.kind) {
    case 'drop-tail':
      return new DropTailQueue(options)
    case 'red':
      return new RedQueue(options, place)
    case 'codel':
      return new CodelQueue(options, place)
    case 'fq-codel':
      return new FqCodelQueue(options, place)
    case 'pie':
      return new PieQueue(options, place)
    default:
      return unreachable(options)
  }
}
