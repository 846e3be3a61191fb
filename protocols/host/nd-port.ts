import type { Ipv6Address, Mac } from '../address.ts'
import { ETHERTYPE_IPV6, EthernetFrame } from '../ethernet/frame.ts'
import type { Icmpv6Message } from '../icmpv6/message.ts'
import { PROTOCOL_ICMPV6 } from '../ipv4/packet.ts'
import { ALL_NODES, multicastMac, solicitedNode, UNSPECIFIED } from '../ipv6/address.ts'
import { HOP_LIMIT_MAX, Ipv6Packet, PLAIN_IPV6 } from '../ipv6/packet.ts'
import { neighbourLookup, neighboursNextDue } from '../nd/cache.ts'
import { emitNd } from '../nd/codec.ts'
import type { NdMessage, NeighbourAdvertisement, NeighbourSolicitation } from '../nd/message.ts'
import {
  advertisementArrives,
  type NeighbourDropReason,
  type NeighbourEvent,
  neighbourHeard,
  type NeighbourOut,
  neighbourResolve,
  neighboursTimer,
} from '../nd/neighbours.ts'
import { NEVER, type Nanos } from '../time.ts'
import { forgetWays } from './ipv6-ways.ts'
import type { HostOut } from './output.ts'
import { arpOwner, type HostState, type Interface } from './state.ts'
import type { Ipv6Interface } from './ipv6-interface.ts'

/** One interface for the time of one step: what neighbour discovery lets go becomes frames here. */
export class NdPort implements NeighbourOut {
  private readonly h: HostState
  private readonly now: Nanos
  private readonly port: number
  private readonly out: HostOut
  private readonly iface: Interface
  private readonly ipv6: Ipv6Interface
  /** Packets that found no neighbour: their senders are owed an error. */
  readonly unresolved: Ipv6Packet[] = []

  constructor(h: HostState, now: Nanos, port: number, out: HostOut) {
    this.h = h
    this.now = now
    this.port = port
    this.out = out
    this.iface = h.interfaces[port]!
    this.ipv6 = this.iface.ipv6!
  }

  resolve(nextHop: Ipv6Address, packet: Ipv6Packet): void {
    // RFC 4861 §7.2.2: the packet's own source where it is one of the interface.
    const isOurs = this.ipv6.addresses.some(({ address }) => address === packet.source)
    const source = isOurs ? packet.source : this.ipv6.linkLocal
    neighbourResolve(this.ipv6.neighbours, this.now, nextHop, source, packet, this)
    this.wake()
  }

  /** RFC 4861 §7.2.3 and §7.2.4. */
  solicitationArrives(packet: Ipv6Packet, nd: NeighbourSolicitation): void {
    const { source } = packet
    const { target, sourceMac } = nd
    if (!this.ipv6.addresses.some(({ address }) => address === target)) return
    const probing = source === UNSPECIFIED
    if (!probing && sourceMac !== null) {
      neighbourHeard(this.ipv6.neighbours, this.now, source, sourceMac, target, this)
    }
    const router = this.h.forwarding
    const answer: NeighbourAdvertisement = {
      kind: 'neighbour-advertisement',
      router,
      solicited: !probing,
      override: true,
      target,
      targetMac: this.iface.mac,
    }
    this.send(target, probing ? ALL_NODES : source, answer)
    this.wake()
  }

  advertisementArrives(nd: NeighbourAdvertisement): void {
    advertisementArrives(this.ipv6.neighbours, this.now, nd, this)
    this.wake()
  }

  timer(): void {
    neighboursTimer(this.ipv6.neighbours, this.now, this)
    this.wake()
  }

  wake(): void {
    const at = neighboursNextDue(this.ipv6.neighbours)
    if (at !== NEVER) this.out.wake(arpOwner(this.port), at)
  }

  solicit(target: Ipv6Address, source: Ipv6Address, mac: Mac | null): void {
    const sourceMac = this.iface.mac
    const nd = { kind: 'neighbour-solicitation', target, sourceMac, nonce: null } as const
    const to = mac === null ? solicitedNode(target) : target
    this.put(this.packet(source, to, emitNd(nd)), mac ?? multicastMac(to))
  }

  forward(packet: Ipv6Packet, destination: Mac): void {
    this.put(packet, destination)
  }

  undeliverable(packet: Ipv6Packet, why: NeighbourDropReason): void {
    this.out.event({ kind: 'dropped', why: why.replace('-', ' '), packet })
    if (why === 'nd-unresolved') this.unresolved.push(packet)
  }

  nextHopLost(_address: Ipv6Address): void {
    forgetWays(this.h)
  }

  event(event: NeighbourEvent): void {
    this.out.event(event)
  }

  /** A message of ours to a neighbour or a group on the link. */
  private send(source: Ipv6Address, destination: Ipv6Address, nd: NdMessage): void {
    const packet = this.packet(source, destination, emitNd(nd))
    if (destination.startsWith('ff02:')) return this.put(packet, multicastMac(destination))
    sendToIpv6Neighbour(this.h, this.now, this.port, destination, packet, this.out)
  }

  private packet(source: Ipv6Address, destination: Ipv6Address, message: Icmpv6Message) {
    return new Ipv6Packet(source, destination, PROTOCOL_ICMPV6, HOP_LIMIT_MAX, PLAIN_IPV6, message)
  }

  private put(packet: Ipv6Packet, destination: Mac): void {
    this.out.send(new EthernetFrame(destination, this.iface.mac, ETHERTYPE_IPV6, packet), this.port)
  }
}

/** Sends a packet to a neighbour, as soon as its MAC address is known. */
export function sendToIpv6Neighbour(
  h: HostState,
  now: Nanos,
  port: number,
  nextHop: Ipv6Address,
  packet: Ipv6Packet,
  out: HostOut,
): void {
  const { ipv6, mac: ours } = h.interfaces[port]!
  const mac = neighbourLookup(ipv6!.neighbours, now, nextHop)
  if (mac === null) new NdPort(h, now, port, out).resolve(nextHop, packet)
  else out.send(new EthernetFrame(mac, ours, ETHERTYPE_IPV6, packet), port)
}
