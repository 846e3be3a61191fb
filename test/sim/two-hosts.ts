import type { Nanos } from '../../protocols/time.ts'
import { MemoryFiles } from '../../sim/files.ts'
import type { Outcome } from '../../sim/outcome.ts'
import type { Host } from '../../sim/programs.ts'
import { type RunOptions, runScenario } from '../../sim/run.ts'
import {
  defineScenario,
  type Fault,
  type LinkSpec,
  type Program,
  type Scenario,
  type Topology,
} from '../../sim/scenario.ts'

export interface Play {
  readonly a?: Program | readonly Program[]
  readonly b?: Program | readonly Program[]
  /** 10 ms each way and nothing else, unless said otherwise. */
  readonly link?: LinkSpec
  readonly tcp?: { readonly [option: string]: string | number | boolean }
  readonly faults?: readonly Fault[]
  readonly until?: string
}

/** Hosts a, 10.0.0.1, and b, 10.0.0.2, on one link. */
export function twoHosts({ a = [], b = [], link, tcp = {}, faults = [], until }: Play): Scenario {
  const host = { kind: 'host', tcp } as const
  const topology: Topology = { a: host, b: host }
  return defineScenario({
    name: 'two-hosts',
    topology,
    links: [{ ends: { a: '10.0.0.1/24', b: '10.0.0.2/24' }, delay: '10ms', ...link }],
    programs: { a, b },
    faults,
    ...(until === undefined ? {} : { until }),
  })
}

export const run = (scenario: Scenario, options: Partial<RunOptions> = {}): Promise<Outcome> =>
  runScenario(scenario, { seed: '1', files: new MemoryFiles(), ...options })

/** What programs do, in the order in which they do it, each with its time in milliseconds. */
export class Log {
  readonly lines: string[] = []

  say(host: Host, what: string): void {
    this.lines.push(`${msOf(host.now)} ${host.name} ${what}`)
  }
}

export const msOf = (t: Nanos): string => String(t / 1e6)

/** `'ECONNREFUSED'`, or that it went well. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work)
    return 'no error'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** Bytes that look random and are the same for the same seed. */
export function randomBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1
  for (let i = 0; i < length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state >>> 8
  }
  return bytes
}
