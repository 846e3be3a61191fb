import type { IpPacket } from '../ipv6/packet.ts'
import { parseTcpUnchecked } from '../tcp/codec.ts'
import type { Nanos } from '../time.ts'
import type { UdpDatagram } from '../udp/datagram.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'
import { tcpArrives } from './tcp-input.ts'

/** A datagram for the host's port for TCP (`tcp-in-udp.ts`): the segment in it arrives. */
export function tunnelArrives(
  h: HostState,
  now: Nanos,
  packet: IpPacket,
  { sourcePort, payload }: UdpDatagram,
  out: HostOut,
): void {
  const segment = parseTcpUnchecked(payload)
  if (!segment.ok) return out.event({ kind: 'dropped', why: `tcp ${segment.why}`, packet })
  // Nobody could answer; and inside, zero means that there is no datagram around a segment.
  if (sourcePort === 0) return out.event({ kind: 'dropped', why: 'udp no source port', packet })
  tcpArrives(h, now, packet, segment.value, sourcePort, out)
}
