import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'

/** The frames on their way through a link, ordered by (arrival, serial). A ring that grows. */
export class Flight {
  #frames: (EthernetFrame | null)[] = Array.from({ length: FIRST_CAPACITY }, () => null)
  /** Of each frame its arrival and its serial, side by side as they are read. */
  #keys = new Float64Array(2 * FIRST_CAPACITY)
  #head = 0
  size = 0

  /** Of the frame that arrives first; `NEVER` where there is none. */
  get nextArrival(): Nanos {
    return this.size === 0 ? NEVER : this.#keys[2 * this.#head]!
  }
  get nextSerial(): number {
    return this.#keys[2 * this.#head + 1]!
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
    const middle = this.#arrivalAt((this.#head + (this.size >> 1)) & mask)
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
      if (this.#arrivalAt(next) > arrival) break
      this.#move(next, at)
      at = next
    }
    this.#put(at, frame, arrival, serial)
  }

  #insertFromBack(frame: EthernetFrame, arrival: Nanos, serial: number): void {
    const mask = this.#frames.length - 1
    let at = (this.#head + this.size) & mask
    for (let before = this.size++; before > 0; before--) {
      const last = (at - 1) & mask
      if (this.#arrivalAt(last) <= arrival) break
      this.#move(last, at)
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
      if (this.#arrivalAt(at) >= time) return
      this.#keys[2 * at] = time
    }
  }

  #arrivalAt(at: number): Nanos {
    return this.#keys[2 * at]!
  }

  #put(at: number, frame: EthernetFrame, arrival: Nanos, serial: number): void {
    this.#frames[at] = frame
    this.#keys[2 * at] = arrival
    this.#keys[2 * at + 1] = serial
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#frames[from]!, this.#keys[2 * from]!, this.#keys[2 * from + 1]!)
  }

  #grow(): void {
    const old = this.#frames.length
    const before = this.#keys
    const order = Array.from({ length: old }, (_, i) => (this.#head + i) & (old - 1))
    const keys = new Float64Array(4 * old)
    keys.set(order.flatMap((at) => [before[2 * at]!, before[2 * at + 1]!]))
    const room = Array.from({ length: old }, () => null)
    this.#frames = [...order.map((at) => this.#frames[at]!), ...room]
    this.#keys = keys
    this.#head = 0
  }
}

const FIRST_CAPACITY = 8
