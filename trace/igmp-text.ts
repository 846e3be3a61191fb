import type { Bytes } from '../protocols/bytes.ts'
import { addressAt, byteAt, need, wordAt } from './cut.ts'

// IGMP (RFC 1112, RFC 2236, RFC 3376) in tcpdump's notation.

const HEADER = 8
const RECORD = 8
/** Bytes of an IGMPv3 query. */
const QUERY_V3 = 12
/** Tenths of a second that go without saying. */
const USUAL_RESPONSE = 100

/** `length` is what the IP header says the message has. */
export function igmpText(b: Bytes, length: number): string {
  const type = byteAt(b, 0)
  switch (type) {
    case 0x11:
      return `igmp query ${length >= QUERY_V3 ? v3Query(b) : olderQuery(b)}`
    case 0x12:
      return `igmp v1 report ${groupOf(b)}`
    case 0x16:
      return `igmp v2 report ${groupOf(b)}`
    case 0x17:
      return `igmp leave ${groupOf(b)}`
    case 0x22:
      if (length < HEADER + RECORD) return `igmp v3 report [invalid len ${length}]`
      return `igmp v3 report, ${wordAt(b, 6)} group record(s)`
    default:
      return `igmp-${type}`
  }
}

function groupOf(b: Bytes): string {
  need(b, HEADER)
  return addressAt(b, 4)
}

function olderQuery(b: Bytes): string {
  const code = byteAt(b, 1)
  if (code === 0) return 'v1'
  return `v2${code === USUAL_RESPONSE ? '' : ` [max resp time ${code}]`}${asked(b)}`
}

function v3Query(b: Bytes): string {
  const code = byteAt(b, 1)
  const tenths = code < 128 ? code : ((code & 15) | 16) << (((code >> 4) & 7) + 3)
  const text =
    tenths < 600
      ? `${(tenths / 10).toFixed(1)}s`
      : `${Math.floor(tenths / 600)}m${Math.floor((tenths % 600) / 10)}s`
  return `v3${tenths === USUAL_RESPONSE ? '' : ` [max resp time ${text}]`}${asked(b)}`
}

const asked = (b: Bytes): string => (groupOf(b) === '0.0.0.0' ? '' : ` [gaddr ${groupOf(b)}]`)
