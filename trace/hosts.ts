import { Counts } from './counts.ts'
import type { FrameReceived, FrameSent, HostSaid } from './record.ts'
import type { HostSummary } from './summary.ts'

/** What one node sent, received and let go. */
class HostFigures {
  readonly name: string
  sentFrames = 0
  sentBytes = 0
  receivedFrames = 0
  receivedBytes = 0
  readonly drops = new Counts()

  constructor(name: string) {
    this.name = name
  }

  summary(): HostSummary {
    return {
      name: this.name,
      sentFrames: this.sentFrames,
      sentBytes: this.sentBytes,
      receivedFrames: this.receivedFrames,
      receivedBytes: this.receivedBytes,
      drops: this.drops.sorted(),
    }
  }
}

/** All nodes of a run that did anything: hosts, routers and switches. */
export class HostTable {
  readonly #hosts = new Map<string, HostFigures>()

  sent(record: FrameSent): void {
    const host = this.#of(record.node)
    host.sentFrames += 1
    host.sentBytes += record.frame.size
  }

  received(record: FrameReceived): void {
    const host = this.#of(record.node)
    host.receivedFrames += 1
    host.receivedBytes += record.frame.size
  }

  dropped(record: HostSaid, why: string): void {
    this.#of(record.node).drops.add(why)
  }

  /** By name in the order of code units. */
  summaries(): HostSummary[] {
    const hosts = [...this.#hosts.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    return hosts.map((host) => host.summary())
  }

  #of(name: string): HostFigures {
    let host = this.#hosts.get(name)
    if (host === undefined) {
      host = new HostFigures(name)
      this.#hosts.set(name, host)
    }
    return host
  }
}
