import type { MessagePort } from 'node:worker_threads'

/** What a worker that reads a descriptor is given. */
export interface PumpOrder {
  readonly koffi: string
  readonly fd: number
  /** Readable when the worker has to end. */
  readonly stopFd: number
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
  size: 8,
} as const

/**
 * The worker's whole program. It is started from its own source text, so that it needs no file: it
 * may use nothing but what it asks `require` for, and `PumpOrder`.
 */
export function pumpFrames(require: (name: string) => unknown): void {
  const threads = require('node:worker_threads') as {
    workerData: PumpOrder
    parentPort: MessagePort
  }
  const { workerData: order, parentPort } = threads
  const koffi = require(order.koffi) as {
    load(name: string): { func(prototype: string): (...args: unknown[]) => number }
    errno(): number
  }
  const libc = koffi.load('libc.so.6')
  const read = libc.func('long read(int fd, void* bytes, size_t size)')
  const poll = libc.func('int poll(void* fds, unsigned long count, int timeout)')
  const [HEAD, TAIL, SLEEPING, STOP, FULL, RING_FULL, ERRNO] = [0, 1, 2, 3, 4, 5, 6]
  const [EINTR, EAGAIN, ENETDOWN] = [4, 11, 100]
  const [POLLIN, POLL_MS] = [1, 1000]
  const { slots, slotBytes, fd } = order
  const control = new Int32Array(order.control)
  const lengths = new Uint32Array(order.lengths)
  const views = Array.from(
    { length: slots },
    (_, i) => new Uint8Array(order.slab, i * slotBytes, slotBytes),
  )
  const fds = new Uint8Array(16)
  const words = new DataView(fds.buffer)
  words.setInt32(0, fd, true)
  words.setInt16(4, POLLIN, true)
  words.setInt32(8, order.stopFd, true)
  words.setInt16(12, POLLIN, true)
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
    const happened = words.getInt16(6, true)
    if (happened !== 0 && !drain()) return
  }
}
