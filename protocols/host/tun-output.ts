import { emitIpv4 } from '../ipv4/codec.ts'
import { emitIpv6 } from '../ipv6/codec.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import type { HostOut } from './output.ts'
import type { SocketId } from './socket.ts'

/** A packet leaves by a TUN: the program behind it hears it, whoever the next hop would be. */
export function leaveByTun(socket: SocketId, packet: IpPacket, out: HostOut): void {
  if (socket < 0) return out.event({ kind: 'dropped', why: 'tun without a reader', packet })
  const payload = packet.kind === 'ipv4' ? emitIpv4(packet) : emitIpv6(packet)
  const remote = { address: packet.destination, port: 0 }
  const local = { address: packet.source, port: 0 }
  out.event({ kind: 'datagram', socket, payload, remote, local })
}
