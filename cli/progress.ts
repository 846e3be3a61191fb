import cliProgress from 'cli-progress'
import type { Nanos } from '../protocols/time.ts'
import { formatDuration } from '../sim/units.ts'

/** A run that is over sooner needs no bar. */
const PATIENCE_MS = 2000

export interface Progress {
  readonly now: Nanos
  readonly events: number
  /** Of the whole run; `null` where nobody knows how long it will be. */
  readonly fraction: number | null
}

/** A bar on stderr, on a terminal only. */
export class ProgressBar {
  readonly #started = Date.now()
  #bar: cliProgress.SingleBar | null = null

  update({ now, events, fraction }: Progress): void {
    if (Date.now() - this.#started < PATIENCE_MS) return
    // Tenths of a second are enough for the eye.
    const simulated = formatDuration(Math.floor(now / 1e8) * 1e8)
    const shown = { simulated, events: events.toLocaleString('en') }
    if (this.#bar === null) {
      const known = '{bar} {percentage} % | ETA {eta_formatted} | '
      this.#bar = new cliProgress.SingleBar({
        format: `${fraction === null ? '' : known}{simulated} simulated, {events} events`,
        stream: process.stderr,
        clearOnComplete: true,
        hideCursor: true,
      })
      this.#bar.start(1000, 0, shown)
    }
    this.#bar.update(Math.round((fraction ?? 0) * 1000), shown)
  }

  /** Takes the bar off the screen. */
  stop(): void {
    this.#bar?.stop()
    this.#bar = null
  }
}

export const progressBar = (): ProgressBar | null =>
  process.stderr.isTTY ? new ProgressBar() : null
