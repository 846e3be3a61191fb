import type { Out } from '../protocols/engine.ts'
import { assert } from '../protocols/assert.ts'
import { type EthernetFrame, NO_TAG } from '../protocols/ethernet/frame.ts'
import { vlanOf, withTag } from '../protocols/ethernet/vlan.ts'
import type { HubState } from '../protocols/ethernet/hub.ts'
import type { SwitchState } from '../protocols/ethernet/switch.ts'
import type { HostCall } from '../protocols/host/host.ts'
import { firstDeadlines } from '../protocols/host/readiness.ts'
import type { SocketEvent, SocketId } from '../protocols/host/socket.ts'
import type { HostState } from '../protocols/host/state.ts'
import type { Nanos } from '../protocols/time.ts'
import type { NodeEvent } from '../trace/record.ts'
import type { Driven } from './driver.ts'
import type { HostClock } from './host-clock.ts'
import type { LinkDirection } from './link.ts'
import type { World } from './world.ts'

/** Hears what happens to a socket. Called after the step, never within it. */
export type SocketHandler = (event: SocketEvent) => void

type NodeState = HostState | SwitchState | HubState
export type DrivenNode = Driven<NodeState, HostCall, EthernetFrame, NodeEvent>

/** Where an interface of a host hangs: the number that frames of its link arrive with, and its VLAN. */
export interface InterfaceTag {
  readonly arrives: number
  readonly vlan: number
}
const NO_TAGS: readonly InterfaceTag[] = []

/** So many frames wait for a paused host, as in a network card's ring. */
const HELD_MAX = 1024

type Held =
  | { readonly kind: 'packet'; readonly port: number; readonly packet: EthernetFrame }
  | { readonly kind: 'timer'; readonly owner: number }
  | { readonly kind: 'program'; readonly run: () => void }

/** A host, router, switch or hub in a world: its engine, what it is plugged into, who runs on it. */
export class Node implements Out<EthernetFrame, NodeEvent> {
  readonly name: string
  /** A host or a router: it has addresses and sockets, and programs run on it. */
  readonly isHost: boolean
  driven: DrivenNode
  /** Since the last `crash`, if any, it has been started. */
  up = true
  /** How often it was started. */
  boots = 1
  /** Links that lead away, by port. */
  readonly ports: LinkDirection[] = []
  /** Where frames go that leave by a port without a link; `null`: nowhere, nothing is plugged in. */
  outside: ((frame: EthernetFrame) => void) | null = null
  readonly #world: World
  /** The queue's source of each timer set, by owner; -1 where it never had a deadline. */
  readonly #sources: number[] = []
  #handlers: (SocketHandler | null)[] = []
  readonly #make: (boot: number) => DrivenNode
  /** `null`: the host's clock shows the world's time. */
  readonly #clock: HostClock | null
  /** Of a host on a trunk, by interface; `null`: none of its frames has a tag. */
  readonly #tags: readonly InterfaceTag[] | null
  /** What came while the host was paused, in order; `null` when it runs. */
  #held: Held[] | null = null
  /** Down or paused: nothing is processed. */
  #still = false
  /** Socket events of the steps since the last `settle`. */
  readonly #pending: SocketEvent[] = []
  /** Those before `next` have been delivered; beyond `count` lie old ones. */
  #next = 0
  #count = 0
  /** Who wants to hear that an address of the host may be used, or may not. */
  #addressWaiters: (() => void)[] = []
  #addressNews = false
  /** Programs that wait for a socket to become ready. */
  #watchers: (() => void)[] = []

  /** `make` builds the engine with a fresh state, at the start and after every crash. */
  constructor(
    world: World,
    name: string,
    isHost: boolean,
    make: (boot: number) => DrivenNode,
    clock: HostClock | null = null,
    tags: readonly InterfaceTag[] | null = null,
  ) {
    this.#world = world
    this.name = name
    this.isHost = isHost
    this.#make = make
    this.#clock = clock
    this.#tags = tags
    this.driven = make(this.boots)
    this.#start()
  }

  /** A host's own; a switch has none of this. */
  get state(): HostState {
    assert(this.isHost, 'the node is a host or a router')
    return this.driven.state as HostState
  }

  /** What the host's own clock shows. */
  get now(): Nanos {
    const { now } = this.#world
    return this.#clock === null ? now : this.#clock.toLocal(now)
  }

  /** When, in the world's time, the host's clock shows `local`. */
  toWorld(local: Nanos): Nanos {
    return this.#clock === null ? local : this.#clock.toWorld(local)
  }

  receive(port: number, packet: EthernetFrame): void {
    if (this.isHost && (packet.tag !== NO_TAG || this.#tags !== null)) {
      return this.#untag(port, packet)
    }
    this.#take(port, packet)
  }

  /** A frame comes to the interface of its VLAN, which sees no tag (IEEE 802.1Q-2018 §6.9). */
  #untag(port: number, frame: EthernetFrame): void {
    const vlan = vlanOf(frame)
    const tags = this.#tags ?? NO_TAGS
    const index =
      this.#tags === null && vlan === 0
        ? port
        : tags.findIndex((each) => each.arrives === port && each.vlan === vlan)
    if (index < 0) return this.#lose(frame, 'ethernet no such vlan')
    this.#take(index, withTag(frame, NO_TAG))
  }

