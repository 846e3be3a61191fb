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
import { fragmentsExpire } from './ipv4-fragments.ts'
import { ipv4Arrives } from './ipv4-input.ts'
import type { SocketCall } from './socket.ts'
import { arpOwner, type HostState, LOOPBACK_OWNER, REASSEMBLY_OWNER, socketOwner } from './state.ts'
import { tcpAddressLost, tcpTimer } from './tcp.ts'

/**
 * A host or a router, RFC 1122 and RFC 1812: Ethernet, ARP, IPv4, ICMP, UDP and TCP composed by
 * plain calls. Frames of its ports, calls of its applications and its own timers come in; frames
 * and events go out.
 */
export const hostEngine: Engine<HostState, SocketCall, EthernetFrame, HostEvent> = {
  name: 'host',

  step(h: HostState, now: Nanos, input: Input<SocketCall, EthernetFrame>, out: HostOut): void {
    switch (input.kind) {
      case 'packet':
        return frameArrives(h, now, input.port, input.packet, out)
      case 'timer':
        return timerExpires(h, now, input.owner, out)
      case 'call':
        return hostCall(h, now, input.call, out)
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
  if (destination !== iface.mac && !broadcast) {
    const why = isMulticastMac(destination) ? 'ethernet no group member' : 'ethernet not for us'
    return out.event({ kind: 'dropped', why, packet: payload })
  }
  switch (payload.kind) {
    case 'ipv4':
      return ipv4Arrives(h, now, payload, broadcast, out)
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

function arpArrives(h: HostState, now: Nanos, port: number, packet: ArpPacket, out: HostOut): void {
  const arp = new ArpPort(h, now, port, out)
  arp.receive(packet)
  for (const address of arp.lost) tcpAddressLost(h, now, address, out)
}

function timerExpires(h: HostState, now: Nanos, owner: number, out: HostOut): void {
  if (owner === LOOPBACK_OWNER) {
    const packets = h.loopback.slice()
    h.loopback = []
    for (const packet of packets) ipv4Arrives(h, now, packet, false, out)
    return
  }
  if (owner === REASSEMBLY_OWNER) return fragmentsExpire(h, now, out)
  const firstSocket = socketOwner(h, 0)
  if (owner >= firstSocket) return tcpTimer(h, now, owner - firstSocket, out)
  const index = owner - arpOwner(0)
  const port = new ArpPort(h, now, index, out)
  port.timer()
  for (const packet of port.unresolved) {
    icmpError(h, now, packet, ICMP_UNREACHABLE, UNREACHABLE_HOST, 0, out)
  }
}
