import type { Nanos } from './time.ts'

/**
 * A protocol engine: a name and one transition.
 *
 * `step` changes the state it is handed and says everything else through `out`. It may be handed
 * the real state or an Immer draft of it; it cannot tell which, and must not care. It reads no
 * clock, draws no ambient randomness, does no I/O and keeps nothing of its own.
 *
 * What goes out is a value: never a part of `state` that a later step writes. Packets are immutable
 * class instances for that reason (Immer leaves them alone), states are plain records.
 */
export interface Engine<State, Call, Packet, Event> {
  readonly name: string
  step(state: State, now: Nanos, input: Input<Call, Packet>, out: Out<Packet, Event>): void
}

export type Input<Call, Packet> =
  | { readonly kind: 'packet'; readonly packet: Packet; readonly port: number }
  | { readonly kind: 'timer'; readonly owner: number }
  | { readonly kind: 'call'; readonly call: Call }

export interface Out<Packet, Event> {
  /** Hand a packet to the layer below, or to the wire at `port`. */
  send(packet: Packet, port: number): void
  event(event: Event): void
  /**
   * The earliest deadline of the timer set `owner` is now `at`. The deadline itself lives in the
   * state; this only tells the world, which then steps the engine with `{ kind: 'timer', owner }`
   * no later than that. A call that comes early finds nothing due and says the next instant.
   */
  wake(owner: number, at: Nanos): void
}

/** Deadlines by name; `NEVER` is "not set". They are state, and the only copy. */
export type Timers<Name extends string> = { [name in Name]: Nanos }
