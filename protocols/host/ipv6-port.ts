import type { Ipv6Address, Mac } from '../address.ts'
import { type Bytes, NO_BYTES } from '../bytes.ts'
import { ETHERTYPE_IPV6, EthernetFrame } from '../ethernet/frame.ts'
import type { Icmpv6Message } from '../icmpv6/message.ts'
import { PROTOCOL_ICMPV6 } from '../ipv4/packet.ts'
import {
  ALL_NODES,
  ALL_ROUTERS,
  isMulticastIpv6,
  multicastMac,
  solicitedNode,
  UNSPECIFIED,
} from '../ipv6/address.ts'
import { HOP_BY_HOP } from '../ipv6/extensions.ts'
import { HOP_LIMIT_MAX, Ipv6Details, Ipv6Packet, PLAIN_IPV6 } from '../ipv6/packet.ts'
import { addIpv6Route, removeIpv6Route } from '../ipv6/routes.ts'
import { emitReport, type MldRecord, routerAlert } from '../mld/codec.ts'
import { type GroupOut, groupsTimer } from '../mld/listener.ts'
import { advertisementOf, advertiserTimer, startAdvertising } from '../nd/advertiser.ts'
import { neighbourLookup } from '../nd/cache.ts'
import { emitNd } from '../nd/codec.ts'
import type { NdMessage } from '../nd/message.ts'
import type { NeighbourDropReason, NeighbourEvent, NeighbourOut } from '../nd/neighbours.ts'
import { neighbourResolve, neighboursTimer } from '../nd/neighbours.ts'
import {
  removeRouter,
  type RouterOut,
  routerSilent,
  routersTimer,
  startSoliciting,
} from '../nd/routers.ts'
import { type AddressOut, addressesTimer } from '../slaac/addresses.ts'
import { NEVER, type Nanos } from '../time.ts'
import { type Ipv6Interface, ipv6NextDue, want } from './ipv6-interface.ts'
import { forgetWays } from './ipv6-ways.ts'
import type { HostOut } from './output.ts'
import { leaveByTun } from './tun-output.ts'
import { arpOwner, type HostState, type Interface } from './state.ts'

/** RFC 3810 §5.2.14. */
const ALL_MLDV2_ROUTERS: Ipv6Address = 'ff02::16'
const MLD_HOP_LIMIT = 1

