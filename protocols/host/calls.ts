import type { Errno } from '../errno.ts'
import { NEVER, type Nanos } from '../time.ts'
import {
  addConnection,
  addListener,
  type Demux,
  findConnection,
  isPortTaken,
  NO_SOCKET,
  removeConnection,
  removeListener,
} from './demux.ts'
import { isWithinLimits } from './call-limits.ts'
import { ephemeralPort } from './ephemeral-port.ts'
import type { HostOut } from './output.ts'
import { echoCall } from './echo-calls.ts'
import { HOST_TTL, pathTo } from './ip-output.ts'
import { isGroup, joinGroup, leaveGroup, leaveGroups } from './membership.ts'
import type { SocketCall, SocketId } from './socket.ts'
import {
  addSocket,
  type HostState,
  isBroadcast,
  isOwn,
  type Listener,
  nextSocket,
  removeSocket,
  type UdpSocket,
  type UnboundTcp,
} from './state.ts'
import { addTcp, canBePeer, tcpCall, tcpForget } from './tcp.ts'
import { tcpOption } from './tcp-option.ts'
import { addRaw, rawCall } from './raw.ts'
import { addTun, tunCall } from './tun.ts'
import { sendUdp } from './udp.ts'

/** What an application asks: each call for the kind of socket that it names. */
export function hostCall(h: HostState, now: Nanos, call: SocketCall, out: HostOut): void {
  if (call.kind === 'open') return open(h, call, out)
  const socket = h.sockets[call.socket] ?? null
  if (socket === null) return reject(call, 'EBADF', out)
  if (!isWithinLimits(call)) return reject(call, 'EINVAL', out)
  switch (socket.kind) {
    case 'connection':
      return tcpCall(h, now, socket, call, out)
    case 'unbound':
      return unboundCall(h, now, socket, call, out)
    case 'listener':
      return listenerCall(h, now, socket, call, out)
    case 'udp':
      return udpCall(h, now, socket, call, out)
    case 'tun': {
      const error = tunCall(h, now, socket, call, out)
      return error === null ? undefined : reject(call, error, out)
    }
    case 'icmp':
    case 'raw': {
      const isEcho = socket.kind === 'icmp'
      const error = isEcho
        ? echoCall(h, now, socket, call, out)
        : rawCall(h, now, socket, call, out)
      return error === null ? undefined : reject(call, error, out)
    }
  }
}

type NamedCall = Exclude<SocketCall, { kind: 'open' }>

function reject(call: NamedCall, error: Errno, out: HostOut): void {
  out.event({ kind: 'rejected', socket: call.socket, call: call.kind, error })
}

/** The socket's number is free again. */
function closed(h: HostState, socket: SocketId, out: HostOut): void {
  removeSocket(h, socket)
  out.event({ kind: 'closed', socket })
}

function open(h: HostState, call: SocketCall & { kind: 'open' }, out: HostOut): void {
  const { protocol } = call
  const id = nextSocket(h)
  switch (protocol) {
    case 'tcp': {
      const { policy } = h
      addSocket(h, { kind: 'unbound', policy, address: null, port: 0 })
      break
    }
    case 'udp':
      addSocket(h, {
        kind: 'udp',
        address: null,
        port: 0,
        remote: null,
        ttl: HOST_TTL,
        broadcast: false,
        dontFragment: false,
        groupTtl: 1,
        groups: [],
      })
      break
    case 'icmp': {
      const identifier = freeIdentifier(h)
      addSocket(h, { kind: 'icmp', identifier, remote: null })
      addListener(h.icmp, null, identifier, id)
      break
    }
    case 'raw':
      addSocket(h, {
        kind: 'raw',
        protocol: call.number,
        address: null,
        remote: null,
        ttl: HOST_TTL,
        dontFragment: false,
        header: false,
      })
      addRaw(h, id, call.number)
      break
    case 'tun': {
      const error = addTun(h, id)
      if (error === null) break
      return out.event({ kind: 'rejected', socket: id, call: 'open', error })
    }
  }
  out.event({ kind: 'opened', socket: id, protocol })
}

function freeIdentifier(h: HostState): number {
  let identifier = 1
  while (isPortTaken(h.icmp, null, identifier)) identifier += 1
  return identifier
}

