import type { Bytes } from '../bytes.ts'

export const ICMP_ECHO_REPLY = 0
export const ICMP_UNREACHABLE = 3
export const ICMP_SOURCE_QUENCH = 4
export const ICMP_REDIRECT = 5
export const ICMP_ECHO_REQUEST = 8
export const ICMP_TIME_EXCEEDED = 11
export const ICMP_PARAMETER_PROBLEM = 12

/** Codes of "destination unreachable", RFC 792 and RFC 1122 §3.2.2.1. */
export const UNREACHABLE_NET = 0
export const UNREACHABLE_HOST = 1
export const UNREACHABLE_PROTOCOL = 2
export const UNREACHABLE_PORT = 3
export const UNREACHABLE_FRAGMENTATION_NEEDED = 4

/** Codes of "time exceeded". */
export const REASSEMBLY_TIME_EXCEEDED = 1

export const ICMP_HEADER = 8

/** An ICMP message, RFC 792. `rest` is the header's second word, as a signed 32-bit integer. */
export class IcmpMessage {
  readonly kind = 'icmp'
  readonly type: number
  readonly code: number
  readonly rest: number
  readonly data: Bytes

  constructor(type: number, code: number, rest: number, data: Bytes) {
    this.type = type
    this.code = code
    this.rest = rest
    this.data = data
  }

  /** Echo: identifier. */
  get identifier(): number {
    return this.rest >>> 16
  }
  /** Echo: sequence number. */
  get sequence(): number {
    return this.rest & 0xffff
  }
  get size(): number {
    return ICMP_HEADER + this.data.length
  }
}

export const echoRest = (identifier: number, sequence: number): number =>
  (identifier << 16) | (sequence & 0xffff)

export const isIcmpError = (type: number): boolean =>
  type === ICMP_UNREACHABLE ||
  type === ICMP_TIME_EXCEEDED ||
  type === ICMP_PARAMETER_PROBLEM ||
  type === ICMP_SOURCE_QUENCH ||
  type === ICMP_REDIRECT
