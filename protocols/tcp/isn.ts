import { type Endpoint, isIpv4, putIpv4, putIpv6 } from '../address.ts'
import { type Bytes, i32, putBytes, putU16 } from '../bytes.ts'
import type { Seq } from '../sequence.ts'
import { Sha256 } from '../sha256.ts'
import type { Nanos } from '../time.ts'

/** RFC 9293 §3.4.1: the initial sequence number advances by one every 4 microseconds. */
const TICK: Nanos = 4_000

const ENDPOINT_MAX = 1 + 16 + 2

/**
 * The initial sequence number of a connection: ISN = M + F(local, remote, secret), RFC 6528 §3, with
 * SHA-256 for F in place of MD5 (the RFC leaves the choice open). `secret` has any length and stays
 * the same for the life of the host.
 */
export function isn(now: Nanos, secret: Bytes, local: Endpoint, remote: Endpoint): Seq {
  const message = new Uint8Array(2 * ENDPOINT_MAX + secret.length)
  putEndpoint(message, 0, local)
  putEndpoint(message, ENDPOINT_MAX, remote)
  putBytes(message, 2 * ENDPOINT_MAX, secret)
  const hash = new Sha256()
  hash.update(message)
  // `| 0` takes the quotient modulo 2^32, which is what a 32-bit clock would show.
  return (Math.floor(now / TICK) + i32(hash.digest(), 0)) | 0
}

/** The family, 16 bytes for an address, the port: two endpoints never share an encoding. */
function putEndpoint(b: Uint8Array, at: number, endpoint: Endpoint): void {
  const { address, port } = endpoint
  b[at] = isIpv4(address) ? 4 : 6
  if (isIpv4(address)) putIpv4(b, at + 1, address)
  else putIpv6(b, at + 1, address)
  putU16(b, at + 17, port)
}
