import type { MessagePort } from 'node:worker_threads'

/** What a worker that reads a descriptor is given. */
export interface PumpOrder {
  readonly koffi: string
  readonly fd: number
  /** What to poll: `fd`, and one that is readable when the worker has to end. */
  readonly fds: Uint8Array
  readonly control: SharedArrayBuffer
  readonly slab: SharedArrayBuffer
  readonly lengths: SharedArrayBuffer
  readonly slots: number
  readonly slotBytes: number
}

/** Places in `control`. */
export const CONTROL = {
  /** Frames written so far, and frames taken so far: 32 bits that wrap. */
  head: 0,
  tail: 1,
  /** 1: the reader has gone to sleep, and wants a message. */
  sleeping: 2,
  stop: 3,
  /** 1: the worker waits for a free slot. */
  full: 4,
  ringFull: 5,
  errno: 6,
  /** Who reads the descriptor: one of `READER`. */
  reader: 7,
  size: 8,
} as const

/** At most one of the two reads at a time, so that frames stay in order. */
export const READER = { nobody: 0, worker: 1, owner: 2 } as const

interface Threads {
  readonly workerData: PumpOrder
  readonly parentPort: MessagePort
}
interface Koffi {
  load(name: string): { func(prototype: string): (...args: unknown[]) => number }
  errno(): number
}

/**
 * The worker's whole program. It is started from its own source text, so that it needs no file: it
 * may use nothing but what it asks `require` for, and `PumpOrder`.
 */
export function pumpFrames(require: (name: string) => unknown): void {
  const { workerData: order, parentPort } = require('node:worker_threads') as Threads
  const koffi = require(order.koffi) as Koffi
  const libc = koffi.load('libc.so.6')
  const read = libc.func('long read(int fd, void* bytes, size_t size)')
  const poll = libc.func('int poll(void* fds, unsigned long count, int timeout)')
  const [HEAD, TAIL, SLEEPING, STOP, FULL, RING_FULL, ERRNO, READ_BY] = [0, 1, 2, 3, 4, 5, 6, 7]
  const [NOBODY, WORKER, OWNER] = [0, 1, 2]
  const [EINTR, EAGAIN, ENETDOWN] = [4, 11, 100]
  const [REVENTS, POLL_MS] = [6, 1000]
  const { slots, slotBytes, fd, fds } = order
  const control = new Int32Array(order.control)
  const lengths = new Uint32Array(order.lengths)
  const views = Array.from(
    { length: slots },
    (_, i) => new Uint8Array(order.slab, i * slotBytes, slotBytes),
  )
  let head = 0
  /** Tells the reader where it sleeps. */
  const publish = (): void => {
    Atomics.store(control, HEAD, head)
    if (Atomics.exchange(control, SLEEPING, 0) === 1) parentPort.postMessage(null)
  }
  /** Reads until nothing is left. @returns whether to go on. */
  const drain = (): boolean => {
    for (;;) {
      while (((head - Atomics.load(control, TAIL)) | 0) >= slots) {
        Atomics.add(control, RING_FULL, 1)
        Atomics.store(control, FULL, 1)
        const tail = Atomics.load(control, TAIL)
        if (((head - tail) | 0) >= slots) Atomics.wait(control, TAIL, tail, 100)
        Atomics.store(control, FULL, 0)
        if (Atomics.load(control, STOP) === 1) return false
      }
      const slot = (head >>> 0) % slots
      const size = read(fd, views[slot], slotBytes)
      if (size > 0) {
        lengths[slot] = size
        head = (head + 1) | 0
        publish()
        continue
      }
      const errno = size === 0 ? EAGAIN : koffi.errno()
      if (errno === EAGAIN || errno === EINTR) return true
      // An interface that goes down and may come up again.
      if (errno === ENETDOWN) return true
      Atomics.store(control, ERRNO, errno)
      parentPort.postMessage(null)
      return false
    }
  }
  for (;;) {
    poll(fds, 2, POLL_MS)
    if (Atomics.load(control, STOP) === 1) return
    if (fds[REVENTS] === 0) continue
    if (Atomics.compareExchange(control, READ_BY, NOBODY, WORKER) !== NOBODY) {
      Atomics.wait(control, READ_BY, OWNER, POLL_MS)
      continue
    }
    const goOn = drain()
    Atomics.store(control, READ_BY, NOBODY)
    if (!goOn) return
  }
}
