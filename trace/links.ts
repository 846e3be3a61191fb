import { NEVER, type Nanos } from '../protocols/time.ts'
import { Counts } from './counts.ts'
import { DelayHistogram } from './delay-histogram.ts'
import type { HostTable } from './hosts.ts'
import type {
  FrameDeparted,
  FrameDiscarded,
  FrameFate,
  FrameReceived,
  FrameSent,
  LinkDropReason,
} from './record.ts'
import type { LinkSummary } from './summary.ts'

/** One direction of a link: what was put on it and what came out. */
class LinkFigures {
  readonly name: string
  /** The nodes at its ends, once they were heard. */
  sender: string | null = null
  receiver: string | null = null
  offeredFrames = 0
  offeredBytes = 0
  deliveredFrames = 0
  deliveredBytes = 0
  transmittedBytes = 0
  duplicates = 0
  corrupted = 0
  reordered = 0
  queueFramesMax = 0
  queueBytesMax = 0
  marked = 0
  readonly dropped = new Counts()
  readonly queueing = new DelayHistogram()

  constructor(name: string) {
    this.name = name
  }

  sent(record: FrameSent): void {
    const size = record.frame.size
    this.sender ??= record.node
    this.offeredFrames += 1
    this.offeredBytes += size
    if (record.queueFrames > this.queueFramesMax) this.queueFramesMax = record.queueFrames
    if (record.queueBytes > this.queueBytesMax) this.queueBytesMax = record.queueBytes
    // What still waits for a queue's decision is told of later.
    if (record.waits < NEVER) this.#decided(record, size, record.waits)
  }

  departed(record: FrameDeparted): void {
    this.#decided(record, record.frame.size, record.sojourn)
  }

  discarded(record: FrameDiscarded): void {
    this.dropped.add(record.why)
  }

  #decided(fate: FrameFate, size: number, waited: Nanos): void {
    this.duplicates += fate.duplicates
    if (fate.corruptedBit >= 0) this.corrupted += 1
    if (fate.reordered) this.reordered += 1
    if (fate.dropped !== null) this.dropped.add(fate.dropped)
    if (!wasTransmitted(fate.dropped)) return
    this.transmittedBytes += size
    this.queueing.add(waited)
  }

  received(record: FrameReceived): void {
    this.receiver ??= record.node
    this.deliveredFrames += 1
    this.deliveredBytes += record.frame.size
  }

  summary(rate: number | null, elapsed: Nanos): LinkSummary {
    const busy = rate === null || elapsed <= 0 ? null : this.transmittedBytes * 8e9
    return {
      name: this.name,
      offeredFrames: this.offeredFrames,
      offeredBytes: this.offeredBytes,
      deliveredFrames: this.deliveredFrames,
      deliveredBytes: this.deliveredBytes,
      dropped: this.dropped.sorted(),
      duplicates: this.duplicates,
      corrupted: this.corrupted,
      reordered: this.reordered,
      marked: this.marked,
      queueFramesMax: this.queueFramesMax,
      queueBytesMax: this.queueBytesMax,
      queueing: this.queueing.summary(),
      rate,
      utilisation: busy === null ? null : busy / rate! / elapsed,
    }
  }
}

/** A frame that was lost on the way has used its transmission time all the same. */
export const wasTransmitted = (dropped: LinkDropReason | null): boolean =>
  dropped === null || dropped === 'loss' || dropped === 'forced'

/** All link directions of a run, in the order in which they were first used. */
export class LinkTable {
  readonly #links = new Map<string, LinkFigures>()

  sent(record: FrameSent): void {
    this.#of(record.link).sent(record)
  }

  departed(record: FrameDeparted): void {
    this.#of(record.link).departed(record)
  }

  discarded(record: FrameDiscarded): void {
    this.#of(record.link).discarded(record)
  }

  marked(link: string): void {
    this.#of(link).marked += 1
  }

  received(record: FrameReceived): void {
    this.#of(record.link).received(record)
  }

  /** What went through each node: the sum over its links. */
  countInto(hosts: HostTable): void {
    for (const link of this.#links.values()) {
      if (link.sender !== null) hosts.sent(link.sender, link.offeredFrames, link.offeredBytes)
      if (link.receiver !== null) {
        hosts.received(link.receiver, link.deliveredFrames, link.deliveredBytes)
      }
    }
  }

  summaries(rates: ReadonlyMap<string, number>, elapsed: Nanos): LinkSummary[] {
    // What comes from outside of the world, `>b`, came over no link of its.
    const own = [...this.#links.values()].filter(({ name }) => !name.startsWith('>'))
    return own.map((link) => link.summary(rates.get(link.name) || null, elapsed))
  }

  #of(name: string): LinkFigures {
    let link = this.#links.get(name)
    if (link === undefined) {
      link = new LinkFigures(name)
      this.#links.set(name, link)
    }
    return link
  }
}
