import { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { Ipv4Details, Ipv4Packet } from '../../protocols/ipv4/packet.ts'
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
  if (packet.kind !== 'ipv4') return null
  const { details } = packet
  const ecn = details.trafficClass & ECN_BITS
  if (ecn === 0) return null
  if (ecn === CONGESTION_EXPERIENCED) return frame
  const marked = new Ipv4Details(
    details.trafficClass | CONGESTION_EXPERIENCED,
    details.dontFragment,
    details.moreFragments,
    details.fragmentOffset,
    details.options,
  )
  const { source, destination, protocol, ttl, identification, payload } = packet
  return new EthernetFrame(
    frame.destination,
    frame.source,
    frame.etherType,
    new Ipv4Packet(source, destination, protocol, ttl, identification, marked, payload),
  )
}

/** Marks a frame that waits, if it can be. */
export function mark(waiting: WaitingFrame, by: LinkDropReason, out: QueueOut): boolean {
  const marked = withCongestionExperienced(waiting.frame)
  if (marked === null) return false
  waiting.frame = marked
  out.mark(waiting, by)
  return true
}
