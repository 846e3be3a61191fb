import type { SocketCall, SocketEvent } from './host/socket.ts'
import type { Nanos } from './time.ts'

/*
 * Application engines: what a program on a host is, without its I/O. One hears the events of its
 * sockets and asks for socket calls; it knows neither the host nor the world below. So the same
 * engine runs on a simulated host, on our stack bound to a device, and on a kernel's own sockets.
 */

/** What an application hears. `Command` is what its user may ask of it. */
export type ApplicationInput<Command> =
  /** First of all, once. */
  | { readonly kind: 'start' }
  /** An answer to a call, or news of one of its sockets. */
  | { readonly kind: 'socket'; readonly event: SocketEvent }
  /** The deadline that it last said with `wake` has come. */
  | { readonly kind: 'timer' }
  | { readonly kind: 'command'; readonly command: Command }

/** What an application may do. `Report` is what it tells its user. */
export interface ApplicationOut<Report> {
  /**
   * Calls are carried out after the step, in order, and what they answer comes as further inputs,
   * each call's answers before the next call is made. `open` is answered by `opened` in that order,
   * so an application that opens several sockets knows them by it.
   */
  call(call: SocketCall): void
  report(report: Report): void
  /** The earliest deadline is now `at`; it lives in the state. `NEVER`: there is none. */
  wake(at: Nanos): void
}

/**
 * A pure state machine above sockets: `step` changes the state it is handed and says everything else
 * through `out`. A generator that it draws from keeps its state inside `State`.
 */
export interface Application<State, Command, Report> {
  readonly name: string
  step(
    state: State,
    now: Nanos,
    input: ApplicationInput<Command>,
    out: ApplicationOut<Report>,
  ): void
}
