import fc from 'fast-check'
import { ipv6FromGroups } from '../../protocols/address.ts'
import { type Bytes, concatBytes, putI32, putU16 } from '../../protocols/bytes.ts'
import { ArpPacket } from '../../protocols/arp/packet.ts'
import { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { IcmpMessage } from '../../protocols/icmp/message.ts'
import { Ipv4Details, Ipv4Packet, type TransportPayload } from '../../protocols/ipv4/packet.ts'
import { Icmpv6Message } from '../../protocols/icmpv6/message.ts'
import { Ipv6Details, Ipv6Packet } from '../../protocols/ipv6/packet.ts'
import { Opaque } from '../../protocols/payload.ts'
import { NO_OPTIONS, TcpOptions } from '../../protocols/tcp/options.ts'
import { TcpSegment } from '../../protocols/tcp/segment.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'

/** Records of every kind, in the form in which a parser gives them back. */

const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
export const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const payload = fc.oneof({ weight: 9, arbitrary: bytes(80) }, { weight: 1, arbitrary: bytes(1460) })

export const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((b) => [...b].map((x) => x.toString(16).padStart(2, '0')).join(':'))

export const arpPacket = fc.tuple(u16, mac, i32, mac, i32).map((fields) => new ArpPacket(...fields))

export const icmpMessage = fc
  .tuple(u8, u8, i32, payload)
  .map((fields) => new IcmpMessage(...fields))

export const udpDatagram = fc.tuple(u16, u16, payload).map((fields) => new UdpDatagram(...fields))

const unknownKind = u8.filter((kind) => kind > 8 || kind === 6 || kind === 7)
const option = fc.oneof(
  fc.constant({ kind: 1, size: 1 }),
  u16.map((mss) => ({ kind: 2, size: 4, mss })),
  u8.map((windowScale) => ({ kind: 3, size: 3, windowScale })),
  fc.constant({ kind: 4, size: 2 }),
  fc
    .array(fc.tuple(i32, i32), { minLength: 1, maxLength: 4 })
    .map((blocks) => ({ kind: 5, size: 2 + 8 * blocks.length, sack: blocks.flat() })),
  fc.tuple(i32, i32).map((timestamps) => ({ kind: 8, size: 10, timestamps })),
  fc.tuple(unknownKind, bytes(12)).map(([kind, data]) => ({ kind, size: 2 + data.length, data })),
)
type Option = {
  kind: number
  size: number
  mss?: number
  windowScale?: number
  sack?: number[]
  timestamps?: [number, number]
  data?: Uint8Array
}

/** Known kinds at most once, at most 40 bytes, filled to whole words by `filler`: END or NOP. */
function optionArea(options: readonly Option[], filler: number): TcpOptions {
  const layout: number[] = []
  const unknown: Bytes[] = []
  let said: Option = { kind: 0, size: 0 }
  let size = 0
  for (const one of options) {
    const twice = one.data === undefined && one.kind !== 1 && layout.includes(one.kind)
    if (twice || size + one.size > 40) continue
    layout.push(one.kind)
    size += one.size
    if (one.data !== undefined) unknown.push(one.data)
    said = { ...said, ...one }
  }
  for (; size % 4 !== 0; size++) layout.push(filler)
  if (layout.length === 0) return NO_OPTIONS
  const [value, echo] = said.timestamps ?? [0, 0]
  const { mss = -1, windowScale = -1, sack = [] } = said
  return new TcpOptions(layout, mss, windowScale, value, echo, sack, unknown)
}

export const tcpOptions = fc
  .tuple(fc.array(option, { maxLength: 8 }), fc.constantFrom(0, 1))
  .map(([options, filler]) => optionArea(options, filler))

export const tcpSegment = fc
  .tuple(u16, u16, i32, i32, fc.integer({ min: 0, max: 0xfff }), u16, u16, tcpOptions, payload)
  .map((fields) => new TcpSegment(...fields))

const OTHER_PROTOCOLS = u8.filter((n) => n !== 1 && n !== 6 && n !== 17)
const opaque = payload.map((b) => new Opaque(b))
const ipv4Options = fc
  .integer({ min: 0, max: 10 })
  .chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words }))

const whole: fc.Arbitrary<readonly [number, TransportPayload]> = fc.oneof(
  fc.tuple(fc.constant(6), tcpSegment),
  fc.tuple(fc.constant(17), udpDatagram),
  fc.tuple(fc.constant(1), icmpMessage),
  fc.tuple(OTHER_PROTOCOLS, opaque),
)
const wholeDetails = fc
  .tuple(u8, fc.boolean(), fc.constant(false), fc.constant(0), ipv4Options)
  .map((fields) => new Ipv4Details(...fields))
