import { deflateSync, inflateSync } from 'fflate'
import type { Bytes } from '../protocols/bytes.ts'
import { UserError } from '../sim/user-error.ts'

/** DEFLATE, RFC 1951. The same bytes on every machine: nothing of it is the platform's. */
export const deflate = (content: Uint8Array): Uint8Array => deflateSync(content, { level: 6 })

/** Of one packet: little to learn from, so little is tried. */
export const deflatePacket = (packet: Bytes): Bytes =>
  deflateSync(packet as Uint8Array, { level: 1 })

/** A byte more than a packet has. */
const SCRATCH = new Uint8Array(65_536)

/** At most so many bytes; `null`: it is no such thing, or makes more. */
export function inflatePacket(content: Bytes, max: number): Bytes | null {
  try {
    const whole = inflateSync(content as Uint8Array, { out: SCRATCH })
    return whole.length > max ? null : whole.slice()
  } catch {
    return null
  }
}

/** `size`: what it has to be; more is not made of it. */
export function inflate(content: Uint8Array, size: number): Uint8Array {
  try {
    const whole = inflateSync(content, { out: new Uint8Array(size) })
    if (whole.length === size) return whole
  } catch {
    // Said below: it is no use to know how it is broken.
  }
  throw new UserError('what came in compressed form is not the file that was announced')
}
