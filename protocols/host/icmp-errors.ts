import { ANY_IPV4, BROADCAST_IPV4, isMulticastIpv4 } from '../address.ts'
import { ICMP_UNREACHABLE, IcmpMessage, isIcmpError } from '../icmp/message.ts'
import { emitIpv4 } from '../ipv4/codec.ts'
import { DEFAULT_TTL, type Ipv4Packet, MAY_FRAGMENT, PROTOCOL_ICMP } from '../ipv4/packet.ts'
import { takeToken } from '../ipv4/rate-limit.ts'
import type { Nanos } from '../time.ts'
import type { HostOut } from './output.ts'
import { errorArrives } from './icmp-input.ts'
import { pathTo, sendIp } from './ip-output.ts'
import { type HostState, isBroadcast, isOwn } from './state.ts'

/** RFC 1812 §4.3.2.3: as much of the packet as fits, the whole error within 576 bytes. */
const QUOTE_MAX = 576 - 28

/** Says to a packet's sender what became of it, where RFC 1122 §3.2.2 allows. */
export function icmpError(
  h: HostState,
  now: Nanos,
  packet: Ipv4Packet,
  type: number,
  code: number,
  rest: number,
  out: HostOut,
): void {
  const quoted = emitIpv4(packet).subarray(0, QUOTE_MAX)
  const message = new IcmpMessage(type, code, rest, quoted)
  // A packet of our own: its socket hears it directly.
  if (isOwn(h, packet.source)) return errorArrives(h, now, packet.source, message, out)
  if (!mayAnswer(packet) || isBroadcast(h, packet.destination)) return
  if (!takeToken(h.icmpErrors, now)) return
  const path = pathTo(h, packet.source)
  if (path === null) return
  const from = type === ICMP_UNREACHABLE && isOwn(h, packet.destination)
  const source = from ? packet.destination : path.source
  sendIp(h, now, source, packet.source, PROTOCOL_ICMP, DEFAULT_TTL, MAY_FRAGMENT, message, out)
}

/** RFC 1122 §3.2.2: no error about an error, a group, a later fragment or nobody's packet. */
function mayAnswer(packet: Ipv4Packet): boolean {
  const { payload, source, destination, details } = packet
  if (payload.kind === 'icmp' && isIcmpError(payload.type)) return false
  if (details.fragmentOffset !== 0) return false
  if (source === ANY_IPV4 || source === BROADCAST_IPV4 || isMulticastIpv4(source)) return false
  return destination !== BROADCAST_IPV4 && !isMulticastIpv4(destination)
}
