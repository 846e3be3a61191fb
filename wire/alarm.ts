import { libc } from './native.ts'
import { Pump } from './pump.ts'

/** Rings once, some time from now. */
export interface Alarm {
  /** Nanoseconds from now; replaces what was set before. */
  set(span: number): void
  close(): Promise<void>
}

const CLOCK_MONOTONIC = 1
/** TFD_NONBLOCK | TFD_CLOEXEC */
const TIMERFD_FLAGS = 0x80800

/** timerfd_create(2): a worker sleeps on it and sends a message, about 50 µs late. */
export class TimerAlarm implements Alarm {
  readonly #fd = libc().timerfdCreate(CLOCK_MONOTONIC, TIMERFD_FLAGS)
  /** struct itimerspec: the interval, then seconds and nanoseconds of the value. */
  readonly #value = new Uint8Array(32)
  readonly #view = new DataView(this.#value.buffer)
  readonly #pump: Pump

  constructor(ring: () => void) {
    this.#pump = new Pump(this.#fd, { slots: 4, slotBytes: 8 }, () => {
      this.#pump.receive(() => {}, 4)
      ring()
    })
    this.#pump.receive(() => {}, 1)
  }

  set(span: number): void {
    const seconds = Math.floor(span / 1e9)
    this.#view.setUint32(16, seconds, true)
    // Nothing at all would switch it off.
    this.#view.setUint32(24, Math.max(span - seconds * 1e9, 1), true)
    libc().timerfdSettime(this.#fd, 0, this.#value, null)
  }

  async close(): Promise<void> {
    await this.#pump.close()
    libc().close(this.#fd)
  }
}

/** Where there is no koffi: whole milliseconds, and up to one too early. */
export class TimeoutAlarm implements Alarm {
  readonly #ring: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(ring: () => void) {
    this.#ring = ring
  }
  set(span: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#ring, Math.min(span / 1e6, 0x7fff_ffff))
  }
  close(): Promise<void> {
    clearTimeout(this.#timer)
    return Promise.resolve()
  }
}
