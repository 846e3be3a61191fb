import { benchmarks as dumbbells } from './dumbbell.ts'
import { benchmarks as eventLoops } from './event-loop.ts'
import { benchmarks as idle } from './idle.ts'
import type { Benchmark } from './measure.ts'
import type { Ns3Program } from './ns3.ts'
import { benchmarks as captures } from './pcapng.ts'

/** How a benchmark is run and judged. */
export interface Plan {
  readonly benchmark: Benchmark
  /** The figure that decides which of several runs is the median. */
  readonly main: string
  readonly goals: readonly Goal[]
  readonly peer?: Peer
}

/** A bound on a figure of the row. `floor`: what must hold even where the target is missed. */
export interface Goal {
  readonly figure: string
  readonly atLeast?: number
  readonly atMost?: number
  readonly floor?: number
}

/** The same workload on ns-3. The row gets its figure, and `ratioToNs3`: how much better ours is. */
export interface Peer {
  readonly program: Ns3Program
  /** The best of these counts. */
  readonly variants: readonly (readonly string[])[]
  readonly figure: string
  /** What ours is compared with it; `less` where the smaller one is better. */
  readonly ours: string
  readonly better: 'more' | 'less'
  /** Fewer where the peer takes its time. */
  readonly rounds?: number
}

const SCHEDULERS = ['Map', 'Heap', 'Calendar', 'PriorityQueue'].map((name) => `${name}Scheduler`)

function eventLoop(name: string, target: number, floor: number): Plan {
  const pending = name.endsWith('100k') ? 100_000 : 1_000
  const rearm = name.includes('rearm')
  // A calendar of 100,000 deadlines that nearly all are cancelled takes minutes for each round.
  const hopeless = (scheduler: string) =>
    rearm && pending > 1_000 && scheduler.startsWith('Calendar')
  const schedulers = SCHEDULERS.filter((scheduler) => !hopeless(scheduler))
  const settings = [`--pending=${pending}`, `--rearm=${rearm ? 1 : 0}`]
  return {
    benchmark: named(eventLoops, name),
    main: 'eventsPerSecond',
    goals: [
      { figure: 'eventsPerSecond', atLeast: target },
      { figure: 'ratioToNs3', atLeast: floor },
    ],
    peer: {
      program: 'event-loop',
      variants: schedulers.map((scheduler) => [...settings, `--scheduler=${scheduler}`]),
      figure: 'eventsPerSecond',
      ours: 'eventsPerSecond',
      better: 'more',
    },
  }
}

function dumbbell(name: string, settings: readonly string[], goals: readonly Goal[]): Plan {
  const figure = 'segmentsPerCpuSecond'
  return {
    benchmark: named(dumbbells, name),
    main: figure,
    goals,
    peer: { program: 'dumbbell', variants: [settings], figure, ours: figure, better: 'more' },
  }
}

const idlePeer: Omit<Peer, 'figure' | 'ours' | 'rounds'> = {
  program: 'idle',
  variants: [['--connections=10000']],
  better: 'less',
}

const named = (benchmarks: readonly Benchmark[], name: string): Benchmark =>
  benchmarks.find((benchmark) => benchmark.name === name)!

const RATIO: Goal = { figure: 'ratioToNs3', atLeast: 20, floor: 10 }

export const plans: readonly Plan[] = [
  eventLoop('event-loop-1k', 15e6, 1),
  eventLoop('event-loop-100k', 6e6, 1),
  eventLoop('event-loop-rearm-1k', 8e6, 3),
  eventLoop('event-loop-rearm-100k', 3.5e6, 3),
  dumbbell('dumbbell-10x100M', ['--flows=10', '--rate=100Mbps', '--seconds=30'], [RATIO]),
  dumbbell(
    'dumbbell-10x1G',
    ['--flows=10', '--rate=1Gbps', '--seconds=10'],
    [{ figure: 'segmentsPerCpuSecond', atLeast: 1e6 }, RATIO],
  ),
  dumbbell('dumbbell-100x100M', ['--flows=100', '--rate=100Mbps', '--seconds=30'], [RATIO]),
  { benchmark: named(dumbbells, 'tracing'), main: 'segmentsPerCpuSecond', goals: [] },
  {
    benchmark: named(idle, 'idle-10k'),
    main: 'connectCpuSeconds',
    goals: [{ figure: 'eventsInTheHourAfter', atMost: 0 }],
    // Time to open them.
    peer: { ...idlePeer, figure: 'connectCpuSeconds', ours: 'connectCpuSeconds', rounds: 1 },
  },
  {
    benchmark: named(idle, 'idle-100k'),
    main: 'connectCpuSeconds',
    goals: [
      { figure: 'connectCpuSeconds', atMost: 3 },
      { figure: 'bytesPerEndpoint', atMost: 700 },
      { figure: 'eventsInTheHourAfter', atMost: 0 },
      { figure: 'ratioToNs3', atLeast: 10 },
    ],
    // Memory, the peer's with 10,000: its time to open connections grows faster than their number.
    peer: { ...idlePeer, figure: 'bytesPerEndpoint', ours: 'bytesPerEndpoint', rounds: 1 },
  },
  {
    benchmark: named(captures, 'pcapng'),
    main: 'framesPerCpuSecond',
    goals: [{ figure: 'framesPerCpuSecond', atLeast: 300e3 }],
  },
]
