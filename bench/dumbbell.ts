import process from 'node:process'
import { type Nanos, s } from '../protocols/time.ts'
import dumbbell from '../scenarios/dumbbell.ts'
import type { Sink } from '../sim/bulk.ts'
import { MemoryFiles } from '../sim/files.ts'
import { type Params, resolveParams } from '../sim/params.ts'
import { type Host, Programs } from '../sim/programs.ts'
import type { Given } from '../sim/scenario.ts'
import { planNetwork } from '../sim/topology.ts'
import { World } from '../sim/world.ts'
import { TraceDigest } from '../trace/digest.ts'
import type { TraceObserver } from '../trace/record.ts'
import { TraceStatistics } from '../trace/statistics.ts'
import { type Benchmark, cpuSecondsSince, type Row } from './measure.ts'

interface Dumbbell {
  readonly flows: number
  readonly rate: string
  readonly seconds: number
}

const GIGABIT: Dumbbell = { flows: 10, rate: '1Gbit', seconds: 10 }

export const benchmarks: readonly Benchmark[] = [
  entry('dumbbell-10x100M', { flows: 10, rate: '100Mbit', seconds: 30 }),
  entry('dumbbell-10x1G', GIGABIT),
  entry('dumbbell-100x100M', { flows: 100, rate: '100Mbit', seconds: 30 }),
  { name: 'tracing', run: compareTracing },
]

function entry(name: string, size: Dumbbell): Benchmark {
  return { name, run: () => runTwice(size) }
}

/** ns-3 comes compiled, we compile ourselves as we run: the second run counts, the first is shown. */
async function runTwice(size: Dumbbell): Promise<Row> {
  const cold = await runDumbbell(size, null)
  const warm = await runDumbbell(size, null)
  return { ...warm, coldSegmentsPerCpuSecond: cold['segmentsPerCpuSecond']! }
}

/** The shipped scenario, run as a program would, with nobody or somebody listening. */
async function runDumbbell(size: Dumbbell, observer: TraceObserver | null): Promise<Row> {
  const { flows, rate, seconds } = size
  const { spec } = dumbbell
  const settings = { flows: String(flows), rate, time: `${seconds}s` }
  const files = new MemoryFiles()
  const { values } = resolveParams(spec.params as Params, settings, files)
  const given = <T>(part: Given<typeof values, T>): T =>
    typeof part === 'function' ? (part as (p: typeof values) => T)(values) : part
  const network = planNetwork(given(spec.topology), given(spec.links))
  const world = new World(network, { seed: '1', ...(observer === null ? {} : { observer }) })
  const programs = new Programs(world, files)
  const sinks: Sink[] = []
  for (const [name, program] of Object.entries(given(spec.programs ?? {}))) {
    for (const each of [program].flat()) {
      programs.start(world.node(name), (host) => each(withSinks(host, sinks)))
    }
  }

  const until: Nanos = s(seconds)
  const start = process.cpuUsage()
  await programs.settle()
  while (world.nextDue() <= until) {
    world.step()
    if (programs.mayGoOn) await programs.settle()
  }
  const cpuSeconds = cpuSecondsSince(start)

  const bottleneck = world.links[0]!
  // What the queue took: the data segments that crossed the bottleneck.
  const segments = bottleneck.offered - bottleneck.discarded
  const rates = sinks.map(({ bytes }) => (bytes * 8) / seconds / 1e6)
  const sum = rates.reduce((a, b) => a + b, 0)
  const squares = rates.reduce((a, b) => a + b * b, 0)
  return {
    segmentsPerCpuSecond: Math.round(segments / cpuSeconds),
    eventsPerCpuSecond: Math.round(world.events / cpuSeconds),
    cpuSeconds: rounded(cpuSeconds, 3),
    segments,
    events: world.events,
    drops: bottleneck.discarded,
    goodputMbit: rounded(sum, 2),
    // 1: every flow has the same; 1/n: one flow has everything.
    jain: rounded((sum * sum) / (flows * squares), 4),
  }
}

/** The same host, whose sinks are counted. */
function withSinks(host: Host, sinks: Sink[]): Host {
  const sink = (port: number): Sink => {
    const made = host.sink(port)
    sinks.push(made)
    return made
  }
  return Object.assign(Object.create(host) as Host, { sink })
}

/** Nobody listens; then digest and statistics do, as in `twinwire run`. */
async function compareTracing(): Promise<Row> {
  await runDumbbell(GIGABIT, null) // compiles
  const [off, on] = [await runDumbbell(GIGABIT, null), await runDumbbell(GIGABIT, listeners())]
  const speedOff = Number(off['segmentsPerCpuSecond'])
  const speedOn = Number(on['segmentsPerCpuSecond'])
  return {
    segmentsPerCpuSecond: speedOff,
    tracedSegmentsPerCpuSecond: speedOn,
    tracedShare: rounded(speedOn / speedOff, 3),
  }
}

function listeners(): TraceObserver {
  const digest = new TraceDigest()
  const statistics = new TraceStatistics({ rates: new Map() })
  return (record) => {
    digest.observer(record)
    statistics.observer(record)
  }
}

const rounded = (figure: number, digits: number): number => Number(figure.toFixed(digits))
