import type { Nanos } from '../../protocols/time.ts'
import type { Files } from '../files.ts'
import type { Node } from '../node.ts'
import type { World } from '../world.ts'

/** What traffic has sent so far, live; of `request-response` the requests. */
export interface Traffic {
  packets: number
  bytes: number
}

/** What traffic needs of the run that it is in. */
export interface TrafficPlace {
  readonly world: World
  readonly node: Node
  readonly files: Files
  /** Takes the spans of request-response. */
  sample(name: string, span: Nanos): void
}

/** Runs something on the host at a time, unless the host has crashed by then. */
export function later({ world, node }: TrafficPlace, at: Nanos, act: () => void): void {
  const { boots } = node
  world.at(at, () => {
    node.whenRunning(() => {
      if (node.up && node.boots === boots) act()
    })
  })
}
