import type { Errno } from '../errno.ts'
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
