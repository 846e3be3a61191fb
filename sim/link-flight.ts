import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'

/** The frames on their way through a link, ordered by (arrival, serial). A ring that grows. */
export class Flight {
  #frames: (EthernetFrame | null)[] = Array.from({ length: FIRST_CAPACITY }, () => null)
  #arrivals = new Float64Array(FIRST_CAPACITY)
  #serials = new Float64Array(FIRST_CAPACITY)
  #head = 0
  size = 0

  /** Of the frame that arrives first; `NEVER` where there is none. */
  get nextArrival(): Nanos {
    return this.size === 0 ? NEVER : this.#arrivals[this.#head]!
  }
  get nextSerial(): number {
    return this.#serials[this.#head]!
  }

  /** Adds a frame that arrives no earlier than any other, with the latest serial. */
  append(frame: EthernetFrame, arrival: Nanos, serial: number): void {
    if (this.size === this.#frames.length) this.#grow()
    this.#put((this.#head + this.size++) & (this.#frames.length - 1), frame, arrival, serial)
  }

  /** Adds a frame that may arrive before others, with the latest serial. */
  insert(frame: EthernetFrame, arrival: Nanos, serial: number): void {
    if (this.size === this.#frames.length) this.#grow()
    const mask = this.#frames.length - 1
    const middle = this.#arrivals[(this.#head + (this.size >> 1)) & mask]!
    // The frames on the shorter side step aside.
    if (arrival < middle) this.#insertFromFront(frame, arrival, serial)
    else this.#insertFromBack(frame, arrival, serial)
  }

  #insertFromFront(frame: EthernetFrame, arrival: Nanos, serial: number): void {
    const mask = this.#frames.length - 1
    let at = (this.#head - 1) & mask
    this.#head = at
    for (let before = this.size++; before > 0; before--) {
      const next = (at + 1) & mask
      if (this.#arrivals[next]! > arrival) break
      this.#put(at, this.#frames[next]!, this.#arrivals[next]!, this.#serials[next]!)
      at = next
    }
    this.#put(at, frame, arrival, serial)
  }

  #insertFromBack(frame: EthernetFrame, arrival: Nanos, serial: number): void {
    const mask = this.#frames.length - 1
    let at = (this.#head + this.size) & mask
    for (let before = this.size++; before > 0; before--) {
      const last = (at - 1) & mask
      if (this.#arrivals[last]! <= arrival) break
      this.#put(at, this.#frames[last]!, this.#arrivals[last]!, this.#serials[last]!)
      at = last
    }
    this.#put(at, frame, arrival, serial)
  }

  /** Takes out the frame that arrives first. There must be one. */
  shift(): EthernetFrame {
    const head = this.#head
    const frame = this.#frames[head]!
    this.#frames[head] = null
    this.#head = (head + 1) & (this.#frames.length - 1)
    this.size -= 1
    return frame
  }

  /** Nothing arrives before `time`; the order stays. */
  delayUntil(time: Nanos): void {
    const mask = this.#frames.length - 1
    for (let i = 0; i < this.size; i++) {
      const at = (this.#head + i) & mask
      if (this.#arrivals[at]! >= time) return
      this.#arrivals[at] = time
    }
  }

  #put(at: number, frame: EthernetFrame, arrival: Nanos, serial: number): void {
    this.#frames[at] = frame
    this.#arrivals[at] = arrival
    this.#serials[at] = serial
  }

  #grow(): void {
    const old = this.#frames.length
    const order = Array.from({ length: old }, (_, i) => (this.#head + i) & (old - 1))
    const arrivals = new Float64Array(2 * old)
    const serials = new Float64Array(2 * old)
    arrivals.set(order.map((at) => this.#arrivals[at]!))
    serials.set(order.map((at) => this.#serials[at]!))
    const room = Array.from({ length: old }, () => null)
    this.#frames = [...order.map((at) => this.#frames[at]!), ...room]
    this.#arrivals = arrivals
    this.#serials = serials
    this.#head = 0
  }
}

const FIRST_CAPACITY = 8
