import { type Ipv4Address, putIpv4, readIpv4 } from '../address.ts'
import { type Bytes, putU16, u16 } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import {
  echoRest,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  IcmpMessage,
  isIcmpError,
} from '../icmp/message.ts'
import {
  IPV4_HEADER,
  Ipv4Packet,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TransportPayload,
} from '../ipv4/packet.ts'
import { TcpSegment } from '../tcp/segment.ts'
import type { Nanos } from '../time.ts'
import { UdpDatagram } from '../udp/datagram.ts'
import { mapIn, type NatMapping, type NatTable, mapOut, standing } from './table.ts'

// Packets with other addresses and ports: new records, what they carry is shared. RFC 3022 §4.

/**
 * What leaves the inside, as the outside sees it. `null`: it cannot be translated, and must not
 * leave.
 */
export function translateOut(nat: NatTable, now: Nanos, packet: Ipv4Packet): Ipv4Packet | null {
  const { payload, source, destination } = packet
  if (payload.kind === 'icmp' && isIcmpError(payload.type)) return errorOut(nat, packet, payload)
  const ends = endsOf(payload, ICMP_ECHO_REQUEST)
  if (ends === null) return null
  const { protocol, from, to, flags } = ends
  const mapping = mapOut(nat, now, protocol, source, from, destination, to, flags)
  if (mapping === null) return null
  const { address } = nat.config
  return rewritten(packet, address, destination, withPorts(payload, mapping.outsidePort, to))
}

/** What comes from outside to the shared address, as the inside host gets it. `null`: for nobody. */
export function translateIn(nat: NatTable, now: Nanos, packet: Ipv4Packet): Ipv4Packet | null {
  const { payload, source } = packet
  if (payload.kind === 'icmp' && isIcmpError(payload.type))
    return errorIn(nat, now, packet, payload)
  const ends = endsOf(payload, ICMP_ECHO_REPLY)
  if (ends === null) return null
  const { protocol, from, to, flags } = ends
  const mapping = mapIn(nat, now, protocol, to, source, from, flags)
  if (mapping === null) return null
  return rewritten(packet, source, mapping.inside, withPorts(payload, from, mapping.insidePort))
}

interface Ends {
  readonly protocol: number
  /** Ports; of an echo its identifier on the inside's end, and 0. */
  readonly from: number
  readonly to: number
  /** Of TCP. */
  readonly flags: number
}

/** `echo`: the kind of echo message that goes this way. */
function endsOf(payload: TransportPayload, echo: number): Ends | null {
  switch (payload.kind) {
    case 'tcp':
      return {
        protocol: PROTOCOL_TCP,
        from: payload.sourcePort,
        to: payload.destinationPort,
        flags: payload.flags,
      }
    case 'udp':
      return {
        protocol: PROTOCOL_UDP,
        from: payload.sourcePort,
        to: payload.destinationPort,
        flags: 0,
      }
    case 'icmp': {
      const { type, identifier } = payload
      if (type !== echo) return null
      // A request leaves from a number of its own, and its reply comes back to it.
      const isRequest = type === ICMP_ECHO_REQUEST
      const [from, to] = isRequest ? [identifier, 0] : [0, identifier]
      return { protocol: PROTOCOL_ICMP, from, to, flags: 0 }
    }
    default:
      return null
  }
}

function withPorts(payload: TransportPayload, from: number, to: number): TransportPayload {
  switch (payload.kind) {
    case 'tcp': {
      const { seq, ack, flags, window, urgent, options } = payload
      return new TcpSegment(from, to, seq, ack, flags, window, urgent, options, payload.payload)
    }
    case 'udp':
      return new UdpDatagram(from, to, payload.payload)
    case 'icmp': {
      const { type, code, sequence, data } = payload
      const identifier = type === ICMP_ECHO_REQUEST ? from : to
      return new IcmpMessage(type, code, echoRest(identifier, sequence), data)
    }
    default:
      return payload
  }
}

function rewritten(
  packet: Ipv4Packet,
  source: Ipv4Address,
  destination: Ipv4Address,
  payload: TransportPayload,
): Ipv4Packet {
  const { protocol, ttl, identification, details, size } = packet
  return new Ipv4Packet(source, destination, protocol, ttl, identification, details, payload, size)
}

// ICMP errors quote a packet of the other direction, which is translated within them (RFC 5508 §4).

