import { ICMP_TIME_EXCEEDED } from '../icmp/message.ts'
import { type Ipv4Packet, PROTOCOL_TCP, PROTOCOL_UDP } from '../ipv4/packet.ts'
import { type NatTable, standing } from '../nat/table.ts'
import { translateIn, translateOut } from '../nat/translate.ts'
import type { Nanos } from '../time.ts'
import { findConnection, NO_SOCKET } from './demux.ts'
import { icmpError } from './icmp-errors.ts'
import { fragmentArrives } from './fragments.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'

// A router that hides what is behind it, at the two places where packets pass: when one has come in,
// and when one is about to leave.

/**
 * A packet that came in at `port`, as it is to be looked at from here on: translated, or as it was.
 * `null`: it was taken care of.
 */
export function natArrives(
  h: HostState,
  nat: NatTable,
  now: Nanos,
  port: number,
  packet: Ipv4Packet,
  out: HostOut,
): Ipv4Packet | null {
  const { outside, address } = nat.config
  if (packet.destination !== address) {
    if (port !== outside || h.addresses.has(packet.destination)) return packet
    // What is inside has no address that the outside could know.
    out.event({ kind: 'dropped', why: 'nat no mapping', packet })
    return null
  }
  const whole = wholeOf(h, now, packet, out)
  if (whole === null || isOwnConnection(h, whole)) return whole
  const translated = port === outside ? translateIn(nat, now, whole) : hairpin(nat, now, whole)
  if (translated === null) return whole // the router itself is meant
  if (whole.ttl > 1) return translated
  // The sender hears of the packet that it sent.
  out.event({ kind: 'dropped', why: 'ipv4 ttl', packet: whole })
  icmpError(h, now, whole, ICMP_TIME_EXCEEDED, 0, 0, out)
  return null
}

/**
 * A packet that is about to leave by `port`, as it leaves. `null`: it does not, or not yet. What this
 * router says itself leaves as it is.
 */
export function natLeaves(
  h: HostState,
  nat: NatTable,
  now: Nanos,
  port: number,
  packet: Ipv4Packet,
  out: HostOut,
): Ipv4Packet | null {
  if (port !== nat.config.outside) return packet
  const whole = wholeOf(h, now, packet, out)
  if (whole === null) return null
  const translated = translateOut(nat, now, whole)
  if (translated === null) out.event({ kind: 'dropped', why: 'nat no mapping', packet })
  return translated
}

/** RFC 4787 REQ-14: ports stand in the first fragment alone, so all of them are waited for. */
function wholeOf(h: HostState, now: Nanos, packet: Ipv4Packet, out: HostOut): Ipv4Packet | null {
  const { moreFragments, fragmentOffset } = packet.details
  if (!moreFragments && fragmentOffset === 0) return packet
  return fragmentArrives(h, now, packet, out)
}

/** RFC 4787 REQ-9: one inside host reaches another by the outside address, and is seen by its own. */
function hairpin(nat: NatTable, now: Nanos, packet: Ipv4Packet): Ipv4Packet | null {
  const { payload, protocol } = packet
  if (payload.kind !== 'tcp' && payload.kind !== 'udp') return null
  if (standing(nat, now, protocol, payload.destinationPort) === null) return null
  const leaving = translateOut(nat, now, packet)
  return leaving === null ? null : translateIn(nat, now, leaving)
}

/** The router has a conversation of its own on these ports. */
function isOwnConnection(h: HostState, { payload, protocol, source, destination }: Ipv4Packet) {
  if (payload.kind !== 'tcp' && payload.kind !== 'udp') return false
  const demux = protocol === PROTOCOL_TCP ? h.tcp : protocol === PROTOCOL_UDP ? h.udp : null
  if (demux === null) return false
  const { sourcePort, destinationPort } = payload
  return findConnection(demux, destinationPort, sourcePort, source, destination) !== NO_SOCKET
}
