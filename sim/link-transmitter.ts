import type { Nanos } from '../protocols/time.ts'

const NANOS_PER_BYTE_AT_1_BIT = 8e9

/**
 * The sending end of a link: one frame at a time at `rate` bits per second, and a drop-tail queue
 * in front of it. Nothing happens here between frames: since the queue is first in, first out, all
 * times are known when a frame is offered.
 *
 * The limits count the frames that wait, not the one being transmitted. A frame whose
 * transmission begins at the very instant of an arrival has left the queue before it.
 */
export class Transmitter {
  /** Bits per second; 0 means that a transmission takes no time. */
  #rate = 0
  #frameLimit = Infinity
  #byteLimit = Infinity
  /** When the last transmission accepted so far ends. */
  #freeAt: Nanos = 0
  /**
   * By how much `#freeAt` is later than the exact end, in 1/rate ns. Frames sent back to back give
   * it back, so that their ends are the exact ones, each rounded up once, however many they are.
   */
  #excess = 0
  /** Of each frame that waits when its transmission begins, and its bytes behind it. A ring. */
  #waiting = new Float64Array(2 * FIRST_CAPACITY)
  #head = 0
  /** Frames and bytes that waited at the last `accept` or `settle`, what was accepted included. */
  frames = 0
  bytes = 0

  /** Takes effect with the next frame: what waits keeps its times. */
  configure(rate: number, frameLimit: number, byteLimit: number): void {
    if (rate !== this.#rate) this.#excess = 0
    this.#rate = rate
    this.#frameLimit = frameLimit
    this.#byteLimit = byteLimit
  }

  /** When the transmission under way ends; in the past where the link is idle. */
  get freeAt(): Nanos {
    return this.#freeAt
  }

  /** When a frame that waits may begin: for whoever keeps the queue and calls `begin` then. */
  nextStart(now: Nanos): Nanos {
    return this.#freeAt > now ? this.#freeAt : now
  }

  /** The same for a frame that is offered now and finds nobody waiting. */
  firstStart(now: Nanos): Nanos {
    return this.nextStart(now)
  }

  /** When the last bit is on the link of a frame whose turn has come. */
  begin(now: Nanos, size: number): Nanos {
    return this.accept(now, size)
  }

  /** How long the frame has to wait that was accepted last, at `now`. */
  waitOfLast(now: Nanos): Nanos {
    if (this.frames === 0) return 0
    return this.#waiting[this.#place(this.frames - 1)]! - now
  }

  /** When the frame's last bit is on the link; -1 where the queue has no room for it. */
  accept(now: Nanos, size: number): Nanos {
    let start = this.#freeAt
    this.settle(now)
    if (start <= now) {
      // At the very end of the last one it counts as back to back.
      if (start < now) this.#excess = 0
      start = now
    } else {
      if (this.frames >= this.#frameLimit || this.bytes + size > this.#byteLimit) return -1
      this.#wait(start, size)
    }
    const rate = this.#rate
    if (rate === 0) return (this.#freeAt = start)
    // Exact: below 2^53 for every frame up to 1 MB.
    const work = size * NANOS_PER_BYTE_AT_1_BIT - this.#excess
    const duration = Math.ceil(work / rate)
    this.#excess = duration * rate - work
    return (this.#freeAt = start + duration)
  }

  /** Lets go what no longer waits. */
  settle(now: Nanos): void {
    const waiting = this.#waiting
    while (this.frames > 0 && waiting[this.#head]! <= now) {
      this.bytes -= waiting[this.#head + 1]!
      this.#head = this.#place(1)
      this.frames -= 1
    }
  }

  /** Where the ring keeps the frame that so many are ahead of. */
  #place(ahead: number): number {
    return (this.#head + 2 * ahead) & (this.#waiting.length - 1)
  }

  #wait(start: Nanos, size: number): void {
    if (2 * this.frames === this.#waiting.length) this.#grow()
    const at = this.#place(this.frames)
    this.#waiting[at] = start
    this.#waiting[at + 1] = size
    this.frames += 1
    this.bytes += size
  }

  #grow(): void {
    const old = this.#waiting
    const grown = new Float64Array(2 * old.length)
    grown.set(old.subarray(this.#head))
    grown.set(old.subarray(0, this.#head), old.length - this.#head)
    this.#waiting = grown
    this.#head = 0
  }
}

const FIRST_CAPACITY = 16
