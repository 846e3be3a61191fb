import type { IpAddress } from '../protocols/address.ts'
import { assert, unreachable } from '../protocols/assert.ts'
import {
  type EthernetFrame,
  type EthernetPayload,
  ETHERTYPE_VLAN,
  NO_TAG,
} from '../protocols/ethernet/frame.ts'
import type { Ipv4Details, Ipv4Packet, TransportPayload } from '../protocols/ipv4/packet.ts'
import type { Ipv6Packet } from '../protocols/ipv6/packet.ts'
import { NO_OPTIONS, type TcpOptions } from '../protocols/tcp/options.ts'
import type { TcpSegment } from '../protocols/tcp/segment.ts'
import type { Encoding } from './encoding.ts'
import type {
  FrameDeparted,
  FrameDiscarded,
  FrameFate,
  FrameMarked,
  NodeEvent,
  TraceRecord,
} from './record.ts'

// Tags, so that no record's bytes can be read as another's. They are part of every digest.
const SENT = 1
const RECEIVED = 2
const SAID = 3
const CALLED = 4
const DROPPED = 5
const FAULT = 6
const DEPARTED = 7
const DISCARDED = 8
const MARKED = 9
const IPV4 = 16
const ARP = 17
const TCP = 18
const UDP = 19
const ICMP = 20
const OPAQUE = 21
const MALFORMED = 22
const IPV6 = 23
const ICMPV6 = 24

/** Writes a record: every field in a fixed order, payloads by length and fingerprint. */
export function encodeRecord(to: Encoding, record: TraceRecord): void {
  to.reserve()
  switch (record.kind) {
    case 'sent':
      to.u8(SENT)
      encodePlace(to, record)
      to.u16(record.port)
      to.text(record.link)
      encodeFate(to, record)
      to.i32(record.queueFrames)
      to.f64(record.queueBytes)
      encodeFrame(to, record.frame)
      return
    case 'departed':
      encodeQueueRecord(to, DEPARTED, record)
      encodeFate(to, record)
      return
    case 'discarded':
      encodeQueueRecord(to, DISCARDED, record)
      to.text(record.why)
      return
    case 'marked':
      encodeQueueRecord(to, MARKED, record)
      to.text(record.by)
      return
    case 'received':
      to.u8(RECEIVED)
      encodePlace(to, record)
      to.u16(record.port)
      to.text(record.link)
      encodeFrame(to, record.frame)
      return
    case 'event':
      encodeEvent(to, record, record.said)
      return
    case 'call':
      to.u8(CALLED)
      encodePlace(to, record)
      to.value(record.call)
      return
    case 'fault':
      to.u8(FAULT)
      encodePlace(to, record)
      to.text(record.what)
      return
    default:
      unreachable(record)
  }
}

function encodePlace(to: Encoding, record: TraceRecord): void {
  to.f64(record.at)
  to.f64(record.event)
  to.text(record.node)
}

function encodeFate(to: Encoding, fate: FrameFate): void {
  to.text(fate.dropped ?? '')
  to.f64(fate.arrives)
  to.i32(fate.duplicates)
  to.i32(fate.corruptedBit)
  to.u8(fate.reordered ? 1 : 0)
}

function encodeQueueRecord(
  to: Encoding,
  tag: number,
  record: FrameDeparted | FrameDiscarded | FrameMarked,
): void {
  to.u8(tag)
  encodePlace(to, record)
  to.u16(record.port)
  to.text(record.link)
  to.f64(record.sojourn)
  encodeFrame(to, record.frame)
}

function encodeEvent(to: Encoding, record: TraceRecord, said: NodeEvent): void {
  const isDrop = said.kind === 'dropped'
  to.u8(isDrop ? DROPPED : SAID)
  encodePlace(to, record)
  if (isDrop) {
    to.text(said.why)
    encodePacket(to, said.packet)
  } else {
    to.value(said)
  }
}

function encodeFrame(to: Encoding, frame: EthernetFrame): void {
  to.mac(frame.destination)
  to.mac(frame.source)
  if (frame.tag !== NO_TAG) {
    to.u16(ETHERTYPE_VLAN)
    to.u16(frame.tag)
  }
  to.u16(frame.etherType)
  encodePacket(to, frame.payload)
}

