import { type Ipv4Address, putIpv4, readIpv4 } from '../address.ts'
import { type Bytes, fromHex, putU16 } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import type { GroupQuery, GroupRecord } from '../mld/listener.ts'
import type { Malformation } from '../parsed.ts'
import { ms, type Nanos, s } from '../time.ts'

/*
 * RFC 2236 §2, RFC 3376 §4.
 *
 *   0       1       2               4               8
 *   +-------+-------+---------------+---------------+-- - -
 *   | type  |max 0.1| checksum      | group         | IGMPv3 queries: robustness in the low bits
 *   +-------+-------+---------------+---------------+
 *
 * A report of IGMPv3 has the number of its records in the last two of these bytes, and then each:
 *   | type  | aux 0 | sources       | group         | sources
 */
export const PROTOCOL_IGMP = 2

const QUERY = 0x11
const REPORT_V2 = 0x16
const LEAVE_V2 = 0x17
const REPORT_V3 = 0x22

const HEADER = 8
const RECORD = 8
/** RFC 2113: what every router on the way looks at. */
export const ROUTER_ALERT: Bytes = fromHex('94040000')

export interface IgmpQuery extends GroupQuery<Ipv4Address> {
  /** The router speaks IGMPv2 at most: it does not understand reports of IGMPv3. */
  readonly older: boolean
}

/** `null`: it is a message for routers. */
export function readIgmpQuery(b: Bytes): IgmpQuery | null | Malformation {
  if (b.length < HEADER) return 'truncated'
  if (fold(sumRange(b, 0, b.length, 0)) !== 0xffff) return 'bad-checksum'
  if (b[0] !== QUERY) return null
  const asked = readIpv4(b, 4)
  const older = b.length < HEADER + 4
  const robustness = older ? 0 : b[HEADER]! & 7
  return { group: asked === 0 ? null : asked, within: responseTime(b[1]!), robustness, older }
}

/** RFC 3376 §4.1.1: tenths of a second, or a mantissa and an exponent; 0 is IGMPv1's, which had 10 s. */
function responseTime(code: number): Nanos {
  if (code === 0) return s(10)
  if (code < 128) return ms(100 * code)
  return ms(100 * ((code & 15) | 16) * 2 ** (((code >>> 4) & 7) + 3))
}

export function emitIgmpReport(records: readonly GroupRecord<Ipv4Address>[]): Bytes {
  const b = new Uint8Array(HEADER + RECORD * records.length)
  b[0] = REPORT_V3
  putU16(b, 6, records.length)
  records.forEach(({ type, group }, index) => {
    b[HEADER + RECORD * index] = type
    putIpv4(b, HEADER + RECORD * index + 4, group)
  })
  return withChecksum(b)
}

/** What IGMPv2 says about one group. */
export function emitIgmpV2(group: Ipv4Address, joined: boolean): Bytes {
  const b = new Uint8Array(HEADER)
  b[0] = joined ? REPORT_V2 : LEAVE_V2
  putIpv4(b, 4, group)
  return withChecksum(b)
}

function withChecksum(b: Uint8Array): Bytes {
  putU16(b, 2, checksum(sumRange(b, 0, b.length, 0)))
  return b
}
