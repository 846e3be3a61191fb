import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../protocols/arp/packet.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { IcmpMessage, isIcmpError } from '../protocols/icmp/message.ts'
import {
  Icmpv6Message,
  isEchoReply,
  isEchoRequest,
  isIcmpv6Error,
  MLD_REPORT_V2,
  ND_NEIGHBOUR_ADVERTISEMENT,
  ND_NEIGHBOUR_SOLICITATION,
  ND_REDIRECT,
  ND_ROUTER_ADVERTISEMENT,
  ND_ROUTER_SOLICITATION,
} from '../protocols/icmpv6/message.ts'
import type { TransportPayload } from '../protocols/ipv4/packet.ts'
import { isIp } from '../protocols/ipv6/packet.ts'
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
    isIp(payload) && (payload.details.moreFragments || payload.details.fragmentOffset > 0),
  'icmp message': icmp(() => true),
  'icmp error': icmp(({ kind, type }) =>
    kind === 'icmp' ? isIcmpError(type) : isIcmpv6Error(type),
  ),
  'echo request': icmp(isEchoRequest),
  'echo reply': icmp(isEchoReply),
  'neighbour solicitation': icmpv6(ND_NEIGHBOUR_SOLICITATION),
  'neighbour advertisement': icmpv6(ND_NEIGHBOUR_ADVERTISEMENT),
  'router solicitation': icmpv6(ND_ROUTER_SOLICITATION),
  'router advertisement': icmpv6(ND_ROUTER_ADVERTISEMENT),
  redirect: icmpv6(ND_REDIRECT),
  'mld report': icmpv6(MLD_REPORT_V2),
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
  'neighbor solicitation': 'neighbour solicitation',
  'neighbor advertisement': 'neighbour advertisement',
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
  return isIp(payload) ? payload.payload : null
}

function segment(test: (tcp: TcpSegment) => boolean): FrameTest {
  return (frame) => {
    const tcp = transport(frame)
    return tcp instanceof TcpSegment && test(tcp)
  }
}

/** Of either family. */
function icmp(test: (message: IcmpMessage | Icmpv6Message) => boolean): FrameTest {
  return (frame) => {
    const message = transport(frame)
    return (message instanceof IcmpMessage || message instanceof Icmpv6Message) && test(message)
  }
}

function icmpv6(type: number): FrameTest {
  return icmp((message) => message.kind === 'icmpv6' && message.type === type)
}

function arp(operation: number): FrameTest {
  return ({ payload }) => payload instanceof ArpPacket && payload.operation === operation
}