const fragmentDetails = fc
  .tuple(u8, fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 0x1fff }), ipv4Options)
  .filter(([, , more, offset]) => more || offset > 0)
  .map((fields) => new Ipv4Details(...fields))

export const ipv4Packet = fc
  .oneof(
    { weight: 5, arbitrary: fc.tuple(wholeDetails, whole) },
    { weight: 1, arbitrary: fc.tuple(fragmentDetails, fc.tuple(u8, opaque)) },
  )
  .chain(([details, [protocol, carried]]) =>
    fc
      .tuple(i32, i32, u8, u16)
      .map(
        ([source, destination, ttl, id]) =>
          new Ipv4Packet(source, destination, protocol, ttl, id, details, carried),
      ),
  )

export const ipv6Address = fc
  .oneof(
    fc.array(u16, { minLength: 8, maxLength: 8 }),
    fc.tuple(u16, u16).map(([a, b]) => [0x2001, 0xdb8, 0, 0, 0, 0, a, b]),
  )
  .map(ipv6FromGroups)

export const icmpv6Message = fc
  .tuple(u8, u8, i32, payload)
  .map((fields) => new Icmpv6Message(...fields))

/** Hop-by-hop or destination options, or a routing header, of whole units; what comes next is open. */
const extension = fc.tuple(fc.constantFrom(0, 43, 60), fc.integer({ min: 0, max: 2 }), bytes(22))

/** A chain of extension headers in front of `protocol`, as `Ipv6Details` has it. */
function chainOf(
  headers: readonly (readonly [type: number, units: number, fill: Uint8Array])[],
  protocol: number,
): { first: number; chain: Uint8Array } {
  const parts = headers.map(([, units, fill], index) => {
    const header = new Uint8Array(8 * (units + 1))
    header.set(fill.subarray(0, header.length - 2), 2)
    header[0] = headers[index + 1]?.[0] ?? protocol
    header[1] = units
    return header
  })
  return { first: headers[0]?.[0] ?? -1, chain: concatBytes(parts) }
}

const OTHER_HEADERS = u8.filter((n) => ![0, 1, 6, 17, 43, 44, 58, 60].includes(n))
const wholeIpv6: fc.Arbitrary<readonly [number, TransportPayload]> = fc.oneof(
  fc.tuple(fc.constant(6), tcpSegment),
  fc.tuple(fc.constant(17), udpDatagram),
  fc.tuple(fc.constant(58), icmpv6Message),
  fc.tuple(OTHER_HEADERS, opaque),
)
const ipv6Fields = fc.tuple(u8, fc.integer({ min: 0, max: 0xfffff }))
const wholeIpv6Packet = fc
  .tuple(ipv6Fields, wholeIpv6, fc.array(extension, { maxLength: 3 }))
  .map(([[trafficClass, flowLabel], [protocol, carried], headers]) => {
    const { first, chain } = chainOf(headers, protocol)
    return [new Ipv6Details(trafficClass, flowLabel, first, chain), protocol, carried] as const
  })
const ipv6Piece = fc
  .tuple(ipv6Fields, fc.tuple(u8, opaque), fc.integer({ min: 0, max: 0x1fff }), fc.boolean(), i32)
  .filter(([, , offset, more]) => more || offset > 0)
  .map(([[trafficClass, flowLabel], [protocol, carried], offset, more, id]) => {
    const chain = new Uint8Array(8)
    chain[0] = protocol
    putU16(chain, 2, (offset << 3) | (more ? 1 : 0))
    putI32(chain, 4, id)
    const details = new Ipv6Details(trafficClass, flowLabel, 44, chain, offset, more, id)
    return [details, protocol, carried] as const
  })

export const ipv6Packet = fc
  .oneof({ weight: 5, arbitrary: wholeIpv6Packet }, { weight: 1, arbitrary: ipv6Piece })
  .chain(([details, protocol, carried]) =>
    fc
      .tuple(ipv6Address, ipv6Address, u8)
      .map(
        ([source, destination, hopLimit]) =>
          new Ipv6Packet(source, destination, protocol, hopLimit, details, carried),
      ),
  )

export const ethernetFrame = fc
  .oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant(0x0800), ipv4Packet) },
    { weight: 6, arbitrary: fc.tuple(fc.constant(0x86dd), ipv6Packet) },
    { weight: 1, arbitrary: fc.tuple(fc.constant(0x0806), arpPacket) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        u16.filter((type) => ![0x0800, 0x0806, 0x86dd].includes(type)),
        opaque,
      ),
    },
  )
  .chain(([type, carried]) =>
    fc
      .tuple(mac, mac)
      .map(([destination, source]) => new EthernetFrame(destination, source, type, carried)),
  )

/** The same cases in every run. */
export const RUNS = { seed: 791, numRuns: 400 }
