import { ANY_IPV4, type IpAddress } from '../address.ts'
import { type Bytes, putI32, putU16 } from '../bytes.ts'
import { checksum, sumRange } from '../checksum.ts'
import type { Errno } from '../errno.ts'
import { emitIpv4, readIpv4Packet } from '../ipv4/codec.ts'
import {
  DONT_FRAGMENT,
  IPV4_HEADER,
  IPV4_PACKET_MAX,
  type Ipv4Packet,
  MAY_FRAGMENT,
} from '../ipv4/packet.ts'
import type { IpPacket } from '../ipv6/packet.ts'
import { Opaque } from '../payload.ts'
import type { Nanos } from '../time.ts'
import { ipHeaderTo, pathTo, sendIp } from './ip-output.ts'
import { sendPacket } from './ipv4-output.ts'
import type { HostOut } from './output.ts'
import { pathMtuTo } from './path-mtu.ts'
import type { SocketCall, SocketEvent, SocketId } from './socket.ts'
import { type HostState, isBroadcast, isOwn, type RawSocket, removeSocket } from './state.ts'

/*
 * Raw IPv4 sockets: an application is the transport protocol. Theirs are the protocols that the
 * host itself does not speak; each socket of a number hears a copy.
 *
 * Left out: ICMP, UDP and TCP, which other systems copy to raw sockets as well.
 */

export function addRaw(h: HostState, id: SocketId, protocol: number): void {
  h.raw.set(protocol, [...(h.raw.get(protocol) ?? []), id])
}

/** `false`: nobody listens to this protocol, and the sender may hear so. */
export function rawArrives(h: HostState, packet: IpPacket, payload: Opaque, out: HostOut): boolean {
  const sockets = h.raw.get(packet.protocol)
  if (sockets === undefined) return false
  const remote = { address: packet.source, port: 0 }
  const local = { address: packet.destination, port: 0 }
  let whole: Bytes | null = null
  for (let i = 0; i < sockets.length; i++) {
    const id = sockets[i]!
    const socket = rawSocket(h, id)
    if (socket === null || !hears(socket, packet)) continue
    // IPv6 headers stay with the host (RFC 3542 §3).
    const header = socket.header && packet.kind === 'ipv4'
    if (header) whole ??= emitIpv4(packet)
    const bytes = header ? whole! : payload.bytes
    out.event({ kind: 'datagram', socket: id, payload: bytes, remote, local })
  }
  return true
}

function rawSocket(h: HostState, id: SocketId): RawSocket | null {
  const socket = h.sockets[id]
  return socket?.kind === 'raw' ? socket : null
}

function hears({ address, remote }: RawSocket, { source, destination }: IpPacket): boolean {
  return (address === null || address === destination) && (remote === null || remote === source)
}

/** An ICMP error quotes a packet of this protocol: those who may have sent it hear of it. */
export function rawError(
  h: HostState,
  protocol: number,
  event: Omit<SocketEvent & { readonly kind: 'icmp-error' }, 'socket' | 'sequence'>,
  tooBig: boolean,
  out: HostOut,
): void {
  for (const id of h.raw.get(protocol) ?? []) {
    const socket = rawSocket(h, id)
    if (socket === null || (socket.remote !== null && socket.remote !== event.remote)) continue
    if (tooBig && !socket.dontFragment) continue
    out.event({ ...event, hard: event.hard || tooBig, socket: id, sequence: 0 })
  }
}

type RawCall = Exclude<SocketCall, { kind: 'open' }>

