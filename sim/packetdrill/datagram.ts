import { PROTOCOL_UDP } from '../../protocols/ipv4/packet.ts'
import type { TransportPayload } from '../../protocols/ipv4/packet.ts'
import type { IpPacket } from '../../protocols/ipv6/packet.ts'
import { emitTcpUnchecked } from '../../protocols/tcp/codec.ts'
import type { TcpSegment } from '../../protocols/tcp/segment.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import { arriving, type Ends } from './network.ts'
import type { IpInfo, Ports, ScriptPacket } from './script.ts'

// TCP over UDP: the datagram around a segment, `/udp(9811 > 1)`.

/** A segment to the host, in the datagram that the script says. */
export function arrivingInUdp(ends: Ends, ip: IpInfo, udp: Ports, segment: TcpSegment): IpPacket {
  const payload: TransportPayload = new UdpDatagram(
    udp.source,
    udp.destination,
    emitTcpUnchecked(segment),
  )
  return arriving(ends, PROTOCOL_UDP, ip, payload)
}

export const datagramText = (udp: Ports | null): string =>
  udp === null ? '' : `/udp(${udp.source} > ${udp.destination})`

/** Whether what the host sent was in the datagram that the script says, in words; `null`: it was. */
export function datagramDifference(expected: ScriptPacket, udp: Ports | null): string | null {
  const wanted = expected.kind === 'tcp' ? expected.udp : null
  const text = (ports: Ports | null): string => datagramText(ports) || 'no udp'
  return text(wanted) === text(udp) ? null : `${text(wanted)} ≠ ${text(udp)}`
}
