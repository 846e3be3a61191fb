import type { Mac } from '../../protocols/address.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../../protocols/arp/packet.ts'
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { ND_NEIGHBOUR_SOLICITATION } from '../../protocols/icmpv6/message.ts'
import { PROTOCOL_ICMPV6 } from '../../protocols/ipv4/packet.ts'
import { UNSPECIFIED } from '../../protocols/ipv6/address.ts'
import { HOP_LIMIT_MAX, Ipv6Packet, PLAIN_IPV6 } from '../../protocols/ipv6/packet.ts'
import { emitNd, readNd } from '../../protocols/nd/codec.ts'

/** The script's side of the link has every address that the host asks for. */
export function neighbourAnswer(
  { payload, source: asker }: EthernetFrame,
  mac: Mac,
): EthernetFrame | null {
  if (payload.kind === 'arp' && payload.operation === ARP_REQUEST) {
    const { targetIp, senderIp, senderMac } = payload
    if (senderIp === targetIp) return null
    const reply = new ArpPacket(ARP_REPLY, mac, targetIp, senderMac, senderIp)
    return new EthernetFrame(asker, mac, ETHERTYPE_ARP, reply)
  }
  if (payload.kind !== 'ipv6' || payload.source === UNSPECIFIED) return null
  const message = payload.payload
  if (message.kind !== 'icmpv6' || message.type !== ND_NEIGHBOUR_SOLICITATION) return null
  const question = readNd(message)
  if (typeof question === 'string' || question.kind !== 'neighbour-solicitation') return null
  const { target } = question
  const answer = emitNd({
    kind: 'neighbour-advertisement',
    router: true,
    solicited: true,
    override: true,
    target,
    targetMac: mac,
  })
  const { source } = payload
  const packet = new Ipv6Packet(target, source, PROTOCOL_ICMPV6, HOP_LIMIT_MAX, PLAIN_IPV6, answer)
  return new EthernetFrame(asker, mac, ETHERTYPE_IPV6, packet)
}
