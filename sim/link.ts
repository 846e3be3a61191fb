import { assert } from '../protocols/assert.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'
import { wasTransmitted } from '../trace/links.ts'
import type { LinkDropReason } from '../trace/record.ts'
import { ForcedDrops } from './drop-rule.ts'
import type { EventQueue } from './event-queue.ts'
import { LinkDraws } from './link-draws.ts'
import { Flight } from './link-flight.ts'
import { type LinkOptions, type Slot, assertValid, isPlain } from './link-options.ts'
import { Slots } from './link-slots.ts'
import { Transmitter } from './link-transmitter.ts'
import type { QueuePlace, WaitingFrame } from './queue/discipline.ts'
import { type Fate, fateOf } from './queue/fate.ts'
import { ManagedQueue } from './queue/managed-queue.ts'
import { reread } from './reread.ts'
import { TraceTransmitter } from './trace-transmitter.ts'

export { type LinkOptions, PERFECT_LINK } from './link-options.ts'

/**
 * One direction of a link. `send` decides at once what becomes of a frame; the queue's entry of
 * `source` says when the next one arrives, and `take` hands that one over. Where a discipline keeps
 * the frames that wait, the entry of `departures` says when to call `depart`.
 */
export class LinkDirection {
  /** `a>b`; names the random streams. */
  readonly name: string
  /** Its entries in the event queue. */
  readonly source: number
  readonly departures: number

  /** The fate of the frame sent last, as `FrameSent` in `trace/record.ts` has it. */
  dropped: LinkDropReason | null = null
  arrives: Nanos = NEVER
  duplicates = 0
  corruptedBit = -1
  reordered = false
  queueFrames = 0
  queueBytes = 0

  /** Frames so far: offered + copied = delivered + discarded + waiting + in flight. */
  offered = 0
  copied = 0
  delivered = 0
  discarded = 0

  readonly #queue: EventQueue
  readonly #seed: string
  readonly #transmitter = new Transmitter()
  /** In the place of the transmitter where a trace says what may leave. */
  #traced: TraceTransmitter | null = null
  readonly #flight = new Flight()
  /** `null` for as long as there was nothing but drop-tail. */
  #managed: ManagedQueue | null = null
  readonly #place: QueuePlace
  readonly #draws: LinkDraws
  #options: LinkOptions
  #forced = new ForcedDrops([])
  /** The options of the fast path. */
  #delay: Nanos = 0
  #mtu = 0
  #plain = true
  /** The latest of all so far. */
  #lastArrival: Nanos = 0
  /** `null` for as long as there was no slot. */
  #slots: Slots | null = null
  /** When the entry is due where there are slots. */
  #leavesAt: Nanos = 0
  /** How many faults keep it down, and how many hold what arrives. */
  #downs = 0
  #holds = 0
  /** What arrives leaves at once: nothing holds it and there are no slots. */
  #direct = true

  constructor(name: string, seed: string, options: LinkOptions, queue: EventQueue) {
    this.name = name
    this.source = queue.addSource()
    this.departures = queue.addSource()
    this.#queue = queue
    this.#seed = seed
    this.#place = { name, seed, rate: options.rate, mtu: options.mtu, freeAt: 0 }
    this.#draws = new LinkDraws(seed, name)
    this.#options = options
    this.setOptions(options)
  }

  get options(): LinkOptions {
    return this.#options
  }

  /** What waits in a discipline's queue counts too. */
  get inFlight(): number {
    return this.#flight.size + (this.#managed?.frames ?? 0)
  }

  /** Where a discipline keeps the queue: what it did since the last `send` or `depart` began. */
  get managed(): ManagedQueue | null {
    return this.#managed
  }

