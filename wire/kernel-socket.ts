import { type Endpoint, formatIp, type IpAddress, parseIpText } from '../protocols/address.ts'
import type { Errno } from '../protocols/errno.ts'
import type { SocketCall, SocketEvent, SocketId } from '../protocols/host/socket.ts'

/** Calls that name a socket. */
export type NamedCall = Exclude<SocketCall, { kind: 'open' }>

export type Hear = (event: SocketEvent) => void

/** One socket of the kernel, with the calls and events of a socket of ours. */
export interface KernelSocket {
  call(call: NamedCall): void
  /** Where it is bound, once it is. */
  local(): Endpoint | null
  /** Ends at once, and says nothing more. */
  destroy(): void
}

/** What a socket needs of the host that it is on. */
export interface KernelPlace {
  readonly family: 4 | 6
  /** Gives a number to a connection that a listener accepted. */
  add(socket: KernelSocket): SocketId
  /** The socket is gone; its number may be used again. */
  remove(id: SocketId): void
}

const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i

/** An address as Node writes it; without its zone, and an IPv4 address inside IPv6 as what it is. */
export function fromNode(text: string): IpAddress {
  const plain = text.replace(MAPPED, '').replace(/%.*$/, '')
  return parseIpText(plain) ?? 0
}

export const toNode = (address: IpAddress): string => formatIp(address)

/** Any address of this family. */
export const anyAddress = (family: 4 | 6): string => (family === 4 ? '0.0.0.0' : '::')

/** Errors of the kernel keep their names; what is not one of a socket's is told as EINVAL. */
export function errnoOf(error: unknown): Errno {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return 'EINVAL'
  if (code === 'EPERM') return 'EACCES'
  return ERRNOS.has(code) ? (code as Errno) : 'EINVAL'
}

const ERRNOS: ReadonlySet<string> = new Set<Errno>([
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EALREADY',
  'EBADF',
  'ENODEV',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EDESTADDRREQ',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EINVAL',
  'EISCONN',
  'EMSGSIZE',
  'ENETUNREACH',
  'ENONET',
  'ENOTCONN',
  'ENOPROTOOPT',
  'EOPNOTSUPP',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
])