function encodePacket(to: Encoding, packet: EthernetPayload | TransportPayload): void {
  to.reserve()
  switch (packet.kind) {
    case 'ipv4':
      encodeIpv4(to, packet)
      return
    case 'ipv6':
      encodeIpv6(to, packet)
      return
    case 'tcp':
      encodeTcp(to, packet)
      return
    case 'udp':
      to.u8(UDP)
      to.u16(packet.sourcePort)
      to.u16(packet.destinationPort)
      to.payload(packet.payload)
      return
    case 'icmp':
    case 'icmpv6':
      to.u8(packet.kind === 'icmp' ? ICMP : ICMPV6)
      to.u8(packet.type)
      to.u8(packet.code)
      to.i32(packet.rest)
      to.payload(packet.data)
      return
    case 'arp':
      to.u8(ARP)
      to.u16(packet.operation)
      to.mac(packet.senderMac)
      encodeAddress(to, packet.senderIp)
      to.mac(packet.targetMac)
      encodeAddress(to, packet.targetIp)
      return
    case 'opaque':
      to.u8(OPAQUE)
      to.payload(packet.bytes)
      return
    case 'malformed':
      to.u8(MALFORMED)
      to.text(packet.protocol)
      to.text(packet.why)
      to.payload(packet.bytes)
      return
    default:
      unreachable(packet)
  }
}

function encodeIpv4(to: Encoding, packet: Ipv4Packet): void {
  to.u8(IPV4)
  encodeAddress(to, packet.source)
  encodeAddress(to, packet.destination)
  to.u8(packet.protocol)
  to.u8(packet.ttl)
  to.u16(packet.identification)
  encodeDetails(to, packet.details)
  encodePacket(to, packet.payload)
}

function encodeIpv6(to: Encoding, packet: Ipv6Packet): void {
  const { details } = packet
  to.u8(IPV6)
  encodeAddress(to, packet.source)
  encodeAddress(to, packet.destination)
  to.u8(packet.protocol)
  to.u8(packet.hopLimit)
  to.u8(details.trafficClass)
  to.i32(details.flowLabel)
  to.i32(details.firstHeader)
  to.octets(details.extensions)
  encodePacket(to, packet.payload)
}

function encodeDetails(to: Encoding, details: Ipv4Details): void {
  to.u8(details.trafficClass)
  to.u8((details.dontFragment ? 1 : 0) | (details.moreFragments ? 2 : 0))
  to.u16(details.fragmentOffset)
  to.octets(details.options)
}

function encodeTcp(to: Encoding, segment: TcpSegment): void {
  to.u8(TCP)
  to.u16(segment.sourcePort)
  to.u16(segment.destinationPort)
  to.i32(segment.seq)
  to.i32(segment.ack)
  to.u8(segment.flags)
  to.u16(segment.window)
  to.u16(segment.urgent)
  if (segment.options === NO_OPTIONS) to.u8(0)
  else encodeOptions(to, segment.options)
  to.sharedPayload(segment.payload, segment.seq + segment.sourcePort)
}

function encodeOptions(to: Encoding, options: TcpOptions): void {
  const { layout, sack, unknown } = options
  // An empty layout says nothing, whatever object says it.
  to.u8(layout.length)
  if (layout.length === 0) return
  for (const kind of layout) to.u8(kind)
  to.i32(options.mss)
  to.i32(options.windowScale)
  to.i32(options.timestampValue)
  to.i32(options.timestampEcho)
  to.u8(sack.length)
  for (const edge of sack) to.i32(edge)
  to.u8(unknown.length)
  for (const data of unknown) to.octets(data)
}

function encodeAddress(to: Encoding, address: IpAddress): void {
  assert(typeof address === 'number' || address.length <= 39, 'an address is canonical')
  if (typeof address === 'number') {
    to.u8(4)
    to.i32(address)
  } else {
    to.u8(6)
    to.text(address)
  }
}