function unboundCall(
  h: HostState,
  now: Nanos,
  socket: UnboundTcp,
  call: NamedCall,
  out: HostOut,
): void {
  switch (call.kind) {
    case 'bind':
      if (socket.port !== 0) return reject(call, 'EINVAL', out)
      if (call.address !== null && !isOwn(h, call.address)) {
        return reject(call, 'EADDRNOTAVAIL', out)
      }
      if (call.port !== 0 && isPortTaken(h.tcp, call.address, call.port)) {
        return reject(call, 'EADDRINUSE', out)
      }
      socket.address = call.address
      socket.port = call.port
      return
    case 'listen':
      return listen(h, socket, call, out)
    case 'connect':
      return connect(h, now, socket, call, out)
    case 'set':
    case 'get':
      return option(socket, call, out)
    case 'close':
    case 'abort':
      return closed(h, call.socket, out)
    default:
      return reject(call, 'ENOTCONN', out)
  }
}

function listen(
  h: HostState,
  socket: UnboundTcp,
  call: SocketCall & { kind: 'listen' },
  out: HostOut,
): void {
  const { policy, address, port } = socket
  if (port === 0) return reject(call, 'EINVAL', out)
  if (!addListener(h.tcp, address, port, call.socket)) return reject(call, 'EADDRINUSE', out)
  const backlog = Math.max(call.backlog, 1)
  h.sockets[call.socket] = {
    kind: 'listener',
    policy,
    address,
    port,
    backlog,
    queues: call.queues ?? false,
    waiting: 0,
    cookieAt: -NEVER,
    opening: 0,
  }
}

function connect(
  h: HostState,
  now: Nanos,
  socket: UnboundTcp,
  call: SocketCall & { kind: 'connect' },
  out: HostOut,
): void {
  const { remote } = call
  if (remote.port === 0) return reject(call, 'EINVAL', out)
  const path = canBePeer(h, remote.address) ? pathTo(h, remote.address) : null
  if (path === null) return reject(call, 'ENETUNREACH', out)
  const address = socket.address ?? path.source
  const port = socket.port === 0 ? ephemeralPort(h.tcp, address, remote) : socket.port
  if (port === 0) return reject(call, 'EADDRNOTAVAIL', out)
  const local = { address, port }
  const s = addTcp(h, now, call.socket, socket.policy, local, remote, -1)
  if (s === null) return reject(call, 'EADDRINUSE', out)
  tcpCall(h, now, s, call, out)
}

function option(
  socket: UnboundTcp | Listener,
  call: SocketCall & { kind: 'set' | 'get' },
  out: HostOut,
): void {
  const error = tcpOption(socket, call, out)
  if (error !== null) reject(call, error, out)
}

function listenerCall(
  h: HostState,
  now: Nanos,
  socket: Listener,
  call: NamedCall,
  out: HostOut,
): void {
  if (call.kind === 'set' || call.kind === 'get') return option(socket, call, out)
  if (call.kind === 'accept') {
    socket.waiting = Math.max(socket.waiting - 1, 0)
    return
  }
  if (call.kind !== 'close' && call.kind !== 'abort') return reject(call, 'EOPNOTSUPP', out)
  removeListener(h.tcp, socket.address, socket.port)
  // Its half-open connections have nobody to be handed to.
  for (const each of h.sockets) {
    if (each?.kind !== 'connection' || each.listener !== call.socket) continue
    if (each.state !== 'SYN-RECEIVED') continue
    if (!each.policy.resetsHalfOpen) tcpForget(h, now, each, out)
    else tcpCall(h, now, each, { kind: 'abort', socket: each.id }, out)
  }
  closed(h, call.socket, out)
}

