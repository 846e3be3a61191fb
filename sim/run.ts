import { NEVER, type Nanos } from '../protocols/time.ts'
import { TraceDigest } from '../trace/digest.ts'
import type { TraceObserver } from '../trace/record.ts'
import { fairnessOf } from '../trace/fairness.ts'
import type { SeriesObserver } from '../trace/series.ts'
import { TraceStatistics } from '../trace/statistics.ts'
import { evaluate, type Measured } from './expect.ts'
import { Faults } from './faults.ts'
import { type Files, MemoryFiles } from './files.ts'
import { Monitor } from './monitor.ts'
import type { Outcome } from './outcome.ts'
import { type Params, type ParamValues, resolveParams } from './params.ts'
import { Programs } from './programs.ts'
import type { Given, Scenario, ScenarioSpec } from './scenario.ts'
import { WorldSeries } from './series.ts'
import { SocketError } from './socket.ts'
import { Standstill } from './standstill.ts'
import { planNetwork } from './topology.ts'
import { turn } from './turn.ts'
import { parseDuration } from './units.ts'
import { isRefusal, refused, UserError } from './user-error.ts'
import { World } from './world.ts'

export interface RunOptions {
  /** Any text: everything random follows from it. */
  readonly seed: string
  /** Parameters as text, by name. */
  readonly settings?: { readonly [name: string]: string }
  /** Stops here, whatever the scenario says. */
  readonly until?: Nanos
  readonly recorded?: boolean
  readonly wireExact?: boolean
  /** Where programs read and write. Default: nothing but memory. */
  readonly files?: Files
  readonly observers?: readonly TraceObserver[]
  /** Hears how congestion windows, round-trip times and queues change. */
  readonly series?: SeriesObserver
  /** Hears how far the run is, many times a second of real time. */
  readonly onProgress?: (progress: Progress) => void
  /** Set `aborted` to end the run early; it then throws an `AbortedError`. */
  readonly signal?: { readonly aborted: boolean }
}

export interface Progress {
  readonly now: Nanos
  readonly events: number
  /** 0 to 1; `null` where nobody knows. */
  readonly fraction: number | null
}

/** The run was broken off from outside. */
export class AbortedError extends Error {
  override name = 'AbortedError'
}

/** So many events run before whoever waits outside gets a turn. */
const EVENTS_PER_TURN = 50_000

/**
 * Runs a scenario to its end: until its time is up, or nothing is left to do.
 *
 * @throws UserError for what the user wrote, InvariantError for a defect of ours.
 */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Outcome> {
  const { spec } = scenario
  const { files = new MemoryFiles() } = options
  const { values, text } = resolveParams(spec.params ?? {}, options.settings ?? {}, files)
  const given = <T>(part: Given<typeof values, T>): T =>
    typeof part === 'function' ? (part as (p: typeof values) => T)(values) : part
  const network = planNetwork(given(spec.topology), given(spec.links))

  const digest = new TraceDigest()
  const rates = new Map<string, number>()
  for (const link of network.links) {
    rates.set(link.nameAB, link.optionsAB.rate)
    rates.set(link.nameBA, link.optionsBA.rate)
  }
  const statistics = new TraceStatistics({ rates })
  const observers = [digest.observer, statistics.observer, ...(options.observers ?? [])]
  const series = options.series === undefined ? null : new WorldSeries(options.series)
  if (series !== null) observers.push(series.observer)
  const world = new World(network, {
    seed: options.seed,
    recorded: options.recorded ?? false,
    wireExact: options.wireExact ?? false,
    observer: (record) => {
      for (const observe of observers) observe(record)
    },
    monitor: series ?? new Monitor(),
  })
  series?.watch(world)
  const programs = new Programs(world, files, observers)
  const faults = new Faults(world, programs, given(spec.faults ?? []))
  if (faults.observer !== null) observers.push(faults.observer)
  startPrograms(world, programs, given(spec.programs ?? {}))
  const until = endOf(spec, values, options.until)
  await advance(world, programs, until, options)
  series?.end()

  const broken = programs.failure
  if (broken !== null && broken.error instanceof UserError) throw broken.error
  const flows = statistics.flows()
  const outcome: Omit<Outcome, 'expectations' | 'verdict'> = {
    scenario: spec.name,
    seed: options.seed,
    params: text,
    digest: digest.hex(),
    ended: world.now,
    lastFrameAt: statistics.lastFrameAt,
    events: world.events,
    flows,
    links: statistics.links(),
    hosts: statistics.hosts(),
    fairness: fairnessOf(flows),
    notes: programs.notes,
    marks: programs.marks,
    samples: programs.samples.summaries(),
    faultsEnded: faults.lastAt,
    failure: broken === null ? null : `program on ${broken.node}: ${messageOf(broken.error)}`,
  }
  return judged({ outcome, sorted: (name) => programs.samples.sorted(name) }, spec, values)
}

function judged(measured: Measured, spec: Scenario['spec'], values: ParamValues<Params>): Outcome {
  const complete: Outcome = { ...measured.outcome, expectations: [], verdict: 'failed' }
  if (complete.failure !== null) return complete
  const { expect = [] } = spec
  const written = typeof expect === 'function' ? expect(complete, values) : expect
  const expectations = written.map((each, index) =>
    'that' in each ? each : evaluate(each, measured, `expectation ${index + 1}`),
  )
  const passed = expectations.every(({ holds }) => holds)
  return { ...complete, expectations, verdict: passed ? 'passed' : 'failed' }
}

/** Event by event; whenever a program may go on, it does so before the clock moves. */
async function advance(
  world: World,
  programs: Programs,
  until: Nanos,
  options: RunOptions,
): Promise<void> {
  const { onProgress, signal } = options
  const standstill = new Standstill()
  let turnAt = EVENTS_PER_TURN
  await programs.settle()
  while (programs.failure === null && world.nextDue() <= until && world.nextDue() !== NEVER) {
    world.step()
    if (programs.mayGoOn) await programs.settle()
    if (world.events < turnAt) continue
    turnAt = world.events + EVENTS_PER_TURN
    await turn()
    if (signal?.aborted === true) throw new AbortedError('interrupted')
    standstill.check(world.now, world.events)
    const fraction = until === NEVER ? null : world.now / until
    onProgress?.({ now: world.now, events: world.events, fraction })
  }
  if (programs.failure === null && until !== NEVER) world.runUntil(until)
}

function endOf(spec: Scenario['spec'], values: ParamValues<Params>, limit: Nanos = NEVER): Nanos {
  if (spec.until === undefined) return limit
  const written = typeof spec.until === 'function' ? spec.until(values) : spec.until
  const parsed = parseDuration(written)
  if (isRefusal(parsed)) throw refused(parsed, 'until', String(written))
  return Math.min(parsed, limit)
}

function startPrograms(
  world: World,
  programs: Programs,
  written: Exclude<ScenarioSpec<Params>['programs'], undefined | ((p: never) => unknown)>,
): void {
  for (const [name, each] of Object.entries(written)) {
    const node = world.nodes.find((candidate) => candidate.name === name)
    if (node === undefined) {
      throw new UserError(`there is no node '${name}'`, { where: 'programs', word: name })
    }
    if (!node.isHost) {
      const message = `${name} is a switch or a hub: programs run on hosts and routers`
      throw new UserError(message, { where: 'programs', word: name })
    }
    for (const program of Array.isArray(each) ? each : [each]) programs.start(node, program)
  }
}

function messageOf(error: unknown): string {
  if (error instanceof SocketError) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
