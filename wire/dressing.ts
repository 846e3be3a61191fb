import { type IpAddress, type Ipv4Address, type Mac, isIpv4 } from '../protocols/address.ts'
import { maskOf, putMac } from '../protocols/address.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../protocols/arp/packet.ts'
import { i32, putU16 } from '../protocols/bytes.ts'
import { emitEthernet } from '../protocols/ethernet/codec.ts'
import {
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  EthernetFrame,
} from '../protocols/ethernet/frame.ts'
import type { Outlet } from '../sim/binding.ts'
import type { Network } from '../sim/topology.ts'

const IPV4_DESTINATION = 16

/**
 * Gives IP packets of a device without Ethernet the header that the node in its place would have
 * given them, and answers for its addresses. Everything it knows is in the plan of the network.
 */
export class Dressing {
  readonly #mac: Mac
  readonly #own: ReadonlySet<IpAddress>
  /** Whose address is whose, in the whole network. */
  readonly #neighbours = new Map<IpAddress, Mac>()
  readonly #routes: Outlet['routes']

  constructor(outlet: Outlet, network: Network) {
    this.#mac = outlet.interface.mac
    this.#own = new Set(outlet.interface.addresses.map(({ address }) => address))
    this.#routes = outlet.routes.toSorted((a, b) => b.prefixLength - a.prefixLength)
    for (const { interfaces } of network.nodes) {
      for (const { mac, addresses } of interfaces) {
        for (const { address } of addresses) {
          if (!this.#own.has(address)) this.#neighbours.set(address, mac)
        }
      }
    }
  }

  /** The frame for a packet; `null` where nobody is there to get it. */
  dressed(slab: Uint8Array, offset: number, length: number): Uint8Array | null {
    if (length < 20 || slab[offset]! >>> 4 !== 4) return null
    const mac = this.#nextHop(i32(slab, offset + IPV4_DESTINATION))
    if (mac === undefined) return null
    const frame = new Uint8Array(ETHERNET_HEADER + length)
    putMac(frame, 0, mac)
    putMac(frame, 6, this.#mac)
    putU16(frame, 12, ETHERTYPE_IPV4)
    frame.set(slab.subarray(offset, offset + length), ETHERNET_HEADER)
    return frame
  }

  #nextHop(destination: Ipv4Address): Mac | undefined {
    const route = this.#routes.find(
      (each) =>
        isIpv4(each.destination) &&
        ((destination ^ each.destination) & maskOf(each.prefixLength)) === 0,
    )
    return this.#neighbours.get(route?.gateway ?? destination)
  }

  /** The answer to a question that only this side can answer; `null` for any other frame. */
  answer(frame: EthernetFrame): Uint8Array | null {
    const arp = frame.payload
    if (arp.kind !== 'arp' || arp.operation !== ARP_REQUEST) return null
    if (this.#neighbours.has(arp.targetIp) || arp.senderIp === arp.targetIp) return null
    const reply = new ArpPacket(ARP_REPLY, this.#mac, arp.targetIp, arp.senderMac, arp.senderIp)
    return emitEthernet(new EthernetFrame(arp.senderMac, this.#mac, ETHERTYPE_ARP, reply))
  }
}
