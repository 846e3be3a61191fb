import { describe, expect, test } from 'vitest'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { Icmpv6Message } from '../../../protocols/icmpv6/message.ts'
import { emitIpv6, parseIpv6 } from '../../../protocols/ipv6/codec.ts'
import { fragmentIpv6 } from '../../../protocols/ipv6/fragment.ts'
import { Ipv6Details, Ipv6Packet, PLAIN_IPV6 } from '../../../protocols/ipv6/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'
import {
  type Act,
  icmp6,
  ip6,
  ipv6Afterwards,
  ipv6Timeline,
  nd,
  OWN,
  PEER,
  PEER_MAC,
  type Script,
  type Stand,
} from './ipv6-timeline.ts'

/** The neighbour is known, and asks for an echo with these headers in front. */
const knows: Act = nd(PEER, OWN, {
  kind: 'neighbour-solicitation',
  target: OWN,
  sourceMac: PEER_MAC,
  nonce: null,
})
const request = new Icmpv6Message(128, 0, 1, new Uint8Array(8))

function withHeaders(first: number, chain: readonly number[], destination = OWN): Act {
  const details = new Ipv6Details(0, 0, first, Uint8Array.from(chain))
  const plain = new Ipv6Packet(PEER, ip6(destination), 58, 64, PLAIN_IPV6, request)
  return {
    packet: new Ipv6Packet(PEER, ip6(destination), 58, 64, details, plain.payload),
  }
}

/** What comes of it, within the second after. */
function after(act: Act, stand: Stand = {}): string {
  const lines = ipv6Timeline(
    [
      [0, knows],
      [1000, act],
    ],
    { ...stand, untilMs: 1100 },
  ).split('\n')
  return lines.filter((line) => Number(line.slice(0, 11)) >= 1000).join('\n')
}

describe('extension headers that a host accepts', () => {
  test.each([
    ['hop-by-hop options with a router alert', 0, [58, 0, 5, 2, 0, 0, 1, 0]],
    ['destination options, padded', 60, [58, 0, 1, 4, 0, 0, 0, 0]],
    ['an unknown option that may be skipped', 60, [58, 0, 0x1e, 4, 1, 2, 3, 4]],
    ['a routing header with nothing left to do', 43, [58, 0, 0, 0, 0, 0, 0, 0]],
    ['an atomic fragment (RFC 6946)', 44, [58, 0, 0, 0, 0, 0, 0, 9]],
    [
      'all of them',
      0,
      [
        43, 0, 1, 4, 0, 0, 0, 0, 44, 0, 4, 0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 1, 58, 0, 1, 4, 0,
        0, 0, 0,
      ],
    ],
  ])('%s', (_, first, chain) => {
    expect(after(withHeaders(first, chain))).toContain('echo reply')
  })
})

/** What the host says about a packet, in the last message that it sends: type, code, pointer. */
function complaint(act: Act): readonly number[] | null {
  const script: Script = [
    [0, knows],
    [1000, act],
  ]
  const { sent } = ipv6Afterwards(script, { untilMs: 1100 })
  if (sent.length === 1) return null // the answer to the neighbour
  const said = (sent.at(-1)!.payload as Ipv6Packet).payload as Icmpv6Message
  return [said.type, said.code, said.rest]
}

