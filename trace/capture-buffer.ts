/** Bytes after which a piece is handed over. */
const PIECE = 1 << 18

/** pcapng blocks and options in little-endian order, gathered into pieces for a sink. */
export class CaptureBuffer {
  readonly #sink: (bytes: Uint8Array) => void
  bytes = new Uint8Array(PIECE)
  at = 0

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink
  }

  /** Starts a block that needs no more than `room` bytes. Returns what `close` wants. */
  open(type: number, room: number): number {
    if (this.at + room > this.bytes.length) {
      this.flush()
      if (room > this.bytes.length) this.bytes = new Uint8Array(room)
    }
    const start = this.at
    this.u32(type)
    this.at += 4 // the length, once it is known
    return start
  }

  close(start: number): void {
    const length = this.at + 4 - start
    this.u32(length)
    const end = this.at
    this.at = start + 4
    this.u32(length)
    this.at = end
  }

  /** Hands the gathered bytes over for good: the sink may keep them. */
  flush(): void {
    if (this.at === 0) return
    const piece = this.bytes.subarray(0, this.at)
    this.bytes = new Uint8Array(PIECE)
    this.at = 0
    this.#sink(piece)
  }

  u16(value: number): void {
    const bytes = this.bytes
    bytes[this.at] = value
    bytes[this.at + 1] = value >>> 8
    this.at += 2
  }

  u32(value: number): void {
    const bytes = this.bytes
    const at = this.at
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
    this.at = at + 4
  }

  skip(count: number): void {
    this.at += count
  }

  /** Up to the next multiple of 4; the buffer was zero from the start. */
  pad(): void {
    this.at = (this.at + 3) & ~3
  }

  /** As UTF-8: at most three bytes for each code unit. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit < 0x80) this.bytes[this.at++] = unit
      else {
        const point = text.codePointAt(i)!
        if (point > 0xffff) i++
        this.#beyondAscii(point)
      }
    }
  }

  /** RFC 3629 §3: six bits in each byte behind the first. */
  #beyondAscii(point: number): void {
    const following = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3
    const lead = [0, 0xc0, 0xe0, 0xf0][following]!
    this.bytes[this.at++] = lead | (point >> (6 * following))
    for (let shift = 6 * (following - 1); shift >= 0; shift -= 6) {
      this.bytes[this.at++] = 0x80 | ((point >> shift) & 0x3f)
    }
  }

  /** A whole number that is not negative. */
  decimal(value: number): void {
    if (value > 0x7fffffff) return this.text(String(value))
    let digits = 1
    for (let ten = 10; ten <= value; ten *= 10) digits++
    let rest = value | 0
    for (let i = this.at + digits - 1; i >= this.at; i--) {
      const quotient = (rest / 10) | 0
      this.bytes[i] = 48 + rest - 10 * quotient
      rest = quotient
    }
    this.at += digits
  }

  /** An option whose length is known at its end. Returns what `endOption` wants. */
  beginOption(code: number): number {
    this.u16(code)
    this.at += 2
    return this.at
  }

  endOption(start: number): void {
    const length = this.at - start
    this.bytes[start - 2] = length
    this.bytes[start - 1] = length >>> 8
    this.pad()
  }

  textOption(code: number, text: string): void {
    const start = this.beginOption(code)
    this.text(text)
    this.endOption(start)
  }
}
