import { expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../protocols/address.ts'
import { concatBytes, fromHex, putU16 } from '../../protocols/bytes.ts'
import { checksum, sumRange } from '../../protocols/checksum.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { Ipv4Packet, MAY_FRAGMENT } from '../../protocols/ipv4/packet.ts'
import { Opaque } from '../../protocols/payload.ts'
import { PacketText } from '../../trace/packet-text.ts'
import { has, judged, unless } from './judge.ts'

/** Message and line, from tcpdump 4.99 and the RFCs. */
const MESSAGES: readonly (readonly [hex: string, text: string])[] = [
  ['2200 0000 0000 0001 04000000 ef010203', 'igmp v3 report, 1 group record(s)'],
  ['1164 0000 00000000 027d0000', 'igmp query v3'],
  ['110a 0000 ef010203 027d0000', 'igmp query v3 [max resp time 1.0s] [gaddr 239.1.2.3]'],
  ['11a5 0000 00000000 027d0000', 'igmp query v3 [max resp time 1m7s]'],
  ['1164 0000 00000000', 'igmp query v2'],
  ['110a 0000 ef010203', 'igmp query v2 [max resp time 10] [gaddr 239.1.2.3]'],
  ['1100 0000 00000000', 'igmp query v1'],
  ['1600 0000 ef010203', 'igmp v2 report 239.1.2.3'],
  ['1700 0000 ef010203', 'igmp leave 239.1.2.3'],
  ['1200 0000 ef010203', 'igmp v1 report 239.1.2.3'],
  ['3300 0000 ef010203', 'igmp-51'],
  ['2200 0000 00', 'igmp v3 report [invalid len 5]'],
]

const frames = MESSAGES.map(([hex]) => {
  const bytes = fromHex(hex)
  putU16(bytes, 2, checksum(sumRange(bytes, 0, bytes.length, 0)))
  const [from, to] = [ip('10.0.0.1') as Ipv4Address, ip('224.0.0.22') as Ipv4Address]
  const packet = new Ipv4Packet(from, to, 2, 1, 1, MAY_FRAGMENT, new Opaque(bytes))
  const mac = '02:00:00:00:00:01'
  return emitEthernet(new EthernetFrame('01:00:5e:00:00:16', mac, ETHERTYPE_IPV4, packet))
})

const lines = frames.map((frame) => new PacketText().frame(frame))

test('queries and reports of every version', () => {
  expect(lines).toEqual(MESSAGES.map(([, text]) => `IP 10.0.0.1 > 224.0.0.22: ${text}`))
})

test.skipIf(!has('tcpdump'))(`tcpdump prints the same${unless('tcpdump')}`, () => {
  const word = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
  const header = fromHex('a1b2c3d4 00020004 00000000 00000000 00040000 00000001')
  const packets = frames.map((b) =>
    concatBytes([word(0), word(0), word(b.length), word(b.length), b]),
  )
  const theirs = judged([header, ...packets], 'tcpdump', (file) => ['-n', '-t', '-r', file])
  expect(lines).toEqual(theirs)
})
