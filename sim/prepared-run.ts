import { NEVER, type Nanos } from '../protocols/time.ts'
import { type StreamHash, TraceDigest } from '../trace/digest.ts'
import { fairnessOf } from '../trace/fairness.ts'
import type { TraceObserver } from '../trace/record.ts'
import type { SeriesObserver } from '../trace/series.ts'
import { TraceStatistics } from '../trace/statistics.ts'
import { bindNetwork, type Outlet } from './binding.ts'
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
import { type Network, planNetwork } from './topology.ts'
import { parseDuration } from './units.ts'
import { isRefusal, refused, UserError } from './user-error.ts'
import { World } from './world.ts'

export interface PrepareOptions {
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
  /** Makes what the digest is computed with. Default: our own SHA-256, everywhere the same. */
  readonly hash?: () => StreamHash
  /** Hears how congestion windows, round-trip times and queues change. */
  readonly series?: SeriesObserver
  /** Places of the network that are left to the outside: nodes, link ends, switch ports. */
  readonly places?: readonly string[]
  /** Faster, for runs that nobody will compare: no digest, and no watch over what must hold. */
  readonly unjudged?: boolean
}

/** A scenario that stands ready: its world and programs, for whoever moves the clock. */
export class PreparedRun {
  readonly scenario: Scenario
  readonly seed: string
  /** The parameters as text that would set them again. */
  readonly params: { readonly [name: string]: string }
  readonly network: Network
  /** What is bound, in the order of `places`. */
  readonly outlets: readonly Outlet[]
  readonly world: World
  readonly programs: Programs
  /** The latest end; `NEVER` where there is none. */
  readonly until: Nanos
  /** `null` where nobody will compare. */
  readonly digest: TraceDigest | null
  readonly #values: ParamValues<Params>
  readonly #statistics: TraceStatistics
  readonly #series: WorldSeries | null
  readonly #faults: Faults

  /** @throws UserError for what the user wrote. */
  constructor(scenario: Scenario, options: PrepareOptions) {
    const { spec } = scenario
    const { files = new MemoryFiles() } = options
    const { values, text } = resolveParams(spec.params ?? {}, options.settings ?? {}, files)
    const given = <T>(part: Given<typeof values, T>): T =>
      typeof part === 'function' ? (part as (p: typeof values) => T)(values) : part
    const planned = planNetwork(given(spec.topology), given(spec.links))
    const { network, outlets } = bindNetwork(planned, options.places ?? [])
    this.scenario = scenario
    this.seed = options.seed
    this.params = text
    this.network = network
    this.outlets = outlets
    this.#values = values
    this.#statistics = new TraceStatistics({ rates: ratesOf(network) })
    const compared = options.unjudged !== true
    this.digest = compared ? new TraceDigest(options.hash?.()) : null
    const observers = this.digest === null ? [] : [this.digest.observer]
    observers.push(this.#statistics.observer, ...(options.observers ?? []))
    this.#series = options.series === undefined ? null : new WorldSeries(options.series)
    if (this.#series !== null) observers.push(this.#series.observer)
    this.world = new World(network, {
      seed: options.seed,
      recorded: options.recorded ?? false,
      wireExact: options.wireExact ?? false,
      observer: (record) => {
        for (const observe of observers) observe(record)
      },
      ...(compared ? { monitor: this.#series ?? new Monitor() } : {}),
    })
    this.#series?.watch(this.world)
    this.programs = new Programs(this.world, files, observers)
    this.#faults = new Faults(this.world, this.programs, given(spec.faults ?? []))
    if (this.#faults.observer !== null) observers.push(this.#faults.observer)
    const bound = new Set(outlets.map(({ node }) => node))
    startPrograms(this.world, this.programs, given(spec.programs ?? {}), bound)
    this.until = endOf(spec, values, options.until)
  }

  /** How it went so far. Call it once, at the end. */
  outcome(): Outcome {
    const { programs, world } = this
    const { spec } = this.scenario
    this.#series?.end()
    const broken = programs.failure
    if (broken !== null && broken.error instanceof UserError) throw broken.error
    const flows = this.#statistics.flows()
    const outcome: Omit<Outcome, 'expectations' | 'verdict'> = {
      scenario: spec.name,
      seed: this.seed,
      params: this.params,
      digest: this.digest?.hex() ?? '',
      ended: world.now,
      lastFrameAt: this.#statistics.lastFrameAt,
      events: world.events,
      flows,
      links: this.#statistics.links(),
      hosts: this.#statistics.hosts(),
      fairness: fairnessOf(flows),
      notes: programs.notes,
      marks: programs.marks,
      samples: programs.samples.summaries(),
      faultsEnded: this.#faults.lastAt,
      failure: broken === null ? null : `program on ${broken.node}: ${messageOf(broken.error)}`,
    }
    const sorted = (name: string) => programs.samples.sorted(name)
    return judged({ outcome, sorted }, spec, this.#values)
  }
}

function ratesOf(network: Network): Map<string, number> {
  const rates = new Map<string, number>()
  for (const link of network.links) {
    rates.set(link.nameAB, link.optionsAB.rate)
    rates.set(link.nameBA, link.optionsBA.rate)
  }
  return rates
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
  /** Their programs run nowhere: whoever is outside has its own. */
  bound: ReadonlySet<string>,
): void {
  for (const [name, each] of Object.entries(written)) {
    if (bound.has(name)) continue
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
