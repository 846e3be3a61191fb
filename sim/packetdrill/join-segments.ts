import { concatBytes } from '../../protocols/bytes.ts'
import type { IpPacket } from '../../protocols/ipv6/packet.ts'
import { CWR, FIN, PSH, TcpSegment } from '../../protocols/tcp/segment.ts'
import { withPayload } from './network.ts'

/** Whether a data segment carries less than a script wants to see. */
export const isShort = ({ payload }: IpPacket, wanted: number): boolean =>
  payload.kind === 'tcp' && payload.payload.length > 0 && payload.payload.length < wanted

/**
 * Two segments in a row as one, as a host that leaves the cutting to its network card would show it: sequence
 * number, urgent pointer and CWR of the first, the rest of the last. `null` where the second does not follow.
 */
export function joinPackets(before: IpPacket, packet: IpPacket): IpPacket | null {
  const [first, next] = [before.payload, packet.payload]
  if (first.kind !== 'tcp' || next.kind !== 'tcp' || next.payload.length === 0) return null
  const free = FIN | PSH | CWR
  const follows = next.seq === ((first.seq + first.payload.length) | 0) && next.ack === first.ack
  if (!follows || (first.flags | free) !== (next.flags | free)) return null
  const segment = new TcpSegment(
    next.sourcePort,
    next.destinationPort,
    first.seq,
    next.ack,
    (next.flags & ~CWR) | (first.flags & CWR),
    next.window,
    first.urgent,
    next.options,
    concatBytes([first.payload, next.payload]),
  )
  return withPayload(packet, segment)
}
