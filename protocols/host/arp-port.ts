import type { Ipv4Address, Mac } from '../address.ts'
import { arpLookup, arpNextDue, arpUsableUntil } from '../arp/cache.ts'
import {
  type ArpDropReason,
  type ArpEvent,
  type ArpOut,
  arpReceive,
  arpResolve,
  arpTimer,
} from '../arp/engine.ts'
import { type ClaimOut, claimsHear, claimsNextDue, claimsTimer } from '../arp/claim.ts'
import type { ArpPacket } from '../arp/packet.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, EthernetFrame } from '../ethernet/frame.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import { NEVER, type Nanos } from '../time.ts'
import { forgetWays, keepWay } from './ipv4-ways.ts'
import type { HostOut } from './output.ts'
import { leaveByTun } from './tun-output.ts'
import { arpOwner, type HostState } from './state.ts'

/** One interface for the time of one step: what ARP lets go becomes frames and events here. */
export class ArpPort implements ArpOut, ClaimOut {
  private readonly h: HostState
  private readonly now: Nanos
  private readonly port: number
  private readonly out: HostOut
  /** Packets that found no neighbour: their senders are owed an error. */
  readonly unresolved: Ipv4Packet[] = []
  /** Addresses that were given up: connections that use them are over. */
  readonly lost: Ipv4Address[] = []

  constructor(h: HostState, now: Nanos, port: number, out: HostOut) {
    this.h = h
    this.now = now
    this.port = port
    this.out = out
  }

  receive(packet: ArpPacket): void {
    forgetWays(this.h)
    const iface = this.h.interfaces[this.port]!
    const { claims } = iface
    if (claims !== null && claimsHear(claims, this.now, iface.mac, packet, this)) return this.wake()
    arpReceive(iface.arp, this.now, iface.mac, iface.addresses, packet, this)
    this.wake()
  }

  resolve(nextHop: Ipv4Address, packet: Ipv4Packet): void {
    forgetWays(this.h)
    const iface = this.h.interfaces[this.port]!
    const address = iface.addresses[0] ?? 0
    arpResolve(iface.arp, this.now, iface.mac, address, nextHop, packet, this)
    this.wake()
  }

  timer(): void {
    forgetWays(this.h)
    const { arp, claims, mac } = this.h.interfaces[this.port]!
    arpTimer(arp, this.now, this)
    if (claims !== null) claimsTimer(claims, this.now, mac, this)
    this.wake()
  }

  usable(address: Ipv4Address, usable: boolean): void {
    forgetWays(this.h)
    const iface = this.h.interfaces[this.port]!
    if (usable) {
      iface.addresses.push(address)
      this.h.addresses.set(address, this.port)
    } else {
      iface.addresses = iface.addresses.filter((own) => own !== address)
      this.h.addresses.delete(address)
      this.lost.push(address)
    }
    this.out.event({ kind: 'address', address, usable })
  }

  wake(): void {
    const { arp, claims } = this.h.interfaces[this.port]!
    let at = arpNextDue(arp)
    if (claims !== null) at = Math.min(at, claimsNextDue(claims))
    if (at !== NEVER) this.out.wake(arpOwner(this.port), at)
  }

  sendArp(packet: ArpPacket, destination: Mac): void {
    const { mac } = this.h.interfaces[this.port]!
    this.out.send(new EthernetFrame(destination, mac, ETHERTYPE_ARP, packet), this.port)
  }

  forward(packet: Ipv4Packet, destination: Mac): void {
    const { mac } = this.h.interfaces[this.port]!
    this.out.send(new EthernetFrame(destination, mac, ETHERTYPE_IPV4, packet), this.port)
  }

  undeliverable(packet: Ipv4Packet, why: ArpDropReason): void {
    this.out.event({ kind: 'dropped', why: why.replace('-', ' '), packet })
    if (why === 'arp-unresolved') this.unresolved.push(packet)
  }

  event(event: ArpEvent): void {
    this.out.event(event)
  }
}

/** Sends a packet to a neighbour, as soon as its MAC address is known. */
export function sendToNeighbour(
  h: HostState,
  now: Nanos,
  port: number,
  nextHop: Ipv4Address,
  packet: Ipv4Packet,
  out: HostOut,
): void {
  const iface = h.interfaces[port]!
  if (iface.tun !== null) return leaveByTun(iface.tun.socket, packet, out)
  const mac = arpLookup(iface.arp, now, nextHop)
  if (mac === null) return new ArpPort(h, now, port, out).resolve(nextHop, packet)
  const until = arpUsableUntil(iface.arp, nextHop)
  const { destination } = packet
  keepWay(h, { destination, port, mtu: iface.mtu, mac, until, sourceMac: iface.mac })
  out.send(new EthernetFrame(mac, iface.mac, ETHERTYPE_IPV4, packet), port)
}
