import type { Bytes } from '../bytes.ts'
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, type IcmpMessage } from '../icmp/message.ts'

/** RFC 4443 §2.1: errors have types below 128. */
export const ICMPV6_UNREACHABLE = 1
export const ICMPV6_TOO_BIG = 2
export const ICMPV6_TIME_EXCEEDED = 3
export const ICMPV6_PARAMETER_PROBLEM = 4
export const ICMPV6_ECHO_REQUEST = 128
export const ICMPV6_ECHO_REPLY = 129
/** RFC 2710, RFC 3810. */
export const MLD_QUERY = 130
export const MLD_REPORT_V1 = 131
export const MLD_DONE_V1 = 132
export const MLD_REPORT_V2 = 143
/** RFC 4861 §4. */
export const ND_ROUTER_SOLICITATION = 133
export const ND_ROUTER_ADVERTISEMENT = 134
export const ND_NEIGHBOUR_SOLICITATION = 135
export const ND_NEIGHBOUR_ADVERTISEMENT = 136
export const ND_REDIRECT = 137

/** Codes of "destination unreachable", RFC 4443 §3.1. */
export const ICMPV6_NO_ROUTE = 0
export const ICMPV6_BEYOND_SCOPE = 2
export const ICMPV6_ADDRESS_UNREACHABLE = 3
export const ICMPV6_PORT_UNREACHABLE = 4
/** Codes of "time exceeded", §3.3. */
export const ICMPV6_REASSEMBLY_TIME = 1
/** Codes of "parameter problem", §3.4. */
export const ICMPV6_BAD_FIELD = 0
export const ICMPV6_UNKNOWN_HEADER = 1
export const ICMPV6_UNKNOWN_OPTION = 2

export const ICMPV6_HEADER = 8

/**
 * An ICMPv6 message, RFC 4443. `rest` is the second word, as a signed 32-bit integer; what it says
 * depends on the type, as does `data`: neighbour discovery and MLD read them in folders of their own.
 */
export class Icmpv6Message {
  readonly kind = 'icmpv6'
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
    return ICMPV6_HEADER + this.data.length
  }
}

/** RFC 4443 §2.1. */
export const isIcmpv6Error = (type: number): boolean => type < 128

// Echo is the same in both families, but for its numbers.

export const isEchoRequest = ({ kind, type }: IcmpMessage | Icmpv6Message): boolean =>
  type === (kind === 'icmp' ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST)

export const isEchoReply = ({ kind, type }: IcmpMessage | Icmpv6Message): boolean =>
  type === (kind === 'icmp' ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY)
