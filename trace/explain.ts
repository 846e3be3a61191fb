import { formatIp, readIpv4, readMac } from '../protocols/address.ts'
import { type Bytes, i32, toHex, u16 } from '../protocols/bytes.ts'
import { ETHERNET_HEADER, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../protocols/ethernet/frame.ts'
import { IPV4_HEADER, PROTOCOL_TCP, PROTOCOL_UDP } from '../protocols/ipv4/packet.ts'
import { TCP_HEADER } from '../protocols/tcp/segment.ts'
import { type ChecksumStory, checksumStory, pseudoHeader } from './explain-checksum.ts'
import { explainTcpOptions, flagsText } from './explain-tcp.ts'

/** A piece of a header: where it stands in the frame, and what it says. */
export interface ExplainedField {
  readonly name: string
  /** From the first byte of the frame. */
  readonly at: number
  readonly length: number
  readonly hex: string
  /** As people write it: `10.0.0.1`, `64`, `PSH, ACK`. */
  readonly value: string
  /** What it is for, one sentence. */
  readonly about: string
}

export interface ExplainedLayer {
  readonly name: string
  readonly at: number
  readonly length: number
  readonly fields: readonly ExplainedField[]
  readonly checksum: ChecksumStory | null
}

/**
 * Every header field of a frame with its bytes, layer by layer, and how its checksums come about.
 * It never throws: what cannot be read further is a layer of bytes.
 */
export function explainFrame(frame: Bytes): readonly ExplainedLayer[] {
  if (frame.length < ETHERNET_HEADER) return [bytesLayer(frame, 0, frame.length)]
  const ethernet = new Fields(frame)
  ethernet.add('destination', 0, 6, readMac(frame, 0), 'MAC address of the next station.')
  ethernet.add('source', 6, 6, readMac(frame, 6), 'MAC address of the station that sends.')
  const type = u16(frame, 12)
  const typeName = ETHER_TYPES[type] ?? 'other'
  ethernet.add('type', 12, 2, `${hex(type, 4)} (${typeName})`, 'What the payload is.')
  const first = layer('Ethernet II', 0, ETHERNET_HEADER, ethernet.fields, null)
  const isArp = type === ETHERTYPE_ARP && frame.length >= ETHERNET_HEADER + ARP_BYTES
  if (isArp) return [first, ...explainArp(frame, ETHERNET_HEADER)]
  if (type !== ETHERTYPE_IPV4) return [first, bytesLayer(frame, ETHERNET_HEADER, frame.length)]
  return [first, ...explainIpv4(frame, ETHERNET_HEADER)]
}

const ETHER_TYPES: { readonly [type: number]: string } = {
  0x0800: 'IPv4',
  0x0806: 'ARP',
  0x86dd: 'IPv6',
}
const PROTOCOLS: { readonly [protocol: number]: string } = { 1: 'ICMP', 6: 'TCP', 17: 'UDP' }

const ARP_BYTES = 28

/** RFC 826, for IPv4 over Ethernet. */
function explainArp(b: Bytes, at: number): readonly ExplainedLayer[] {
  const fields = new Fields(b)
  const operation = u16(b, at + 6)
  const name = operation === 1 ? 'request' : operation === 2 ? 'reply' : 'other'
  fields.add('hardware type', at, 2, String(u16(b, at)), '1 is Ethernet.')
  fields.add('protocol type', at + 2, 2, hex(u16(b, at + 2), 4), 'Whose addresses are asked for.')
  fields.add(
    'lengths',
    at + 4,
    2,
    `${b[at + 4]}, ${b[at + 5]} bytes`,
    'Of the two kinds of address.',
  )
  fields.add('operation', at + 6, 2, `${operation} (${name})`, 'Who has the target? It is at …')
  fields.add('sender MAC', at + 8, 6, readMac(b, at + 8), 'Where the sender can be reached.')
  fields.add('sender IP', at + 14, 4, formatIp(readIpv4(b, at + 14)), 'Whose MAC address that is.')
  fields.add('target MAC', at + 18, 6, readMac(b, at + 18), 'Zero in a request: it is not known.')
  fields.add('target IP', at + 24, 4, formatIp(readIpv4(b, at + 24)), 'Who is asked, or told.')
  const end = at + ARP_BYTES
  const arp = layer('ARP', at, ARP_BYTES, fields.fields, null)
  return end < b.length ? [arp, bytesLayer(b, end, b.length, 'Ethernet padding')] : [arp]
}

/** RFC 791 §3.1. */
function explainIpv4(b: Bytes, at: number): readonly ExplainedLayer[] {
  if (b.length - at < IPV4_HEADER) return [bytesLayer(b, at, b.length)]
  const header = (b[at]! & 15) * 4
  const total = u16(b, at + 2)
  const whole = header >= IPV4_HEADER && total >= header && at + total <= b.length
  if (b[at]! >> 4 !== 4 || !whole) return [bytesLayer(b, at, b.length)]
  const fields = new Fields(b)
  const [fragment, protocol] = [u16(b, at + 6), b[at + 9]!]
  fields.add(
    'version, IHL',
    at,
    1,
    `4, ${header} bytes`,
    'IP version; header length in words of 4.',
  )
  fields.add('DSCP, ECN', at + 1, 1, `${b[at + 1]! >> 2}, ${b[at + 1]! & 3}`, TRAFFIC_CLASS)
  fields.add('total length', at + 2, 2, `${total} bytes`, 'Header and everything behind it.')
  fields.add(
    'identification',
    at + 4,
    2,
    hex(u16(b, at + 4), 4),
    'Fragments of one packet share it.',
  )
  fields.add('flags, offset', at + 6, 2, fragmentText(fragment), 'Whether it may be cut, and was.')
  fields.add('TTL', at + 8, 1, String(b[at + 8]!), 'Each router takes one off; at 0 it is dropped.')
  fields.add('protocol', at + 9, 1, protocolText(protocol), 'What the payload is.')
  fields.add('header checksum', at + 10, 2, hex(u16(b, at + 10), 4), 'Over this header alone.')
  fields.add('source', at + 12, 4, formatIp(readIpv4(b, at + 12)), 'Address of the sender.')
  fields.add('destination', at + 16, 4, formatIp(readIpv4(b, at + 16)), 'Address of the receiver.')
  if (header > IPV4_HEADER) {
    fields.add(
      'options',
      at + IPV4_HEADER,
      header - IPV4_HEADER,
      '',
      'RFC 791 §3.1, in words of 4.',
    )
  }
  const checksum = checksumStory(b, [], at, at + header, at + 10)
  const ip = layer('IPv4', at, header, fields.fields, checksum)
  const [from, to] = [at + header, at + total]
  const padding = to < b.length ? [bytesLayer(b, to, b.length, 'Ethernet padding')] : []
  const isFragment = (fragment & 0x3fff) !== 0
  const inner = isFragment ? [bytesLayer(b, from, to)] : explainTransport(b, at, from, to, protocol)
  return [ip, ...inner, ...padding]
}

const TRAFFIC_CLASS = 'Class of service (RFC 2474) and congestion marks (RFC 3168).'

const fragmentText = (word: number): string =>
  (word & 0x4000 ? 'do not fragment' : 'may be cut') +
  `${word & 0x2000 ? ', more follow' : ''}, offset ${(word & 0x1fff) * 8}`

const protocolText = (protocol: number): string => `${protocol} (${PROTOCOLS[protocol] ?? 'other'})`

function explainTransport(
  b: Bytes,
  ip: number,
  from: number,
  to: number,
  protocol: number,
): readonly ExplainedLayer[] {
  if (protocol === PROTOCOL_TCP && to - from >= TCP_HEADER) {
    const header = (b[from + 12]! >> 4) * 4
    if (header >= TCP_HEADER && from + header <= to) return explainTcp(b, ip, from, to, header)
  }
  if (protocol === PROTOCOL_UDP && to - from >= UDP_HEADER) return explainUdp(b, ip, from, to)
  return [bytesLayer(b, from, to)]
}

/** RFC 9293 §3.1. */
function explainTcp(
  b: Bytes,
  ip: number,
  at: number,
  end: number,
  header: number,
): readonly ExplainedLayer[] {
  const fields = new Fields(b)
  fields.add('source port', at, 2, String(u16(b, at)), 'The socket that sends.')
  fields.add('destination port', at + 2, 2, String(u16(b, at + 2)), 'The socket that it is for.')
  const [seq, ack] = [i32(b, at + 4) >>> 0, i32(b, at + 8) >>> 0]
  const flags = u16(b, at + 12) & 0xfff
  fields.add('sequence number', at + 4, 4, String(seq), 'Number of the first byte of the payload.')
  const acked = flags & 0x10 ? 'The next byte that is expected.' : 'Without meaning: no ACK flag.'
  fields.add('acknowledgment', at + 8, 4, String(ack), acked)
  const offset = `${header} bytes, ${flagsText(flags)}`
  fields.add('data offset, flags', at + 12, 2, offset, 'Header length in words of 4; control bits.')
  fields.add(
    'window',
    at + 14,
    2,
    String(u16(b, at + 14)),
    'What the sender has room for, unscaled.',
  )
  fields.add(
    'checksum',
    at + 16,
    2,
    hex(u16(b, at + 16), 4),
    'Over pseudo-header, header, payload.',
  )
  fields.add('urgent pointer', at + 18, 2, String(u16(b, at + 18)), 'Only with the URG flag.')
  explainTcpOptions(b, at + TCP_HEADER, at + header, fields)
  const pseudo = pseudoHeader(b, ip, PROTOCOL_TCP, end - at)
  const checksum = checksumStory(b, pseudo, at, end, at + 16)
  return [layer('TCP', at, header, fields.fields, checksum), ...payloadLayer(b, at + header, end)]
}

const UDP_HEADER = 8

/** RFC 768. */
function explainUdp(b: Bytes, ip: number, at: number, end: number): readonly ExplainedLayer[] {
  const fields = new Fields(b)
  fields.add('source port', at, 2, String(u16(b, at)), 'The socket that sends.')
  fields.add('destination port', at + 2, 2, String(u16(b, at + 2)), 'The socket that it is for.')
  fields.add('length', at + 4, 2, `${u16(b, at + 4)} bytes`, 'Header and payload.')
  fields.add('checksum', at + 6, 2, hex(u16(b, at + 6), 4), '0 would say that there is none.')
  const pseudo = pseudoHeader(b, ip, PROTOCOL_UDP, end - at)
  const stored = u16(b, at + 6)
  const checksum = stored === 0 ? null : checksumStory(b, pseudo, at, end, at + 6)
  const udp = layer('UDP', at, UDP_HEADER, fields.fields, checksum)
  return [udp, ...payloadLayer(b, at + UDP_HEADER, end)]
}

const payloadLayer = (b: Bytes, at: number, end: number): readonly ExplainedLayer[] =>
  at < end ? [bytesLayer(b, at, end)] : []

function bytesLayer(b: Bytes, at: number, end: number, name = 'Payload'): ExplainedLayer {
  const fields = new Fields(b)
  const text = printable(b.subarray(at, end))
  fields.add('bytes', at, end - at, text, `${end - at} bytes.`)
  return layer(name, at, end - at, fields.fields, null)
}

/** What a person can read of it: UTF-8 where it is that, control characters as points. */
function printable(bytes: Bytes): string {
  const text = new TextDecoder().decode(bytes as Uint8Array)
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f]/g, '.')
}

const layer = (
  name: string,
  at: number,
  length: number,
  fields: readonly ExplainedField[],
  checksum: ChecksumStory | null,
): ExplainedLayer => ({ name, at, length, fields, checksum })

const hex = (value: number, digits: number): string =>
  `0x${value.toString(16).padStart(digits, '0')}`

/** Fields of one layer, in the order of the wire. */
export class Fields {
  readonly fields: ExplainedField[] = []
  readonly #bytes: Bytes

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  add(name: string, at: number, length: number, value: string, about: string): void {
    const bytes = toHex(this.#bytes.subarray(at, at + length))
    this.fields.push({ name, at, length, hex: bytes, value, about })
  }
}
