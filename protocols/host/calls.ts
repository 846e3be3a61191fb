import type { Errno } from '../errno.ts'
import { NEVER, type Nanos } from '../time.ts'
import { addListener, hasListener, removeListener } from './demux.ts'
import { isWithinLimits } from './call-limits.ts'
import { ephemeralPort } from './ephemeral-port.ts'
import type { HostOut } from './output.ts'
import { echoCall } from './echo-calls.ts'
import { HOST_TTL, pathTo } from './ip-output.ts'
import { isTcpPortTaken } from './port-conflict.ts'
import type { SocketCall, SocketId } from './socket.ts'

import {
  addSocket,
  type HostState,
  type IcmpSocket,
  isOwn,
  type Listener,
  nextSocket,
  type RawSocket,
  removeSocket,
  type TunSocket,
  type UdpSocket,
  type UnboundTcp,
} from './state.ts'
import { isPending } from '../tcp/fast-open.ts'
import { fastOpenTo } from './fast-open.ts'
import { addTcp, canBePeer, tcpCall, tcpForget } from './tcp.ts'
import { tcpOption } from './tcp-option.ts'
import { addRaw, rawCall } from './raw.ts'
import { addTun, tunCall } from './tun.ts'
import { createUdpSocket, udpCall } from './udp-calls.ts'

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
    default: {
      const error = datagramCall(h, now, socket, call, out)
      return error === null ? undefined : reject(call, error, out)
    }
  }
}

function datagramCall(
  h: HostState,
  now: Nanos,
  socket: UdpSocket | IcmpSocket | RawSocket | TunSocket,
  call: NamedCall,
  out: HostOut,
): Errno | null {
  switch (socket.kind) {
    case 'udp':
      return udpCall(h, now, socket, call, out)
    case 'tun':
      return tunCall(h, now, socket, call, out)
    case 'icmp':
      return echoCall(h, now, socket, call, out)
    case 'raw':
      return rawCall(h, now, socket, call, out)
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
      addSocket(h, createUdpSocket())
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
  while (hasListener(h.icmp, identifier)) identifier += 1
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
      if (call.port !== 0) {
        if (isTcpPortTaken(h, call.socket, call.address, call.port, socket.policy)) {
          return reject(call, 'EADDRINUSE', out)
        }
        h.tcp.bound.push(call.port)
      }
      socket.address = call.address
      socket.port = call.port
      return
    case 'listen':
      return listen(h, socket, call, out)
    case 'connect':
      return connect(h, now, socket, call, out)
    case 'send-to': {
      const { client, sendConnects } = socket.policy.fastOpen
      if (!client && !sendConnects) return reject(call, 'EOPNOTSUPP', out)
      return connect(h, now, socket, call, out)
    }
    case 'set':
    case 'get':
      return option(h, socket, call, out)
    case 'close':
    case 'abort':
      unbind(h, socket)
      return closed(h, call.socket, out)
    case 'send':
      return reject(call, 'EPIPE', out)
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
  // Asked again: since it was bound, another may have begun to listen.
  if (isTcpPortTaken(h, call.socket, address, port, policy)) {
    return reject(call, 'EADDRINUSE', out)
  }
  unbind(h, socket)
  addListener(h.tcp, address, port, call.socket, policy.reusePort)
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
    fastOpen: { waiting: 0, resets: [] },
  }
}

function connect(
  h: HostState,
  now: Nanos,
  socket: UnboundTcp,
  call: SocketCall & { kind: 'connect' | 'send-to' },
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
  const attempt = fastOpenTo(h, now, socket.policy, remote, call.kind === 'send-to')
  const s = addTcp(h, now, call.socket, socket.policy, local, remote, -1, null, attempt)
  if (s === null) return reject(call, 'EADDRNOTAVAIL', out)
  unbind(h, socket)
  tcpCall(h, now, s, call, out)
}

/** The socket's port is no longer one that nobody uses. */
function unbind(h: HostState, { port }: UnboundTcp): void {
  const at = h.tcp.bound.indexOf(port)
  if (at >= 0) h.tcp.bound.splice(at, 1)
}

function option(
  h: HostState,
  socket: UnboundTcp | Listener,
  call: SocketCall & { kind: 'set' | 'get' },
  out: HostOut,
): void {
  const error = tcpOption(h, socket, call, out)
  if (error !== null) reject(call, error, out)
}

function listenerCall(
  h: HostState,
  now: Nanos,
  socket: Listener,
  call: NamedCall,
  out: HostOut,
): void {
  if (call.kind === 'set' || call.kind === 'get') return option(h, socket, call, out)
  if (call.kind === 'accept') {
    socket.waiting = Math.max(socket.waiting - 1, 0)
    const accepted = call.connection === undefined ? null : h.sockets[call.connection]
    if (accepted?.kind === 'connection' && accepted.fastOpen !== null) {
      accepted.fastOpen.accepted = true
    }
    return
  }
  if (call.kind !== 'close' && call.kind !== 'abort') return reject(call, 'EOPNOTSUPP', out)
  removeListener(h.tcp, socket.port, call.socket)
  // Its half-open connections have nobody to be handed to.
  for (const each of h.sockets) {
    if (each?.kind !== 'connection' || each.listener !== call.socket) continue
    if (each.state !== 'SYN-RECEIVED' || isPending(each)) continue
    if (!each.policy.resetsHalfOpen) tcpForget(h, now, each, out)
    else tcpCall(h, now, each, { kind: 'abort', socket: each.id }, out)
  }
  closed(h, call.socket, out)
}
