import cliProgress from 'cli-progress'

const PATIENCE_MS = 2000

/** Bytes of a transfer, on a terminal only, and only where it takes its time. */
export class ByteProgress {
  readonly #started = Date.now()
  readonly #shown = process.stderr.isTTY
  #bar: cliProgress.SingleBar | null = null

  update(bytes: number, total: number): void {
    if (!this.#shown || Date.now() - this.#started < PATIENCE_MS) return
    if (this.#bar === null) {
      this.#bar = new cliProgress.SingleBar({
        format: '{bar} {percentage} % | {value} of {total} bytes | ETA {eta_formatted}',
        stream: process.stderr,
        clearOnComplete: true,
        hideCursor: true,
      })
      this.#bar.start(total, bytes)
    }
    this.#bar.update(bytes)
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = null
  }
}
