import { produce } from 'immer'
import type { Application, ApplicationInput } from '../protocols/application.ts'
import type { SocketCall, SocketEvent } from '../protocols/host/socket.ts'
import { nextSocket } from '../protocols/host/state.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'
import type { Node } from './node.ts'
import type { World } from './world.ts'

/** An application that runs on a host of the world: what its user may do with it. */
export interface RunningApplication<State, Command> {
  readonly state: State
  command(command: Command): void
}

/**
 * Starts an application engine on a simulated host, until the run ends or the host goes down. Its
 * deadlines go by the host's clock.
 */
export function startApplication<State, Command, Report>(
  world: World,
  node: Node,
  engine: Application<State, Command, Report>,
  state: State,
  report: (report: Report, now: Nanos) => void,
): RunningApplication<State, Command> {
  const { boots } = node
  const calls: SocketCall[] = []
  let running = false
  let cancel: (() => void) | null = null
  let current = state
  const isAlive = (): boolean => node.up && node.boots === boots

  const out = {
    call: (call: SocketCall) => void calls.push(call),
    report: (said: Report) => report(said, node.now),
    wake: (at: Nanos) => {
      cancel?.()
      const timer = () => {
        cancel = null
        node.whenRunning(() => step({ kind: 'timer' }))
      }
      cancel = at === NEVER ? null : world.at(node.toWorld(at), timer)
    },
  }
  const hear = (event: SocketEvent): void => {
    if (event.kind === 'accepted') node.handle(event.socket, hear)
    step({ kind: 'socket', event })
  }
  // A step is over before its calls are made: their answers are steps of their own.
  function step(input: ApplicationInput<Command>): void {
    if (!isAlive()) return
    if (world.recorded) {
      current = produce(current, (draft) => {
        engine.step(draft as State, node.now, input, out)
      })
    } else engine.step(current, node.now, input, out)
    if (running) return
    running = true
    for (let call = calls.shift(); call !== undefined; call = calls.shift()) {
      if (call.kind === 'open') node.handle(nextSocket(node.state), hear)
      node.call(call)
    }
    running = false
  }
  step({ kind: 'start' })
  return {
    get state() {
      return current
    },
    command: (command) => step({ kind: 'command', command }),
  }
}
