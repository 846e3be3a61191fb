import { type Nanos, s } from '../protocols/time.ts'
import dumbbell from '../scenarios/dumbbell.ts'
import type { Sink } from '../sim/bulk.ts'
import { MemoryFiles } from '../sim/files.ts'
import { type Params, resolveParams } from '../sim/params.ts'
import { type Host, Programs } from '../sim/programs.ts'
import type { Given } from '../sim/scenario.ts'
import { planNetwork } from '../sim/topology.ts'
import { World } from '../sim/world.ts'
import type { TraceObserver } from '../trace/record.ts'

/** The shipped dumbbell, run as a program would, with nobody listening unless somebody is named. */
export interface SharedLink {
  /** As for `--set`. */
  readonly settings: { readonly [name: string]: string }
  readonly seconds: number
  /** What is measured begins after so many of them. Default: 0. */
  readonly warmUp?: number
  readonly observer?: TraceObserver | null
  readonly seed?: string
}

export interface SharedFigures {
  readonly world: World
  /** Bytes a second of each flow, in their order. */
  readonly goodputs: readonly number[]
  /** Frames that the bottleneck carried towards the receivers: data segments, nearly all of them. */
  readonly carried: number
  /** The same as a share of what its rate would have let it, were all as long as they can be. */
  readonly utilisation: number
  readonly drops: number
}

const FRAME_BITS = 1514 * 8

export async function runSharedLink(plan: SharedLink): Promise<SharedFigures> {
  const { settings, seconds, warmUp = 0, observer = null, seed = '1' } = plan
  const { spec } = dumbbell
  const files = new MemoryFiles()
  const all = { time: `${seconds}s`, ...settings }
  const { values } = resolveParams(spec.params as Params, all, files)
  const given = <T>(part: Given<typeof values, T>): T =>
    typeof part === 'function' ? (part as (p: typeof values) => T)(values) : part
  const network = planNetwork(given(spec.topology), given(spec.links))
  const world = new World(network, { seed, ...(observer === null ? {} : { observer }) })
  const programs = new Programs(world, files)
  const sinks: Sink[] = []
  for (const [name, program] of Object.entries(given(spec.programs ?? {}))) {
    for (const each of [program].flat()) {
      programs.start(world.node(name), (host) => each(withSinks(host, sinks)))
    }
  }
  await programs.settle()
  const bottleneck = world.links[0]!
  await runUntil(world, programs, s(warmUp))
  const before = { carried: carriedBy(bottleneck), drops: bottleneck.discarded }
  const bytes = sinks.map((sink) => sink.bytes)
  await runUntil(world, programs, s(seconds))
  const carried = carriedBy(bottleneck) - before.carried
  const span = seconds - warmUp
  return {
    world,
    goodputs: sinks.map((sink, i) => (sink.bytes - (bytes[i] ?? 0)) / span),
    carried,
    utilisation: (carried * FRAME_BITS) / (bottleneck.options.rate * span),
    drops: bottleneck.discarded - before.drops,
  }
}

async function runUntil(world: World, programs: Programs, until: Nanos): Promise<void> {
  while (world.nextDue() <= until) {
    world.step()
    if (programs.mayGoOn) await programs.settle()
  }
}

const carriedBy = (link: World['links'][number]): number => link.offered - link.discarded

/** The same host, whose sinks are counted. */
function withSinks(host: Host, sinks: Sink[]): Host {
  const sink = (port: number): Sink => {
    const made = host.sink(port)
    sinks.push(made)
    return made
  }
  return Object.assign(Object.create(host) as Host, { sink })
}

/** Jain's index: 1 where every flow has the same, 1/n where one has everything. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0))
}
