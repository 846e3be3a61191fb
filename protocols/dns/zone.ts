import {
  DNS_ANY,
  DNS_TYPES,
  type DnsName,
  type DnsQuestion,
  type DnsRecord,
  isWithin,
  sameName,
  typeOf,
} from './message.ts'

/** What one server is authoritative for: a name, its SOA, and all records at or below it. */
export interface DnsZone {
  readonly origin: DnsName
  /** The record of kind SOA. */
  readonly soa: DnsRecord
  readonly records: readonly DnsRecord[]
}

export type ZoneAnswer =
  | { readonly kind: 'answer'; readonly records: readonly DnsRecord[] }
  /** The name is there, but has nothing of this type; `records`: the way to it by CNAME. */
  | { readonly kind: 'no-data'; readonly records: readonly DnsRecord[] }
  | { readonly kind: 'no-name'; readonly records: readonly DnsRecord[] }
  /** The name is not in the zone. */
  | { readonly kind: 'elsewhere' }

/** A chain of names that goes on for longer goes in a circle. */
const CHAIN_MAX = 16

/** RFC 1034 §4.3.2, for a zone without delegations and wildcards. */
export function lookUp(zone: DnsZone, { name, type }: DnsQuestion): ZoneAnswer {
  if (!isWithin(name, zone.origin)) return { kind: 'elsewhere' }
  const records: DnsRecord[] = []
  let at = name
  for (let steps = 0; steps < CHAIN_MAX; steps++) {
    if (!isWithin(at, zone.origin)) return { kind: 'answer', records }
    const here = recordsOf(zone, at)
    const wanted = here.filter(({ data }) => type === DNS_ANY || typeOf(data) === type)
    if (wanted.length > 0) return { kind: 'answer', records: [...records, ...wanted] }
    const alias = here.find(({ data }) => data.kind === 'CNAME')
    if (alias === undefined || type === DNS_TYPES.CNAME) {
      return { kind: here.length > 0 || hasBelow(zone, at) ? 'no-data' : 'no-name', records }
    }
    records.push(alias)
    at = (alias.data as { name: DnsName }).name
  }
  return { kind: 'answer', records }
}

const recordsOf = (zone: DnsZone, name: DnsName): DnsRecord[] =>
  [zone.soa, ...zone.records].filter((record) => sameName(record.name, name))

/** RFC 8020: a name with something below it exists, even if it has no records. */
const hasBelow = (zone: DnsZone, name: DnsName): boolean =>
  zone.records.some((record) => isWithin(record.name, name))
