import type { IpAddress } from '../address.ts'
import { ICMP_UNREACHABLE, UNREACHABLE_PORT } from '../icmp/message.ts'
import { IPV4_HEADER, type Ipv4Packet, MAY_FRAGMENT, PROTOCOL_UDP } from '../ipv4/packet.ts'
import type { Errno } from '../errno.ts'
import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'
import { UDP_HEADER, UdpDatagram } from '../udp/datagram.ts'
import { findConnection, findListener, NO_SOCKET } from './demux.ts'
import type { HostOut } from './output.ts'
import { icmpError } from './icmp-errors.ts'
import { pathTo, sendIp } from './ipv4-output.ts'
import type { HostState, UdpSocket } from './state.ts'

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
  out.event({
    kind: 'datagram',
    socket,
    payload,
    remote: { address: source, port: sourcePort },
    local: { address: destination, port: destinationPort },
  })
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
  if (payload.length + UDP_HEADER + IPV4_HEADER > path.mtu) return 'EMSGSIZE'
  const source = socket.address ?? path.source
  const datagram = new UdpDatagram(socket.port, to.port, payload)
  sendIp(h, now, source, to.address, PROTOCOL_UDP, socket.ttl, MAY_FRAGMENT, datagram, out)
  return null
}
