import type { Errno } from '../errno.ts'
import {
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_TOO_BIG,
  ICMPV6_UNREACHABLE,
} from '../icmpv6/message.ts'
import { ICMP_PARAMETER_PROBLEM, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from '../icmp/message.ts'

export interface SocketProblem {
  readonly error: Errno
  /** RFC 1122 §4.2.3.9: a soft one may pass by itself. */
  readonly hard: boolean
}

const soft = (error: Errno): SocketProblem => ({ error, hard: false })
const hard = (error: Errno): SocketProblem => ({ error, hard: true })

/** By code of "destination unreachable", RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
const UNREACHABLE: readonly SocketProblem[] = [
  soft('ENETUNREACH'),
  soft('EHOSTUNREACH'),
  hard('ENOPROTOOPT'), // protocol
  hard('ECONNREFUSED'), // port
  soft('EMSGSIZE'), // fragmentation needed: what it is depends on the socket
  soft('EOPNOTSUPP'), // source route failed
  hard('ENETUNREACH'), // network unknown
  hard('EHOSTDOWN'), // host unknown
  hard('ENONET'), // source host isolated
  hard('ENETUNREACH'), // network prohibited
  hard('EHOSTUNREACH'), // host prohibited
  soft('ENETUNREACH'), // for this type of service
  soft('EHOSTUNREACH'),
  hard('EHOSTUNREACH'), // communication prohibited
  hard('EHOSTUNREACH'), // precedence
  hard('EHOSTUNREACH'),
]

/** Linux's names for ICMP errors; `null` for one that no socket hears of. */
export function problemOf(type: number, code: number): SocketProblem | null {
  switch (type) {
    case ICMP_UNREACHABLE:
      return UNREACHABLE[code] ?? null
    case ICMP_TIME_EXCEEDED:
      return soft('EHOSTUNREACH')
    case ICMP_PARAMETER_PROBLEM:
      return hard('EPROTO')
    default:
      return null
  }
}

/** By code of "destination unreachable", RFC 4443 §3.1. */
const UNREACHABLE_IPV6: readonly SocketProblem[] = [
  soft('ENETUNREACH'), // no route
  hard('EACCES'), // prohibited
  soft('EHOSTUNREACH'), // beyond scope
  soft('EHOSTUNREACH'), // address
  hard('ECONNREFUSED'), // port
  hard('EACCES'), // source address failed the policy
  hard('EACCES'), // route rejected
]

/** The same for ICMPv6. */
export function problemOfIcmpv6(type: number, code: number): SocketProblem | null {
  switch (type) {
    case ICMPV6_UNREACHABLE:
      return UNREACHABLE_IPV6[code] ?? null
    case ICMPV6_TOO_BIG:
      return soft('EMSGSIZE')
    case ICMPV6_TIME_EXCEEDED:
      return soft('EHOSTUNREACH')
    case ICMPV6_PARAMETER_PROBLEM:
      return hard('EPROTO')
    default:
      return null
  }
}

/** By code of "destination unreachable": the code of ICMP that says the same. */
const IPV4_CODES: readonly number[] = [0, 13, 1, 1, 3, 13, 13]

/** 256 × type + code of the ICMP error that says what this one of ICMPv6 says. */
export function ipv4NumberOf(type: number, code: number): number {
  switch (type) {
    case ICMPV6_UNREACHABLE:
      return 256 * ICMP_UNREACHABLE + (IPV4_CODES[code] ?? 0)
    case ICMPV6_TIME_EXCEEDED:
      return 256 * ICMP_TIME_EXCEEDED + code
    case ICMPV6_PARAMETER_PROBLEM:
      // Code 1, an unknown header, is what ICMP calls an unreachable protocol.
      return code === 1 ? 256 * ICMP_UNREACHABLE + 2 : 256 * ICMP_PARAMETER_PROBLEM
    default:
      return -1
  }
}
