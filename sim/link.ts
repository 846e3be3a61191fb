import { assert } from '../protocols/assert.ts'
import { emitEthernet, parseEthernet } from '../protocols/ethernet/codec.ts'
import { ETHERNET_HEADER, type EthernetFrame } from '../protocols/ethernet/frame.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'
import type { LinkDropReason } from '../trace/record.ts'
import { type DropRule, ForcedDrops } from './drop-rule.ts'
import type { EventQueue } from './event-queue.ts'
import { LinkDraws } from './link-draws.ts'
import { Flight } from './link-flight.ts'
import { Transmitter } from './link-transmitter.ts'

/** What one direction of a link does to frames. `docs/links.md` has the order and the ties. */
export interface LinkOptions {
  readonly delay: Nanos
  /** Uniform, ± around the delay; order is kept. */
  readonly jitter: Nanos
  /** Shares of the frames, from 0 to 1. */
  readonly loss: number
  readonly duplicate: number
  readonly reorder: number
  readonly corrupt: number
  /** Bits per second; 0: transmission takes no time. */
  readonly rate: number
  /** What may wait for the rate; `Infinity` for no limit. */
  readonly queueFrames: number
  readonly queueBytes: number
  /** The largest Ethernet payload, bytes. */
  readonly mtu: number
  readonly drops: readonly DropRule[]
  /** Every frame is encoded and read again on its way. */
  readonly exact: boolean
}

/** No delay, no limits, no impairments. */
export const PERFECT_LINK: LinkOptions = {
  delay: 0,
  jitter: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  rate: 0,
  queueFrames: Infinity,
  queueBytes: Infinity,
  mtu: 1500,
  drops: [],
  exact: false,
}

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
  readonly #transmitter = new Transmitter()
  readonly #flight = new Flight()
  readonly #draws: LinkDraws
  #options: LinkOptions
  #forced = new ForcedDrops([])
  /** The options of the fast path. */
  #delay: Nanos = 0
  #mtu = 0
  #plain = true
  /** Of the frames that keep their order. */
  #lastArrival: Nanos = 0
  /** How many faults keep it down, and how many hold what arrives. */
  #downs = 0
  #holds = 0

  constructor(name: string, seed: string, options: LinkOptions, queue: EventQueue) {
    this.name = name
    this.source = queue.addSource()
    this.#queue = queue
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
    this.#draws.configure(options)
    this.#delay = options.delay
    this.#mtu = options.mtu
    this.#setPlain()
  }

  #setPlain(): void {
    const { jitter, loss, duplicate, reorder, corrupt, drops, exact } = this.#options
    const chances = jitter + loss + duplicate + reorder + corrupt
    this.#plain = chances === 0 && drops.length === 0 && !exact && this.#downs === 0
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
    this.#queue.cancel(this.source)
  }

  /** What has waited arrives at `now`, in its order. */
  release(now: Nanos): void {
    if (this.#holds === 0) return
    this.#holds -= 1
    if (this.#holds > 0) return
    const flight = this.#flight
    flight.delayUntil(now)
    this.#queue.scheduleAt(this.source, flight.nextArrival, flight.nextSerial)
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
    this.#queue.scheduleAt(this.source, flight.nextArrival, flight.nextSerial)
    return frame
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
      this.#transmitter.settle(now)
      this.queueFrames = this.#transmitter.frames
      this.queueBytes = this.#transmitter.bytes
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
    else this.#carry(carried, Math.max(end, end + this.#delay + draws.jitter))
    if (draws.duplicated) {
      const arrives = this.arrives
      this.#carry(carried, Math.max(end, end + this.#delay + draws.copyJitter))
      this.arrives = arrives
      this.duplicates = 1
      this.copied += 1
    }
  }

  /** When the frame's last bit is on the link; -1 where it does not get that far. */
  #transmit(now: Nanos, size: number): Nanos {
    const transmitter = this.#transmitter
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

  /** Behind every frame that keeps its order. */
  #carry(frame: EthernetFrame, arrival: Nanos): void {
    const flight = this.#flight
    const at = arrival > this.#lastArrival ? arrival : this.#lastArrival
    const serial = this.#queue.nextSerial()
    this.#lastArrival = at
    this.arrives = at
    flight.append(frame, at, serial)
    if (flight.size === 1 && this.#holds === 0) this.#queue.scheduleAt(this.source, at, serial)
  }

  /** Without the delay, past the frames that are still on their way. */
  #overtake(frame: EthernetFrame, arrival: Nanos): void {
    const serial = this.#queue.nextSerial()
    this.reordered = true
    this.arrives = arrival
    this.#flight.insert(frame, arrival, serial)
    const first = this.#flight.nextSerial === serial
    if (first && this.#holds === 0) this.#queue.scheduleAt(this.source, arrival, serial)
  }
}

/** The frame as its bytes tell it, after the bit with this number has been flipped; -1 for none. */
function reread(frame: EthernetFrame, flippedBit: number): EthernetFrame {
  const bytes = emitEthernet(frame)
  if (flippedBit >= 0) bytes[flippedBit >>> 3]! ^= 0x80 >>> (flippedBit & 7)
  const result = parseEthernet(bytes)
  assert(result.ok, 'a frame with a whole Ethernet header can be read')
  return result.value
}

function assertValid(options: LinkOptions): void {
  for (const span of [options.delay, options.jitter, options.rate, options.mtu]) {
    assert(Number.isSafeInteger(span) && span >= 0, `a link option is a whole number, not ${span}`)
  }
  for (const ratio of [options.loss, options.duplicate, options.reorder, options.corrupt]) {
    assert(ratio >= 0 && ratio <= 1, `a ratio is from 0 to 1, not ${ratio}`)
  }
  for (const limit of [options.queueFrames, options.queueBytes]) {
    assert(limit >= 0, `a queue limit is at least 0, not ${limit}`)
  }
  // Keeps the transmitter's arithmetic exact.
  assert(options.mtu <= MTU_MAX, `an MTU is at most ${MTU_MAX}, not ${options.mtu}`)
}

/** The longest IPv4 packet. */
const MTU_MAX = 65_535
