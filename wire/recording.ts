import { createHash } from 'node:crypto'
import type { Bytes } from '../protocols/bytes.ts'
import { concatBytes } from '../protocols/bytes.ts'
import type { Nanos } from '../protocols/time.ts'
import type { FileWriter } from '../sim/files.ts'
import { UserError } from '../sim/user-error.ts'

/*
 * A recorded live run, run.tw. Numbers are little-endian base-128 groups, the last without the top
 * bit (LEB128).
 *
 *   'twinwire run 1\n'
 *   header: its length, JSON
 *   for each frame that came in: kind 1, nanoseconds since the one before, place, length, bytes
 *   end: kind 2, nanoseconds since the last frame, how many frames, the digest (64 digits)
 *   SHA-256 of all that, 32 bytes
 */
const MAGIC = 'twinwire run 1\n'
const [FRAME, END] = [1, 2]
const HASH_BYTES = 32
const DIGEST_DIGITS = 64
const CHUNK = 1 << 16

/** What a run was made of: with it and the frames, it can be made again. */
export interface RecordingHeader {
  /** The scenario as it was named on the command line. */
  readonly scenario: string
  /** SHA-256 of what the scenario says, so that another one is not taken for it. */
  readonly identity: string
  readonly params: { readonly [name: string]: string }
  readonly seed: string
  /** `place=device`, in the order in which frames number them. */
  readonly bindings: readonly string[]
  /** The release of twinwire. */
  readonly version: string
  /** When it was made, ISO 8601. For people. */
  readonly made: string
}

export interface RecordedFrame {
  readonly at: Nanos
  /** The index of the binding. */
  readonly place: number
  readonly bytes: Bytes
}

export interface Recording {
  readonly header: RecordingHeader
  readonly frames: readonly RecordedFrame[]
  readonly ended: Nanos
  readonly digest: string
}

/** Writes a recording, frame by frame. The file appears when it is complete. */
export class Recorder {
  readonly #file: FileWriter
  readonly #hash = createHash('sha256')
  #chunk = new Uint8Array(CHUNK)
  #used = 0
  #last: Nanos = 0
  #frames = 0

  constructor(file: FileWriter, header: RecordingHeader) {
    this.#file = file
    const json = new TextEncoder().encode(JSON.stringify(header))
    this.#put(new TextEncoder().encode(MAGIC))
    this.#number(json.length)
    this.#put(json)
  }

  frame(at: Nanos, place: number, bytes: Uint8Array): void {
    this.#number(FRAME)
    this.#number(at - this.#last)
    this.#number(place)
    this.#number(bytes.length)
    this.#put(bytes)
    this.#last = at
    this.#frames += 1
  }

  /** @returns the path. */
  end(at: Nanos, digest: string): string {
    this.#number(END)
    this.#number(at - this.#last)
    this.#number(this.#frames)
    this.#put(new TextEncoder().encode(digest))
    this.#flush()
    this.#file.write(this.#hash.digest())
    return this.#file.commit().path
  }

  discard(): void {
    this.#file.discard()
  }

  #number(value: number): void {
    if (this.#used + 10 > CHUNK) this.#flush()
    let left = value
    while (left > 127) {
      this.#chunk[this.#used++] = (left % 128) | 128
      left = Math.floor(left / 128)
    }
    this.#chunk[this.#used++] = left
  }

  #put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#used === CHUNK) this.#flush()
      const piece = bytes.subarray(at, at + CHUNK - this.#used)
      this.#chunk.set(piece, this.#used)
      this.#used += piece.length
      at += piece.length
    }
  }

  #flush(): void {
    const full = this.#chunk.subarray(0, this.#used)
    this.#hash.update(full)
    this.#file.write(full)
    this.#chunk = new Uint8Array(CHUNK)
    this.#used = 0
  }
}

/** @throws UserError for what is no recording, or was cut or changed. */
export function readRecording(bytes: Bytes, path: string): Recording {
  const where = path
  const magic = new TextEncoder().encode(MAGIC)
  if (!magic.every((byte, i) => bytes[i] === byte)) {
    const hint = "'twinwire live … --record run.tw' makes one"
    throw new UserError('is not a recorded run', { where, hint })
  }
  const end = bytes.length - HASH_BYTES
  const content = bytes.subarray(0, Math.max(end, 0)) as Uint8Array
  const digest = createHash('sha256').update(content).digest()
  const intact = end > magic.length && digest.every((byte, i) => byte === bytes[end + i])
  if (!intact) {
    throw new UserError('was cut short or changed since it was recorded', {
      where,
      hint: 'its own checksum does not fit; take it from where it was made',
    })
  }
  return new Reader(bytes, magic.length, end).recording()
}

/** What it reads has the right hash: nothing here can be wrong but by a defect of ours. */
class Reader {
  readonly #bytes: Bytes
  readonly #end: number
  #at: number

  constructor(bytes: Bytes, at: number, end: number) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  recording(): Recording {
    const header = JSON.parse(this.#text(this.#number())) as RecordingHeader
    const frames: RecordedFrame[] = []
    let at = 0
    while (this.#number() === FRAME) {
      at += this.#number()
      const place = this.#number()
      frames.push({ at, place, bytes: this.#take(this.#number()) })
    }
    const ended = at + this.#number()
    this.#number()
    return { header, frames, ended, digest: this.#text(DIGEST_DIGITS) }
  }

  #number(): number {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = this.#bytes[this.#at++]!
      value += (byte & 127) * unit
      if (byte < 128 || this.#at >= this.#end) return value
      unit *= 128
    }
  }

  #take(length: number): Bytes {
    const from = this.#at
    this.#at += length
    return this.#bytes.subarray(from, this.#at)
  }

  #text(length: number): string {
    return new TextDecoder().decode(concatBytes([this.#take(length)]))
  }
}
