import { isIpv4 } from '../address.ts'
import type { Errno } from '../errno.ts'
import { echoRest, ICMP_ECHO_REQUEST, IcmpMessage } from '../icmp/message.ts'
import { ICMPV6_ECHO_REQUEST, Icmpv6Message } from '../icmpv6/message.ts'
import { IPV4_PACKET_MAX, MAY_FRAGMENT, PROTOCOL_ICMP, PROTOCOL_ICMPV6 } from '../ipv4/packet.ts'
import type { Nanos } from '../time.ts'
import { addListener, hasListener, removeListener } from './demux.ts'
import { ipHeaderTo, pathTo, sendIp } from './ip-output.ts'
import type { HostOut } from './output.ts'
import type { SocketCall } from './socket.ts'
import { type HostState, type IcmpSocket, isBroadcast, removeSocket } from './state.ts'

/** What an application asks of an echo socket, of either family; why not, in errno names. */
export function echoCall(
  h: HostState,
  now: Nanos,
  socket: IcmpSocket,
  call: Exclude<SocketCall, { kind: 'open' }>,
  out: HostOut,
): Errno | null {
  switch (call.kind) {
    case 'send-echo':
      return sendEcho(h, now, socket, call, out)
    case 'bind':
      return bindEcho(h, socket, call)
    case 'connect':
      // One stream: this host's answers to this socket's requests.
      socket.remote = call.remote.address
      return null
    case 'close':
    case 'abort':
      removeListener(h.icmp, socket.identifier, call.socket)
      removeSocket(h, call.socket)
      out.event({ kind: 'closed', socket: call.socket })
      return null
    default:
      return 'EOPNOTSUPP'
  }
}

function sendEcho(
  h: HostState,
  now: Nanos,
  { identifier }: IcmpSocket,
  { remote, bytes, ttl, sequence }: SocketCall & { kind: 'send-echo' },
  out: HostOut,
): Errno | null {
  const path = pathTo(h, remote)
  if (path === null) return 'ENETUNREACH'
  const rest = echoRest(identifier, sequence)
  const v4 = isIpv4(remote)
  const message = v4
    ? new IcmpMessage(ICMP_ECHO_REQUEST, 0, rest, bytes)
    : new Icmpv6Message(ICMPV6_ECHO_REQUEST, 0, rest, bytes)
  if (message.size + ipHeaderTo(remote) > IPV4_PACKET_MAX) return 'EMSGSIZE'
  if (isBroadcast(h, remote)) return 'EACCES'
  const protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6
  sendIp(h, now, path.source, remote, protocol, ttl, MAY_FRAGMENT, message, out)
  return null
}

/** The identifier takes the place of a port. */
function bindEcho(
  h: HostState,
  socket: IcmpSocket,
  call: SocketCall & { kind: 'bind' },
): Errno | null {
  if (call.address !== null) return 'EADDRNOTAVAIL'
  if (call.port === 0) return null
  if (hasListener(h.icmp, call.port)) return 'EADDRINUSE'
  addListener(h.icmp, null, call.port, call.socket)
  removeListener(h.icmp, socket.identifier, call.socket)
  socket.identifier = call.port
  return null
}
