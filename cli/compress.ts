import { deflateSync, inflateSync } from 'fflate'
import { UserError } from '../sim/user-error.ts'

/** DEFLATE, RFC 1951. The same bytes on every machine: nothing of it is the platform's. */
export const deflate = (content: Uint8Array): Uint8Array => deflateSync(content, { level: 6 })

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
