import { type Ipv6Address, putIpv6, readIpv6 } from '../address.ts'
import { putU16, u16 } from '../bytes.ts'
import { Icmpv6Message, MLD_REPORT_V2 } from '../icmpv6/message.ts'
import { UNSPECIFIED } from '../ipv6/address.ts'
import type { Malformation } from '../parsed.ts'
import { ms, type Nanos } from '../time.ts'
import type { GroupQuery, GroupRecord } from './listener.ts'

/*
 * RFC 3810 §5, in the words of an ICMPv6 message.
 *
 * A query: the first half of `rest` is the Maximum Response Code, `data` begins with the group,
 * then one byte with the querier's robustness in its low three bits (an MLDv1 query ends before).
 *
 * A report: the second half of `rest` counts the records in `data`:
 *   0       1       2               4                               20
 *   +-------+-------+---------------+-------------------------------+-- - -
 *   | type  | aux 0 | sources       | group                         | sources
 *   +-------+-------+---------------+-------------------------------+-- - -
 */
const RECORD = 20

export type MldRecord = GroupRecord<Ipv6Address>

export function readQuery({
  code,
  rest,
  data,
}: Icmpv6Message): GroupQuery<Ipv6Address> | Malformation {
  if (code !== 0) return 'unsupported'
  if (data.length < 16) return 'truncated'
  const robustness = data.length < RECORD ? 0 : data[16]! & 7
  const asked = readIpv6(data, 0)
  const group = asked === UNSPECIFIED ? null : asked
  return { group, within: responseTime(rest >>> 16), robustness }
}

/** §5.1.3: milliseconds, or a mantissa and an exponent beyond 32,767 of them. */
function responseTime(code: number): Nanos {
  if (code < 0x8000) return ms(code)
  return ms(((code & 0xfff) | 0x1000) * 2 ** (((code >>> 12) & 7) + 3))
}

/** §5.2. */
export function emitReport(records: readonly MldRecord[]): Icmpv6Message {
  const data = new Uint8Array(RECORD * records.length)
  records.forEach(({ type, group }, index) => {
    data[RECORD * index] = type
    putIpv6(data, RECORD * index + 4, group)
  })
  return new Icmpv6Message(MLD_REPORT_V2, 0, records.length, data)
}

/** Reads a report, for those who look at it: what is said about sources is passed over. */
export function readReport({ rest, data }: Icmpv6Message): MldRecord[] | Malformation {
  const records: MldRecord[] = []
  let at = 0
  for (let left = rest & 0xffff; left > 0; left--) {
    if (at + RECORD > data.length) return 'truncated'
    const length = RECORD + 4 * data[at + 1]! + 16 * u16(data, at + 2)
    if (at + length > data.length) return 'bad-length'
    records.push({ type: data[at]!, group: readIpv6(data, at + 4) })
    at += length
  }
  return records
}

/** RFC 3810 §5, RFC 2711: every router on the way looks at it. A whole hop-by-hop header. */
export function routerAlert(next: number): Uint8Array {
  const b = new Uint8Array(8)
  b[0] = next
  putU16(b, 2, 0x0502) // router alert, two bytes of value: MLD
  putU16(b, 6, 0x0100) // PadN, to the end
  return b
}
