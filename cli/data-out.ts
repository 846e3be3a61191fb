const BATCH = 64 * 1024

/** Lines for stdout, in batches: one system call for some hundred lines. */
export class LineOut {
  readonly #stream: NodeJS.WritableStream
  #waiting = ''

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
  }

  line(text: string): void {
    this.#waiting += `${text}\n`
    if (this.#waiting.length >= BATCH) this.flush()
  }

  flush(): void {
    if (this.#waiting !== '') this.#stream.write(this.#waiting)
    this.#waiting = ''
  }
}

/** A reader that goes away (`… | head`) ends the program, quietly. */
export function endQuietlyWithoutReader(leaving: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (e: NodeJS.ErrnoException) => {
      if (e.code !== 'EPIPE') throw e
      leaving()
      process.exit(0)
    })
  }
}
