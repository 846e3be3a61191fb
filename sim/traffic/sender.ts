import type { Bytes } from '../../protocols/bytes.ts'
import type { Node } from '../node.ts'

const FILLER_BYTES = 1 << 16
let whole: Bytes | null = null

/** So many bytes, at most 64 KiB, of one constant pattern, never copied. */
export function filler(bytes: number): Bytes {
  whole ??= Uint8Array.from({ length: FILLER_BYTES }, (_, i) => (i * 131 + 17) & 255)
  return whole.subarray(0, bytes)
}

/** Sends all of something over a TCP connection, piece by piece as there is room. */
export class Sender {
  readonly #node: Node
  readonly #socket: number
  #left = 0
  #room = true
  #ending = false
  #gone = false

  constructor(node: Node, socket: number) {
    this.#node = node
    this.#socket = socket
  }

  send(bytes: number): void {
    this.#left += bytes
    this.flush()
  }

  flush(): void {
    while (this.#room && this.#left > 0) {
      const bytes = filler(this.#left)
      this.#node.call({ kind: 'send', socket: this.#socket, bytes })
    }
  }

  queued(bytes: number): void {
    if (bytes < filler(this.#left).length) this.#room = false
    this.#left -= bytes
    if (this.#ending && this.#left === 0) this.end()
  }

  /** Closes the connection behind what is still to be sent. */
  end(): void {
    this.#ending = true
    if (this.#gone) return
    if (this.#left === 0) this.#node.call({ kind: 'close', socket: this.#socket })
  }

  writable(): void {
    this.#room = true
    this.flush()
  }

  stop(): void {
    this.#room = false
  }

  /** The connection is gone and its number may be another's: nothing is asked of it any more. */
  gone(): void {
    this.#room = false
    this.#gone = true
  }

  get isGone(): boolean {
    return this.#gone
  }
}
