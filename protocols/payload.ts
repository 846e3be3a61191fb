import type { Bytes } from './bytes.ts'
import type { Malformation } from './parsed.ts'

/** A payload that nobody here reads: an unknown protocol, or the piece of a fragmented packet. */
export class Opaque {
  readonly kind = 'opaque'
  readonly bytes: Bytes

  constructor(bytes: Bytes) {
    this.bytes = bytes
  }

  get size(): number {
    return this.bytes.length
  }
}

/**
 * A payload of a known protocol that its codec refused. The bytes are kept, so that a router
 * forwards what it has no business reading, and the receiver can say why it drops it.
 */
export class Malformed {
  readonly kind = 'malformed'
  readonly protocol: string
  readonly why: Malformation
  readonly bytes: Bytes

  constructor(protocol: string, why: Malformation, bytes: Bytes) {
    this.protocol = protocol
    this.why = why
    this.bytes = bytes
  }

  get size(): number {
    return this.bytes.length
  }
}