describe('and those that it refuses', () => {
  test.each([
    ['an unknown option: dropped', 60, [58, 0, 0x5e, 4, 1, 2, 3, 4], 'unknown option', null],
    ['the sender hears', 60, [58, 0, 0x9e, 4, 1, 2, 3, 4], 'unknown option', [4, 2, 42]],
    ['unless to a group', 0, [58, 0, 0xde, 4, 1, 2, 3, 4], 'unknown option', [4, 2, 42]],
    ['an option too long', 60, [58, 0, 0x1e, 9, 1, 2, 3, 4], 'bad-option', [4, 0, 42]],
    ['routing, type 0 (RFC 5095)', 43, [58, 0, 0, 1, 0, 0, 0, 0], 'routing header', [4, 0, 42]],
    [
      'hop-by-hop options further in',
      60,
      [0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0],
      'misplaced options',
      [4, 1, 40],
    ],
  ])('%s', (_, first, chain, why, said) => {
    const act = withHeaders(first, chain)
    expect(after(act)).toContain(`= drop ipv6 ${why} from 2001:db8::2`)
    expect(complaint(act)).toEqual(said)
  })

  test('more headers, or options in one, than a host looks at (RFC 8504 §5.3)', () => {
    const headers = (count: number) =>
      Array.from({ length: count }, (_, i) => [i < count - 1 ? 60 : 58, 0, 1, 4, 0, 0, 0, 0]).flat()
    expect(after(withHeaders(60, headers(8)))).toContain('echo reply')
    expect(after(withHeaders(60, headers(9)))).toMatch(
      /^ *1000 {2}= drop ipv6 too many headers[^\n]*$/,
    )
    const options = (count: number) => {
      const said = Array.from({ length: count }, () => [0x1e, 0]).flat()
      const padding = 22 - said.length
      return [58, 2, ...said, 1, padding - 2, ...Array.from({ length: padding - 2 }, () => 0)]
    }
    expect(after(withHeaders(60, options(8)))).toContain('echo reply')
    expect(after(withHeaders(60, options(9)))).toMatch(
      /^ *1000 {2}= drop ipv6 too many options[^\n]*$/,
    )
  })

  test('to a group, only the second kind of option is told of', () => {
    const group = ip6('ff02::1')
    expect(after(withHeaders(60, [58, 0, 0x9e, 4, 1, 2, 3, 4], group))).toContain(
      'ICMP6, parameter',
    )
    expect(after(withHeaders(60, [58, 0, 0xde, 4, 1, 2, 3, 4], group))).not.toContain('ICMP6')
  })

  test('a protocol that nobody speaks: the pointer names the field that says so', () => {
    const unknown = new Ipv6Packet(PEER, OWN, 253, 64, PLAIN_IPV6, new Opaque(new Uint8Array(4)))
    expect(complaint({ packet: unknown })).toEqual([4, 1, 6])
  })

  test('no next header: nothing is said', () => {
    const none = new Ipv6Packet(PEER, OWN, 59, 64, PLAIN_IPV6, new Opaque(new Uint8Array(4)))
    expect(after({ packet: none })).toMatch(/^ *1000 {2}= drop ipv6 no next header[^\n]*$/)
  })
})

describe('a router looks at hop-by-hop options alone', () => {
  const far = ip6('2001:db8:9::2')
  test('others pass', () => {
    const passed = after(withHeaders(60, [58, 0, 0x9e, 4, 1, 2, 3, 4], far), {
      forwarding: true,
      far: true,
    })
    expect(passed).toMatch(/^ *1000 {2}> port 1: .* ns 2001:db8:9::2$/)
  })
  test('an unknown one of those is told of', () => {
    const refused = after(withHeaders(0, [58, 0, 0x9e, 4, 1, 2, 3, 4], far), {
      forwarding: true,
      far: true,
    })
    expect(refused).toContain('ICMP6, parameter problem, code 2')
  })
})