  #take(port: number, packet: EthernetFrame): void {
    if (this.#still) return this.#hold({ kind: 'packet', port, packet })
    this.driven.step(this.now, { kind: 'packet', packet, port }, this)
    this.settle()
  }

  timer(owner: number): void {
    if (this.#still) return this.#hold({ kind: 'timer', owner })
    this.driven.step(this.now, { kind: 'timer', owner }, this)
    this.settle()
  }

  /** A call by an application. Its answers come to the socket's handler, within this call. */
  call(call: HostCall): void {
    this.#world.called(this, call)
    this.driven.step(this.now, { kind: 'call', call }, this)
    this.settle()
  }

  /** State, sockets and timers are lost at once; nothing is said to anybody. */
  crash(): void {
    if (!this.up) return
    this.up = false
    this.#still = true
    this.#held = null
    this.#handlers = []
    this.#addressWaiters = []
    this.#watchers = []
    for (const source of this.#sources) if (source >= 0) this.#world.cancelTimers(source)
  }

  /** A crashed host starts anew, with nothing in its memory. */
  restart(): void {
    if (this.up) return
    this.boots += 1
    this.driven = this.#make(this.boots)
    this.up = true
    this.#still = false
    this.#start()
  }

  /** A fresh host may have something to do before anybody speaks to it. */
  #start(): void {
    if (!this.isHost) return
    for (const { owner, at } of firstDeadlines(this.state)) this.wake(owner, at)
  }

  /** Nothing is processed until `resume`; what comes in waits, as in a machine that is suspended. */
  pause(): void {
    if (!this.up || this.#held !== null) return
    this.#held = []
    this.#still = true
  }

  /** What has waited is processed now, in the order in which it came. */
  resume(): void {
    const held = this.#held
    if (held === null) return
    this.#held = null
    this.#still = false
    for (const each of held) {
      if (each.kind === 'packet') this.#take(each.port, each.packet)
      else if (each.kind === 'timer') this.timer(each.owner)
      else each.run()
    }
  }

  /** Runs something of a program now, or when the host is no longer paused. */
  whenRunning(run: () => void): void {
    if (this.#held === null) run()
    else this.#held.push({ kind: 'program', run })
  }

  #hold(held: Held): void {
    const room = this.#held
    if (room === null) {
      if (held.kind === 'packet') this.#lose(held.packet, 'host down')
      return
    }
    const frames = held.kind === 'packet' ? room.filter(({ kind }) => kind === 'packet').length : 0
    if (held.kind === 'packet' && frames >= HELD_MAX) this.#lose(held.packet, 'host paused')
    else room.push(held)
  }

  #lose(frame: EthernetFrame, why: string): void {
    this.#world.said(this, { kind: 'dropped', why, packet: frame.payload })
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
    if (this.#addressNews) this.#tellAddresses()
    if (this.#watchers.length > 0) for (const look of this.#watchers.slice()) look()
  }

  /** Calls back after every step, until the result is called. */
  watch(look: () => void): () => void {
    this.#watchers.push(look)
    return () => {
      this.#watchers = this.#watchers.filter((each) => each !== look)
    }
  }

  /** Calls back, once, after the next step that settles what becomes of an address. */
  onAddress(hear: () => void): void {
    this.#addressWaiters.push(hear)
  }

  #tellAddresses(): void {
    this.#addressNews = false
    const waiters = this.#addressWaiters
    this.#addressWaiters = []
    for (const hear of waiters) hear()
  }

  #deliver(event: SocketEvent): void {
    const heardBy = event.kind === 'accepted' ? event.listener : event.socket
    const handler = this.#handlers[heardBy]
    // Before it hears of it: it may open a socket, which gets the number that has become free.
    if (event.kind === 'closed') this.#handlers[event.socket] = null
    handler?.(event)
  }

  // What the engine says, while a step runs.

  send(frame: EthernetFrame, port: number): void {
    const link = this.ports[port]
    const tag = this.#tags === null ? 0 : this.#tags[port]!.vlan
    const leaving = tag === 0 ? frame : withTag(frame, tag)
    if (link === undefined) this.outside?.(leaving)
    else this.#world.sent(this, link, port, leaving)
  }

  event(event: NodeEvent): void {
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
      case 'path-mtu':
      case 'black-hole':
      case 'fast-open':
      case 'learned':
      case 'forgotten':
        return
      case 'address':
      case 'router':
        this.#addressNews = true
        return
      default:
        this.#pending[this.#count++] = event
    }
  }

  wake(owner: number, at: Nanos): void {
    const clock = this.#clock
    const due = clock === null ? at : clock.toWorld(at)
    const source = this.#sources[owner]
    if (source === undefined || source < 0) {
      if (due === Infinity) return
      while (this.#sources.length <= owner) this.#sources.push(-1)
      this.#sources[owner] = this.#world.addTimerSource(this, owner, due)
      return
    }
    this.#world.wakeSource(source, due)
  }
}
