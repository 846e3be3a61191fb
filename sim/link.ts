import { assert } from '../protocols/assert.ts'
import { emitEthernet, parseEthernet } from '../protocols/ethernet/codec.ts'
import { ETHERNET_HEADER, type EthernetFrame } from '../protocols/ethernet/frame.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'
import type { LinkDropReason } from '../trace/record.ts'
import { ForcedDrops } from './drop-rule.ts'
import type { EventQueue } from './event-queue.ts'
import { LinkDraws } from './link-draws.ts'
import { Flight } from './link-flight.ts'
import { type LinkOptions, type Slot, assertValid, isPlain } from './link-options.ts'
import { Slots } from './link-slots.ts'
import { Transmitter } from './link-transmitter.ts'
import { TraceTransmitter } from './trace-transmitter.ts'

export { type LinkOptions, PERFECT_LINK } from './link-options.ts'

/**
 * One direction of a link. `send` decides at once what becomes of a frame; the queue's entry of
 * `source` says when the next one arrives, and `take` hands that one over.
 */
export class LinkDirection {
  /** `a>b`; names the random streams. */
  readonly name: string
  /** Its entry in the event queue. */
  readonly source: number

  /** The fate of the frame sent last, as `FrameSent` in `trace/record.ts` has it. */
  dropped: LinkDropReason | null = null
  arrives: Nanos = NEVER
  duplicates = 0
  corruptedBit = -1
  reordered = false
  queueFrames = 0
  queueBytes = 0

  /** Frames so far: offered + copied = delivered + discarded + in flight. */
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
    this.#queue = queue
    this.#seed = seed
    this.#draws = new LinkDraws(seed, name)
    this.#options = options
    this.setOptions(options)
  }

  get options(): LinkOptions {
    return this.#options
  }

  get inFlight(): number {
    return this.#flight.size
  }

  /**
   * Changes what happens to frames sent from now on; those on their way, and those that wait for
   * the rate, keep their times. New `drops` count from 1 again.
   */
  setOptions(changes: Partial<LinkOptions>): void {
    const options = { ...this.#options, ...changes }
    assertValid(options)
    this.#options = options
    if (changes.drops !== undefined) this.#forced = new ForcedDrops(options.drops)
    this.#transmitter.configure(options.rate, options.queueFrames, options.queueBytes)
    this.#setTrace(options)
    this.#setSlot(options)
    this.#draws.configure(options)
    this.#delay = options.delay
    this.#mtu = options.mtu
    this.#plain = isPlain(options) && this.#downs === 0
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
    this.#plain = false
  }

  up(): void {
    this.#downs = Math.max(this.#downs - 1, 0)
    this.#plain = isPlain(this.#options) && this.#downs === 0
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
    const end = this.#transmit(now, frame.size)
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
      entered === left + this.#flight.size,
      `frames are conserved on ${this.name}: ${entered} entered, ${left} left, ${this.#flight.size} in flight`,
    )
  }

  #sendImpaired(now: Nanos, frame: EthernetFrame): void {
    // All counting and drawing first: none of it depends on what the queue does.
    const draws = this.#draws
    draws.next()
    const forced = this.#forced.takes(frame, this.offered)
    if (this.#downs > 0) {
      this.#forgetFate()
      const transmitter = this.#traced ?? this.#transmitter
      transmitter.settle(now)
      this.queueFrames = transmitter.frames
      this.queueBytes = transmitter.bytes
      this.#drop('down')
      return
    }
    const end = this.#transmit(now, frame.size)
    if (end < 0) return
    if (forced || draws.lost) {
      this.#drop(forced ? 'forced' : 'loss')
      return
    }
    let carried = frame
    if (draws.corrupted) {
      this.corruptedBit = Math.floor(draws.corruptPosition * 8 * frame.size)
      carried = reread(frame, this.corruptedBit)
    } else if (this.#options.exact) carried = reread(frame, -1)

    if (draws.reordered) this.#overtake(carried, end)
    else this.#jitter(carried, end, draws.jitter)
    if (draws.duplicated) {
      const { arrives, reordered } = this
      this.#jitter(carried, end, draws.copyJitter)
      this.arrives = arrives
      this.reordered = reordered
      this.duplicates = 1
      this.copied += 1
    }
  }

  /** When the frame's last bit is on the link; -1 where it does not get that far. */
  #transmit(now: Nanos, size: number): Nanos {
    const transmitter = this.#traced ?? this.#transmitter
    this.#forgetFate()
    let end = -1
    if (size - ETHERNET_HEADER > this.#mtu) {
      transmitter.settle(now)
      this.#drop('too-big')
    } else {
      end = transmitter.accept(now, size)
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

/** The frame as its bytes tell it, after the bit with this number has been flipped; -1 for none. */
function reread(frame: EthernetFrame, flippedBit: number): EthernetFrame {
  const bytes = emitEthernet(frame)
  if (flippedBit >= 0) bytes[flippedBit >>> 3]! ^= 0x80 >>> (flippedBit & 7)
  const result = parseEthernet(bytes)
  assert(result.ok, 'a frame with a whole Ethernet header can be read')
  return result.value
}
