import { Worker } from 'node:worker_threads'
import type { FrameReader, TakeFrame } from './device.ts'
import { koffiPath, type Libc, libc, pollSet } from './native.ts'
import { CONTROL, type PumpOrder, pumpFrames, READER } from './pump-worker.ts'

/** EFD_NONBLOCK | EFD_CLOEXEC */
const EVENTFD_FLAGS = 0x80800

export interface RingSize {
  /** Frames; a power of two, so that the count may wrap. */
  readonly slots: number
  /** Bytes of the longest frame. */
  readonly slotBytes: number
}

/** Frames of at most 2048 bytes. */
export const SMALL_RING: RingSize = { slots: 1024, slotBytes: 2048 }
/** Frames as offloading makes them, up to 64 KiB of IP. */
export const LARGE_RING: RingSize = { slots: 256, slotBytes: 65_600 }

const [EINTR, EAGAIN, ENETDOWN] = [4, 11, 100]

/**
 * Reads frames from a descriptor: a worker waits in poll(2), reads until nothing is left into a ring
 * in shared memory, and sends a message only when nobody is looking. The descriptor must not block.
 * Where `claim` succeeds, the worker stands aside, and `receive` reads the descriptor itself.
 */
export class Pump implements FrameReader {
  readonly #libc: Libc = libc()
  readonly #slots: number
  readonly #slotBytes: number
  readonly #control: Int32Array
  readonly #lengths: Uint32Array
  readonly #slab: Uint8Array
  readonly #stopFd: number
  readonly #worker: Worker
  readonly #ended: Promise<void>
  readonly #onExit: () => void
  readonly fd: number
  #tail = 0
  /** What `receive` reads into, once it was claimed. */
  #own: Uint8Array | null = null
  #isClaimed = false

  constructor(fd: number, { slots, slotBytes }: RingSize, ready: () => void) {
    this.fd = fd
    this.#slots = slots
    this.#slotBytes = slotBytes
    const control = new SharedArrayBuffer(4 * CONTROL.size)
    const lengths = new SharedArrayBuffer(4 * slots)
    const slab = new SharedArrayBuffer(slots * slotBytes)
    this.#control = new Int32Array(control)
    this.#lengths = new Uint32Array(lengths)
    this.#slab = new Uint8Array(slab)
    Atomics.store(this.#control, CONTROL.sleeping, 1)
    this.#stopFd = this.#libc.eventfd(0, EVENTFD_FLAGS)
    const order: PumpOrder = {
      koffi: koffiPath(),
      fd,
      fds: pollSet([fd, this.#stopFd]),
      control,
      slab,
      lengths,
      slots,
      slotBytes,
    }
    const worker = new Worker(`(${pumpFrames.toString()})(require)`, {
      eval: true,
      workerData: order,
    })
    this.#worker = worker
    worker.on('message', ready)
    worker.on('error', (error) => {
      throw error
    })
    this.#ended = new Promise((resolve) => worker.on('exit', () => resolve()))
    // A worker that sits in poll(2) would keep the process from ending.
    this.#onExit = () => this.#stop()
    process.once('exit', this.#onExit)
  }

  /** Why reading has ended; 0 while it goes on. */
  get failure(): number {
    return Atomics.load(this.#control, CONTROL.errno)
  }
  get received(): number {
    return Atomics.load(this.#control, CONTROL.head) >>> 0
  }
  get ringFull(): number {
    return Atomics.load(this.#control, CONTROL.ringFull)
  }

  claim(): boolean {
    if (this.#isClaimed) return true
    const before = Atomics.compareExchange(
      this.#control,
      CONTROL.reader,
      READER.nobody,
      READER.owner,
    )
    this.#isClaimed = before === READER.nobody
    return this.#isClaimed
  }

  release(): void {
    if (!this.#isClaimed) return
    this.#isClaimed = false
    Atomics.store(this.#control, CONTROL.sleeping, 1)
    Atomics.store(this.#control, CONTROL.reader, READER.nobody)
    Atomics.notify(this.#control, CONTROL.reader)
  }

  /** Where it hands over fewer than `max`, it will call `ready` when there is more. */
  receive(take: TakeFrame, max: number): number {
    const taken = this.#fromRing(take, max)
    return this.#isClaimed && taken < max ? taken + this.#read(take, max - taken) : taken
  }

  #read(take: TakeFrame, max: number): number {
    const own = (this.#own ??= new Uint8Array(this.#slotBytes))
    for (let taken = 0; taken < max; taken++) {
      const size = this.#libc.read(this.fd, own, own.length)
      if (size > 0) {
        take(own, 0, size)
        continue
      }
      const errno = size === 0 ? EAGAIN : this.#libc.errno()
      if (errno !== EAGAIN && errno !== EINTR && errno !== ENETDOWN) {
        Atomics.store(this.#control, CONTROL.errno, errno)
      }
      return taken
    }
    return max
  }

  #fromRing(take: TakeFrame, max: number): number {
    const control = this.#control
    let taken = 0
    while (taken < max) {
      const waiting = (Atomics.load(control, CONTROL.head) - this.#tail) | 0
      if (waiting === 0) {
        Atomics.store(control, CONTROL.sleeping, 1)
        // What came in between has not seen the flag.
        if (Atomics.load(control, CONTROL.head) === this.#tail) return taken
        Atomics.store(control, CONTROL.sleeping, 0)
        continue
      }
      const count = Math.min(waiting, max - taken)
      for (let i = 0; i < count; i++) {
        const slot = (this.#tail >>> 0) % this.#slots
        take(this.#slab, slot * this.#slotBytes, this.#lengths[slot]!)
        this.#tail = (this.#tail + 1) | 0
      }
      taken += count
      Atomics.store(control, CONTROL.tail, this.#tail)
      if (Atomics.load(control, CONTROL.full) === 1) Atomics.notify(control, CONTROL.tail)
    }
    return taken
  }

  #stop(): void {
    Atomics.store(this.#control, CONTROL.stop, 1)
    Atomics.notify(this.#control, CONTROL.tail)
    Atomics.store(this.#control, CONTROL.reader, READER.nobody)
    Atomics.notify(this.#control, CONTROL.reader)
    this.#libc.write(this.#stopFd, ONE, 8)
  }

  /** Resolves when nobody reads the descriptor any more. */
  async close(): Promise<void> {
    process.off('exit', this.#onExit)
    this.#stop()
    await this.#ended
    this.#libc.close(this.#stopFd)
  }

  /** Whether waiting for frames keeps the process alive. */
  unref(): void {
    this.#worker.unref()
  }
}

/** What an eventfd counts. */
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)
