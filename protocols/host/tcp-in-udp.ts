import type { IpAddress } from '../address.ts'
import { type Ipv4Details, PROTOCOL_UDP } from '../ipv4/packet.ts'
import type { Nanos } from '../time.ts'
import { emitTcpUnchecked } from '../tcp/codec.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import type { TcpSegment } from '../tcp/segment.ts'
import { UDP_HEADER, UdpDatagram } from '../udp/datagram.ts'
import { sendIp } from './ip-output.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'

// TCP over UDP as FreeBSD has it (tcp(4), udp_tunneling_port): a segment, header and all, is what a
// datagram carries between a port of the host for all connections and one of the peer for each. The
// datagram's checksum covers the segment, whose own is zero.

/** Whether a datagram to or from this port of ours carries a segment. */
export const isTunnelPort = (h: HostState, port: number): boolean =>
  port !== 0 && port === h.policy.tunnelPort

/** What the way to a peer takes of a packet beside IP and TCP, bytes. */
export const overheadOf = (h: HostState, policy: TcpPolicy): number =>
  policy.udpPort === 0 ? 0 : h.policy.tunnelOverhead

export function sendInUdp(
  h: HostState,
  now: Nanos,
  from: IpAddress,
  to: IpAddress,
  segment: TcpSegment,
  udpPort: number,
  hops: number,
  details: Ipv4Details,
  out: HostOut,
): void {
  const { tunnelPort } = h.policy
  if (tunnelPort === 0) {
    return out.event({ kind: 'dropped', why: 'tcp no udp tunneling port', packet: segment })
  }
  const datagram = new UdpDatagram(tunnelPort, udpPort, emitTcpUnchecked(segment))
  sendIp(h, now, from, to, PROTOCOL_UDP, hops, details, datagram, out)
}

/** How much of a quoted datagram the TCP ports and the sequence number reach to. */
export const QUOTED_IN_UDP = UDP_HEADER + 8
