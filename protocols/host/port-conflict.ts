import type { IpAddress } from '../address.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import type { SocketId } from './socket.ts'
import type { HostState, Socket, UdpSocket } from './state.ts'
import { isTunnelPort } from './tcp-in-udp.ts'

/*
 * Who may have an address and a port that another socket has, by the rules of Linux: SO_REUSEADDR and
 * SO_REUSEPORT have to be on at both. Bound to no address, a socket is in the way of all.
 */

const overlap = (a: IpAddress | null, b: IpAddress | null): boolean =>
  a === null || b === null || a === b

/** `policy`: what the socket `id` has chosen that wants to be bound there, or to listen. */
export function isTcpPortTaken(
  h: HostState,
  id: SocketId,
  address: IpAddress | null,
  port: number,
  policy: TcpPolicy,
): boolean {
  for (let i = 0; i < h.sockets.length; i++) {
    const other = h.sockets[i]!
    if (i === id || !holdsPort(other, port)) continue
    if (policy.reusePort && other.policy.reusePort) continue
    // What is over, or has nobody listening, may be joined: an old connection, also in TIME-WAIT.
    const bothReuse = policy.reuseAddress && other.policy.reuseAddress
    if (bothReuse && other.kind !== 'listener') continue
    const theirs = other.kind === 'connection' ? other.localAddress : other.address
    if (overlap(address, theirs)) return true
  }
  return false
}

type TcpSocket = Extract<Socket, { kind: 'unbound' | 'listener' | 'connection' }>

function holdsPort(socket: Socket | null, port: number): socket is TcpSocket {
  switch (socket?.kind) {
    case 'unbound':
    case 'listener':
      return socket.port === port
    case 'connection':
      // A handshake under way is its listener's.
      return socket.localPort === port && socket.state !== 'SYN-RECEIVED'
    default:
      return false
  }
}

/** UDP sockets share where both have the option on, whatever they do. */
export function isUdpPortTaken(
  h: HostState,
  socket: UdpSocket,
  id: SocketId,
  address: IpAddress | null,
  port: number,
): boolean {
  if (isTunnelPort(h, port)) return true
  for (let i = 0; i < h.sockets.length; i++) {
    const other = h.sockets[i]!
    if (i === id || other?.kind !== 'udp' || other.port !== port) continue
    if (socket.reuseAddress && other.reuseAddress) continue
    if (socket.reusePort && other.reusePort) continue
    if (overlap(address, other.address)) return true
  }
  return false
}
