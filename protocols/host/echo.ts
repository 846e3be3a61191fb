import type { IpAddress } from '../address.ts'
import type { IcmpMessage } from '../icmp/message.ts'
import type { Icmpv6Message } from '../icmpv6/message.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import { findListener } from './demux.ts'
import type { HostOut } from './output.ts'
import type { SocketId } from './socket.ts'
import type { HostState } from './state.ts'

/** An echo reply goes to the socket with its identifier. `ttl`: what is left of the hop limit. */
export function echoReplyArrives(
  h: HostState,
  packet: IpPacket,
  ttl: number,
  message: IcmpMessage | Icmpv6Message,
  out: HostOut,
): void {
  const { source: remote, destination } = packet
  const { identifier, sequence, data: payload } = message
  const socket = findListener(h.icmp, destination, identifier)
  if (!isForEcho(h, socket, remote)) {
    return out.event({ kind: 'dropped', why: `${message.kind} no socket`, packet })
  }
  out.event({ kind: 'echo-reply', socket, remote, sequence, ttl, payload })
}

/** Whether the socket with the message's identifier listens to this host. */
export function isForEcho(h: HostState, id: SocketId, remote: IpAddress): boolean {
  const socket = h.sockets[id]
  return socket?.kind === 'icmp' && (socket.remote === null || socket.remote === remote)
}
