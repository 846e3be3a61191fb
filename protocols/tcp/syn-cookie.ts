import type { Endpoint } from '../address.ts'
import { type Bytes, putBytes, putI32 } from '../bytes.ts'
import type { Seq } from '../sequence.ts'
import { type Nanos, s } from '../time.ts'
import { isn } from './isn.ts'

// SYN cookies, RFC 4987 §3.6: the SYN,ACK's number is all that is remembered of a SYN. What it holds,
// from the top: 5 bits of the time, 3 bits for the MSS, 24 bits that only this host can make. The
// options of the SYN but its MSS are lost, and so is text on it.

/** The time that is in a cookie goes on by one in this. */
const PERIOD: Nanos = s(64)
/** So many periods ago, and a cookie is not taken any more. */
const PERIODS_VALID = 2

/** What the three bits stand for: the largest of these that the SYN's MSS is not below. */
const MSS_TABLE = [216, 536, 1220, 1300, 1440, 1460, 4312, 8960] as const

const SECRET_BITS = 0xff_ffff

/** The number of a SYN,ACK to a SYN with this number and MSS (negative: it had none). */
export function makeCookie(
  now: Nanos,
  secret: Bytes,
  local: Endpoint,
  remote: Endpoint,
  irs: Seq,
  mss: number,
  defaultMss: number,
): Seq {
  const period = Math.floor(now / PERIOD)
  const wanted = mss < 0 ? defaultMss : mss
  let index = 0
  while (index + 1 < MSS_TABLE.length && MSS_TABLE[index + 1]! <= wanted) index += 1
  return cookie(period, index, secret, local, remote, irs)
}

/** The MSS that a cookie of ours holds; 0: it is none, or too old. */
export function readCookie(
  now: Nanos,
  secret: Bytes,
  local: Endpoint,
  remote: Endpoint,
  irs: Seq,
  iss: Seq,
): number {
  const current = Math.floor(now / PERIOD)
  const index = (iss >>> 24) & 7
  for (let age = 0; age < PERIODS_VALID && age <= current; age++) {
    if (cookie(current - age, index, secret, local, remote, irs) === iss) return MSS_TABLE[index]!
  }
  return 0
}

function cookie(
  period: number,
  index: number,
  secret: Bytes,
  local: Endpoint,
  remote: Endpoint,
  irs: Seq,
): Seq {
  const salted = new Uint8Array(secret.length + SALT)
  putI32(salted, 0, irs)
  putI32(salted, 4, period | 0)
  salted[8] = index
  putBytes(salted, SALT, secret)
  // The keyed hash that makes initial numbers, of another key for each of them.
  const hash = isn(0, salted, local, remote) & SECRET_BITS
  return ((period & 31) << 27) | (index << 24) | hash
}

/** The SYN's number, the time, the MSS. */
const SALT = 9
