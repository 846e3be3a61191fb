import type { Engine, Input } from '../engine.ts'
import type { ArpPacket } from '../arp/packet.ts'
import { BROADCAST_MAC, isMulticastMac } from '../address.ts'
import type { EthernetFrame } from '../ethernet/frame.ts'
import type { Nanos } from '../time.ts'
import { ArpPort } from './arp-port.ts'
import { hostCall } from './calls.ts'
import type { HostEvent } from './event.ts'
import type { HostOut } from './output.ts'
import { icmpError } from './icmp-errors.ts'
import { ICMP_UNREACHABLE, UNREACHABLE_HOST } from '../icmp/message.ts'
import { fragmentsExpire } from './fragments.ts'
import { igmpTimer } from './igmp.ts'
import { ipv4Arrives, ipv4GroupArrives } from './ipv4-input.ts'
import { ipv6Arrives } from './ipv6-input.ts'
import { icmpv6Error } from './icmpv6-errors.ts'
import { ICMPV6_ADDRESS_UNREACHABLE, ICMPV6_UNREACHABLE } from '../icmpv6/message.ts'
import { type InterfaceCall, interfaceCall, isInterfaceCall } from './interface-calls.ts'
import { Ipv6Port } from './ipv6-port.ts'
import type { SocketCall } from './socket.ts'
import { arpOwner, type HostState, type Interface } from './state.ts'
import { LOOPBACK_OWNER, REASSEMBLY_OWNER, socketOwner } from './state.ts'
import { tcpAddressLost, tcpTimer } from './tcp.ts'

/** What applications and administrators ask of a host. */
export type HostCall = SocketCall | InterfaceCall

/**
 * A host or a router, RFC 1122, RFC 1812 and RFC 8504: Ethernet, ARP, IPv4, ICMP, IPv6, ICMPv6 with
 * neighbour discovery, UDP and TCP composed by plain calls. Frames of its ports, calls of its applications and its own timers come in; frames
 * and events go out.
 */
export const hostEngine: Engine<HostState, HostCall, EthernetFrame, HostEvent> = {
  name: 'host',

  step(h: HostState, now: Nanos, input: Input<HostCall, EthernetFrame>, out: HostOut): void {
    switch (input.kind) {
      case 'packet':
        return frameArrives(h, now, input.port, input.packet, out)
      case 'timer':
        return timerExpires(h, now, input.owner, out)
      case 'call':
        return isInterfaceCall(input.call)
          ? interfaceCall(h, now, input.call, out)
          : hostCall(h, now, input.call, out)
    }
  },
}

function frameArrives(
  h: HostState,
  now: Nanos,
  port: number,
  frame: EthernetFrame,
  out: HostOut,
): void {
  const iface = h.interfaces[port]!
  const { destination, payload } = frame
  // The same string object is the rule: comparing it with another one would cost more.
  const broadcast = destination !== iface.mac && destination === BROADCAST_MAC
  if (destination !== iface.mac && !broadcast && !isForGroup(iface, frame)) {
    const why = isMulticastMac(destination) ? 'ethernet no group member' : 'ethernet not for us'
    return out.event({ kind: 'dropped', why, packet: payload })
  }
  switch (payload.kind) {
    case 'ipv4':
      if (destination !== iface.mac && !broadcast) {
        return ipv4GroupArrives(h, now, port, payload, out)
      }
      return ipv4Arrives(h, now, port, payload, broadcast, out)
    case 'ipv6':
      return ipv6Arrives(h, now, port, payload, out)
    case 'arp':
      return arpArrives(h, now, port, payload, out)
    case 'malformed':
      return out.event({
        kind: 'dropped',
        why: `${payload.protocol} ${payload.why}`,
        packet: payload,
      })
    case 'opaque':
      return out.event({ kind: 'dropped', why: 'ethernet unknown type', packet: payload })
  }
}

/** A frame to a group that somebody here listens to: what it carries says which. */
function isForGroup({ ipv6, igmp }: Interface, { destination, payload }: EthernetFrame): boolean {
  if (!isMulticastMac(destination)) return false
  if (payload.kind === 'ipv4') return igmp.joined.has(payload.destination)
  return payload.kind === 'ipv6' && ipv6 !== null && ipv6.groups.has(payload.destination)
}

function arpArrives(h: HostState, now: Nanos, port: number, packet: ArpPacket, out: HostOut): void {
  const arp = new ArpPort(h, now, port, out)
  arp.receive(packet)
  for (const address of arp.lost) tcpAddressLost(h, now, address, out)
}

function timerExpires(h: HostState, now: Nanos, owner: number, out: HostOut): void {
  if (owner === LOOPBACK_OWNER) return packetsReturn(h, now, out)
  if (owner === REASSEMBLY_OWNER) return fragmentsExpire(h, now, out)
  const firstSocket = socketOwner(h, 0)
  if (owner >= firstSocket) return tcpTimer(h, now, owner - firstSocket, out)
  const index = owner - arpOwner(0)
  const port = new ArpPort(h, now, index, out)
  port.timer()
  for (const packet of port.unresolved) {
    icmpError(h, now, packet, ICMP_UNREACHABLE, UNREACHABLE_HOST, 0, out)
  }
  igmpTimer(h, now, index, out)
  if (h.interfaces[index]!.ipv6 !== null) ipv6TimerExpires(h, now, index, out)
}

function ipv6TimerExpires(h: HostState, now: Nanos, index: number, out: HostOut): void {
  const port = new Ipv6Port(h, now, index, out)
  port.timer()
  for (const address of port.lost) tcpAddressLost(h, now, address, out)
  for (const packet of port.unresolved) {
    icmpv6Error(h, now, packet, ICMPV6_UNREACHABLE, ICMPV6_ADDRESS_UNREACHABLE, 0, out)
  }
}

/** The number of no interface. */
const LOOPBACK_PORT = -1

/** What was sent to an address of our own. */
function packetsReturn(h: HostState, now: Nanos, out: HostOut): void {
  const packets = h.loopback.slice()
  h.loopback = []
  for (const packet of packets) {
    if (packet.kind === 'ipv4') ipv4Arrives(h, now, LOOPBACK_PORT, packet, false, out)
    else {
      const port = h.addresses.get(packet.destination)
      if (port !== undefined) ipv6Arrives(h, now, port, packet, out)
    }
  }
}
