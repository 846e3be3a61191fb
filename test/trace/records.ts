import { type Ipv4Address, ip } from '../../protocols/address.ts'
import { type Bytes, NO_BYTES } from '../../protocols/bytes.ts'
import {
  EthernetFrame,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  type EthernetPayload,
} from '../../protocols/ethernet/frame.ts'
import type { HostEvent } from '../../protocols/host/event.ts'
import type { SocketCall } from '../../protocols/host/socket.ts'
import {
  DONT_FRAGMENT,
  type Ipv4Details,
  Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TransportPayload,
} from '../../protocols/ipv4/packet.ts'
import { NO_OPTIONS, type TcpOptions } from '../../protocols/tcp/options.ts'
import { TcpSegment } from '../../protocols/tcp/segment.ts'
import { ms } from '../../protocols/time.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'
import type { FrameReceived, FrameSent, HostCalled, HostSaid } from '../../trace/record.ts'

export const A = ip('10.0.0.1') as Ipv4Address
export const B = ip('10.0.0.2') as Ipv4Address
export const A_MAC = '02:00:00:00:00:01'
export const B_MAC = '02:00:00:00:00:02'

export const filled = (length: number): Bytes => new Uint8Array(length).fill(0x61)

export const ethernet = (payload: EthernetPayload): EthernetFrame =>
  new EthernetFrame(B_MAC, A_MAC, payload.kind === 'arp' ? ETHERTYPE_ARP : ETHERTYPE_IPV4, payload)

const PROTOCOLS = { tcp: PROTOCOL_TCP, udp: PROTOCOL_UDP, icmp: PROTOCOL_ICMP } as const

/** A frame from `a` to `b`, or back. */
export function carrying(
  payload: TransportPayload,
  way: 'a>b' | 'b>a' = 'a>b',
  details: Ipv4Details = DONT_FRAGMENT,
  protocol = payload.kind in PROTOCOLS ? PROTOCOLS[payload.kind as 'tcp' | 'udp' | 'icmp'] : 253,
): EthernetFrame {
  const [from, to] = way === 'a>b' ? [A, B] : [B, A]
  return ethernet(new Ipv4Packet(from, to, protocol, 64, 1, details, payload))
}

export interface SegmentFields {
  ports?: readonly [number, number]
  seq?: number
  ack?: number
  flags: number
  window?: number
  urgent?: number
  options?: TcpOptions
  data?: number
}

export function segment(fields: SegmentFields): TcpSegment {
  const { ports = [49152, 5001], seq = 0, ack = 0, window = 65535, urgent = 0 } = fields
  return new TcpSegment(
    ports[0],
    ports[1],
    seq | 0,
    ack | 0,
    fields.flags,
    window,
    urgent,
    fields.options ?? NO_OPTIONS,
    fields.data === undefined ? NO_BYTES : filled(fields.data),
  )
}

export const datagram = (data: number, ports: readonly [number, number] = [50000, 40000]) =>
  new UdpDatagram(ports[0], ports[1], filled(data))

export function sent(frame: EthernetFrame, change: Partial<FrameSent> = {}): FrameSent {
  return {
    kind: 'sent',
    at: ms(10),
    event: 7,
    node: 'a',
    port: 0,
    link: 'a>b',
    frame,
    dropped: null,
    arrives: ms(20),
    duplicates: 0,
    corruptedBit: -1,
    reordered: false,
    queueFrames: 1,
    queueBytes: frame.size,
    waits: 0,
    ...change,
  }
}

export const received = (
  frame: EthernetFrame,
  change: Partial<FrameReceived> = {},
): FrameReceived => ({
  kind: 'received',
  at: ms(20),
  event: 8,
  node: 'b',
  port: 0,
  link: 'a>b',
  frame,
  ...change,
})

export const said = (event: HostEvent, change: Partial<HostSaid> = {}): HostSaid => ({
  kind: 'event',
  at: ms(10),
  event: 7,
  node: 'a',
  said: event,
  ...change,
})

export const called = (call: SocketCall, change: Partial<HostCalled> = {}): HostCalled => ({
  kind: 'call',
  at: ms(10),
  event: 7,
  node: 'a',
  call,
  ...change,
})
