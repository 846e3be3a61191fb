import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../protocols/arp/packet.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  IcmpMessage,
  isIcmpError,
} from '../protocols/icmp/message.ts'
import { Ipv4Packet, type TransportPayload } from '../protocols/ipv4/packet.ts'
import { ACK, FIN, RST, SYN, TcpSegment } from '../protocols/tcp/segment.ts'
import { UdpDatagram } from '../protocols/udp/datagram.ts'
import { didYouMean } from './suggest.ts'
import type { Refusal } from './user-error.ts'

export type FrameTest = (frame: EthernetFrame) => boolean

/** What people call a frame when they point at one, in the singular. */
const KINDS: { readonly [name: string]: FrameTest } = {
  frame: () => true,
  'data segment': segment((tcp) => tcp.payload.length > 0),
  segment: segment(() => true),
  syn: segment((tcp) => (tcp.flags & (SYN | ACK)) === SYN),
  'syn-ack': segment((tcp) => (tcp.flags & (SYN | ACK)) === (SYN | ACK)),
  /** One that says nothing else: a segment with data acknowledges too, but nobody means that. */
  ack: segment((tcp) => (tcp.flags & (SYN | FIN | RST | ACK)) === ACK && tcp.payload.length === 0),
  fin: segment((tcp) => (tcp.flags & FIN) !== 0),
  rst: segment((tcp) => (tcp.flags & RST) !== 0),
  datagram: (frame) => transport(frame) instanceof UdpDatagram,
  fragment: ({ payload }) =>
    payload instanceof Ipv4Packet &&
    (payload.details.moreFragments || payload.details.fragmentOffset > 0),
  'icmp message': (frame) => transport(frame) instanceof IcmpMessage,
  'icmp error': (frame) => {
    const message = transport(frame)
    return message instanceof IcmpMessage && isIcmpError(message.type)
  },
  'echo request': icmp(ICMP_ECHO_REQUEST),
  'echo reply': icmp(ICMP_ECHO_REPLY),
  'arp packet': ({ payload }) => payload instanceof ArpPacket,
  'arp request': arp(ARP_REQUEST),
  'arp reply': arp(ARP_REPLY),
}

const OTHER_NAMES: { readonly [name: string]: string } = {
  packet: 'frame',
  data: 'data segment',
  'data packet': 'data segment',
  'tcp segment': 'segment',
  synack: 'syn-ack',
  'syn+ack': 'syn-ack',
  'syn/ack': 'syn-ack',
  'syn ack': 'syn-ack',
  'pure ack': 'ack',
  reset: 'rst',
  'udp datagram': 'datagram',
  'ip fragment': 'fragment',
  icmp: 'icmp message',
  ping: 'echo request',
  arp: 'arp packet',
}

/** The test behind a name such as `data segments`, `SYN` or `echo reply`; letter case is ignored. */
export function parseFrameKind(text: string): FrameTest | Refusal {
  const name = text.toLowerCase()
  for (const singular of [name, name.replace(/s$/, ''), name.replace(/ies$/, 'y')]) {
    const kind = Object.hasOwn(OTHER_NAMES, singular) ? OTHER_NAMES[singular]! : singular
    if (Object.hasOwn(KINDS, kind)) return KINDS[kind]!
  }
  const suggestion = didYouMean(name, Object.keys(KINDS))
  return {
    error: `'${text}' is not a kind of frame`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

function transport({ payload }: EthernetFrame): TransportPayload | null {
  return payload instanceof Ipv4Packet ? payload.payload : null
}

function segment(test: (tcp: TcpSegment) => boolean): FrameTest {
  return (frame) => {
    const tcp = transport(frame)
    return tcp instanceof TcpSegment && test(tcp)
  }
}

function icmp(type: number): FrameTest {
  return (frame) => {
    const message = transport(frame)
    return message instanceof IcmpMessage && message.type === type
  }
}

function arp(operation: number): FrameTest {
  return ({ payload }) => payload instanceof ArpPacket && payload.operation === operation
}
