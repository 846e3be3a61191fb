import { putI32, putU16 } from '../../protocols/bytes.ts'
import type { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST } from '../../protocols/icmp/message.ts'
import type { Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { murmur3 } from '../../protocols/murmur3.ts'

/** Type and protocol, addresses, ports: four words. Written anew for each frame. */
const key = new Uint8Array(16)

/**
 * Tells flows apart (RFC 8290 §4.1): by addresses, protocol and ports, for echoes by the identifier;
 * a fragment, or a payload that cannot be read, by addresses and protocol alone. What is not IPv4
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
  }
  return murmur3(key, seed)
}

/** The source port in the upper half, the destination port in the lower one; 0 for none. */
function portsOf({ payload, details }: Ipv4Packet): number {
  if (details.moreFragments || details.fragmentOffset !== 0) return 0
  switch (payload.kind) {
    case 'tcp':
    case 'udp':
      return (payload.sourcePort << 16) | payload.destinationPort
    case 'icmp': {
      const isEcho = payload.type === ICMP_ECHO_REQUEST || payload.type === ICMP_ECHO_REPLY
      return isEcho ? payload.identifier : 0
    }
    default:
      return 0
  }
}