  /** How long the frame sent just now has to wait; `NEVER` where that is still open. */
  waits(now: Nanos): Nanos {
    if (!wasTransmitted(this.dropped)) return 0
    if (this.#managed === null) return this.sender.waitOfLast(now)
    return this.dropped === null && this.arrives === NEVER ? NEVER : 0
  }

  /** Knows how long transmissions take. */
  get sender(): Transmitter | TraceTransmitter {
    return this.#traced ?? this.#transmitter
  }

  /**
   * Changes what happens to frames sent from now on; those on their way, and those that wait for
   * the rate, keep their times. In a discipline's queue they have none yet: the new rate holds from
   * the next one on. New `drops` count from 1 again.
   */
  setOptions(changes: Partial<LinkOptions>): void {
    const options = { ...this.#options, ...changes }
    assertValid(options)
    this.#options = options
    if (changes.drops !== undefined) this.#forced = new ForcedDrops(options.drops)
    this.#transmitter.configure(options.rate, options.queueFrames, options.queueBytes)
    this.#setTrace(options)
    this.#setQueue(changes)
    this.#setSlot(options)
    this.#draws.configure(options)
    this.#delay = options.delay
    this.#mtu = options.mtu
    this.#setPlain()
  }

  #setPlain(): void {
    this.#plain = isPlain(this.#options) && this.#downs === 0 && this.#managed === null
  }

  /** A link that had a discipline once keeps drop-tail in a queue of the same kind, too. */
  #setQueue(changes: Partial<LinkOptions>): void {
    const { discipline, queueFrames, queueBytes, rate, mtu } = this.#options
    this.#place.rate = rate
    this.#place.mtu = mtu
    if (this.#managed === null && discipline === null) return
    const tail = { kind: 'drop-tail', limitFrames: queueFrames, limitBytes: queueBytes } as const
    if (this.#managed === null) {
      this.#place.freeAt = this.sender.freeAt
      this.#managed = new ManagedQueue(discipline ?? tail, this.#place, this, this.#queue)
    } else if (changes.discipline !== undefined || changes.queueFrames !== undefined) {
      this.#managed.change(discipline ?? tail)
    }
    // What waits is counted elsewhere now.
    this.#transmitter.configure(rate, Infinity, Infinity)
    this.#traced?.configure(Infinity, Infinity)
  }

  #setTrace({ trace, queueFrames, queueBytes }: LinkOptions): void {
    if (trace === null) this.#traced = null
    else if (this.#traced?.trace !== trace) this.#traced = new TraceTransmitter(trace)
    this.#traced?.configure(queueFrames, queueBytes)
  }

  /** What waits for a slot when slots come to an end leaves with the one that was to open next. */
  #setSlot({ slot }: LinkOptions): void {
    if (this.#slots !== null) this.#slots.configure(slot ?? NO_SLOTS)
    else if (slot !== null) {
      this.#slots = new Slots(this.#seed, this.name, slot)
      this.#direct = false
      if (this.#flight.size > 0 && this.#holds === 0) this.#wake()
    }
  }

  get isDown(): boolean {
    return this.#downs > 0
  }

  /** Frames sent from now on are lost; those on their way arrive. Each `down` takes one `up`. */
  down(): void {
    this.#downs += 1
    this.#setPlain()
  }

  up(): void {
    this.#downs = Math.max(this.#downs - 1, 0)
    this.#setPlain()
  }

  get isHeld(): boolean {
    return this.#holds > 0
  }

  /** What arrives from now on waits at the far end. Each `hold` takes one `release`. */
  hold(): void {
    this.#holds += 1
    this.#direct = false
    this.#queue.cancel(this.source)
  }

  /** What has waited arrives at `now`, in its order. */
  release(now: Nanos): void {
    if (this.#holds === 0) return
    this.#holds -= 1
    if (this.#holds > 0) return
    this.#direct = this.#slots === null
    this.#flight.delayUntil(now)
    this.#wake()
  }

  send(now: Nanos, frame: EthernetFrame): void {
    this.offered += 1
    if (!this.#plain) {
      this.#sendImpaired(now, frame)
      return
    }
    const end = this.#transmit(now, frame)
    if (end >= 0) this.#carry(frame, end + this.#delay)
  }

  /** The frame that is due now. There must be one. */
  take(): EthernetFrame {
    const flight = this.#flight
    const frame = flight.shift()
    this.delivered += 1
    if (this.#slots === null) {
      this.#queue.scheduleAt(this.source, flight.nextArrival, flight.nextSerial)
    } else {
      this.#slots.passed(this.#leavesAt, frame.size)
      this.#wake()
    }
    return frame
  }

  /** Moves the entry to when the first frame leaves. */
  #wake(): void {
    const { nextArrival, nextSerial } = this.#flight
    if (nextArrival < NEVER && this.#slots !== null) {
      this.#leavesAt = this.#slots.opensFor(nextArrival)
      this.#queue.scheduleAt(this.source, this.#leavesAt, nextSerial)
    } else this.#queue.scheduleAt(this.source, nextArrival, nextSerial)
  }

  /** @throws InvariantError when a frame has come from nowhere or gone astray. */
  assertConserved(): void {
    const entered = this.offered + this.copied
    const left = this.delivered + this.discarded
    assert(
      entered === left + this.inFlight,
      `frames are conserved on ${this.name}: ${entered} entered, ${left} left, ${this.inFlight} in flight`,
    )
  }

  #sendImpaired(now: Nanos, frame: EthernetFrame): void {
    // All counting and drawing first: none of it depends on what the queue does.
    const draws = this.#draws
    draws.next()
    const forced = this.#forced.takes(frame, this.offered)
    if (this.#managed !== null) {
      this.#offer(this.#managed, now, frame, forced)
      return
    }
    if (this.#downs > 0) {
      this.#forgetFate()
      const transmitter = this.sender
      transmitter.settle(now)
      this.queueFrames = transmitter.frames
      this.queueBytes = transmitter.bytes
      this.#drop('down')
      return
    }
    const end = this.#transmit(now, frame)
    if (end >= 0) this.#pass(frame, end, draws, forced)
  }

  /** To a discipline's queue; where the link is idle, and through it at once. */
  #offer(queue: ManagedQueue, now: Nanos, frame: EthernetFrame, forced: boolean): void {
    queue.depart(now)
    queue.before = queue.outcomes.length
    this.#forgetFate()
    this.arrives = NEVER
    let why: LinkDropReason | null
    if (this.#downs > 0) why = 'down'
    else if (frame.payload.size > this.#mtu) why = 'too-big'
    else why = queue.offer(now, frame, fateOf(this.#draws), forced)
    if (why !== null) this.#drop(why)
    this.#countQueue(queue, now)
  }

  /** Sends what is due now from a discipline's queue. */
  depart(now: Nanos): void {
    this.#managed!.depart(now)
    this.#countQueue(this.#managed!, now)
  }

  /** For the queue: the turn of this frame has come. */
  begin(now: Nanos, { frame, size, fate, forced }: WaitingFrame): void {
    this.#forgetFate()
    const end = this.sender.begin(now, size)
    this.#place.freeAt = end
    this.#pass(frame, end, fate, forced)
  }

  #countQueue(queue: ManagedQueue, now: Nanos): void {
    this.discarded += queue.discarded
    queue.discarded = 0
    // Behind a change from drop-tail some may still wait with times of their own.
    const sender = this.sender
    sender.settle(now)
    this.queueFrames = queue.frames + sender.frames
    this.queueBytes = queue.bytes + sender.bytes
  }

  /** What happens to a frame once its transmission has ended. */
  #pass(frame: EthernetFrame, end: Nanos, fate: Fate, forced: boolean): void {
    if (forced || fate.lost) {
      this.#drop(forced ? 'forced' : 'loss')
      return
    }
    let carried = frame
    if (fate.corrupted) {
      this.corruptedBit = Math.floor(fate.corruptPosition * 8 * frame.size)
      carried = reread(frame, this.corruptedBit)
    } else if (this.#options.exact) carried = reread(frame, -1)

    if (fate.reordered) this.#overtake(carried, end)
    else this.#jitter(carried, end, fate.jitter)
    if (fate.duplicated) {
      const { arrives, reordered } = this
      this.#jitter(carried, end, fate.copyJitter)
      this.arrives = arrives
      this.reordered = reordered
      this.duplicates = 1
      this.copied += 1
    }
  }

  /** When the frame's last bit is on the link; -1 where it does not get that far. */
  #transmit(now: Nanos, frame: EthernetFrame): Nanos {
    const transmitter = this.sender
    this.#forgetFate()
    let end = -1
    if (frame.payload.size > this.#mtu) {
      transmitter.settle(now)
      this.#drop('too-big')
    } else {
      end = transmitter.accept(now, frame.size)
      if (end < 0) this.#drop('queue-full')
    }
    this.queueFrames = transmitter.frames
    this.queueBytes = transmitter.bytes
    return end
  }

  #forgetFate(): void {
    this.dropped = null
    this.duplicates = 0
    this.corruptedBit = -1
    this.reordered = false
  }

  #drop(reason: LinkDropReason): void {
    this.discarded += 1
    this.dropped = reason
    this.arrives = NEVER
  }

  #jitter(frame: EthernetFrame, end: Nanos, jitter: Nanos): void {
    const arrival = Math.max(end, end + this.#delay + jitter)
    if (this.#options.keepOrder || arrival >= this.#lastArrival) this.#carry(frame, arrival)
    else this.#overtake(frame, arrival)
  }

  /** Behind every other frame. */
  #carry(frame: EthernetFrame, arrival: Nanos): void {
    const flight = this.#flight
    const at = arrival > this.#lastArrival ? arrival : this.#lastArrival
    const serial = this.#queue.nextSerial()
    this.#lastArrival = at
    this.arrives = at
    flight.append(frame, at, serial)
    if (flight.size > 1) return
    if (this.#direct) this.#queue.scheduleAt(this.source, at, serial)
    else if (this.#holds === 0) this.#wake()
  }

  /** Past the frames that are still on their way at that time. */
  #overtake(frame: EthernetFrame, arrival: Nanos): void {
    const serial = this.#queue.nextSerial()
    this.reordered = true
    this.arrives = arrival
    if (arrival > this.#lastArrival) this.#lastArrival = arrival
    this.#flight.insert(frame, arrival, serial)
    if (this.#flight.nextSerial === serial && this.#holds === 0) this.#wake()
  }
}

/** Every frame leaves when it arrives. */
const NO_SLOTS: Slot = { span: { min: 0, max: 0 }, frames: Infinity, bytes: Infinity }
