import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../../protocols/bytes.ts'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { IcmpMessage } from '../../../protocols/icmp/message.ts'
import { emitIpv4 } from '../../../protocols/ipv4/codec.ts'
import { DONT_FRAGMENT, Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { afterwards, type Act, addr, hostTimeline, OWN, packet, PEER } from './host-timeline.ts'

const OPEN: Act = { call: { kind: 'open', protocol: 'raw', number: 253 } }
const set = (socket: number, option: 'IP_HDRINCL' | 'IP_MTU_DISCOVER' | 'IP_TTL', value: number) =>
  ({ call: { kind: 'set', socket, option, value } }) satisfies Act
const sendTo = (socket: number, bytes: Uint8Array, address = PEER) =>
  ({
    call: { kind: 'send-to', socket, bytes, remote: { address, port: 0 } },
  }) satisfies Act
const comes = (text: string, source = PEER): Act => ({
  packet: packet(new Opaque(fromHex(text)), { source, protocol: 253 }),
})

test('a protocol that nobody listens to is unreachable, and is heard once a socket is open', () => {
  expect(
    hostTimeline([
      [0, comes('0102')],
      [10, OPEN],
      [10, OPEN],
      [20, comes('0102')],
      [30, { call: { kind: 'close', socket: 0 } }],
      [40, comes('03')],
      [50, { call: { kind: 'close', socket: 1 } }],
      [60, comes('04')],
    ]),
  ).toMatchInlineSnapshot(`
    "     0  = drop ipv4 unknown protocol: 10.0.0.2, 22
         0  > IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 protocol 253 unreachable, length 30
        10  = socket 0 opened raw
        10  = socket 1 opened raw
        20  = socket 0 datagram 2 from 10.0.0.2.0
        20  = socket 1 datagram 2 from 10.0.0.2.0
        30  = socket 0 closed
        40  = socket 1 datagram 1 from 10.0.0.2.0
        50  = socket 1 closed
        60  = drop ipv4 unknown protocol: 10.0.0.2, 21
        60  > IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.1 protocol 253 unreachable, length 29"
  `)
})

test('sends and hears its protocol: bound, connected, with a hop limit', () => {
  expect(
    hostTimeline([
      [0, OPEN],
      [0, set(0, 'IP_TTL', 9)],
      [10, sendTo(0, fromHex('aabb'))],
      [20, { call: { kind: 'send', socket: 0, bytes: fromHex('cc') } }],
      [30, { call: { kind: 'connect', socket: 0, remote: { address: PEER, port: 0 } } }],
      [40, { call: { kind: 'send', socket: 0, bytes: fromHex('cc') } }],
      [50, comes('01')],
      [60, comes('02', addr('10.0.0.3'))],
      [70, { call: { kind: 'bind', socket: 0, address: addr('10.0.0.8'), port: 0 } }],
      [80, { call: { kind: 'bind', socket: 0, address: OWN, port: 0 } }],
      [90, comes('03')],
      [95, { call: { kind: 'listen', socket: 0, backlog: 1 } }],
    ]),
  ).toMatchInlineSnapshot(`
    "     0  = socket 0 opened raw
        10  > IP 10.0.0.1 > 10.0.0.2:  ip-proto-253 2
        20  = socket 0 refuses send: EDESTADDRREQ
        30  = socket 0 connected 10.0.0.1.0 > 10.0.0.2.0
        40  > IP 10.0.0.1 > 10.0.0.2:  ip-proto-253 1
        50  = socket 0 datagram 1 from 10.0.0.2.0
        70  = socket 0 refuses bind: EADDRNOTAVAIL
        90  = socket 0 datagram 1 from 10.0.0.2.0
        95  = socket 0 refuses listen: EOPNOTSUPP"
  `)
})

test('with its header: source and identification are the application’s own, both ways', () => {
  const spoofed = new Ipv4Packet(
    addr('20.20.20.20'),
    PEER,
    253,
    64,
    7,
    DONT_FRAGMENT,
    new Opaque(fromHex('00000007')),
  )
  const bytes = emitIpv4(spoofed)
  bytes.fill(0, 2, 4) // the length and
  bytes.fill(0, 10, 12) // the checksum are made right
  const script = [
    [0, OPEN],
    [0, set(0, 'IP_HDRINCL', 1)],
    [10, sendTo(0, bytes)],
    [20, comes('0a0b')],
    [30, sendTo(0, bytes.subarray(0, 19))],
    [40, sendTo(0, fromHex(''))],
    [50, sendTo(0, Uint8Array.from([0x4f, ...bytes.subarray(1)]))],
  ] as const
  expect(hostTimeline(script)).toMatchInlineSnapshot(`
    "     0  = socket 0 opened raw
        10  > IP 20.20.20.20 > 10.0.0.2:  ip-proto-253 4
        20  = socket 0 datagram 22 from 10.0.0.2.0
        30  = socket 0 refuses send-to: EINVAL
        40  = socket 0 refuses send-to: EINVAL
        50  = socket 0 refuses send-to: EINVAL"
  `)
  const [frame] = afterwards(script).sent
  expect(toHex(emitIpv4(frame!.payload as Ipv4Packet))).toBe(toHex(emitIpv4(spoofed)))
})

test('what is too big for a path that must not fragment', () => {
  const tooBig = new IcmpMessage(
    3,
    4,
    600,
    emitIpv4(packet(new Opaque(new Uint8Array(1000)), { source: OWN, destination: PEER })).subarray(
      0,
      28,
    ),
  )
  expect(
    hostTimeline([
      [0, OPEN],
      [0, sendTo(0, new Uint8Array(2000))],
      [10, set(0, 'IP_MTU_DISCOVER', 2)],
      [20, sendTo(0, new Uint8Array(1481))],
      [30, sendTo(0, new Uint8Array(1000))],
      [40, { packet: packet(tooBig) }],
      [50, sendTo(0, new Uint8Array(1000))],
      [60, sendTo(0, new Uint8Array(580))],
    ]),
  ).toMatchInlineSnapshot(`
    "     0  = socket 0 opened raw
         0  > IP 10.0.0.1 > 10.0.0.2:  ip-proto-253 1480 [1500 at 0+]
         0  > IP 10.0.0.1 > 10.0.0.2: ip-proto-253 [540 at 1480]
        20  = socket 0 refuses send-to: EMSGSIZE
        30  > IP 10.0.0.1 > 10.0.0.2:  ip-proto-253 1000
        40  = path mtu to 10.0.0.2 is 600
        40  = socket 0 icmp error type 3 code 4 from 10.0.0.2
        50  = socket 0 refuses send-to: EMSGSIZE
        60  > IP 10.0.0.1 > 10.0.0.2:  ip-proto-253 580"
  `)
})

test('to itself, and to nowhere', () => {
  const calls: readonly SocketCall[] = [
    { kind: 'send-to', socket: 0, bytes: fromHex('01'), remote: { address: OWN, port: 0 } },
    {
      kind: 'send-to',
      socket: 0,
      bytes: fromHex('02'),
      remote: { address: addr('192.0.2.1'), port: 0 },
    },
    {
      kind: 'send-to',
      socket: 0,
      bytes: fromHex('03'),
      remote: { address: addr('10.0.0.255'), port: 0 },
    },
  ]
  expect(hostTimeline([[0, OPEN], ...calls.map((call, i) => [10 * i, { call }] as const)]))
    .toMatchInlineSnapshot(`
    "     0  = socket 0 opened raw
         0  = socket 0 datagram 1 from 10.0.0.1.0
        10  = socket 0 refuses send-to: ENETUNREACH
        20  = socket 0 refuses send-to: EACCES"
  `)
})
