import type { IpAddress } from '../address.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import type { HostState } from './state.ts'

/** The policy of a socket that is bound there and neither listens nor is connected; `null`: there is none. */
export function boundPolicy(h: HostState, address: IpAddress, port: number): TcpPolicy | null {
  if (!h.tcp.bound.includes(port)) return null
  for (const socket of h.sockets) {
    if (socket?.kind !== 'unbound' || socket.port !== port) continue
    if (socket.address === null || socket.address === address) return socket.policy
  }
  return null
}
