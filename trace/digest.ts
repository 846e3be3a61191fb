import { Sha256 } from '../protocols/sha256.ts'
import { Encoding } from './encoding.ts'
import { encodeRecord } from './record-encoding.ts'
import type { TraceObserver } from './record.ts'

/** Bytes gathered before they are hashed. */
const BATCH = 1 << 15

/**
 * SHA-256 over every record of a run, in order. Two runs with the same digest did the same, to the
 * nanosecond and the bit (payloads up to a 32-bit fingerprint each).
 */
export class TraceDigest {
  readonly #sha = new Sha256()
  readonly #encoding = new Encoding()

  readonly observer: TraceObserver = (record) => {
    encodeRecord(this.#encoding, record)
    if (this.#encoding.length >= BATCH) this.#flush()
  }

  /** The digest of all records so far, 64 lower-case digits. More may follow. */
  hex(): string {
    this.#flush()
    return this.#sha.clone().hex()
  }

  #flush(): void {
    this.#sha.update(this.#encoding.bytes)
    this.#encoding.clear()
  }
}
