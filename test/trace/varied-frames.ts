import { fromHex } from '../../protocols/bytes.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from '../../protocols/arp/packet.ts'
import { emitEthernet } from '../../protocols/ethernet/codec.ts'
import type { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { echoRest, IcmpMessage } from '../../protocols/icmp/message.ts'
import { Ipv4Details, MAY_FRAGMENT, PROTOCOL_UDP } from '../../protocols/ipv4/packet.ts'
import { Opaque } from '../../protocols/payload.ts'
import { TcpOptions, timestampOptions } from '../../protocols/tcp/options.ts'
import { ACK, FIN, PSH, RST, SYN } from '../../protocols/tcp/segment.ts'
import { A, A_MAC, B, B_MAC, carrying, datagram, ethernet, filled, segment } from './records.ts'

const NO_MAC = '00:00:00:00:00:00'
const handshake = new TcpOptions([2, 4, 8, 1, 3], 1460, 7, 1, 0, [], [])
const sack = (...edges: number[]) =>
  new TcpOptions(
    [1, 1, 8, 1, 1, 5],
    -1,
    -1,
    100,
    200,
    edges.map((n) => n | 0),
    [],
  )
const unknown = new TcpOptions(
  [200, 1, 34, 254, 0],
  -1,
  -1,
  0,
  0,
  [],
  [fromHex('0102'), fromHex('a1b2c3d4e5f60718'), fromHex('01020304')],
)

/** Fast Open (RFC 7413): asked, given, in its form of before (RFC 6994), and wrong. */
const fastOpen = [
  [34, ''],
  [34, '0102030405060708'],
  [34, '0102030405'],
  [34, '0102'],
  [254, 'f989'],
  [254, 'f9890102030405060708'],
  [254, 'f98901'],
].map(([kind, data]) => {
  const options = new TcpOptions([Number(kind)], -1, -1, 0, 0, [], [fromHex(String(data))])
  return carrying(segment({ seq: 5, flags: SYN, options }))
})

const NEAR_WRAP = 0xffffff00

/** One connection whose numbers wrap, with losses told by SACK. */
const connection: readonly EthernetFrame[] = [
  carrying(segment({ seq: NEAR_WRAP, flags: SYN, options: handshake })),
  carrying(
    segment({
      ports: [5001, 49152],
      seq: 777,
      ack: NEAR_WRAP + 1,
      flags: SYN | ACK,
      options: handshake,
    }),
    'b>a',
  ),
  carrying(segment({ seq: NEAR_WRAP + 1, ack: 778, flags: ACK, options: timestampOptions(5, 6) })),
  carrying(segment({ seq: NEAR_WRAP + 1, ack: 778, flags: ACK | PSH, data: 200 })),
  carrying(segment({ seq: NEAR_WRAP + 201, ack: 778, flags: ACK, data: 200 })),
  carrying(
    segment({
      ports: [5001, 49152],
      seq: 778,
      ack: NEAR_WRAP + 1,
      flags: ACK,
      options: sack(NEAR_WRAP + 201, NEAR_WRAP + 401),
    }),
    'b>a',
  ),
  carrying(
    segment({
      ports: [5001, 49152],
      seq: 778,
      ack: NEAR_WRAP + 1,
      flags: ACK,
      options: sack(NEAR_WRAP + 201, NEAR_WRAP + 401, NEAR_WRAP + 601, NEAR_WRAP + 801),
    }),
    'b>a',
  ),
  carrying(segment({ seq: NEAR_WRAP + 401, ack: 778, flags: FIN | ACK | PSH, data: 3 })),
  carrying(
    segment({ ports: [5001, 49152], seq: 778, flags: RST | ACK, ack: NEAR_WRAP + 405 }),
    'b>a',
  ),
  carrying(segment({ seq: NEAR_WRAP + 405, flags: RST })),
  // The same ports again, with other numbers: a new conversation.
  carrying(segment({ seq: 5, flags: SYN })),
  carrying(segment({ ports: [5001, 49152], seq: 9000, ack: 6, flags: SYN | ACK }), 'b>a'),
  carrying(segment({ seq: 6, ack: 9001, flags: ACK, data: 1 })),
]

/** Every combination of control bits, in conversations of their own, with and without data. */
const flags: readonly EthernetFrame[] = Array.from({ length: 256 }, (_, bits) => [
  carrying(segment({ ports: [20000, 30000 + bits], seq: 1000, ack: 5, flags: ACK })),
  carrying(
    segment({
      ports: [20000, 30000 + bits],
      seq: 1000,
      ack: 5,
      flags: bits,
      urgent: 9,
      data: bits % 3,
    }),
  ),
]).flat()

const equalPorts: readonly EthernetFrame[] = [
  carrying(segment({ ports: [7000, 7000], seq: 50, ack: 90, flags: ACK }), 'b>a'),
  carrying(segment({ ports: [7000, 7000], seq: 90, ack: 60, flags: ACK, data: 4 })),
  carrying(segment({ ports: [7000, 7000], seq: 60, ack: 94, flags: ACK, options: unknown }), 'b>a'),
]

/** A datagram as an ICMP error quotes it: its header and eight bytes. */
const quoted = (frame: EthernetFrame) => emitEthernet(frame).subarray(14, 14 + 28)

const overUdp = quoted(carrying(datagram(8)))
const overTcp = quoted(carrying(segment({ flags: SYN })))
const overOther = quoted(carrying(new Opaque(filled(8))))

const icmp: readonly EthernetFrame[] = [
  carrying(new IcmpMessage(8, 0, echoRest(3, 9), filled(56))),
  carrying(new IcmpMessage(0, 0, echoRest(3, 9), filled(56)), 'b>a'),
  carrying(new IcmpMessage(8, 0, echoRest(65535, 65535), filled(0))),
  ...[overUdp, overTcp, overOther].map((data) => carrying(new IcmpMessage(3, 3, 0, data), 'b>a')),
  ...Array.from({ length: 18 }, (_, code) => carrying(new IcmpMessage(3, code, 0, overUdp), 'b>a')),
  carrying(new IcmpMessage(3, 4, 1400, overUdp), 'b>a'),
  ...[0, 1, 2].map((code) => carrying(new IcmpMessage(11, code, 0, overUdp), 'b>a')),
  ...[0, 1, 2, 3, 4].map((code) => carrying(new IcmpMessage(5, code, A, overUdp), 'b>a')),
  carrying(new IcmpMessage(12, 0, 20 << 24, overUdp), 'b>a'),
  carrying(new IcmpMessage(12, 1, 0, overUdp), 'b>a'),
  ...[4, 10, 13, 14, 15, 16, 17, 18, 77].map((type) =>
    carrying(new IcmpMessage(type, 0, echoRest(2, 3), overUdp)),
  ),
]

const arp: readonly EthernetFrame[] = [
  ethernet(new ArpPacket(ARP_REQUEST, A_MAC, A, NO_MAC, B)),
  ethernet(new ArpPacket(ARP_REQUEST, A_MAC, A, B_MAC, B)),
  ethernet(new ArpPacket(ARP_REQUEST, A_MAC, A, NO_MAC, A)),
  ethernet(new ArpPacket(ARP_REPLY, B_MAC, B, A_MAC, A)),
  ethernet(new ArpPacket(3, A_MAC, 0, A_MAC, 0)),
  ethernet(new ArpPacket(4, B_MAC, B, A_MAC, A)),
]

const piece = (offset: number, more: boolean, head: string) =>
  carrying(
    new Opaque(fromHex(head.padEnd(64, '0'))),
    'a>b',
    new Ipv4Details(0, false, more, offset, filled(0)),
    PROTOCOL_UDP,
  )

const others: readonly EthernetFrame[] = [
  carrying(datagram(0)),
  carrying(datagram(1472), 'b>a', MAY_FRAGMENT),
  // The first piece of a datagram of 96 bytes, then the second and the last.
  piece(0, true, 'c3509c4000600000'),
  piece(4, true, ''),
  piece(8, false, ''),
  carrying(new Opaque(filled(20))),
  carrying(new Opaque(filled(0)), 'b>a', MAY_FRAGMENT, 200),
]

/** A few hundred frames of every kind that `tcpdump` and we both know. */
export const variedFrames: readonly EthernetFrame[] = [
  ...arp,
  ...connection,
  ...fastOpen,
  ...flags,
  ...equalPorts,
  ...icmp,
  ...others,
]
