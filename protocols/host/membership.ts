import { type IpAddress, isMulticastIpv4 } from '../address.ts'
import type { Errno } from '../errno.ts'
import { isMulticastIpv6 } from '../ipv6/address.ts'
import type { Nanos } from '../time.ts'
import { wantIpv4Group } from './igmp.ts'
import { want } from './ipv6-interface.ts'
import { Ipv6Port } from './ipv6-port.ts'
import type { HostOut } from './output.ts'
import type { HostState, UdpSocket } from './state.ts'

export const isGroup = (address: IpAddress): boolean =>
  typeof address === 'number' ? isMulticastIpv4(address) : isMulticastIpv6(address)

/**
 * A socket listens to a group, as with IP_ADD_MEMBERSHIP and IPV6_JOIN_GROUP. `via`: an address of the
 * interface; `null`: the first one that speaks the family. Says why not, in errno names.
 */
export function joinGroup(
  h: HostState,
  now: Nanos,
  socket: UdpSocket,
  group: IpAddress,
  via: IpAddress | null,
  out: HostOut,
): Errno | null {
  if (!isGroup(group)) return 'EINVAL'
  const port = interfaceFor(h, group, via)
  if (port < 0) return 'ENODEV'
  if (socket.groups.some((each) => each.group === group && each.port === port)) return 'EADDRINUSE'
  socket.groups = [...socket.groups, { group, port }]
  wanted(h, now, port, group, true, out)
  return null
}

export function leaveGroup(
  h: HostState,
  now: Nanos,
  socket: UdpSocket,
  group: IpAddress,
  out: HostOut,
): Errno | null {
  const left = socket.groups.find((each) => each.group === group)
  if (left === undefined) return 'EADDRNOTAVAIL'
  socket.groups = socket.groups.filter((each) => each !== left)
  wanted(h, now, left.port, group, false, out)
  return null
}

/** A socket closes: it listens to nothing any more. */
export function leaveGroups(h: HostState, now: Nanos, socket: UdpSocket, out: HostOut): void {
  for (const { group } of socket.groups) leaveGroup(h, now, socket, group, out)
}

function wanted(
  h: HostState,
  now: Nanos,
  port: number,
  group: IpAddress,
  joined: boolean,
  out: HostOut,
): void {
  if (typeof group === 'number') return wantIpv4Group(h, now, port, group, joined, out)
  want(h.interfaces[port]!.ipv6!, now, group, joined, false)
  new Ipv6Port(h, now, port, out).wake()
}

/** -1: there is none. */
function interfaceFor(h: HostState, group: IpAddress, via: IpAddress | null): number {
  if (via !== null) return h.addresses.get(via) ?? -1
  return h.interfaces.findIndex(({ addresses, ipv6 }) =>
    typeof group === 'number' ? addresses.length > 0 : ipv6 !== null,
  )
}