describe('fragments (RFC 8200 §4.5)', () => {
  const big = icmp6(PEER, OWN, new Icmpv6Message(128, 0, 1, new Uint8Array(3000).fill(7)))
  const pieces = fragmentIpv6(big, 1280, 0x1234)

  const deliver = (order: readonly Ipv6Packet[]): Script => [
    [0, knows],
    ...order.map((packet, i) => [1000 + i, { packet }] as const),
  ]

  test('three pieces in any order are answered in three', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [1, 1, 0, 2],
    ]) {
      const { sent } = ipv6Afterwards(deliver(order.map((i) => pieces[i]!)), {
        untilMs: 1100,
        mtu: 1280,
      })
      const sizes = sent.slice(1).map(({ payload }) => payload.size)
      expect(sizes).toEqual([1280, 1280, 592])
    }
  })

  test('what is cut reads as it was, and fits', () => {
    for (const piece of pieces) {
      expect(piece.size).toBeLessThanOrEqual(1280)
      expect(parseIpv6(emitIpv6(piece))).toEqual({ ok: true, value: piece })
    }
  })

  test('pieces that overlap condemn the packet (RFC 5722)', () => {
    const [first, second] = pieces as [Ipv6Packet, Ipv6Packet, Ipv6Packet]
    const { details, payload } = second
    const chain = Uint8Array.from(details.extensions)
    chain[3]! -= 8
    const overlap = new Ipv6Details(0, 0, 44, chain, details.fragmentOffset - 1, true, 0x1234)
    const packet = new Ipv6Packet(PEER, OWN, 58, 64, overlap, payload)
    expect(after2(deliver([first, packet, second]))).toMatchInlineSnapshot(`
      "       1001  = drop ipv6 overlapping fragment from 2001:db8::2, 1280
             1002  = drop ipv6 overlapping fragment from 2001:db8::2, 1280"
    `)
  })

  test('incomplete after 60 s: the sender of a first piece hears', () => {
    expect(after2(deliver(pieces.slice(0, 2)), 70_000)).toMatchInlineSnapshot(`
      "       5000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
             6000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
             7000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
             8000  = neighbour 2001:db8::2 lost
            61000  = drop ipv6 fragments incomplete from 2001:db8::2, 1280
            61000  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
            62000  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
            63000  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
            64000  = neighbour 2001:db8::2 lost
            64000  = drop nd unresolved from 2001:db8::1, 1280"
    `)
  })

  test('a piece of an odd length, or beyond the longest packet: parameter problem', () => {
    const odd = new Ipv6Details(0, 0, 44, Uint8Array.of(58, 0, 0, 1, 0, 0, 0, 1), 0, true, 1)
    const end = new Ipv6Details(
      0,
      0,
      44,
      Uint8Array.of(58, 0, 0xff, 0xf8, 0, 0, 0, 2),
      0x1fff,
      false,
      2,
    )
    for (const [details, size, pointer] of [
      [odd, 13, 4],
      [end, 64, 42],
    ] as const) {
      const packet = new Ipv6Packet(PEER, OWN, 58, 64, details, new Opaque(new Uint8Array(size)))
      const { sent } = ipv6Afterwards(
        [
          [0, knows],
          [1000, { packet }],
        ],
        { untilMs: 1100 },
      )
      const said = (sent.at(-1)!.payload as Ipv6Packet).payload as Icmpv6Message
      expect([said.type, said.code, said.rest]).toEqual([4, 0, pointer])
    }
  })

  const after2 = (script: Script, untilMs = 2000): string =>
    ipv6Timeline(script, { untilMs })
      .split('\n')
      .filter((line) => Number(line.slice(0, 11)) >= 1000)
      .join('\n')
})

describe('path MTU discovery (RFC 8201)', () => {
  const open: Act = { call: { kind: 'open', protocol: 'udp' } }
  const send = (size: number): Act => {
    const remote = { address: PEER, port: 9 }
    const call: SocketCall = { kind: 'send-to', socket: 0, bytes: new Uint8Array(size), remote }
    return { call }
  }
  const tooBig = (mtu: number): Act => ({
    answer: (last) => {
      const quote = emitIpv6(last.payload as Ipv6Packet).subarray(0, 1232)
      return icmp6(PEER, OWN, new Icmpv6Message(2, 0, mtu, quote))
    },
  })

  test.each([
    ['a smaller MTU is kept to: datagrams are cut for it', 1300, [1296, 208]],
    ['one below what every link carries is not believed', 1000, [1448]],
    ['nor one that the packet fits into', 1500, [1448]],
  ])('%s', (_, mtu, sizes) => {
    const script: Script = [
      [0, knows],
      [1, open],
      [1, send(1400)],
      [2, tooBig(mtu)],
      [3, send(1400)],
    ]
    const { sent } = ipv6Afterwards(script, { untilMs: 10 })
    const datagrams = sent.map(({ payload }) => payload.size).filter((size) => size > 100)
    expect(datagrams.slice(1)).toEqual(sizes)
  })
})

test('a UDP datagram without a checksum is refused (RFC 8200 §8.1)', () => {
  const plain = new Ipv6Packet(
    PEER,
    OWN,
    17,
    64,
    PLAIN_IPV6,
    new UdpDatagram(1, 2, new Uint8Array(4)),
  )
  const bytes = emitIpv6(plain)
  bytes[46] = 0
  bytes[47] = 0
  const read = parseIpv6(bytes)
  expect(read.ok && read.value.payload).toMatchObject({ protocol: 'udp', why: 'bad-checksum' })
})
