import { expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { concatBytes, fromHex, toHex } from '../../../protocols/bytes.ts'
import { ICMP_ECHO_REQUEST, IcmpMessage } from '../../../protocols/icmp/message.ts'
import { emitIpv4, parseIpv4 } from '../../../protocols/ipv4/codec.ts'
import { fragment, payloadBytes } from '../../../protocols/ipv4/fragment.ts'
import { Ipv4Details, Ipv4Packet, MAY_FRAGMENT } from '../../../protocols/ipv4/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'

const A = ip('10.0.0.1') as Ipv4Address
const B = ip('10.0.0.2') as Ipv4Address
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251)

const packet = (payload: Ipv4Packet['payload'], details = MAY_FRAGMENT): Ipv4Packet =>
  new Ipv4Packet(A, B, 17, 64, 7, details, payload)

const shape = (pieces: readonly Ipv4Packet[]): string[] =>
  pieces.map(({ size, details }) => {
    const { fragmentOffset, moreFragments, options } = details
    const extra = options.length === 0 ? '' : ` options ${toHex(options)}`
    return `${size} at ${fragmentOffset * 8}${moreFragments ? '+' : ''}${extra}`
  })

test('each piece takes as many bytes as fit, in eights; the last one takes the rest', () => {
  // 8 + 3000 bytes of UDP over 1500: 1480, 1480, 48.
  const pieces = fragment(packet(new UdpDatagram(1, 2, bytes(3000))), 1500)
  expect(shape(pieces)).toEqual(['1500 at 0+', '1500 at 1480+', '68 at 2960'])
  // An MTU that is not 20 plus a multiple of 8 is not used up, but by the last piece.
  expect(shape(fragment(packet(new Opaque(bytes(1463))), 755))).toEqual(['748 at 0+', '755 at 728'])
  expect(shape(fragment(packet(new Opaque(bytes(1464))), 755))).toEqual([
    '748 at 0+',
    '748 at 728+',
    '28 at 1456',
  ])
})

test('the pieces carry what the packet would have, checksum and all', () => {
  const whole = packet(new IcmpMessage(ICMP_ECHO_REQUEST, 0, 0x10002, bytes(500)))
  const pieces = fragment(whole, 68)
  expect(pieces).toHaveLength(11) // 508 bytes, 48 each
  expect(concatBytes(pieces.map(payloadBytes))).toEqual(emitIpv4(whole).subarray(20))
  for (const piece of pieces) {
    expect(piece).toMatchObject({ source: A, destination: B, protocol: 17, ttl: 64 })
    expect(piece.identification).toBe(7)
    expect(parseIpv4(emitIpv4(piece))).toMatchObject({ ok: true, value: piece })
  }
})

test('a fragment can be cut again, wherever it lies', () => {
  const [first, last] = fragment(packet(new Opaque(bytes(2000))), 1500)
  expect(shape(fragment(first!, 576))).toEqual(['572 at 0+', '572 at 552+', '396 at 1104+'])
  expect(shape(fragment(last!, 300))).toEqual(['300 at 1480+', '260 at 1760'])
})

test('options go with the first piece; those with the copied flag with every one', () => {
  // Record route (7, not copied), a NOP, router alert (148, copied), end.
  const options = fromHex('07 07 04 00000000 01 94 04 0000')
  const details = new Ipv4Details(0x28, false, false, 0, options)
  const pieces = fragment(packet(new Opaque(bytes(100)), details), 84)
  expect(shape(pieces)).toEqual([`80 at 0+ options ${toHex(options)}`, '76 at 48 options 94040000'])
  expect(pieces.map((p) => p.details.trafficClass)).toEqual([0x28, 0x28])
})
