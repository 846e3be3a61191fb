import type { IpAddress } from '../address.ts'
import { ICMPV6_PORT_UNREACHABLE, ICMPV6_UNREACHABLE } from '../icmpv6/message.ts'
import { ICMP_UNREACHABLE, UNREACHABLE_PORT } from '../icmp/message.ts'
import { DONT_FRAGMENT, IPV4_PACKET_MAX, MAY_FRAGMENT, PROTOCOL_UDP } from '../ipv4/packet.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import type { Errno } from '../errno.ts'
import type { Bytes } from '../bytes.ts'
import type { Nanos } from '../time.ts'
import { UDP_HEADER, UdpDatagram } from '../udp/datagram.ts'
import { findConnection, findListener, listenersOf, NO_SOCKET } from './demux.ts'
import type { HostOut } from './output.ts'
import { icmpError } from './icmp-errors.ts'
import { icmpv6Error } from './icmpv6-errors.ts'
import { ipHeaderTo, pathTo, sendIp } from './ip-output.ts'
import { isGroup } from './membership.ts'
import { pathMtuTo } from './path-mtu.ts'
import { hasRoom } from './receive-buffer.ts'
import type { SocketId } from './socket.ts'
import { type HostState, isBroadcast, type UdpSocket } from './state.ts'
import { isTunnelPort } from './tcp-in-udp.ts'
import { tunnelArrives } from './tunnel-input.ts'

export function udpArrives(
  h: HostState,
  now: Nanos,
  packet: IpPacket,
  datagram: UdpDatagram,
  broadcast: boolean,
  out: HostOut,
): void {
  const { source, destination } = packet
  const { sourcePort, destinationPort } = datagram
  if (!broadcast && isTunnelPort(h, destinationPort)) {
    return tunnelArrives(h, now, packet, datagram, out)
  }
  let socket = findConnection(h.udp, destinationPort, sourcePort, source, destination)
  let heard = socket !== NO_SOCKET
  if (heard) deliver(h, socket, packet, datagram, out)
  if (broadcast) {
    // Everybody who listens hears a broadcast (RFC 1122 §4.1.3.6, §3.3.6).
    for (const each of listenersOf(h.udp, destination, destinationPort)) {
      heard = true
      deliver(h, each, packet, datagram, out)
    }
  } else if (!heard) {
    socket = findListener(h.udp, destination, destinationPort, source, sourcePort)
    heard = socket !== NO_SOCKET
    if (heard) deliver(h, socket, packet, datagram, out)
  }
  if (heard) return
  out.event({ kind: 'dropped', why: 'udp no socket', packet })
  // RFC 1122 §4.1.3.1
  if (!broadcast) portUnreachable(h, now, packet, out)
}

/** A datagram that finds no room is gone, and its sender does not hear of it. */
function deliver(
  h: HostState,
  socket: SocketId,
  packet: IpPacket,
  { sourcePort, destinationPort, payload }: UdpDatagram,
  out: HostOut,
): void {
  if (!hasRoom(h.sockets[socket] as UdpSocket, payload.length)) {
    return out.event({ kind: 'dropped', why: 'udp receive buffer full', packet })
  }
  const remote = { address: packet.source, port: sourcePort }
  const local = { address: packet.destination, port: destinationPort }
  out.event({ kind: 'datagram', socket, payload, remote, local })
}

function portUnreachable(h: HostState, now: Nanos, packet: IpPacket, out: HostOut): void {
  if (packet.kind === 'ipv4') {
    icmpError(h, now, packet, ICMP_UNREACHABLE, UNREACHABLE_PORT, 0, out)
  } else icmpv6Error(h, now, packet, ICMPV6_UNREACHABLE, ICMPV6_PORT_UNREACHABLE, 0, out)
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
  const size = payload.length + UDP_HEADER + ipHeaderTo(to.address)
  const largest = socket.dontFragment ? pathMtuTo(h, now, to.address, path.mtu) : IPV4_PACKET_MAX
  if (size > largest) return 'EMSGSIZE'
  const { address } = socket
  const toGroup = isGroup(to.address)
  const isOurs = address !== null && !isBroadcast(h, address) && !isGroup(address)
  const source = isOurs ? address : path.source
  const ttl = toGroup ? socket.groupTtl : socket.ttl
  const datagram = new UdpDatagram(socket.port, to.port, payload)
  const details = socket.dontFragment ? DONT_FRAGMENT : MAY_FRAGMENT
  sendIp(h, now, source, to.address, PROTOCOL_UDP, ttl, details, datagram, out)
  return null
}
