import { produce } from 'immer'
import type { Application, ApplicationInput } from '../protocols/application.ts'
import type { SocketCall, SocketEvent } from '../protocols/host/socket.ts'
import { nextSocket } from '../protocols/host/state.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

/** An application that runs: what its user may do with it. */
export interface RunningApplication<State, Command> {
  readonly state: State
  command(command: Command): void
}

/** What is below an application: the sockets of a simulated host, or of a kernel. */
export interface SocketLayer {
  /** The host is up, and still the one on which the application was started. */
  readonly isAlive: boolean
  readonly now: Nanos
  /** Makes a call. What it answers, now or later, and news of its socket go to `hear`. */
  call(call: SocketCall, hear: (event: SocketEvent) => void): void
  /** Wakes once, at a time of `now`; the result takes that back. */
  at(time: Nanos, wake: () => void): () => void
}

/**
 * The one deadline of an application. Most are only ever moved back, so the layer is asked again
 * when it has woken us too early, and not each time.
 */
class Alarm {
  readonly #layer: SocketLayer
  readonly #ring: () => void
  #due: Nanos = NEVER
  #armed: Nanos = NEVER
  #cancel: (() => void) | null = null

  constructor(layer: SocketLayer, ring: () => void) {
    this.#layer = layer
    this.#ring = ring
  }

  set(at: Nanos): void {
    this.#due = at
    if (at >= this.#armed && at !== NEVER) return
    this.#cancel?.()
    this.#cancel = null
    this.#armed = NEVER
    if (at !== NEVER) this.#arm(at)
  }

  #arm(at: Nanos): void {
    this.#armed = at
    this.#cancel = this.#layer.at(at, () => this.#woken())
  }

  #woken(): void {
    this.#armed = NEVER
    this.#cancel = null
    if (this.#due > this.#layer.now) return this.#arm(this.#due)
    this.#due = NEVER
    this.#ring()
  }
}

/** Runs an engine above sockets. `recorded`: its states are immutable, by Immer. */
export function runApplication<State, Command, Report>(
  layer: SocketLayer,
  engine: Application<State, Command, Report>,
  initial: State,
  report: (report: Report, now: Nanos) => void,
  recorded = false,
): RunningApplication<State, Command> {
  const calls: SocketCall[] = []
  const reports: Report[] = []
  let state = initial
  let running = false
  const alarm = new Alarm(layer, () => step({ kind: 'timer' }))

  const out = {
    call: (call: SocketCall) => void calls.push(call),
    report: (said: Report) => void reports.push(said),
    wake: (at: Nanos) => alarm.set(at),
  }
  const hear = (event: SocketEvent): void => step({ kind: 'socket', event })
  // A step is over before its reports are heard and its calls made: what comes of them is a step of
  // its own.
  function step(input: ApplicationInput<Command>): void {
    if (!layer.isAlive) return
    if (recorded) {
      state = produce(state, (draft) => {
        engine.step(draft as State, layer.now, input, out)
      })
    } else engine.step(state, layer.now, input, out)
    while (reports.length > 0) report(reports.shift()!, layer.now)
    if (running) return
    running = true
    while (calls.length > 0) layer.call(calls.shift()!, hear)
    running = false
  }
  step({ kind: 'start' })
  return {
    get state() {
      return state
    },
    command: (command) => step({ kind: 'command', command }),
  }
}

/**
 * Starts an application engine on a simulated host, until the run ends or the host goes down. Its
 * deadlines go by the host's clock.
 */
export const startApplication = <State, Command, Report>(
  world: World,
  node: Node,
  engine: Application<State, Command, Report>,
  state: State,
  report: (report: Report, now: Nanos) => void,
): RunningApplication<State, Command> =>
  runApplication(new NodeSockets(world, node), engine, state, report, world.recorded)

class NodeSockets implements SocketLayer {
  readonly #world: World
  readonly #node: Node
  readonly #boots: number

  constructor(world: World, node: Node) {
    this.#world = world
    this.#node = node
    this.#boots = node.boots
  }

  get isAlive(): boolean {
    return this.#node.up && this.#node.boots === this.#boots
  }

  get now(): Nanos {
    return this.#node.now
  }

  call(call: SocketCall, hear: (event: SocketEvent) => void): void {
    const node = this.#node
    const handler = (event: SocketEvent): void => {
      // A connection that a listener accepted is heard by the listener's owner.
      if (event.kind === 'accepted') node.handle(event.socket, handler)
      hear(event)
    }
    if (call.kind === 'open') node.handle(nextSocket(node.state), handler)
    node.call(call)
  }

  at(time: Nanos, wake: () => void): () => void {
    const node = this.#node
    return this.#world.at(node.toWorld(time), () => node.whenRunning(wake))
  }
}