/** What an application asks of a raw socket; why not, in errno names. */
export function rawCall(
  h: HostState,
  now: Nanos,
  socket: RawSocket,
  call: RawCall,
  out: HostOut,
): Errno | null {
  switch (call.kind) {
    case 'bind': {
      const { address } = call
      if (address !== null && !isOwn(h, address)) return 'EADDRNOTAVAIL'
      socket.address = address
      return null
    }
    case 'connect': {
      const path = pathTo(h, call.remote.address)
      if (path === null) return 'ENETUNREACH'
      socket.remote = call.remote.address
      const local = { address: socket.address ?? path.source, port: 0 }
      out.event({ kind: 'connected', socket: call.socket, local, remote: call.remote })
      return null
    }
    case 'send':
      if (socket.remote === null) return 'EDESTADDRREQ'
      return send(h, now, socket, socket.remote, call.bytes, out)
    case 'send-to':
      return send(h, now, socket, call.remote.address, call.bytes, out)
    case 'set':
      return setRaw(socket, call)
    case 'close':
    case 'abort': {
      const others = h.raw.get(socket.protocol)!.filter((id) => id !== call.socket)
      if (others.length > 0) h.raw.set(socket.protocol, others)
      else h.raw.delete(socket.protocol)
      removeSocket(h, call.socket)
      out.event({ kind: 'closed', socket: call.socket })
      return null
    }
    default:
      return 'EOPNOTSUPP'
  }
}

function setRaw(socket: RawSocket, call: SocketCall & { kind: 'set' }): Errno | null {
  switch (call.option) {
    case 'IP_TTL':
      socket.ttl = call.value
      return null
    case 'IP_HDRINCL':
      socket.header = call.value !== 0
      return null
    case 'IP_MTU_DISCOVER':
      if (call.value !== 0 && call.value !== 2) return 'EINVAL'
      socket.dontFragment = call.value === 2
      return null
    default:
      return 'ENOPROTOOPT'
  }
}

function send(
  h: HostState,
  now: Nanos,
  socket: RawSocket,
  to: IpAddress,
  bytes: Bytes,
  out: HostOut,
): Errno | null {
  if (socket.header) return sendWithHeader(h, now, bytes, out)
  const path = pathTo(h, to)
  if (path === null) return 'ENETUNREACH'
  if (isBroadcast(h, to)) return 'EACCES'
  const largest = socket.dontFragment ? pathMtuTo(h, now, to, path.mtu) : IPV4_PACKET_MAX
  if (bytes.length + ipHeaderTo(to) > largest) return 'EMSGSIZE'
  const details = socket.dontFragment ? DONT_FRAGMENT : MAY_FRAGMENT
  const source = socket.address ?? path.source
  sendIp(h, now, source, to, socket.protocol, socket.ttl, details, new Opaque(bytes), out)
  return null
}

const TOTAL_LENGTH = 2
const CHECKSUM = 10
const SOURCE = 12

/**
 * IP_HDRINCL: the application made the header, down to a source address that may be somebody
 * else's. Length and checksum are made right, and source 0.0.0.0 becomes our own address. (Linux
 * also replaces an Identification of 0; here it stays.)
 */
function sendWithHeader(h: HostState, now: Nanos, bytes: Bytes, out: HostOut): Errno | null {
  const headerBytes = bytes.length === 0 ? 0 : (bytes[0]! & 15) * 4
  if (bytes.length > IPV4_PACKET_MAX) return 'EMSGSIZE'
  if (headerBytes < IPV4_HEADER || headerBytes > bytes.length) return 'EINVAL'
  const b = Uint8Array.from(bytes)
  const read = (): Ipv4Packet | null => {
    putU16(b, TOTAL_LENGTH, b.length)
    putU16(b, CHECKSUM, 0)
    putU16(b, CHECKSUM, checksum(sumRange(b, 0, headerBytes, 0)))
    const packet = readIpv4Packet(b, 0, b.length)
    return typeof packet === 'string' ? null : packet
  }
  let packet = read()
  if (packet === null) return 'EINVAL'
  const path = pathTo(h, packet.destination)
  if (path === null) return 'ENETUNREACH'
  if (isBroadcast(h, packet.destination)) return 'EACCES'
  if (packet.source === ANY_IPV4) {
    putI32(b, SOURCE, path.source as number)
    packet = read()!
  }
  const { dontFragment } = packet.details
  const largest = dontFragment ? pathMtuTo(h, now, packet.destination, path.mtu) : path.mtu
  if (packet.size > largest) return 'EMSGSIZE'
  sendPacket(h, now, packet, out)
  return null
}
