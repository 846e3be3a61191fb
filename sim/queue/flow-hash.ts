import { putI32, putU16 } from '../../protocols/bytes.ts'
import { putIpv6 } from '../../protocols/address.ts'
import { type EthernetFrame, ETHERTYPE_IPV6 } from '../../protocols/ethernet/frame.ts'
import { isEchoReply, isEchoRequest } from '../../protocols/icmpv6/message.ts'
import type { IpPacket, Ipv6Packet } from '../../protocols/ipv6/packet.ts'
import { murmur3 } from '../../protocols/murmur3.ts'

/** Type and protocol, addresses, ports: four words. Written anew for each frame. */
const key = new Uint8Array(16)

/**
 * Tells flows apart (RFC 8290 §4.1): by addresses, protocol and ports, for echoes by the identifier;
 * a fragment, or a payload that cannot be read, by addresses and protocol alone. What is not IP
 * goes by its type. `seed` and the result are signed 32-bit integers.
 */
export function flowHash(frame: EthernetFrame, seed: number): number {
  key.fill(0)
  const packet = frame.payload
  putU16(key, 0, frame.etherType)
  if (packet.kind === 'ipv4') {
    key[2] = packet.protocol
    putI32(key, 4, packet.source)
    putI32(key, 8, packet.destination)
    putI32(key, 12, portsOf(packet))
  } else if (packet.kind === 'ipv6') return ipv6Hash(packet, seed)
  return murmur3(key, seed)
}

/** Type, protocol, both addresses, ports. */
const longKey = new Uint8Array(40)

function ipv6Hash(packet: Ipv6Packet, seed: number): number {
  putU16(longKey, 0, ETHERTYPE_IPV6)
  putU16(longKey, 2, packet.protocol)
  putIpv6(longKey, 4, packet.source)
  putIpv6(longKey, 20, packet.destination)
  putI32(longKey, 36, portsOf(packet))
  return murmur3(longKey, seed)
}

/** The source port in the upper half, the destination port in the lower one; 0 for none. */
function portsOf({ payload, details }: IpPacket): number {
  if (details.moreFragments || details.fragmentOffset !== 0) return 0
  switch (payload.kind) {
    case 'tcp':
    case 'udp':
      return (payload.sourcePort << 16) | payload.destinationPort
    case 'icmp':
    case 'icmpv6':
      return isEchoRequest(payload) || isEchoReply(payload) ? payload.identifier : 0
    default:
      return 0
  }
}
