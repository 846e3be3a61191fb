import type { Out } from '../protocols/engine.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import type { HostEvent } from '../protocols/host/event.ts'
import type { SocketCall, SocketEvent, SocketId } from '../protocols/host/socket.ts'
import type { HostState } from '../protocols/host/state.ts'
import type { Nanos } from '../protocols/time.ts'
import type { Driven } from './driver.ts'
import type { LinkDirection } from './link.ts'
import type { World } from './world.ts'

/** Hears what happens to a socket. Called after the step, never within it. */
export type SocketHandler = (event: SocketEvent) => void

/** A host or router in a world: its engine, what it is plugged into, who runs on it. */
export class Node implements Out<EthernetFrame, HostEvent> {
  readonly name: string
  readonly driven: Driven<HostState, SocketCall, EthernetFrame, HostEvent>
  /** Links that lead away, by port. */
  readonly ports: LinkDirection[] = []
  readonly #world: World
  /** The queue's source of each timer set, by owner; -1 where it never had a deadline. */
  readonly #sources: number[] = []
  readonly #handlers: (SocketHandler | null)[] = []
  /** Socket events of the steps since the last `settle`. */
  readonly #pending: SocketEvent[] = []
  /** Those before `next` have been delivered; beyond `count` lie old ones. */
  #next = 0
  #count = 0

  constructor(
    world: World,
    name: string,
    driven: Driven<HostState, SocketCall, EthernetFrame, HostEvent>,
  ) {
    this.#world = world
    this.name = name
    this.driven = driven
  }

  get state(): HostState {
    return this.driven.state
  }

  receive(port: number, packet: EthernetFrame): void {
    this.driven.step(this.#world.now, { kind: 'packet', packet, port }, this)
    this.settle()
  }

  timer(owner: number): void {
    this.driven.step(this.#world.now, { kind: 'timer', owner }, this)
    this.settle()
  }

  /** A call by an application. Its answers come to the socket's handler, within this call. */
  call(call: SocketCall): void {
    this.#world.called(this, call)
    this.driven.step(this.#world.now, { kind: 'call', call }, this)
    this.settle()
  }

  /** Who hears of a socket from now on. Connections that a listener accepts are heard by it. */
  handle(socket: SocketId, handler: SocketHandler): void {
    while (this.#handlers.length <= socket) this.#handlers.push(null)
    this.#handlers[socket] = handler
  }

  /**
   * Hands the events of a step to the applications, in order; they may call, which brings more.
   * The answers to a call from within a handler are heard within that call, too.
   */
  settle(): void {
    while (this.#next < this.#count) this.#deliver(this.#pending[this.#next++]!)
    this.#next = 0
    this.#count = 0
  }

  #deliver(event: SocketEvent): void {
    const heardBy = event.kind === 'accepted' ? event.listener : event.socket
    this.#handlers[heardBy]?.(event)
    if (event.kind === 'closed') this.#handlers[event.socket] = null
  }

  // What the engine says, while a step runs.

  send(frame: EthernetFrame, port: number): void {
    this.#world.sent(this, this.ports[port]!, port, frame)
  }

  event(event: HostEvent): void {
    this.#world.said(this, event)
    switch (event.kind) {
      case 'dropped':
      case 'tcp-state':
      case 'retransmit':
      case 'spurious':
      case 'rtt':
      case 'timer':
      case 'neighbour':
      case 'address-conflict':
        return
      default:
        this.#pending[this.#count++] = event
    }
  }

  wake(owner: number, at: Nanos): void {
    const source = this.#sources[owner]
    if (source === undefined || source < 0) {
      if (at === Infinity) return
      while (this.#sources.length <= owner) this.#sources.push(-1)
      this.#sources[owner] = this.#world.addTimerSource(this, owner, at)
      return
    }
    this.#world.wakeSource(source, at)
  }
}