function udpCall(h: HostState, now: Nanos, socket: UdpSocket, call: NamedCall, out: HostOut): void {
  switch (call.kind) {
    case 'bind':
      return bindUdp(h, socket, call, out)
    case 'connect':
      return connectUdp(h, socket, call, out)
    case 'send':
    case 'send-to': {
      if (call.kind === 'send' && call.urgent) return reject(call, 'EOPNOTSUPP', out)
      const to = call.kind === 'send' ? socket.remote : call.remote
      if (to === null) return reject(call, 'EDESTADDRREQ', out)
      if (to.port === 0) return reject(call, 'EINVAL', out)
      if (socket.port === 0 && !bindToFreePort(h, socket, call.socket, to)) {
        return reject(call, 'EADDRNOTAVAIL', out)
      }
      const error = sendUdp(h, now, socket, to, call.bytes, out)
      return error === null ? undefined : reject(call, error, out)
    }
    case 'join':
    case 'leave': {
      const { group } = call
      const error =
        call.kind === 'join'
          ? joinGroup(h, now, socket, group, call.via, out)
          : leaveGroup(h, now, socket, group, out)
      return error === null ? undefined : reject(call, error, out)
    }
    case 'set':
      return setUdp(socket, call, out)
    case 'close':
    case 'abort':
      leaveGroups(h, now, socket, out)
      unhash(h.udp, socket)
      return closed(h, call.socket, out)
    default:
      return reject(call, 'EOPNOTSUPP', out)
  }
}

function setUdp(socket: UdpSocket, call: SocketCall & { kind: 'set' }, out: HostOut): void {
  switch (call.option) {
    case 'IP_TTL':
      socket.ttl = call.value
      return
    case 'IP_MULTICAST_TTL':
      socket.groupTtl = call.value
      return
    case 'SO_BROADCAST':
      socket.broadcast = call.value !== 0
      return
    case 'IP_MTU_DISCOVER':
      if (call.value !== 0 && call.value !== 2) return reject(call, 'EINVAL', out)
      socket.dontFragment = call.value === 2
      return
    default:
      reject(call, 'ENOPROTOOPT', out)
  }
}

function bindUdp(
  h: HostState,
  socket: UdpSocket,
  call: SocketCall & { kind: 'bind' },
  out: HostOut,
): void {
  if (socket.port !== 0) return reject(call, 'EINVAL', out)
  const { address } = call
  const isAll = address !== null && (isBroadcast(h, address) || isGroup(address))
  if (address !== null && !isOwn(h, address) && !isAll) {
    return reject(call, 'EADDRNOTAVAIL', out)
  }
  if (call.port === 0) {
    const any = { address: 0, port: 0 }
    if (!bindToFreePort(h, socket, call.socket, any)) return reject(call, 'EADDRNOTAVAIL', out)
    return
  }
  if (!addListener(h.udp, call.address, call.port, call.socket)) {
    return reject(call, 'EADDRINUSE', out)
  }
  socket.address = call.address
  socket.port = call.port
}

function bindToFreePort(
  h: HostState,
  socket: UdpSocket,
  id: SocketId,
  to: NonNullable<UdpSocket['remote']>,
): boolean {
  const port = ephemeralPort(h.udp, socket.address ?? 0, to)
  if (port === 0 || !addListener(h.udp, socket.address, port, id)) return false
  socket.port = port
  return true
}

/** A connected UDP socket hears its peer only, and its ICMP errors. */
function connectUdp(
  h: HostState,
  socket: UdpSocket,
  call: SocketCall & { kind: 'connect' },
  out: HostOut,
): void {
  const { remote } = call
  const path = pathTo(h, remote.address)
  if (path === null) return reject(call, 'ENETUNREACH', out)
  if (isBroadcast(h, remote.address) && !socket.broadcast) return reject(call, 'EACCES', out)
  const address = socket.address ?? path.source
  const port = socket.port === 0 ? ephemeralPort(h.udp, address, remote) : socket.port
  if (port === 0) return reject(call, 'EADDRNOTAVAIL', out)
  const holder = findConnection(h.udp, port, remote.port, remote.address, address)
  if (holder !== NO_SOCKET && holder !== call.socket) return reject(call, 'EADDRINUSE', out)
  unhash(h.udp, socket)
  addConnection(h.udp, port, remote.port, remote.address, address, call.socket)
  socket.address = address
  socket.port = port
  socket.remote = { address: remote.address, port: remote.port }
  const local = { address, port }
  out.event({ kind: 'connected', socket: call.socket, local, remote })
}

function unhash(demux: Demux, socket: UdpSocket): void {
  const { address, port, remote } = socket
  if (remote !== null) removeConnection(demux, port, remote.port, remote.address, address ?? 0)
  else if (port !== 0) removeListener(demux, address, port)
}
