import { readMac } from '../protocols/address.ts'
import { type Bytes, u16 } from '../protocols/bytes.ts'
import {
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
} from '../protocols/ethernet/frame.ts'
import { add, defect, type Dissection, hex } from './dissect-layers.ts'
import { dissectArp, dissectIpv4, dissectIpv6 } from './dissect-network.ts'
import { isVlanType } from './packet-text.ts'

/**
 * Reads the headers of an Ethernet frame. It never throws; a header that cannot be read ends the
 * list, with its defect where the whole frame was captured.
 *
 * @param length of the frame on the wire, at least `bytes.length`.
 * @param tcpInUdp datagrams of this port carry TCP segments; 0: of none do.
 */
export function dissect(bytes: Bytes, length: number = bytes.length, tcpInUdp = 0): Dissection {
  const found: Dissection = {
    layers: [],
    defects: [],
    offloaded: false,
    cut: length > bytes.length,
    tcpInUdp,
  }
  if (bytes.length < ETHERNET_HEADER) {
    defect(found, 'ethernet', 'truncated', `${bytes.length} of ${ETHERNET_HEADER} bytes`)
    return found
  }
  let type = u16(bytes, 12)
  add(found, 'ethernet', {
    destination: readMac(bytes, 0),
    source: readMac(bytes, 6),
    ...(type < 0x600 ? { length: type } : { type: hex(type, 4) }),
  })
  let at = ETHERNET_HEADER
  for (; isVlanType(type); at += 4) {
    if (at + 4 > bytes.length) {
      defect(found, 'vlan', 'truncated', `${bytes.length - at} of 4 bytes`)
      return found
    }
    const tag = u16(bytes, at)
    type = u16(bytes, at + 2)
    const dropEligible = (tag & 0x1000) !== 0
    add(found, 'vlan', { id: tag & 0xfff, priority: tag >> 13, dropEligible, type: hex(type, 4) })
  }
  const packet = bytes.subarray(at)
  if (type === ETHERTYPE_ARP) dissectArp(found, packet)
  else if (type === ETHERTYPE_IPV4) dissectIpv4(found, packet)
  else if (type === ETHERTYPE_IPV6) dissectIpv6(found, packet)
  return found
}
