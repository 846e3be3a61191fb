import { EventQueue } from '../sim/event-queue.ts'
import type { Nanos } from '../protocols/time.ts'

/**
 * The bare event loop. Every event schedules its successor 1 … 2,000,000 ns later (the hold
 * model); in the re-arming variants it also pushes a 200 ms deadline ahead of itself, as every
 * ACK does to a retransmission timer. The ns-3 programs of the same shape cancel and schedule.
 */
const STEP: Nanos = 2_000_000
const DEADLINE: Nanos = 200_000_000
const EVENTS = 4_000_000
const ROUNDS = 5

export const benchmarks: readonly { name: string; run(): Record<string, number | string> }[] = [
  { name: 'event-loop-1k', run: () => report('event-loop-1k', hold, 1_000) },
  { name: 'event-loop-100k', run: () => report('event-loop-100k', hold, 100_000) },
  { name: 'event-loop-rearm-1k', run: () => report('event-loop-rearm-1k', rearm, 1_000) },
  { name: 'event-loop-rearm-100k', run: () => report('event-loop-rearm-100k', rearm, 100_000) },
]

type Workload = (pending: number, events: number) => void

/** The median of several rounds, after one that lets the compiler warm up. */
function report(
  name: string,
  workload: Workload,
  pending: number,
): Record<string, number | string> {
  workload(pending, EVENTS / 4)
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    workload(pending, EVENTS)
    const { user, system } = process.cpuUsage(before)
    rates.push((EVENTS * 1e6) / (user + system))
  }
  rates.sort((a, b) => a - b)
  return { name, pending, events: EVENTS, eventsPerSecond: Math.round(rates[ROUNDS >> 1]!) }
}

function hold(pending: number, events: number): void {
  const queue = new EventQueue()
  state = SEED
  for (let i = 0; i < pending; i++) queue.schedule(queue.addSource(), draw())
  for (let left = events; left > 0; left--) {
    queue.schedule(queue.topSource, queue.topTime + draw())
  }
}

/** Sources come in pairs: the even one ticks, the odd one behind it holds its deadline. */
function rearm(pending: number, events: number): void {
  const queue = new EventQueue()
  state = SEED
  const deadlines = new Float64Array(2 * pending).fill(DEADLINE)
  for (let i = 0; i < pending; i++) {
    queue.schedule(queue.addSource(), draw())
    queue.schedule(queue.addSource(), DEADLINE)
  }
  for (let left = events; left > 0;) {
    const source = queue.topSource
    const now = queue.topTime
    if ((source & 1) === 1) {
      // Popped early: the deadline has moved on since. This is not counted as an event.
      queue.schedule(source, deadlines[source]!)
      continue
    }
    queue.schedule(source, now + draw())
    deadlines[source + 1] = now + DEADLINE
    if (now + DEADLINE < queue.timeOf(source + 1)) queue.schedule(source + 1, now + DEADLINE)
    left--
  }
}

/** The generator of the ns-3 programs, in a module variable as there: spans from 1 to 2,000,000 ns. */
const SEED = 12345
let state = SEED

function draw(): Nanos {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return 1 + ((state >>> 0) % STEP)
}
