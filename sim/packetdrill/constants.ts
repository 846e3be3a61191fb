import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP } from '../readiness.ts'
import type { Expression } from './script.ts'
import { Unsupported } from './script.ts'

// Words that calls are written with. Values where Linux's matter to a script, else any that differ.

export const O_NONBLOCK = 0x800
export const MSG_OOB = 0x1
export const MSG_PEEK = 0x2
export const MSG_DONTWAIT = 0x40
export const MSG_TRUNC = 0x20
export const MSG_WAITALL = 0x100
export const MSG_MORE = 0x8000
export const MSG_EOR = 0x80
export const MSG_ERRQUEUE = 0x2000
export const MSG_ZEROCOPY = 0x400_0000
export const POLLNVAL = 0x20
export const MSG_FASTOPEN = 0x2000_0000
export const EPOLLET = 0x8000_0000 | 0
export const EPOLLONESHOT = 0x4000_0000
export const MD5SIG_FLAG_PREFIX = 0x1

/** RFC 2474 §4.2.2: the class selectors, as a whole octet. */
const CLASS_SELECTORS = Object.fromEntries(
  Array.from({ length: 8 }, (_, n) => [`IPTOS_DSCP_CS${n}`, n << 5]),
)

const CONSTANTS: { readonly [name: string]: number } = {
  ...CLASS_SELECTORS,
  IPTOS_LOWDELAY: 0x10,
  IPTOS_THROUGHPUT: 0x08,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_NONBLOCK,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: O_NONBLOCK,
  SOCK_CLOEXEC: 0x80000,
  IPPROTO_IP: 0,
  IPPROTO_TCP: 6,
  IPPROTO_UDP: 17,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  MSG_OOB,
  MSG_PEEK,
  MSG_DONTWAIT,
  MSG_TRUNC,
  MSG_WAITALL,
  MSG_MORE,
  MSG_EOR,
  MSG_ERRQUEUE,
  MSG_ZEROCOPY,
  MSG_NOSIGNAL: 0x4000,
  MSG_FASTOPEN,
  POLLIN,
  POLLPRI,
  POLLOUT,
  POLLERR,
  POLLHUP,
  POLLRDHUP,
  POLLNVAL,
  POLLRDNORM: 0x40,
  POLLWRNORM: 0x100,
  EPOLLIN: POLLIN,
  EPOLLPRI: POLLPRI,
  EPOLLOUT: POLLOUT,
  EPOLLERR: POLLERR,
  EPOLLHUP: POLLHUP,
  EPOLLRDHUP: POLLRDHUP,
  EPOLLET,
  EPOLLONESHOT,
  // `linux/errqueue.h`, `linux/net_tstamp.h`
  SO_EE_ORIGIN_NONE: 0,
  SO_EE_ORIGIN_LOCAL: 1,
  SO_EE_ORIGIN_ICMP: 2,
  SO_EE_ORIGIN_ICMP6: 3,
  SO_EE_ORIGIN_TXSTATUS: 4,
  SO_EE_ORIGIN_TIMESTAMPING: 4,
  SO_EE_ORIGIN_ZEROCOPY: 5,
  SO_EE_CODE_ZEROCOPY_COPIED: 1,
  SCM_TSTAMP_SND: 0,
  SCM_TSTAMP_SCHED: 1,
  SCM_TSTAMP_ACK: 2,
  SOF_TIMESTAMPING_TX_SOFTWARE: 0x2,
  SOF_TIMESTAMPING_RX_SOFTWARE: 0x8,
  SOF_TIMESTAMPING_SOFTWARE: 0x10,
  SOF_TIMESTAMPING_OPT_ID: 0x80,
  SOF_TIMESTAMPING_TX_SCHED: 0x100,
  SOF_TIMESTAMPING_TX_ACK: 0x200,
  SOF_TIMESTAMPING_OPT_CMSG: 0x400,
  SOF_TIMESTAMPING_OPT_TSONLY: 0x800,
  SOF_TIMESTAMPING_OPT_ID_TCP: 0x1_0000,
  ENOMSG: 42,
  TCP_MD5SIG_FLAG_PREFIX: MD5SIG_FLAG_PREFIX,
}

/** The number that an expression means. */
export function numberOf(e: Expression | undefined, line: number): number {
  switch (e?.kind) {
    case 'number':
      return e.value
    case 'or':
      return e.parts.reduce((bits, part) => bits | numberOf(part, line), 0)
    case 'word':
      if (Object.hasOwn(CONSTANTS, e.name)) return CONSTANTS[e.name]!
      throw new Unsupported(e.name, line)
    default:
      throw new Unsupported(e === undefined ? 'a missing argument' : e.kind, line)
  }
}

/** The word that an argument is, such as an option's name. */
export function nameOf(e: Expression | undefined, line: number): string {
  if (e?.kind === 'word') return e.name
  throw new Unsupported(e?.kind === 'number' ? String(e.value) : (e?.kind ?? 'nothing'), line)
}

/** What stands alone in `[ ]`. */
export function single(e: Expression | undefined, line: number): Expression {
  if (e?.kind === 'list' && e.items.length === 1) return e.items[0]!
  throw new Unsupported(e?.kind === 'list' ? 'a list of several values' : (e?.kind ?? ''), line)
}
