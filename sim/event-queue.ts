import { assert } from '../protocols/assert.ts'
import { NEVER, type Nanos } from '../protocols/time.ts'

/**
 * When each source is next due, earliest first, ordered by (time, serial).
 *
 * A source is a link direction or an engine's timer set: it has one entry, which moves, however
 * many frames or deadlines stand behind it. Serials are handed out in the order of scheduling, so
 * that things due at the same instant happen in the order in which they were decided.
 *
 * An indexed 4-ary heap in typed arrays. The root lies at slot 3, which puts the four children of
 * slot `i` at `4i - 8 … 4i - 5`: one aligned group. Slots behind the last entry hold `NEVER`, so
 * that a group always has four members to compare.
 */
export class EventQueue {
  /** By slot. */
  #times = emptyTimes(FIRST_CAPACITY)
  #sources = new Int32Array(slotsFor(FIRST_CAPACITY))
  /** By source; slot 0 means "not queued". */
  #slots = new Int32Array(FIRST_CAPACITY)
  #serials = new Float64Array(FIRST_CAPACITY)
  #size = 0
  #sourceCount = 0
  #released: number[] = []
  #nextSerial = 0

  /** A new source, not queued. Numbers count up from 0; released ones are handed out again. */
  addSource(): number {
    const reused = this.#released.pop()
    if (reused !== undefined) return reused
    if (this.#sourceCount === this.#slots.length) this.#grow(2 * this.#sourceCount)
    return this.#sourceCount++
  }

  releaseSource(source: number): void {
    this.cancel(source)
    this.#released.push(source)
  }

  /** Takes the next serial, for an event that `scheduleAt` will queue, now or later. */
  nextSerial(): number {
    return this.#nextSerial++
  }

  /** Moves the source's entry to `at`, behind everything already decided for that instant. */
  schedule(source: number, at: Nanos): void {
    this.scheduleAt(source, at, this.#nextSerial++)
  }

  /** Moves the source's entry to (`at`, `serial`). `NEVER` takes it out. */
  scheduleAt(source: number, at: Nanos, serial: number): void {
    if (!(at < NEVER)) {
      assert(at === NEVER, 'an event has a time')
      this.cancel(source)
      return
    }
    const slot = this.#slots[source]!
    if (slot === 0) {
      this.#serials[source] = serial
      this.#siftUp(ROOT + this.#size++, source, at, serial)
      return
    }
    const time = this.#times[slot]!
    const earlier = at < time || (at === time && serial < this.#serials[source]!)
    this.#serials[source] = serial
    if (earlier) this.#siftUp(slot, source, at, serial)
    else this.#siftDown(slot, source, at, serial)
  }

  /** `NEVER` where the source is not queued. */
  timeOf(source: number): Nanos {
    const slot = this.#slots[source]!
    return slot === 0 ? NEVER : this.#times[slot]!
  }

  cancel(source: number): void {
    const slot = this.#slots[source]!
    if (slot !== 0) this.#remove(slot)
  }

  /** How many sources are queued. */
  get size(): number {
    return this.#size
  }
  /** When the earliest entry is due; `NEVER` where nothing is queued. */
  get topTime(): Nanos {
    return this.#times[ROOT]!
  }
  /** The source of the earliest entry; meaningful only where something is queued. */
  get topSource(): number {
    return this.#sources[ROOT]!
  }

  removeTop(): void {
    if (this.#size > 0) this.#remove(ROOT)
  }

  #remove(slot: number): void {
    const last = ROOT + --this.#size
    const time = this.#times[last]!
    const source = this.#sources[last]!
    this.#slots[this.#sources[slot]!] = 0
    this.#times[last] = NEVER
    if (slot === last) return
    const serial = this.#serials[source]!
    // The last entry fills the gap. It may belong above it when it comes from another branch.
    const parent = (slot >> 2) + 2
    if (slot > ROOT && this.#isBefore(time, serial, parent))
      this.#siftUp(slot, source, time, serial)
    else this.#siftDown(slot, source, time, serial)
  }

  #isBefore(time: Nanos, serial: number, slot: number): boolean {
    const other = this.#times[slot]!
    return time < other || (time === other && serial < this.#serials[this.#sources[slot]!]!)
  }

  #siftUp(from: number, source: number, time: Nanos, serial: number): void {
    const times = this.#times
    const sources = this.#sources
    const slots = this.#slots
    let slot = from
    while (slot > ROOT) {
      const parent = (slot >> 2) + 2
      const parentTime = times[parent]!
      const parentSource = sources[parent]!
      if (parentTime < time || (parentTime === time && this.#serials[parentSource]! < serial)) break
      times[slot] = parentTime
      sources[slot] = parentSource
      slots[parentSource] = slot
      slot = parent
    }
    times[slot] = time
    sources[slot] = source
    slots[source] = slot
  }

  #siftDown(from: number, source: number, time: Nanos, serial: number): void {
    const times = this.#times
    const sources = this.#sources
    const slots = this.#slots
    const serials = this.#serials
    const end = ROOT + this.#size
    let slot = from
    for (let first = 4 * slot - 8; first < end; first = 4 * slot - 8) {
      // Which child is the earliest is a coin toss that no branch predictor wins: the comparisons
      // become additions. Only ties, which are rare, take a branch.
      const t0 = times[first]!
      const t1 = times[first + 1]!
      const t2 = times[first + 2]!
      const t3 = times[first + 3]!
      let left = first + +(t1 < t0)
      let right = first + 2 + +(t3 < t2)
      if (t0 === t1) {
        left = serials[sources[first + 1]!]! < serials[sources[first]!]! ? first + 1 : first
      }
      if (t2 === t3) {
        right =
          serials[sources[first + 3]!]! < serials[sources[first + 2]!]! ? first + 3 : first + 2
      }
      const leftTime = times[left]!
      const rightTime = times[right]!
      let child = left + (right - left) * +(rightTime < leftTime)
      if (leftTime === rightTime) {
        child = serials[sources[right]!]! < serials[sources[left]!]! ? right : left
      }
      const childTime = times[child]!
      const childSource = sources[child]!
      if (childTime > time || (childTime === time && serials[childSource]! > serial)) break
      times[slot] = childTime
      sources[slot] = childSource
      slots[childSource] = slot
      slot = child
    }
    times[slot] = time
    sources[slot] = source
    slots[source] = slot
  }

  #grow(capacity: number): void {
    const times = emptyTimes(capacity)
    times.set(this.#times)
    this.#times = times
    this.#sources = grownInts(this.#sources, slotsFor(capacity))
    this.#slots = grownInts(this.#slots, capacity)
    const serials = new Float64Array(capacity)
    serials.set(this.#serials)
    this.#serials = serials
  }
}

const ROOT = 3
const FIRST_CAPACITY = 64

/** The slots for so many entries: the unused ones before the root, and a whole group at the end. */
function slotsFor(entries: number): number {
  return ROOT + entries + 4
}

function emptyTimes(entries: number): Float64Array<ArrayBuffer> {
  return new Float64Array(slotsFor(entries)).fill(NEVER)
}

function grownInts(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(length)
  grown.set(old)
  return grown
}
