import { InvariantError } from '../protocols/assert.ts'
import type { Engine } from '../protocols/engine.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { createHub, hubEngine } from '../protocols/ethernet/hub.ts'
import { createSwitch, switchEngine } from '../protocols/ethernet/switch.ts'
import { hostEngine } from '../protocols/host/host.ts'
import type { HostCall } from '../protocols/host/host.ts'
import { createHost } from '../protocols/host/state.ts'
import { NEVER, type Nanos, toSeconds } from '../protocols/time.ts'
import type { NodeEvent, TraceObserver } from '../trace/record.ts'
import { inPlace, recorded, type StepObserver } from './driver.ts'
import { EventQueue } from './event-queue.ts'
import { HostClock } from './host-clock.ts'
import { LinkDirection } from './link.ts'
import { scheduleChanges } from './link-schedule.ts'
import type { Monitor } from './monitor.ts'
import { type DrivenNode, type InterfaceTag, Node } from './node.ts'
import { policyIn } from './topology-tcp.ts'
import { DEFAULT_PORT } from './topology-vlans.ts'
import type { VlanPort } from '../protocols/ethernet/vlan.ts'
import { hostPlan } from './host-plan.ts'
import type { Network, NodePlan } from './topology.ts'

export interface WorldOptions {
  readonly seed: string
  /** Steps through Immer, which keeps every state immutable. */
  readonly recorded?: boolean
  /** Hears of each step's patches when recorded. */
  readonly onStep?: (node: string, ...step: Parameters<StepObserver>) => void
  /** Encodes and parses every frame on every link. */
  readonly wireExact?: boolean
  readonly observer?: TraceObserver
  readonly monitor?: Monitor
}

/** What an entry of the queue stands for. */
type Due = LinkArrival | LinkDeparture | TimerSet | Wakeup
interface LinkArrival {
  readonly kind: 'arrival'
  readonly link: LinkDirection
  readonly node: Node
  readonly port: number
}
/** A discipline's queue has a frame whose turn has come. */
interface LinkDeparture {
  readonly kind: 'departure'
  readonly link: LinkDirection
  /** The sender. */
  readonly node: Node
  readonly port: number
}
interface TimerSet {
  readonly kind: 'timer'
  readonly node: Node
  readonly owner: number
}
interface Wakeup {
  readonly kind: 'wakeup'
  readonly wake: () => void
}

/**
 * Nodes, links and one event queue ordered by (time, serial). It never asks what time it is: it is
 * told how far it may run.
 */
export class World {
  /** Virtual time since the start of the run. */
  now: Nanos = 0
  /** Queue events so far; the current one's number within a step. */
  events = 0
  readonly seed: string
  /** States are immutable: those of applications, too. */
  readonly recorded: boolean
  readonly nodes: readonly Node[]
  /** Both directions of each link, in the order of the plan: a>b, b>a. */
  readonly links: readonly LinkDirection[]
  readonly #queue = new EventQueue()
  /** By queue source. */
  readonly #due: Due[] = []
  /** The timer set whose entry has come up and has not been moved yet; -1 for none. */
  #expiring = -1
  readonly #observer: TraceObserver | null
  readonly #monitor: Monitor | null

