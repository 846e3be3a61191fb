import type { Bytes } from '../protocols/bytes.ts'
import { Sha256 } from '../protocols/sha256.ts'
import { Encoding } from './encoding.ts'
import { encodeRecord } from './record-encoding.ts'
import type { TraceObserver } from './record.ts'

/** SHA-256 over bytes that come piece by piece; they may change once `update` has returned. */
export interface StreamHash {
  update(bytes: Bytes): unknown
  /** Of all bytes so far, 64 lower-case digits. More may follow. */
  hex(): string
}

/** Bytes gathered before they are hashed. */
const BATCH = 1 << 15

/**
 * SHA-256 over every record of a run, in order. Two runs with the same digest did the same, to the
 * nanosecond and the bit (payloads up to a 32-bit fingerprint each).
 */
export class TraceDigest {
  readonly #sha: StreamHash
  readonly #encoding = new Encoding()

  /** `hash`: our own, or one of the platform's that gives the same and is faster. */
  constructor(hash: StreamHash = new Sha256()) {
    this.#sha = hash
  }

  readonly observer: TraceObserver = (record) => {
    encodeRecord(this.#encoding, record)
    if (this.#encoding.length >= BATCH) this.#flush()
  }

  /** The digest of all records so far, 64 lower-case digits. More may follow. */
  hex(): string {
    this.#flush()
    return this.#sha.hex()
  }

  #flush(): void {
    this.#sha.update(this.#encoding.bytes)
    this.#encoding.clear()
  }
}