/** One interface for the time of one step: what its IPv6 says becomes frames and events here. */
export class Ipv6Port implements NeighbourOut, AddressOut, RouterOut, GroupOut<Ipv6Address> {
  private readonly h: HostState
  readonly now: Nanos
  private readonly port: number
  private readonly out: HostOut
  readonly iface: Interface
  readonly ipv6: Ipv6Interface
  /** Packets that found no neighbour: their senders are owed an error. */
  readonly unresolved: Ipv6Packet[] = []
  /** Addresses that are no longer ours: connections that use them are over. */
  readonly lost: Ipv6Address[] = []

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
    const source = this.has(packet.source) ? packet.source : this.ipv6.linkLocal
    neighbourResolve(this.ipv6.neighbours, this.now, nextHop, source, packet, this)
    this.wake()
  }

  timer(): void {
    const { now, ipv6 } = this
    const { neighbours, list, discovery, advertiser } = ipv6
    neighboursTimer(neighbours, now, this)
    addressesTimer(list, now, neighbours.retransTimer, this)
    if (discovery !== null) routersTimer(discovery, now, this)
    if (advertiser !== null && advertiserTimer(advertiser, now)) {
      const sourceMac = this.iface.mac
      this.send(ipv6.linkLocal, ALL_NODES, { ...advertisementOf(advertiser), sourceMac })
    }
    this.wake()
  }

  /** Last in a step: groups that were joined in it are told together. */
  wake(): void {
    groupsTimer(this.ipv6.mld, this.now, this)
    const at = ipv6NextDue(this.ipv6)
    if (at !== NEVER) this.out.wake(arpOwner(this.port), at)
  }

  /** Whether an address may be used here. */
  has(wanted: Ipv6Address): boolean {
    return this.ipv6.addresses.some(({ address }) => address === wanted)
  }

  // Neighbours.

  solicit(target: Ipv6Address, source: Ipv6Address, mac: Mac | null): void {
    const sourceMac = this.iface.mac
    const nd = { kind: 'neighbour-solicitation', target, sourceMac, nonce: null } as const
    // An address that has been given up in the meantime does not speak any more.
    const from = this.has(source) ? source : this.ipv6.linkLocal
    const to = mac === null ? solicitedNode(target) : target
    this.forward(packetOf(from, to, emitNd(nd)), mac ?? multicastMac(to))
  }

  forward(packet: Ipv6Packet, destination: Mac): void {
    this.out.send(new EthernetFrame(destination, this.iface.mac, ETHERTYPE_IPV6, packet), this.port)
  }

  undeliverable(packet: Ipv6Packet, why: NeighbourDropReason): void {
    this.out.event({ kind: 'dropped', why: why.replace('-', ' '), packet })
    if (why === 'nd-unresolved') this.unresolved.push(packet)
  }

  nextHopLost(address: Ipv6Address, silent: boolean): void {
    const { discovery } = this.ipv6
    if (discovery !== null && silent) routerSilent(discovery, address)
    else if (discovery !== null) removeRouter(discovery, address, this)
    forgetWays(this.h)
  }

  event(event: NeighbourEvent): void {
    this.out.event(event)
  }

  // Addresses.

  listen(address: Ipv6Address, wanted: boolean): void {
    // Without looking for duplicates nobody has said anything of groups either.
    const quiet = this.ipv6.list.transmits === 0
    want(this.ipv6, this.now, solicitedNode(address), wanted, quiet)
  }

  probe(target: Ipv6Address, nonce: Bytes): void {
    // What it listens to is known before it asks (RFC 4862 §5.4.2).
    groupsTimer(this.ipv6.mld, this.now, this)
    const nd = { kind: 'neighbour-solicitation', target, sourceMac: null, nonce } as const
    this.send(UNSPECIFIED, solicitedNode(target), nd)
  }

  usable(address: Ipv6Address, how: 'preferred' | 'deprecated' | 'no'): void {
    const { ipv6, h } = this
    const before = this.has(address)
    const others = ipv6.addresses.filter((each) => each.address !== address)
    forgetWays(h)
    if (how === 'no') {
      if (!before) return this.out.event({ kind: 'address', address, usable: false })
      ipv6.addresses = others
      h.addresses.delete(address)
      this.lost.push(address)
    } else {
      ipv6.addresses = [...others, { address, deprecated: how === 'deprecated' }]
      h.addresses.set(address, this.port)
      if (address === ipv6.linkLocal) this.linkLocalReady()
    }
    if (before !== (how !== 'no')) this.out.event({ kind: 'address', address, usable: !before })
  }

  private linkLocalReady(): void {
    const { discovery, advertiser } = this.ipv6
    if (discovery !== null) startSoliciting(discovery, this.now)
    if (advertiser !== null) startAdvertising(advertiser, this.now)
  }

  conflict(address: Ipv6Address, mac: Mac | null): void {
    this.out.event({ kind: 'address-conflict', address, mac })
  }

  // Routers.

  solicitRouters(): void {
    const { linkLocal } = this.ipv6
    const source = this.has(linkLocal) ? linkLocal : UNSPECIFIED
    const sourceMac = source === UNSPECIFIED ? null : this.iface.mac
    this.send(source, ALL_ROUTERS, { kind: 'router-solicitation', sourceMac })
  }

  router(address: Ipv6Address | null, usable: boolean): void {
    forgetWays(this.h)
    this.out.event({ kind: 'router', address, usable })
  }

  onLink(destination: Ipv6Address, prefixLength: number, there: boolean): void {
    const { routes } = this.h.ipv6
    if (there) addIpv6Route(routes, { destination, prefixLength, gateway: null, port: this.port })
    else removeIpv6Route(routes, destination, prefixLength)
    forgetWays(this.h)
  }

  // Groups.

  report(records: readonly MldRecord[]): void {
    const { linkLocal } = this.ipv6
    const source = this.has(linkLocal) ? linkLocal : UNSPECIFIED
    const alert = new Ipv6Details(0, 0, HOP_BY_HOP, routerAlert(PROTOCOL_ICMPV6))
    const packet = new Ipv6Packet(
      source,
      ALL_MLDV2_ROUTERS,
      PROTOCOL_ICMPV6,
      MLD_HOP_LIMIT,
      alert,
      emitReport(records),
    )
    this.forward(packet, multicastMac(ALL_MLDV2_ROUTERS))
  }

  /** A message of ours to a neighbour or a group on the link; a redirect quotes a packet. */
  send(
    source: Ipv6Address,
    destination: Ipv6Address,
    nd: NdMessage,
    quote: Bytes = NO_BYTES,
    room = 0,
  ): void {
    const packet = packetOf(source, destination, emitNd(nd, quote, room))
    if (isMulticastIpv6(destination)) return this.forward(packet, multicastMac(destination))
    sendToIpv6Neighbour(this.h, this.now, this.port, destination, packet, this.out)
  }
}

const packetOf = (source: Ipv6Address, destination: Ipv6Address, message: Icmpv6Message) =>
  new Ipv6Packet(source, destination, PROTOCOL_ICMPV6, HOP_LIMIT_MAX, PLAIN_IPV6, message)

/** Sends a packet to a neighbour, as soon as its MAC address is known. */
export function sendToIpv6Neighbour(
  h: HostState,
  now: Nanos,
  port: number,
  nextHop: Ipv6Address,
  packet: Ipv6Packet,
  out: HostOut,
): void {
  const { ipv6, mac: ours, tun } = h.interfaces[port]!
  if (tun !== null) return leaveByTun(tun.socket, packet, out)
  const mac = neighbourLookup(ipv6!.neighbours, now, nextHop)
  if (mac === null) new Ipv6Port(h, now, port, out).resolve(nextHop, packet)
  else out.send(new EthernetFrame(mac, ours, ETHERTYPE_IPV6, packet), port)
}
