import type { Bytes } from '../bytes.ts'
import type { Errno } from '../errno.ts'
import { parseIpv4 } from '../ipv4/codec.ts'
import { parseIpv6 } from '../ipv6/codec.ts'
import { Malformed } from '../payload.ts'
import type { Nanos } from '../time.ts'
import { ipv4Arrives } from './ipv4-input.ts'
import { ipv6Arrives } from './ipv6-input.ts'
import type { HostOut } from './output.ts'
import type { SocketCall, SocketId } from './socket.ts'
import { addSocket, type HostState, type Interface, removeSocket, type TunSocket } from './state.ts'

/*
 * A TUN, as Linux has it (https://docs.kernel.org/networking/tuntap.html): an interface of the host
 * whose other end is a program. It has no neighbours: what is routed there, leaves there.
 */

/** Takes the host's TUN; why not, in errno names. */
export function addTun(h: HostState, id: SocketId): Errno | null {
  const port = h.interfaces.findIndex(({ tun }) => tun !== null)
  const tun = h.interfaces[port]?.tun ?? null
  if (tun === null) return 'ENODEV'
  if (tun.socket >= 0) return 'EBUSY'
  tun.socket = id
  addSocket(h, { kind: 'tun', port })
  return null
}

/** What a program asks of its end; why not, in errno names. */
export function tunCall(
  h: HostState,
  now: Nanos,
  { port }: TunSocket,
  call: Exclude<SocketCall, { kind: 'open' }>,
  out: HostOut,
): Errno | null {
  switch (call.kind) {
    case 'send':
      return packetEnters(h, now, port, call.bytes, out)
    case 'set':
      if (call.option !== 'SIOCSIFMTU') return 'ENOPROTOOPT'
      setMtu(h.interfaces[port]!, call.value)
      return null
    case 'close':
    case 'abort':
      h.interfaces[port]!.tun!.socket = -1
      removeSocket(h, call.socket)
      out.event({ kind: 'closed', socket: call.socket })
      return null
    default:
      return 'EOPNOTSUPP'
  }
}

function setMtu(iface: Interface, mtu: number): void {
  iface.mtu = mtu
  if (iface.ipv6 !== null) iface.ipv6.mtu = mtu
}

function packetEnters(
  h: HostState,
  now: Nanos,
  port: number,
  bytes: Bytes,
  out: HostOut,
): Errno | null {
  const version = (bytes[0] ?? 0) >> 4
  if (version !== 4 && version !== 6) return 'EINVAL'
  const parsed = version === 4 ? parseIpv4(bytes) : parseIpv6(bytes)
  if (!parsed.ok) {
    const packet = new Malformed(`ipv${version}`, parsed.why, bytes)
    out.event({ kind: 'dropped', why: `ipv${version} ${parsed.why}`, packet })
  } else if (parsed.value.kind === 'ipv4') {
    ipv4Arrives(h, now, port, parsed.value, false, out)
  } else ipv6Arrives(h, now, port, parsed.value, out)
  return null
}
