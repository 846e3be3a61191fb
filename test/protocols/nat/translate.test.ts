import { describe, expect, test } from 'vitest'
import { formatIp, ip, type Ipv4Address } from '../../../protocols/address.ts'
import { NO_BYTES } from '../../../protocols/bytes.ts'
import { echoRest, IcmpMessage } from '../../../protocols/icmp/message.ts'
import { emitIpv4, parseIpv4 } from '../../../protocols/ipv4/codec.ts'
import { Ipv4Packet, MAY_FRAGMENT, type TransportPayload } from '../../../protocols/ipv4/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { createNat, NAT_DEFAULTS } from '../../../protocols/nat/table.ts'
import { translateIn, translateOut } from '../../../protocols/nat/translate.ts'
import { NO_OPTIONS } from '../../../protocols/tcp/options.ts'
import { SYN, TcpSegment } from '../../../protocols/tcp/segment.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'

const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
const IN = addr('192.168.0.2')
const OUT = addr('10.9.0.9')
const PEER = addr('10.9.0.1')
const ROUTER = addr('10.9.0.254')

const nat = () => createNat({ ...NAT_DEFAULTS, outside: 0, address: OUT })
const PROTOCOLS = { tcp: 6, udp: 17, icmp: 1 } as const
const packet = (
  from: Ipv4Address,
  to: Ipv4Address,
  payload: TransportPayload & { kind: keyof typeof PROTOCOLS },
) => new Ipv4Packet(from, to, PROTOCOLS[payload.kind], 60, 7, MAY_FRAGMENT, payload)

const udp = (from: number, to: number) => new UdpDatagram(from, to, Uint8Array.of(1, 2, 3))
const tcp = (from: number, to: number) =>
  new TcpSegment(from, to, 1, 0, SYN, 100, 0, NO_OPTIONS, NO_BYTES)
const echo = (type: number, id: number) =>
  new IcmpMessage(type, 0, echoRest(id, 1), Uint8Array.of(5))

function text(p: Ipv4Packet | null): string {
  if (p === null) return 'null'
  const { payload } = p
  const ends = `${formatIp(p.source)} > ${formatIp(p.destination)}`
  if (payload.kind === 'icmp') return `${ends} icmp ${payload.type} id ${payload.identifier}`
  const ports = payload as UdpDatagram
  return `${ends} ${payload.kind} ${ports.sourcePort} > ${ports.destinationPort}`
}

/** Encoded and read again: every checksum is right. */
function isSound(p: Ipv4Packet): boolean {
  const parsed = parseIpv4(emitIpv4(p))
  return parsed.ok && parsed.value.payload.kind === p.payload.kind
}

test.each([
  ['udp', udp(5000, 53), udp(53, 5000), 'udp 5000 > 53', 'udp 53 > 5000'],
  ['tcp', tcp(5000, 80), tcp(80, 5000), 'tcp 5000 > 80', 'tcp 80 > 5000'],
  ['echo', echo(8, 77), echo(0, 77), 'icmp 8 id 77', 'icmp 0 id 77'],
] as const)('%s out and back', (_, request, reply, sent, heard) => {
  const table = nat()
  const out = translateOut(table, 0, packet(IN, PEER, request))!
  expect(text(out)).toBe(`10.9.0.9 > 10.9.0.1 ${sent}`)
  const back = translateIn(table, 1, packet(PEER, OUT, reply))!
  expect(text(back)).toBe(`10.9.0.1 > 192.168.0.2 ${heard}`)
  expect([isSound(out), isSound(back), out.ttl, out.identification]).toEqual([true, true, 60, 7])
})

test('what nobody asked for is for nobody', () => {
  expect(translateIn(nat(), 0, packet(PEER, OUT, udp(53, 5000)))).toBeNull()
  expect(translateIn(nat(), 0, packet(PEER, OUT, echo(8, 77)))).toBeNull()
})

describe('an ICMP error about what left (RFC 5508 REQ-4)', () => {
  test.each([
    ['udp', udp(5000, 53)],
    ['tcp', tcp(5000, 80)],
    ['echo', echo(8, 77)],
  ] as const)('%s: the quoted packet is the one that the inside host sent', (_, request) => {
    const table = nat()
    // Another host has the port: so the translation changes it.
    translateOut(table, 0, packet(addr('192.168.0.7'), PEER, request))
    const original = packet(IN, PEER, request)
    const out = translateOut(table, 0, original)!
    expect(text(out)).not.toBe(text(original))
    for (const length of [emitIpv4(out).length, 28]) {
      const quote = emitIpv4(out).subarray(0, length)
      const error = packet(ROUTER, OUT, new IcmpMessage(11, 0, 0, quote))
      const heard = translateIn(table, 1, error)!
      expect(formatIp(heard.destination)).toBe('192.168.0.2')
      expect((heard.payload as IcmpMessage).data).toEqual(emitIpv4(original).subarray(0, length))
    }
  })

  test('about something that this router never sent: for nobody', () => {
    const table = nat()
    const out = translateOut(table, 0, packet(IN, PEER, udp(5000, 53)))!
    const error = (quote: Uint8Array) =>
      translateIn(table, 1, packet(ROUTER, OUT, new IcmpMessage(3, 1, 0, quote)))
    expect(error(emitIpv4(packet(OUT, PEER, udp(5001, 53))))).toBeNull()
    expect(error(emitIpv4(packet(ROUTER, PEER, udp(5000, 53))))).toBeNull()
    const quote = emitIpv4(out)
    for (let n = 0; n < 28; n++) expect(error(quote.subarray(0, n))).toBeNull()
  })

  test('an inside host about what came in', () => {
    const table = nat()
    translateOut(table, 0, packet(IN, PEER, udp(5000, 53)))
    const back = translateIn(table, 1, packet(PEER, OUT, udp(53, 5000)))!
    const error = packet(IN, PEER, new IcmpMessage(3, 3, 0, emitIpv4(back)))
    const out = translateOut(table, 2, error)!
    expect(formatIp(out.source)).toBe('10.9.0.9')
    const quoted = emitIpv4(packet(PEER, OUT, udp(53, 5000)))
    expect((out.payload as IcmpMessage).data).toEqual(quoted)
  })
})

test('a datagram without a checksum keeps none within an error', () => {
  const table = nat()
  const out = translateOut(table, 0, packet(IN, PEER, udp(5000, 53)))!
  const quote = emitIpv4(out)
  quote.set([0, 0], 26)
  const heard = translateIn(table, 1, packet(ROUTER, OUT, new IcmpMessage(3, 1, 0, quote)))!
  expect(Array.from((heard.payload as IcmpMessage).data).slice(26, 28)).toEqual([0, 0])
})

test('other protocols do not pass', () => {
  const other = new Opaque(NO_BYTES)
  const packetOf = new Ipv4Packet(IN, PEER, 253, 60, 7, MAY_FRAGMENT, other)
  expect(translateOut(nat(), 0, packetOf)).toBeNull()
})
