import type { Nanos } from '../protocols/time.ts'
import type { TraceObserver } from '../trace/record.ts'
import { type FaultAction, readAction } from './fault-actions.ts'
import { type Condition, readCondition } from './fault-condition.ts'
import type { Programs } from './programs.ts'
import { stream } from './random.ts'
import type { Fault, FaultActionSpec, Quantity, RandomFaults } from './scenario.ts'
import { parseDuration } from './units.ts'
import { isRefusal, refused, UserError } from './user-error.ts'
import type { World } from './world.ts'

/** Keys that say when; the rest of a fault says what. */
const WHEN_KEYS = ['at', 'every', 'from', 'until', 'when', 'after', 'times', 'random', 'for']

/**
 * Does to a world what a scenario's `faults` ask for, at their times. A fault with `for` is mended
 * after that span.
 */
export class Faults {
  /** When the last fault so far was mended, or done where nothing mends it. */
  lastAt: Nanos = 0
  readonly #world: World
  readonly #programs: Programs
  readonly #conditions: Condition[] = []

  constructor(world: World, programs: Programs, specs: readonly Fault[]) {
    this.#world = world
    this.#programs = programs
    for (const [index, spec] of specs.entries()) this.#read(spec, `fault ${index + 1}`)
  }

  /** Watches the trace for conditions; `null` where there are none. */
  get observer(): TraceObserver | null {
    if (this.#conditions.length === 0) return null
    return (record) => {
      for (const condition of this.#conditions) condition.see(record)
    }
  }

  #read(spec: Fault, where: string): void {
    const given = ['at', 'every', 'when', 'random'].filter((key) => key in spec)
    if (given.length !== 1) {
      throw new UserError(
        given.length === 0 ? 'it has no time' : `it has both '${given[0]}' and '${given[1]}'`,
        { where, hint: "say one of 'at', 'every', 'when' and 'random'" },
      )
    }
    if (spec.random !== undefined) return this.#random(spec.random, where)
    const action = this.#action(spec, where)
    const span = spec.for === undefined ? null : nanos(spec.for, `${where}: for`)
    if (spec.at !== undefined) this.#at(nanos(spec.at, `${where}: at`), action, span)
    else if (spec.every !== undefined) this.#every(spec, action, span, where)
    else if (spec.when !== undefined) this.#when(spec, action, span, where)
  }

  #action(spec: FaultActionSpec, where: string): FaultAction {
    const what = Object.fromEntries(
      Object.entries(spec).filter(([key]) => !WHEN_KEYS.includes(key)),
    )
    return readAction(what, this.#world, this.#programs, where)
  }

  #at(at: Nanos, action: FaultAction, span: Nanos | null): void {
    this.#world.at(at, () => this.#do(action, span))
  }

  #do(action: FaultAction, span: Nanos | null): void {
    const world = this.#world
    const mend = action.apply()
    world.fault(action.what)
    this.lastAt = world.now
    if (span === null || mend === null) return
    world.at(world.now + span, () => {
      mend()
      world.fault(`end of ${action.what}`)
      this.lastAt = world.now
    })
  }

  #every(spec: Fault, action: FaultAction, span: Nanos | null, where: string): void {
    const every = nanos(spec.every!, `${where}: every`)
    if (every === 0) throw new UserError('an interval is longer than nothing', { where })
    const from = spec.from === undefined ? every : nanos(spec.from, `${where}: from`)
    const until = endOf(spec.until, where)
    const next = (at: Nanos) => {
      if (at > until) return
      this.#world.at(at, () => {
        this.#do(action, span)
        next(at + every)
      })
    }
    next(from)
  }

  /** What the trace shows happens within a step: the fault is an event of its own behind it. */
  #when(spec: Fault, action: FaultAction, span: Nanos | null, where: string): void {
    const after = spec.after === undefined ? 0 : nanos(spec.after, `${where}: after`)
    const times = spec.times ?? 1
    this.#conditions.push(
      readCondition(spec.when!, times, where, this.#world, () => {
        this.#at(this.#world.now + after, action, span)
      }),
    )
  }

  /** Faults at random times, of random kinds and lengths, all from one stream of its own name. */
  #random(random: RandomFaults, where: string): void {
    const mean = nanos(random.every, `${where}: every`)
    const from = random.from === undefined ? 0 : nanos(random.from, `${where}: from`)
    const until = endOf(random.until, where)
    if (until === Infinity) throw new UserError("random faults need an 'until'", { where })
    if (mean === 0) throw new UserError('an interval is longer than nothing', { where })
    const shortest = nanos(random.for[0], `${where}: for`)
    const longest = nanos(random.for[1], `${where}: for`)
    const actions = random.of.map((what) => this.#action(what, where))
    if (actions.length === 0) throw new UserError("'of' names no fault", { where })
    const draw = stream(this.#world.seed, random.name ?? 'faults')
    const next = (after: Nanos) => {
      // Always three draws, so that one kind more or less moves no other.
      const at = after + Math.floor(2 * mean * draw())
      const action = actions[Math.floor(actions.length * draw())]!
      const span = shortest + Math.floor((longest - shortest) * draw())
      if (at + span > until) return
      this.#at(at, action, span)
      next(at + span)
    }
    next(from)
  }
}

function endOf(until: Quantity | undefined, where: string): Nanos {
  return until === undefined ? Infinity : nanos(until, `${where}: until`)
}

function nanos(span: Quantity, where: string): Nanos {
  const parsed = parseDuration(span)
  if (isRefusal(parsed)) throw refused(parsed, where, String(span))
  return parsed
}
