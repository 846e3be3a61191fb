import type { Errno } from '../errno.ts'
import type { Nanos } from '../time.ts'
import {
  addConnection,
  addListener,
  findConnection,
  NO_SOCKET,
  removeConnection,
  removeListener,
} from './demux.ts'
import { ephemeralPort } from './ephemeral-port.ts'
import { HOST_TTL, pathTo } from './ip-output.ts'
import { isGroup, joinGroup, leaveGroup, leaveGroups } from './membership.ts'
import type { HostOut } from './output.ts'
import { isUdpPortTaken } from './port-conflict.ts'
import { chargeOf, doubled, RECEIVE_BUFFER } from './receive-buffer.ts'
import type { ReadableOption, SocketCall, SocketId } from './socket.ts'
import { type HostState, isBroadcast, isOwn, removeSocket, type UdpSocket } from './state.ts'
import { sendUdp } from './udp.ts'

export const createUdpSocket = (): UdpSocket => ({
  kind: 'udp',
  address: null,
  port: 0,
  remote: null,
  ttl: HOST_TTL,
  broadcast: false,
  dontFragment: false,
  groupTtl: 1,
  groups: [],
  receiveBuffer: RECEIVE_BUFFER,
  held: 0,
  reuseAddress: false,
  reusePort: false,
})

/** What an application asks of a UDP socket; why not, in errno names. */
export function udpCall(
  h: HostState,
  now: Nanos,
  socket: UdpSocket,
  call: Exclude<SocketCall, { kind: 'open' }>,
  out: HostOut,
): Errno | null {
  switch (call.kind) {
    case 'bind':
      return bind(h, socket, call)
    case 'connect':
      return connect(h, socket, call, out)
    case 'send':
    case 'send-to':
      return send(h, now, socket, call, out)
    case 'join':
      return joinGroup(h, now, socket, call.group, call.via, out)
    case 'leave':
      return leaveGroup(h, now, socket, call.group, out)
    case 'hold':
      socket.held += chargeOf(call.size)
      return null
    case 'release':
      socket.held = Math.max(socket.held - chargeOf(call.size), 0)
      return null
    case 'set':
      return set(socket, call)
    case 'get':
      return get(socket, call, out)
    case 'close':
    case 'abort':
      leaveGroups(h, now, socket, out)
      unhash(h, socket, call.socket)
      removeSocket(h, call.socket)
      out.event({ kind: 'closed', socket: call.socket })
      return null
    default:
      return 'EOPNOTSUPP'
  }
}

function send(
  h: HostState,
  now: Nanos,
  socket: UdpSocket,
  call: SocketCall & { kind: 'send' | 'send-to' },
  out: HostOut,
): Errno | null {
  if (call.kind === 'send' && call.urgent) return 'EOPNOTSUPP'
  const to = call.kind === 'send' ? socket.remote : call.remote
  if (to === null) return 'EDESTADDRREQ'
  if (to.port === 0) return 'EINVAL'
  if (socket.port === 0 && !bindToFreePort(h, socket, call.socket, to)) return 'EADDRNOTAVAIL'
  return sendUdp(h, now, socket, to, call.bytes, out)
}

function set(socket: UdpSocket, call: SocketCall & { kind: 'set' }): Errno | null {
  const { value } = call
  switch (call.option) {
    case 'IP_TTL':
      socket.ttl = call.value
      return null
    case 'IP_MULTICAST_TTL':
      socket.groupTtl = call.value
      return null
    case 'SO_BROADCAST':
      socket.broadcast = value !== 0
      return null
    case 'SO_REUSEADDR':
      socket.reuseAddress = value !== 0
      return null
    case 'SO_REUSEPORT':
      socket.reusePort = value !== 0
      return null
    case 'SO_RCVBUF':
      socket.receiveBuffer = doubled(call.value)
      return null
    case 'IP_MTU_DISCOVER':
      if (value !== 0 && value !== 2) return 'EINVAL'
      socket.dontFragment = value === 2
      return null
    default:
      return 'ENOPROTOOPT'
  }
}

function get(
  socket: UdpSocket,
  { socket: id, option }: SocketCall & { kind: 'get' },
  out: HostOut,
): Errno | null {
  const value = valueOf(socket, option)
  if (value === null) return 'ENOPROTOOPT'
  out.event({ kind: 'option', socket: id, option, value })
  return null
}

function valueOf(socket: UdpSocket, option: ReadableOption): number | null {
  switch (option) {
    case 'IP_TTL':
      return socket.ttl
    case 'IP_MULTICAST_TTL':
      return socket.groupTtl
    case 'SO_BROADCAST':
      return Number(socket.broadcast)
    case 'SO_REUSEADDR':
      return Number(socket.reuseAddress)
    case 'SO_REUSEPORT':
      return Number(socket.reusePort)
    case 'SO_RCVBUF':
      return socket.receiveBuffer
    case 'IP_MTU_DISCOVER':
      return socket.dontFragment ? 2 : 0
    default:
      return null
  }
}

function bind(h: HostState, socket: UdpSocket, call: SocketCall & { kind: 'bind' }): Errno | null {
  if (socket.port !== 0) return 'EINVAL'
  const { address, port, socket: id } = call
  const isAll = address !== null && (isBroadcast(h, address) || isGroup(address))
  if (address !== null && !isOwn(h, address) && !isAll) return 'EADDRNOTAVAIL'
  if (port === 0) {
    const any = { address: 0, port: 0 }
    return bindToFreePort(h, socket, id, any) ? null : 'EADDRNOTAVAIL'
  }
  if (isUdpPortTaken(h, socket, id, address, port)) return 'EADDRINUSE'
  addListener(h.udp, address, port, id, socket.reusePort)
  socket.address = address
  socket.port = port
  return null
}

function bindToFreePort(
  h: HostState,
  socket: UdpSocket,
  id: SocketId,
  to: NonNullable<UdpSocket['remote']>,
): boolean {
  const port = ephemeralPort(h.udp, socket.address ?? 0, to)
  if (port === 0) return false
  addListener(h.udp, socket.address, port, id)
  socket.port = port
  return true
}

/** A connected UDP socket hears its peer only, and its ICMP errors. */
function connect(
  h: HostState,
  socket: UdpSocket,
  call: SocketCall & { kind: 'connect' },
  out: HostOut,
): Errno | null {
  const { remote } = call
  const path = pathTo(h, remote.address)
  if (path === null) return 'ENETUNREACH'
  if (isBroadcast(h, remote.address) && !socket.broadcast) return 'EACCES'
  const address = socket.address ?? path.source
  const port = socket.port === 0 ? ephemeralPort(h.udp, address, remote) : socket.port
  if (port === 0) return 'EADDRNOTAVAIL'
  const holder = findConnection(h.udp, port, remote.port, remote.address, address)
  if (holder !== NO_SOCKET && holder !== call.socket) return 'EADDRINUSE'
  unhash(h, socket, call.socket)
  addConnection(h.udp, port, remote.port, remote.address, address, call.socket)
  socket.address = address
  socket.port = port
  socket.remote = { address: remote.address, port: remote.port }
  const local = { address, port }
  out.event({ kind: 'connected', socket: call.socket, local, remote })
  return null
}

function unhash(h: HostState, socket: UdpSocket, id: SocketId): void {
  const { address, port, remote } = socket
  if (remote !== null) removeConnection(h.udp, port, remote.port, remote.address, address ?? 0)
  else if (port !== 0) removeListener(h.udp, port, id)
}