  constructor(network: Network, options: WorldOptions) {
    this.seed = options.seed
    this.recorded = options.recorded ?? false
    this.#observer = options.observer ?? null
    this.#monitor = options.monitor ?? null
    this.nodes = network.nodes.map((plan) => this.#addNode(plan, options))
    this.links = network.links.flatMap((plan) => {
      const exact = options.wireExact === true
      const nodeA = this.nodes[plan.a.node]!
      const nodeB = this.nodes[plan.b.node]!
      const ab = this.#addLink(plan.nameAB, { ...plan.optionsAB, exact }, nodeB, plan.b.port)
      const ba = this.#addLink(plan.nameBA, { ...plan.optionsBA, exact }, nodeA, plan.a.port)
      plugIn(nodeA, plan.a.port, network.nodes[plan.a.node]!, ab)
      plugIn(nodeB, plan.b.port, network.nodes[plan.b.node]!, ba)
      this.#due[ab.departures] = { kind: 'departure', link: ab, node: nodeA, port: plan.a.port }
      this.#due[ba.departures] = { kind: 'departure', link: ba, node: nodeB, port: plan.b.port }
      return [ab, ba]
    })
  }

  #addNode(plan: NodePlan, options: WorldOptions): Node {
    const { onStep, seed } = options
    const drive = <State>(
      engine: Engine<State, HostCall, EthernetFrame, NodeEvent>,
      state: State,
    ) =>
      options.recorded
        ? recorded(engine, state, (...step) => onStep?.(plan.name, ...step))
        : inPlace(engine, state)
    const ports = plan.interfaces.length
    if (plan.kind === 'hub') {
      return new Node(this, plan.name, false, () => drive(hubEngine, createHub(ports)))
    }
    if (plan.kind === 'device') {
      // One port for the link and one without any, which leads outside.
      return new Node(this, plan.name, false, () => drive(hubEngine, createHub(2)))
    }
    if (plan.switching !== null) {
      const { ageing, tableSize } = plan.switching
      const make = () => drive(switchEngine, createSwitch(ports, ageing, tableSize, vlansOf(plan)))
      return new Node(this, plan.name, false, make)
    }
    const { interfaces, routes, ipv6Routes, nat } = hostPlan(plan)
    // What listens for a program may be started again at once, as with Go, Node or asyncio.
    const policy = policyIn(plan.tcp).with({ reuseAddress: true })
    const make = (boot: number): DrivenNode => {
      const state = createHost({
        forwarding: plan.forwarding,
        policy,
        // After a restart, the same secrets would bring the same sequence numbers (RFC 6528).
        seed: boot === 1 ? `${seed}/${plan.name}` : `${seed}/${plan.name}/${boot}`,
        interfaces,
        routes,
        ipv6Routes,
        nat,
        now: this.now,
      })
      return drive(hostEngine, state)
    }
    const { clock } = plan
    const own = clock === null ? null : new HostClock(clock.skew, clock.drift)
    return new Node(this, plan.name, true, make, own, tagsOf(plan))
  }

