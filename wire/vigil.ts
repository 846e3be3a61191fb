import type { Nanos } from '../protocols/time.ts'
import type { FrameReader } from './device.ts'
import { libc, pollSet } from './native.ts'

/**
 * Waits for frames in this thread, by ppoll(2): one thread has to be woken, and not two. Nothing else
 * of the process happens meanwhile, so it is for spans that nobody notices.
 */
export class Vigil {
  readonly #readers: readonly FrameReader[]
  readonly #fds: Uint8Array
  readonly #timeout = new Uint8Array(16)
  readonly #span = new DataView(this.#timeout.buffer)
  #isHeld = false

  constructor(readers: readonly FrameReader[]) {
    this.#readers = readers
    this.#fds = pollSet(readers.map(({ fd }) => fd))
  }

  /** @returns whether the descriptors are ours now. */
  hold(): boolean {
    if (this.#isHeld) return true
    this.#isHeld = this.#readers.every((reader) => reader.claim())
    if (!this.#isHeld) this.release()
    return this.#isHeld
  }

  /** Until there is a frame, a signal, or `span` is over; at most a second. */
  wait(span: Nanos): void {
    this.#span.setUint32(8, Math.min(Math.max(span, 0), 999_999_999), true)
    libc().ppoll(this.#fds, this.#readers.length, this.#timeout, null)
  }

  /** Others wait for them again. */
  release(): void {
    this.#isHeld = false
    for (const reader of this.#readers) reader.release()
  }
}
