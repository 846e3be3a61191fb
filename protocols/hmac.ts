import type { Bytes } from './bytes.ts'
import { Sha256 } from './sha256.ts'

const BLOCK = 64
const INNER = 0x36
const OUTER = 0x5c

/** HMAC-SHA-256, RFC 2104 and FIPS 198-1: 32 bytes over the parts, one behind the other. */
export function hmacSha256(key: Bytes, ...parts: readonly Bytes[]): Uint8Array {
  const short = key.length > BLOCK ? new Sha256().update(key).digest() : key
  const inner = new Uint8Array(BLOCK).fill(INNER)
  const outer = new Uint8Array(BLOCK).fill(OUTER)
  for (let i = 0; i < short.length; i++) {
    inner[i]! ^= short[i]!
    outer[i]! ^= short[i]!
  }
  const hash = new Sha256().update(inner)
  for (const part of parts) hash.update(part)
  return new Sha256().update(outer).update(hash.digest()).digest()
}
