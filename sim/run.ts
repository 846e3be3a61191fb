import { NEVER, type Nanos } from '../protocols/time.ts'
import type { Outcome } from './outcome.ts'
import { type PrepareOptions, PreparedRun } from './prepared-run.ts'
import type { Scenario } from './scenario.ts'
import { Standstill } from './standstill.ts'
import { turn } from './turn.ts'

export interface RunOptions extends PrepareOptions {
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
  const run = new PreparedRun(scenario, options)
  await advance(run, options)
  return run.outcome()
}

/** Event by event; whenever a program may go on, it does so before the clock moves. */
async function advance(run: PreparedRun, options: RunOptions): Promise<void> {
  const { world, programs, until } = run
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