/** Of an inside host, about something that came in. */
function errorOut(nat: NatTable, packet: Ipv4Packet, error: IcmpMessage): Ipv4Packet | null {
  const quote = quoteOf(error.data)
  if (quote === null) return null
  const mapping = insideMapping(nat, quote.protocol, quote.destination, quote.to)
  if (mapping === null || mapping.inside !== quote.destination) return null
  const { address } = nat.config
  const data = requoted(error.data, quote, DESTINATION, address, quote.atTo, mapping.outsidePort)
  const { type, code, rest } = error
  const translated = new IcmpMessage(type, code, rest, data)
  return rewritten(packet, address, packet.destination, translated)
}

/** From anybody on the way, about something that left: RFC 5508 REQ-4, no filter applies. */
function errorIn(
  nat: NatTable,
  now: Nanos,
  packet: Ipv4Packet,
  error: IcmpMessage,
): Ipv4Packet | null {
  const quote = quoteOf(error.data)
  if (quote === null || quote.source !== nat.config.address) return null
  const mapping = standing(nat, now, quote.protocol, quote.from)
  if (mapping === null) return null
  const { inside, insidePort } = mapping
  const data = requoted(error.data, quote, SOURCE, inside, quote.atFrom, insidePort)
  const { type, code, rest } = error
  return rewritten(packet, packet.source, inside, new IcmpMessage(type, code, rest, data))
}

const insideMapping = (
  nat: NatTable,
  protocol: number,
  address: Ipv4Address,
  port: number,
): NatMapping | null => nat.byInside.get(`${protocol} ${address} ${port}`) ?? null

interface Quote {
  readonly protocol: number
  readonly source: Ipv4Address
  readonly destination: Ipv4Address
  readonly from: number
  readonly to: number
  /** Where in the bytes these two stand. */
  readonly atFrom: number
  readonly atTo: number
  readonly header: number
}

const CHECKSUM = 10
const SOURCE = 12
const DESTINATION = 16

/** RFC 792: the header of the packet, and its first eight bytes. */
function quoteOf(b: Bytes): Quote | null {
  if (b.length < IPV4_HEADER) return null
  const header = (b[0]! & 15) * 4
  const protocol = b[9]!
  if (b[0]! >> 4 !== 4 || header < IPV4_HEADER || b.length < header + 8) return null
  const base = {
    protocol,
    source: readIpv4(b, SOURCE),
    destination: readIpv4(b, DESTINATION),
    header,
  }
  if (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) {
    const [from, to] = [u16(b, header), u16(b, header + 2)]
    return { ...base, from, to, atFrom: header, atTo: header + 2 }
  }
  if (protocol !== PROTOCOL_ICMP) return null
  const type = b[header]!
  if (type !== ICMP_ECHO_REQUEST && type !== ICMP_ECHO_REPLY) return null
  const identifier = u16(b, header + 4)
  return { ...base, from: identifier, to: identifier, atFrom: header + 4, atTo: header + 4 }
}

/** The same bytes with another address and port, and right checksums as far as they are there. */
function requoted(
  original: Bytes,
  { header, protocol }: Quote,
  atAddress: number,
  address: Ipv4Address,
  atPort: number,
  port: number,
): Uint8Array {
  const b = new Uint8Array(original.length)
  b.set(original)
  const before = sumRange(b, atAddress, atAddress + 4, u16(b, atPort))
  const portBefore = u16(b, atPort)
  putIpv4(b, atAddress, address)
  putU16(b, atPort, port)
  putU16(b, CHECKSUM, 0)
  putU16(b, CHECKSUM, checksum(sumRange(b, 0, header, 0)))
  const at = header + TRANSPORT_CHECKSUM[protocol]!
  const isThere = at + 2 <= b.length
  // RFC 768: a datagram without a checksum stays without one.
  if (!isThere || (protocol === PROTOCOL_UDP && u16(b, at) === 0)) return b
  // An echo's checksum knows no addresses.
  const old = protocol === PROTOCOL_ICMP ? portBefore : before
  const fresh = protocol === PROTOCOL_ICMP ? port : sumRange(b, atAddress, atAddress + 4, port)
  putU16(b, at, updated(u16(b, at), old, fresh))
  return b
}

const TRANSPORT_CHECKSUM: { readonly [protocol: number]: number } = {
  [PROTOCOL_TCP]: 16,
  [PROTOCOL_UDP]: 6,
  [PROTOCOL_ICMP]: 2,
}

/** RFC 1624 (3): HC' = ~(~HC + ~m + m'). */
const updated = (sum: number, old: number, fresh: number): number =>
  ~fold((~sum & 0xffff) + (~fold(old) & 0xffff) + fold(fresh)) & 0xffff
