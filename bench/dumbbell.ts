import process from 'node:process'
import { nativeSha256 } from '../wire/native-sha256.ts'
import { TraceDigest } from '../trace/digest.ts'
import type { TraceObserver } from '../trace/record.ts'
import { TraceStatistics } from '../trace/statistics.ts'
import { type Benchmark, cpuSecondsSince, type Row } from './measure.ts'
import { jain, runSharedLink } from './shared-link.ts'

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
  return { name, run: () => runWarm(size) }
}

/** CPU seconds until the compiler has nothing left to do; each run takes one or two. */
const WARM_UP = 4

/**
 * ns-3 comes compiled, we compile ourselves as we run, and again with what is learnt on the way: the run
 * behind the warm-up counts, the first is shown.
 */
async function runWarm(size: Dumbbell): Promise<Row> {
  const cold = await runDumbbell(size, null)
  let spent = Number(cold['cpuSeconds'])
  while (spent < WARM_UP) spent += Number((await runDumbbell(size, null))['cpuSeconds'])
  const warm = await runDumbbell(size, null)
  return { ...warm, coldSegmentsPerCpuSecond: cold['segmentsPerCpuSecond']! }
}

async function runDumbbell(size: Dumbbell, observer: TraceObserver | null): Promise<Row> {
  const { flows, rate, seconds } = size
  const settings = { flows: String(flows), rate }
  const start = process.cpuUsage()
  const run = await runSharedLink({ settings, seconds, observer })
  const cpuSeconds = cpuSecondsSince(start)
  const { world, goodputs, carried, drops } = run
  return {
    segmentsPerCpuSecond: Math.round(carried / cpuSeconds),
    eventsPerCpuSecond: Math.round(world.events / cpuSeconds),
    cpuSeconds: rounded(cpuSeconds, 3),
    segments: carried,
    events: world.events,
    drops,
    goodputMbit: rounded((goodputs.reduce((a, b) => a + b, 0) * 8) / 1e6, 2),
    jain: rounded(jain(goodputs), 4),
  }
}

/** Nobody listens; then digest and statistics do, as in `twinwire run`. */
async function compareTracing(): Promise<Row> {
  // Both compile before they count.
  for (const observer of [null, listeners()]) await runDumbbell(GIGABIT, observer)
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
  const digest = new TraceDigest(nativeSha256())
  const statistics = new TraceStatistics({ rates: new Map() })
  return (record) => {
    digest.observer(record)
    statistics.observer(record)
  }
}

const rounded = (figure: number, digits: number): number => Number(figure.toFixed(digits))
