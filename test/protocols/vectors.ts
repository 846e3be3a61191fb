import { type Ipv4Address, ip } from '../../protocols/address.ts'
import { ArpPacket } from '../../protocols/arp/packet.ts'
import { fromHex, NO_BYTES } from '../../protocols/bytes.ts'
import { EthernetFrame } from '../../protocols/ethernet/frame.ts'
import { IcmpMessage } from '../../protocols/icmp/message.ts'
import { DONT_FRAGMENT, Ipv4Details, Ipv4Packet } from '../../protocols/ipv4/packet.ts'
import { Opaque } from '../../protocols/payload.ts'
import { TcpOptions, timestampOptions } from '../../protocols/tcp/options.ts'
import { TcpSegment } from '../../protocols/tcp/segment.ts'
import { UdpDatagram } from '../../protocols/udp/datagram.ts'

export const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

export const A_MAC = '02:00:00:00:00:01'
export const B_MAC = '02:00:00:00:00:02'
export const A = addr('10.0.0.1')
export const B = addr('10.0.0.2')

const fromA = (packet: Ipv4Packet): EthernetFrame => new EthernetFrame(B_MAC, A_MAC, 0x0800, packet)
const fromB = (packet: Ipv4Packet): EthernetFrame => new EthernetFrame(A_MAC, B_MAC, 0x0800, packet)

export interface Vector {
  readonly bytes: Uint8Array
  /** What the bytes say, written down by hand. */
  readonly frame: EthernetFrame
}

/**
 * Frames that two Linux hosts exchanged over a virtual Ethernet pair with checksum offload switched
 * off, and two (marked) that were put together by another program; tshark accepts all of them.
 */
