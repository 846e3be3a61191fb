import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'
import { OUTSIDE_PORT } from '../sim/binding.ts'
import type { Programs } from '../sim/programs.ts'
import type { World } from '../sim/world.ts'

/** A frame that comes into a world at a node that leads outside. */
export interface Injection {
  readonly at: Nanos
  readonly node: string
  readonly frame: EthernetFrame
}

interface Moved {
  readonly world: World
  readonly programs: Programs
}

/**
 * Runs a world under the virtual clock, with frames that come from outside at given times: what a
 * live run did, in the same order. Everything due up to a frame's time goes before it.
 */
export async function replay(
  run: Moved,
  injections: Iterable<Injection>,
  ended: Nanos,
): Promise<void> {
  const { world, programs } = run
  await programs.settle()
  for (const { at, node, frame } of injections) {
    if (at > ended) break
    await runDue(run, at)
    if (programs.failure !== null) return
    world.runUntil(at)
    world.inject(world.node(node), OUTSIDE_PORT, frame)
    if (programs.mayGoOn) await programs.settle()
  }
  await finish(run, ended)
}

/** What is due until the end of a run; the clock then stands there. */
export async function finish(run: Moved, ended: Nanos): Promise<void> {
  const { world, programs } = run
  await programs.settle()
  await runDue(run, ended)
  if (programs.failure === null && ended !== NEVER) world.runUntil(ended)
}

async function runDue({ world, programs }: Moved, until: Nanos): Promise<void> {
  while (programs.failure === null && world.nextDue() <= until && world.nextDue() < NEVER) {
    world.step()
    if (programs.mayGoOn) await programs.settle()
  }
}
