import { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { Ipv4Details, Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { Ipv6Details, Ipv6Packet, isIp } from '../../protocols/ipv6/packet.ts'
import type { LinkDropReason } from '../../trace/record.ts'
import type { QueueOut, WaitingFrame } from './discipline.ts'

/** RFC 3168 §5: the two low bits; 00 is not ECN-capable, 11 is "congestion experienced". */
const ECN_BITS = 3
const CONGESTION_EXPERIENCED = 3

/**
 * The frame with "congestion experienced"; itself where it says so already; `null` where its
 * sender does not understand it.
 */
export function withCongestionExperienced(frame: EthernetFrame): EthernetFrame | null {
  const packet = frame.payload
  if (!isIp(packet)) return null
  const ecn = packet.details.trafficClass & ECN_BITS
  if (ecn === 0) return null
  if (ecn === CONGESTION_EXPERIENCED) return frame
  const { destination, source, etherType, tag } = frame
  const marked = packet.kind === 'ipv4' ? markedIpv4(packet) : markedIpv6(packet)
  return new EthernetFrame(destination, source, etherType, marked, tag)
}

function markedIpv4(packet: Ipv4Packet): Ipv4Packet {
  const { source, destination, protocol, ttl, identification, details, payload } = packet
  const marked = new Ipv4Details(
    details.trafficClass | CONGESTION_EXPERIENCED,
    details.dontFragment,
    details.moreFragments,
    details.fragmentOffset,
    details.options,
  )
  return new Ipv4Packet(source, destination, protocol, ttl, identification, marked, payload)
}

function markedIpv6(packet: Ipv6Packet): Ipv6Packet {
  const { source, destination, protocol, hopLimit, details, payload } = packet
  const marked = new Ipv6Details(
    details.trafficClass | CONGESTION_EXPERIENCED,
    details.flowLabel,
    details.firstHeader,
    details.extensions,
    details.fragmentOffset,
    details.moreFragments,
    details.identification,
  )
  return new Ipv6Packet(source, destination, protocol, hopLimit, marked, payload)
}

/** Marks a frame that waits, if it can be. */
export function mark(waiting: WaitingFrame, by: LinkDropReason, out: QueueOut): boolean {
  const marked = withCongestionExperienced(waiting.frame)
  if (marked === null) return false
  waiting.frame = marked
  out.mark(waiting, by)
  return true
}