export const VECTORS = {
  'ARP request': {
    bytes: fromHex(`ffff ffff ffff 0200 0000 0001 0806 0001 0800 0604 0001 0200 0000 0001 0a00 0001
      0000 0000 0000 0a00 0002`),
    frame: new EthernetFrame(
      'ff:ff:ff:ff:ff:ff',
      A_MAC,
      0x0806,
      new ArpPacket(1, A_MAC, A, '00:00:00:00:00:00', B),
    ),
  },
  'ARP reply': {
    bytes: fromHex(`0200 0000 0001 0200 0000 0002 0806 0001 0800 0604 0002 0200 0000 0002 0a00 0002
      0200 0000 0001 0a00 0001`),
    frame: new EthernetFrame(A_MAC, B_MAC, 0x0806, new ArpPacket(2, B_MAC, B, A_MAC, A)),
  },
  SYN: {
    bytes: fromHex(`0200 0000 0002 0200 0000 0001 0800 4500 003c b2a8 4000 4006 7411 0a00 0001 0a00
      0002 9006 0050 1750 8ca1 0000 0000 a002 faf0 4f13 0000 0204 05b4 0402 080a 25e4 8fca 0000
      0000 0103 030a`),
    frame: fromA(
      new Ipv4Packet(
        A,
        B,
        6,
        64,
        0xb2a8,
        DONT_FRAGMENT,
        new TcpSegment(
          36870,
          80,
          391154849,
          0,
          0x02,
          64240,
          0,
          new TcpOptions([2, 4, 8, 1, 3], 1460, 10, 635736010, 0, [], []),
          NO_BYTES,
        ),
      ),
    ),
  },
  'data with timestamps, odd length': {
    bytes: fromHex(`0200 0000 0002 0200 0000 0001 0800 4500 0039 b2aa 4000 4006 7412 0a00 0001 0a00
      0002 9006 0050 1750 8ca2 19b1 6537 8018 003f 541b 0000 0101 080a 25e4 8fcb c7ad 99f2 6865
      6c6c 6f`),
    frame: fromA(
      new Ipv4Packet(
        A,
        B,
        6,
        64,
        0xb2aa,
        DONT_FRAGMENT,
        new TcpSegment(
          36870,
          80,
          391154850,
          431056183,
          0x18,
          63,
          0,
          // 3350043122 as a signed 32-bit integer.
          timestampOptions(635736011, 3350043122 - 2 ** 32),
          ascii('hello'),
        ),
      ),
    ),
  },
  /** Put together by another program. Sequence numbers on both sides of 2^31 and of 2^32. */
  'SACK of two blocks': {
    bytes: fromHex(`0200 0000 0001 0200 0000 0002 0800 4500 0048 1234 4000 4006 147a 0a00 0002 0a00
      0001 0050 9006 ffff fff0 8000 0001 d010 01f5 dbfd 0000 0101 080a 0000 0064 0000 00c8 0101
      0512 0000 0bb9 0000 1163 ffff ffff 0000 0010`),
    frame: fromB(
      new Ipv4Packet(
        B,
        A,
        6,
        64,
        0x1234,
        DONT_FRAGMENT,
        new TcpSegment(
          80,
          36870,
          -16,
          -(2 ** 31) + 1,
          0x10,
          501,
          0,
          new TcpOptions([1, 1, 8, 1, 1, 5], -1, -1, 100, 200, [3001, 4451, -1, 16], []),
          NO_BYTES,
        ),
      ),
    ),
  },
  UDP: {
    bytes: fromHex(`0200 0000 0002 0200 0000 0001 0800 4500 001f 9776 4000 4011 8f55 0a00 0001 0a00
      0002 ea5f 0009 000b 3d0a 6162 63`),
    frame: fromA(
      new Ipv4Packet(A, B, 17, 64, 0x9776, DONT_FRAGMENT, new UdpDatagram(59999, 9, ascii('abc'))),
    ),
  },
  'echo request': {
    bytes: fromHex(`0200 0000 0002 0200 0000 0001 0800 4500 002c cc78 4000 4001 5a56 0a00 0001 0a00
      0002 0800 b693 1234 0001 3031 3233 3435 3637 3839 6162 6364 6566`),
    frame: fromA(
      new Ipv4Packet(
        A,
        B,
        1,
        64,
        0xcc78,
        DONT_FRAGMENT,
        new IcmpMessage(8, 0, 0x12340001, ascii('0123456789abcdef')),
      ),
    ),
  },
  /** The traffic class is CS6; the data quotes the datagram above. */
  'port unreachable': {
    bytes: fromHex(`0200 0000 0001 0200 0000 0002 0800 45c0 003b eab5 0000 4001 7b4a 0a00 0002 0a00
      0001 0303 111c 0000 0000 4500 001f 9776 4000 4011 8f55 0a00 0001 0a00 0002 ea5f 0009 000b
      3d0a 6162 63`),
    frame: fromB(
      new Ipv4Packet(
        B,
        A,
        1,
        64,
        0xeab5,
        new Ipv4Details(0xc0, false, false, 0, NO_BYTES),
        new IcmpMessage(
          3,
          3,
          0,
          fromHex(`4500 001f 9776 4000 4011 8f55 0a00 0001 0a00 0002 ea5f 0009 000b 3d0a 6162 63`),
        ),
      ),
    ),
  },
  /** The last 64 bytes of a datagram of 1,536, at 185 × 8. */
  'last fragment': {
    bytes: fromHex(`0200 0000 0002 0200 0000 0001 0800 4500 0054 9787 00b9 4011 ce56 0a00 0001 0a00
      0002 c0c1 c2c3 c4c5 c6c7 c8c9 cacb cccd cecf d0d1 d2d3 d4d5 d6d7 d8d9 dadb dcdd dedf e0e1
      e2e3 e4e5 e6e7 e8e9 eaeb eced eeef f0f1 f2f3 f4f5 f6f7 f8f9 fafb fcfd feff`),
    frame: fromA(
      new Ipv4Packet(
        A,
        B,
        17,
        64,
        0x9787,
        new Ipv4Details(0, false, false, 185, NO_BYTES),
        new Opaque(Uint8Array.from({ length: 64 }, (_, i) => 192 + i)),
      ),
    ),
  },
} satisfies { [name: string]: Vector }

/** Put together by another program: record route and END, no UDP checksum, class EF. */
export const WITH_IPV4_OPTIONS = {
  bytes: fromHex(`0200 0000 0001 0200 0000 0002 0800 47b8 0028 1234 4000 4011 06d0 0a00 0002 0a00
    0001 0707 0400 0000 0000 2328 2329 000c 0000 7778 797a`),
  frame: fromB(
    new Ipv4Packet(
      B,
      A,
      17,
      64,
      0x1234,
      new Ipv4Details(0xb8, true, false, 0, fromHex('0707 0400 0000 0000')),
      new UdpDatagram(9000, 9001, ascii('wxyz')),
    ),
  ),
} satisfies Vector

export const vectors: readonly (readonly [name: string, vector: Vector])[] = Object.entries(VECTORS)
