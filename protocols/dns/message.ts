import type { Ipv4Address, Ipv6Address } from '../address.ts'
import type { Bytes } from '../bytes.ts'

export const DNS_PORT = 53
/** RFC 1035 §4.2.1: what a datagram may measure. */
export const DNS_UDP_MAX = 512

/** RFC 1035 §3.2.2, RFC 3596. */
export const DNS_TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
} as const
export type DnsTypeName = keyof typeof DNS_TYPES

/** QTYPE of a question for whatever there is (RFC 1035 §3.2.3). */
export const DNS_ANY = 255
export const DNS_CLASS_IN = 1

/** RFC 1035 §4.1.1, by number. */
export const DNS_RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
] as const
export type DnsRcode = (typeof DNS_RCODES)[number]

/**
 * A name as text without the last dot: `www.example`; the root is ''. Letters keep their case and
 * compare without it (`sameName`).
 */
export type DnsName = string

export interface DnsQuestion {
  readonly name: DnsName
  /** QTYPE as a number: a question may be for types that nobody here knows. */
  readonly type: number
}

export interface DnsSoa {
  readonly kind: 'SOA'
  readonly primary: DnsName
  readonly mailbox: DnsName
  readonly serial: number
  /** Seconds. */
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  /** RFC 2308 §4: how long "there is no such thing" may be remembered, seconds. */
  readonly minimum: number
}

export type DnsData =
  | { readonly kind: 'A'; readonly address: Ipv4Address }
  | { readonly kind: 'AAAA'; readonly address: Ipv6Address }
  | { readonly kind: 'CNAME' | 'NS' | 'PTR'; readonly name: DnsName }
  | { readonly kind: 'MX'; readonly preference: number; readonly name: DnsName }
  /** Each string at most 255 bytes; here one character is one byte. */
  | { readonly kind: 'TXT'; readonly texts: readonly string[] }
  | DnsSoa
  | { readonly kind: 'other'; readonly type: number; readonly bytes: Bytes }

/** A resource record of class IN. */
export interface DnsRecord {
  readonly name: DnsName
  /** Seconds it may be remembered. */
  readonly ttl: number
  readonly data: DnsData
}

/** RFC 1035 §4.1. Immutable. */
export interface DnsMessage {
  readonly id: number
  readonly response: boolean
  readonly opcode: number
  readonly authoritative: boolean
  /** TC: there was more than fits. */
  readonly truncated: boolean
  readonly recursionDesired: boolean
  readonly recursionAvailable: boolean
  /** As a number: there are more than the six of RFC 1035. */
  readonly rcode: number
  readonly questions: readonly DnsQuestion[]
  readonly answers: readonly DnsRecord[]
  readonly authorities: readonly DnsRecord[]
  readonly additionals: readonly DnsRecord[]
}

export const typeOf = (data: DnsData): number =>
  data.kind === 'other' ? data.type : DNS_TYPES[data.kind]

/** RFC 1035 §2.3.3: letters of either case are the same. */
export const sameName = (a: DnsName, b: DnsName): boolean =>
  a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase())

/** Whether `name` is `zone` or below it. */
export const isWithin = (name: DnsName, zone: DnsName): boolean =>
  zone === '' || sameName(name, zone) || name.toLowerCase().endsWith(`.${zone.toLowerCase()}`)

/** RFC 1035 §2.3.4: labels of 1 to 63 bytes, 255 in all; printable ASCII here. */
export function isName(text: string): boolean {
  if (text === '') return true
  if (text.length > 253) return false
  return text.split('.').every((label) => /^[!-~]{1,63}$/.test(label))
}
