import type { Application } from '../protocols/application.ts'
import type { Endpoint } from '../protocols/address.ts'
import type { SocketCall, SocketEvent, SocketId, SocketProtocol } from '../protocols/host/socket.ts'
import type { Nanos } from '../protocols/time.ts'
import { type RunningApplication, runApplication, type SocketLayer } from '../sim/application.ts'
import type { Hear, KernelPlace, KernelSocket } from './kernel-socket.ts'
import { KernelTcp } from './kernel-tcp.ts'
import { KernelUdp } from './kernel-udp.ts'
import { RealClock } from './real-clock.ts'

/** Makes a socket of a protocol that Node itself has none for (raw IP, ICMP). */
export type SocketMaker = (
  place: KernelPlace,
  call: SocketCall & { kind: 'open' },
  id: SocketId,
  hear: Hear,
) => KernelSocket

export interface KernelHostOptions {
  /** The family of sockets that are bound to any address. Default 4. */
  readonly family?: 4 | 6
  readonly makers?: { readonly [protocol in SocketProtocol]?: SocketMaker }
}

/**
 * The sockets of this machine's kernel, for application engines: the same engine that runs on a
 * simulated host runs here, under a real clock. Times count from when the host was made.
 */
export class KernelHost implements SocketLayer, KernelPlace {
  readonly family: 4 | 6
  readonly #makers: NonNullable<KernelHostOptions['makers']>
  readonly #clock = new RealClock()
  readonly #sockets: (KernelSocket | null)[] = []
  readonly #timers = new Set<() => void>()
  #alive = true

  constructor(options: KernelHostOptions = {}) {
    this.family = options.family ?? 4
    this.#makers = options.makers ?? {}
  }

  run<State, Command, Report>(
    engine: Application<State, Command, Report>,
    state: State,
    report: (report: Report, now: Nanos) => void,
  ): RunningApplication<State, Command> {
    return runApplication(this, engine, state, report)
  }

  /** Ends every socket and timer at once; nothing is heard any more. */
  close(): void {
    this.#alive = false
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    for (const socket of this.#sockets.splice(0)) socket?.destroy()
  }

  get isAlive(): boolean {
    return this.#alive
  }

  get now(): Nanos {
    return this.#clock.now
  }

  at(time: Nanos, wake: () => void): () => void {
    const cancel = this.#clock.at(time, () => {
      this.#timers.delete(forget)
      wake()
    })
    const forget = (): void => {
      this.#timers.delete(forget)
      cancel()
    }
    this.#timers.add(forget)
    return forget
  }

  call(call: SocketCall, hear: (event: SocketEvent) => void): void {
    if (call.kind === 'open') return this.#open(call, hear)
    const socket = this.#sockets[call.socket] ?? null
    if (socket !== null) socket.call(call)
    else hear({ kind: 'rejected', socket: call.socket, call: call.kind, error: 'EBADF' })
  }

  /** Where a socket is bound: the port that the kernel chose, say. `null`: not yet. */
  localOf(socket: SocketId): Endpoint | null {
    return this.#sockets[socket]?.local() ?? null
  }

  #open(call: SocketCall & { kind: 'open' }, hear: Hear): void {
    const { protocol } = call
    const id = this.#free()
    const make = this.#makers[protocol]
    if (make !== undefined) this.#sockets[id] = make(this, call, id, hear)
    else if (protocol === 'udp') this.#sockets[id] = new KernelUdp(this, id, hear)
    else if (protocol === 'tcp') this.#sockets[id] = new KernelTcp(this, hear).named(id)
    else return hear({ kind: 'rejected', socket: id, call: 'open', error: 'EOPNOTSUPP' })
    hear({ kind: 'opened', socket: id, protocol })
  }

  add(socket: KernelSocket): SocketId {
    const id = this.#free()
    this.#sockets[id] = socket
    return id
  }

  remove(id: SocketId): void {
    this.#sockets[id] = null
  }

  #free(): SocketId {
    const free = this.#sockets.indexOf(null)
    return free < 0 ? this.#sockets.length : free
  }
}
