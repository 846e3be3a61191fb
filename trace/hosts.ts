import { Counts } from './counts.ts'
import type { HostSummary } from './summary.ts'

/** What one node sent, received and let go. */
class HostFigures {
  readonly name: string
  sentFrames = 0
  sentBytes = 0
  receivedFrames = 0
  receivedBytes = 0
  drops = new Counts()

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

/**
 * All nodes of a run that did anything: hosts, routers and switches. Put together when it is over,
 * from what the links have counted.
 */
export class HostTable {
  readonly #hosts = new Map<string, HostFigures>()

  sent(name: string, frames: number, bytes: number): void {
    const host = this.#of(name)
    host.sentFrames += frames
    host.sentBytes += bytes
  }

  received(name: string, frames: number, bytes: number): void {
    const host = this.#of(name)
    host.receivedFrames += frames
    host.receivedBytes += bytes
  }

  dropped(name: string, drops: Counts): void {
    this.#of(name).drops = drops
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
