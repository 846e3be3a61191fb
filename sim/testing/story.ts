import { toSeconds } from '../../protocols/time.ts'
import type { TraceObserver } from '../../trace/record.ts'
import { TraceText } from '../../trace/text.ts'
import { MemoryFiles } from '../files.ts'
import type { Host } from '../programs.ts'
import { runScenario } from '../run.ts'
import {
  defineScenario,
  type Fault,
  type LinkBetween,
  type Program,
  type Topology,
} from '../scenario.ts'

/** Writes a line with the host's time and name in front. */
export type Say = (host: Host, text: string) => void

export interface StoryOptions {
  readonly topology: Topology
  readonly links: readonly LinkBetween[]
  /** What runs on each host. Made anew for each run, with that run's `say`. */
  readonly programs: (say: Say) => { readonly [node: string]: Program | readonly Program[] }
  readonly faults?: readonly Fault[]
  /** Virtual time ends here: `'60s'`. */
  readonly until: string
  readonly seed?: string
  /** Lines of the trace that match stand between what is said. Default: none. */
  readonly trace?: RegExp
}

/**
 * Plays programs on the hosts of a network and lists what they say, each line with its exact time
 * in seconds. It runs with states changed in place, recorded, and with every frame encoded on every
 * link; lines and digests must be the same.
 *
 * @throws Error where two runs differ or a program threw, UserError for a wrong topology.
 */
export async function story(options: StoryOptions): Promise<string> {
  const first = await play(options, {})
  for (const ground of [{ recorded: true }, { wireExact: true }]) {
    const other = await play(options, ground)
    const name = Object.keys(ground).join()
    if (other.text !== first.text) throw new Error(`${name}:\n${other.text}\n\nnot\n${first.text}`)
    if (other.digest !== first.digest) throw new Error(`${name}: another digest`)
  }
  return first.text
}

async function play(
  options: StoryOptions,
  ground: { readonly recorded?: boolean; readonly wireExact?: boolean },
): Promise<{ text: string; digest: string }> {
  const { topology, links, faults = [], until, seed = '1', trace } = options
  const lines: string[] = []
  const say: Say = (host, text) => {
    lines.push(`${String(toSeconds(host.now)).padEnd(8)} ${host.name}  ${text}`)
  }
  const programs = options.programs(say)
  const scenario = defineScenario({ name: 'story', topology, links, faults, programs, until })
  const printer = new TraceText()
  const observers: TraceObserver[] = []
  if (trace !== undefined) {
    observers.push((record) => {
      const line = printer.line(record)
      if (line !== null && trace.test(line)) lines.push(line)
    })
  }
  const files = new MemoryFiles()
  const outcome = await runScenario(scenario, { seed, files, observers, ...ground })
  if (outcome.failure !== null) throw new Error(outcome.failure)
  return { text: lines.join('\n'), digest: outcome.digest }
}
