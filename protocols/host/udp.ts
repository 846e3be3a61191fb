import { ANY_IPV4, type IpAddress } from '../address.ts'
import { ICMP_UNREACHABLE, UNREACHABLE_PORT } from '../icmp/message.ts'
import {
  DONT_FRAGMENT,
  IPV4_HEADER,
  IPV4_PACKET_MAX,
  type Ipv4Packet,
  MAY_FRAGMENT,
  PROTOCOL_UDP,
} from '../ipv4/packet.ts'
import type { Errno } from '../errno.ts'
import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'
import { UDP_HEADER, UdpDatagram } from '../udp/datagram.ts'
import { findConnection, findListener, NO_SOCKET } from './demux.ts'
import type { HostOut } from './output.ts'
import { icmpError } from './icmp-errors.ts'
import { pathTo, sendIp } from './ipv4-output.ts'
import { pathMtuTo } from './path-mtu.ts'
import { type HostState, isBroadcast, type UdpSocket } from './state.ts'

export function udpArrives(
  h: HostState,
  now: Nanos,
  packet: Ipv4Packet,
  datagram: UdpDatagram,
  broadcast: boolean,
  out: HostOut,
): void {
  const { source, destination } = packet
  const { sourcePort, destinationPort, payload } = datagram
  let socket = findConnection(h.udp, destinationPort, sourcePort, source, destination)
  if (socket === NO_SOCKET) socket = findListener(h.udp, destination, destinationPort)
  if (socket === NO_SOCKET) {
    out.event({ kind: 'dropped', why: 'udp no socket', packet })
    // RFC 1122 §4.1.3.1
    if (!broadcast) icmpError(h, now, packet, ICMP_UNREACHABLE, UNREACHABLE_PORT, 0, out)
    return
  }
  const remote = { address: source, port: sourcePort }
  const local = { address: destination, port: destinationPort }
  out.event({ kind: 'datagram', socket, payload, remote, local })
  if (!broadcast) return
  // Everybody who listens hears a broadcast: also a socket that is bound to no address.
  const other = findListener(h.udp, ANY_IPV4, destinationPort)
  if (other === NO_SOCKET || other === socket) return
  out.event({ kind: 'datagram', socket: other, payload, remote, local })
}

/** Sends one datagram; says why not, in errno names. */
export function sendUdp(
  h: HostState,
  now: Nanos,
  socket: UdpSocket,
  to: { readonly address: IpAddress; readonly port: number },
  payload: Bytes,
  out: HostOut,
): Errno | null {
  const path = pathTo(h, to.address)
  if (path === null) return 'ENETUNREACH'
  if (isBroadcast(h, to.address) && !socket.broadcast) return 'EACCES'
  const size = payload.length + UDP_HEADER + IPV4_HEADER
  const largest = socket.dontFragment ? pathMtuTo(h, now, to.address, path.mtu) : IPV4_PACKET_MAX
  if (size > largest) return 'EMSGSIZE'
  const { address } = socket
  const source = address === null || isBroadcast(h, address) ? path.source : address
  const datagram = new UdpDatagram(socket.port, to.port, payload)
  const details = socket.dontFragment ? DONT_FRAGMENT : MAY_FRAGMENT
  sendIp(h, now, source, to.address, PROTOCOL_UDP, socket.ttl, details, datagram, out)
  return null
}