  #addLink(
    name: string,
    options: LinkDirection['options'],
    node: Node,
    port: number,
  ): LinkDirection {
    const link = new LinkDirection(name, this.seed, options, this.#queue)
    this.#due[link.source] = { kind: 'arrival', link, node, port }
    scheduleChanges(link, this)
    return link
  }

  node(name: string): Node {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new RangeError(`there is no node ${name}`)
    return found
  }

  /** When the next event is due; `NEVER` where nothing is left to do. */
  nextDue(): Nanos {
    return this.#queue.topTime
  }

  /** Runs every event up to and including `until`, and lets the clock stand there. */
  runUntil(until: Nanos): void {
    while (this.#queue.topTime <= until && this.#queue.size > 0) this.step()
    if (until !== NEVER && until > this.now) this.now = until
  }

  /** Runs the next event. There must be one. */
  step(): void {
    const queue = this.#queue
    const source = queue.topSource
    const due = this.#due[source]!
    this.now = queue.topTime
    this.events += 1
    try {
      switch (due.kind) {
        case 'arrival': {
          this.#arrive(due.node, due.port, due.link.name, due.link.take())
          break
        }
        case 'departure':
          due.link.depart(this.now)
          this.#monitor?.departed(due.link)
          this.#tellQueue(due.node, due.port, due.link, 0)
          break
        case 'timer':
          // What the step says of its next deadline moves the entry, wherever to.
          this.#expiring = source
          due.node.timer(due.owner)
          if (this.#expiring === source) queue.cancel(source)
          this.#expiring = -1
          break
        case 'wakeup':
          queue.releaseSource(source)
          due.wake()
          break
      }
      this.#monitor?.afterEvent()
    } catch (error) {
      throw located(error, this)
    }
  }

  /** A frame from outside comes to a port, now. */
  inject(node: Node, port: number, frame: EthernetFrame): void {
    this.#arrive(node, port, `>${node.name}`, frame)
  }

  #arrive(node: Node, port: number, link: string, frame: EthernetFrame): void {
    if (this.#observer !== null) this.#tellArrival(this.#observer, node, port, link, frame)
    node.receive(port, frame)
  }

  // Records are made apart from the hot path, which stays small enough to be compiled as one piece.

  #tellArrival(
    observe: TraceObserver,
    node: Node,
    port: number,
    link: string,
    frame: EthernetFrame,
  ): void {
    const { now: at, events: event } = this
    observe({ kind: 'received', at, event, node: node.name, port, link, frame })
  }

  /** Calls `wake` at a time from now on, once, unless the returned function is called before. */
  at(time: Nanos, wake: () => void): () => void {
    const source = this.#queue.addSource()
    const due: Wakeup = { kind: 'wakeup', wake }
    this.#due[source] = due
    this.#queue.schedule(source, Math.max(time, this.now))
    return () => {
      // The source may have gone to somebody else since.
      if (this.#due[source] === due && this.#queue.timeOf(source) !== NEVER)
        this.#queue.releaseSource(source)
    }
  }

  // What nodes say.

  sent(node: Node, link: LinkDirection, port: number, frame: EthernetFrame): void {
    link.send(this.now, frame)
    this.#monitor?.sent(node, link, frame)
    if (this.#observer !== null) this.#tellSent(this.#observer, node, link, port, frame)
  }

  #tellSent(
    observe: TraceObserver,
    node: Node,
    link: LinkDirection,
    port: number,
    frame: EthernetFrame,
  ): void {
    const { managed } = link
    if (managed !== null) this.#tellQueue(node, port, link, 0, managed.before)
    observe({
      kind: 'sent',
      at: this.now,
      event: this.events,
      node: node.name,
      port,
      link: link.name,
      frame,
      dropped: link.dropped,
      arrives: link.arrives,
      duplicates: link.duplicates,
      corruptedBit: link.corruptedBit,
      reordered: link.reordered,
      queueFrames: link.queueFrames,
      queueBytes: link.queueBytes,
      waits: link.waits(this.now),
    })
    if (managed !== null) this.#tellQueue(node, port, link, managed.before)
  }

  /** What a discipline's queue did just now, in order. */
  #tellQueue(node: Node, port: number, link: LinkDirection, from: number, to?: number): void {
    const observer = this.#observer
    if (observer === null) return
    const at = { at: this.now, event: this.events, node: node.name, port, link: link.name }
    for (const outcome of link.managed!.outcomes.slice(from, to)) observer({ ...at, ...outcome })
  }

  said(node: Node, said: NodeEvent): void {
    this.#monitor?.said(node, said)
    if (this.#observer === null) return
    this.#observer({ kind: 'event', at: this.now, event: this.events, node: node.name, said })
  }

  called(node: Node, call: HostCall): void {
    this.#monitor?.called(node, call)
    if (this.#observer === null) return
    this.#observer({ kind: 'call', at: this.now, event: this.events, node: node.name, call })
  }

  /** Something was done to the network from outside: the trace says so. */
  fault(what: string): void {
    this.#observer?.({ kind: 'fault', at: this.now, event: this.events, node: '', what })
  }

  /** Nothing of this timer set is due any longer. */
  cancelTimers(source: number): void {
    this.#queue.cancel(source)
  }

  addTimerSource(node: Node, owner: number, at: Nanos): number {
    const source = this.#queue.addSource()
    this.#due[source] = { kind: 'timer', node, owner }
    this.#queue.schedule(source, at)
    return source
  }

  /** The entry moves only forward; an entry that comes too early asks again. */
  wakeSource(source: number, at: Nanos): void {
    if (source === this.#expiring) this.#expiring = -1
    else if (at >= this.#queue.timeOf(source)) return
    this.#queue.schedule(source, at)
  }
}

/** Every interface that a node has at this end of a link leaves by it. */
function plugIn(node: Node, port: number, plan: NodePlan, link: LinkDirection): void {
  const { link: index, end } = plan.interfaces[port]!
  plan.interfaces.forEach((each, i) => {
    if (each.link === index && each.end === end) node.ports[i] = link
  })
}

/** What the ports of a switch carry; `null`: it knows no VLANs. */
function vlansOf({ interfaces }: NodePlan): readonly VlanPort[] | null {
  if (interfaces.every(({ carries }) => carries === null)) return null
  return interfaces.map(({ carries }) => carries ?? DEFAULT_PORT)
}

/** For each interface of a host its first one at the same end of a link, and its VLAN. */
function tagsOf({ interfaces }: NodePlan): readonly InterfaceTag[] | null {
  if (interfaces.every(({ vlan }) => vlan === 0)) return null
  return interfaces.map(({ link, end, vlan }) => {
    const arrives = interfaces.findIndex((other) => other.link === link && other.end === end)
    return { vlan, arrives }
  })
}

/** A broken invariant with its place: enough to run it again. */
function located(error: unknown, world: World): unknown {
  if (!(error instanceof InvariantError) || error.message.includes(' (at ')) return error
  const at = `${toSeconds(world.now)} s, event ${world.events}, seed ${world.seed}`
  error.message += ` (at ${at})`
  return error
}
