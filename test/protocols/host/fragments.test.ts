import { expect, test } from 'vitest'
import { ICMP_ECHO_REQUEST, IcmpMessage } from '../../../protocols/icmp/message.ts'
import { fragment } from '../../../protocols/ipv4/fragment.ts'
import { DONT_FRAGMENT, Ipv4Details, type Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'
import { FAR, hostTimeline, packet, PEER, type Script } from './host-timeline.ts'

// Neighbours are known; times in ms; [size at offset, + where more follow].

const bytes = (length: number): Uint8Array => new Uint8Array(length)
const ping = (length: number) =>
  packet(new IcmpMessage(ICMP_ECHO_REQUEST, 0, 0x10001, bytes(length)))
const cut = (whole: Ipv4Packet, mtu: number): Ipv4Packet[] => fragment(whole, mtu)
const at = (times: readonly number[], packets: readonly Ipv4Packet[]): Script =>
  packets.map((each, i) => [times[i]!, { packet: each }])

test('a large echo request in pieces, out of order, is answered in pieces of our own size', () => {
  const [first, second, third] = cut(ping(3000), 1500)
  // 3008 bytes over 576: 552 five times, then 248.
  expect(hostTimeline(at([1, 2, 3], [third!, first!, second!]), { mtu: 576 }))
    .toMatchInlineSnapshot(`
    "     3  > IP 10.0.0.1 > 10.0.0.2: ICMP echo reply, id 1, seq 1, length 552 [572 at 0+]
         3  > IP 10.0.0.1 > 10.0.0.2: ip-proto-1 [572 at 552+]
         3  > IP 10.0.0.1 > 10.0.0.2: ip-proto-1 [572 at 1104+]
         3  > IP 10.0.0.1 > 10.0.0.2: ip-proto-1 [572 at 1656+]
         3  > IP 10.0.0.1 > 10.0.0.2: ip-proto-1 [572 at 2208+]
         3  > IP 10.0.0.1 > 10.0.0.2: ip-proto-1 [268 at 2760]"
  `)
})

test('pieces that never become whole are given up after 30 s, and the sender of the first told', () => {
  const [first, second] = cut(ping(2000), 1500)
  const script: Script = [
    [1, { packet: second! }],
    [5000, { packet: first! }],
  ]
  // The first piece completes the datagram; without it nothing is said but a line in the trace.
  expect(hostTimeline(script)).toContain('ICMP echo reply')
  expect(hostTimeline([script[0]!])).toMatchInlineSnapshot(
    `" 30001  = drop ipv4 fragments incomplete: 10.0.0.2, 548"`,
  )
  expect(hostTimeline([[1, { packet: first! }]])).toMatchInlineSnapshot(`
    " 30001  = drop ipv4 fragments incomplete: 10.0.0.2, 1500
     30001  > IP 10.0.0.1 > 10.0.0.2: ICMP ip reassembly time exceeded, length 556"
  `)
})

test('a datagram for a closed port, in pieces: the error quotes it whole', () => {
  const whole = packet(new UdpDatagram(9, 10, bytes(1000)))
  expect(hostTimeline(at([1, 2], cut(whole, 996)))).toMatchInlineSnapshot(`
    "     2  = drop udp no socket: 10.0.0.2, 1028
         2  > IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 udp port 10 unreachable, length 556"
  `)
})

test('overlapping pieces are refused, with what follows, in silence', () => {
  const [first, second] = cut(packet(new UdpDatagram(9, 10, bytes(1000))), 996)
  const { details } = second!
  const earlier = new Ipv4Details(0, false, false, details.fragmentOffset - 1, details.options)
  const over = packet(second!.payload, { details: earlier, protocol: 17 })
  expect(hostTimeline(at([1, 2, 3], [first!, over, second!]))).toMatchInlineSnapshot(`
    "     2  = drop ipv4 overlapping fragment: 10.0.0.2, 52
         3  = drop ipv4 overlapping fragment: 10.0.0.2, 52"
  `)
})

test('a router cuts what is too big for the next link, and cuts pieces again', () => {
  const whole = packet(new Opaque(bytes(1000)), { destination: FAR })
  const [first, last] = cut(whole, 800)
  expect(hostTimeline(at([1, 2, 3], [whole, first!, last!]), { router: true, farMtu: 576 }))
    .toMatchInlineSnapshot(`
    "     1  > port 1: IP 10.0.0.2 > 10.0.9.2:  ip-proto-253 552 [572 at 0+]
         1  > port 1: IP 10.0.0.2 > 10.0.9.2: ip-proto-253 [468 at 552]
         2  > port 1: IP 10.0.0.2 > 10.0.9.2:  ip-proto-253 552 [572 at 0+]
         2  > port 1: IP 10.0.0.2 > 10.0.9.2: ip-proto-253 [244 at 552+]
         3  > port 1: IP 10.0.0.2 > 10.0.9.2: ip-proto-253 [244 at 776]"
  `)
})

test('a router that may not cut says how much fits, and so for each packet', () => {
  const whole = packet(new Opaque(bytes(557)), { destination: FAR, details: DONT_FRAGMENT })
  const fits = packet(new Opaque(bytes(556)), { destination: FAR, details: DONT_FRAGMENT })
  expect(hostTimeline(at([1, 2], [whole, fits]), { router: true, farMtu: 576 }))
    .toMatchInlineSnapshot(`
    "     1  = drop ipv4 too big: 10.0.0.2, 577
         1  > IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.9.2 unreachable - need to frag (mtu 576), length 556
         2  > port 1: IP 10.0.0.2 > 10.0.9.2:  ip-proto-253 556"
  `)
})

test('what a host sends is cut for its own link; the longest datagram is 65,507 bytes', () => {
  const remote = { address: PEER, port: 7 }
  const send = (length: number) =>
    ({ call: { kind: 'send-to', socket: 0, bytes: bytes(length), remote } }) as const
  const lines = hostTimeline([
    [0, { call: { kind: 'open', protocol: 'udp' } }],
    [1, send(1473)],
    [2, send(65_508)],
    [3, send(65_507)],
  ]).split('\n')
  expect(lines.filter((line) => line.startsWith('     1 ')).join('\n')).toMatchInlineSnapshot(`
    "     1  > IP 10.0.0.1.51770 > 10.0.0.2.7: UDP, length 1473 [1500 at 0+]
         1  > IP 10.0.0.1 > 10.0.0.2: ip-proto-17 [21 at 1480]"
  `)
  expect(lines.filter((line) => line.startsWith('     2 ')).join('\n')).toMatchInlineSnapshot(
    `"     2  = socket 0 refuses send-to: EMSGSIZE"`,
  )
  // 65,515 bytes, 1480 in each: 44 and a rest of 395.
  const third = lines.filter((line) => line.startsWith('     3 '))
  expect(third).toHaveLength(45)
  expect(third.at(-1)).toContain('[415 at 65120]')
})

test('a ping larger than the link goes in pieces', () => {
  const lines = hostTimeline([
    [0, { call: { kind: 'open', protocol: 'icmp' } }],
    [
      1,
      {
        call: {
          kind: 'send-echo',
          socket: 0,
          remote: PEER,
          sequence: 1,
          bytes: bytes(1473),
          ttl: 64,
        },
      },
    ],
  ])
  expect(lines).toMatchInlineSnapshot(`
    "     0  = socket 0 opened icmp
         1  > IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 1480 [1500 at 0+]
         1  > IP 10.0.0.1 > 10.0.0.2: ip-proto-1 [21 at 1480]"
  `)
})
