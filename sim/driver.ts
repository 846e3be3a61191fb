import { enableMapSet, enablePatches, type Patch, produceWithPatches } from 'immer'
import type { Engine, Input, Out } from '../protocols/engine.ts'
import type { Nanos } from '../protocols/time.ts'

/** An engine with its state. The two ways to run a step are one line apart. */
export interface Driven<State, Call, Packet, Event> {
  readonly state: State
  step(now: Nanos, input: Input<Call, Packet>, out: Out<Packet, Event>): void
}

/** One mutable state, changed in place. */
export function inPlace<State, Call, Packet, Event>(
  engine: Engine<State, Call, Packet, Event>,
  state: State,
): Driven<State, Call, Packet, Event> {
  return { state, step: (now, input, out) => engine.step(state, now, input, out) }
}

/** What a step did to a state, forth and back. */
export type StepObserver = (now: Nanos, redo: readonly Patch[], undo: readonly Patch[]) => void

/**
 * Every step leaves an immutable state, which shares with the one before what has not changed.
 * Frozen, so that a write outside a step throws.
 */
export function recorded<State, Call, Packet, Event>(
  engine: Engine<State, Call, Packet, Event>,
  initial: State,
  observe: StepObserver = () => {},
): Driven<State, Call, Packet, Event> {
  enablePatches()
  enableMapSet()
  let state = initial
  return {
    get state() {
      return state
    },
    step(now, input, out) {
      const [next, redo, undo] = produceWithPatches(state, (draft) => {
        engine.step(draft as State, now, input, out)
      })
      state = next
      observe(now, redo, undo)
    },
  }
}
