import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../../protocols/bytes.ts'
import type { Icmpv6Message } from '../../../protocols/icmpv6/message.ts'
import { fromPrefix, solicitedNode } from '../../../protocols/ipv6/address.ts'
import { Ipv6Packet } from '../../../protocols/ipv6/packet.ts'
import { emitNd } from '../../../protocols/nd/codec.ts'
import type { PrefixInformation, RouterAdvertisement } from '../../../protocols/nd/message.ts'
import {
  type Act,
  icmp6,
  ip6,
  ipv6Afterwards,
  ipv6Timeline,
  nd,
  OWN,
  OWN_LINK_LOCAL,
  OWN_MAC,
  PEER,
  PEER_LINK_LOCAL,
  PEER_MAC,
  type Script,
} from '../host/ipv6-timeline.ts'

const PREFIX = ip6('2001:db8:5::')
const MADE = fromPrefix(PREFIX, OWN_MAC)

const ra = (
  prefix: Partial<PrefixInformation> | null = {},
  more: Partial<RouterAdvertisement> = {},
): Act =>
  nd(PEER_LINK_LOCAL, 'ff02::1', {
    kind: 'router-advertisement',
    hopLimit: 64,
    managed: false,
    other: false,
    lifetime: 1800,
    reachableTime: 0,
    retransTimer: 0,
    sourceMac: PEER_MAC,
    mtu: 0,
    prefixes:
      prefix === null
        ? []
        : [
            {
              prefix: PREFIX,
              prefixLength: 64,
              onLink: true,
              autonomous: true,
              validLifetime: 86_400,
              preferredLifetime: 14_400,
              ...prefix,
            },
          ],
    ...more,
  })

describe('duplicate address detection (RFC 4862 §5.4)', () => {
  test('after a random wait it listens, asks once, and after a second of silence it has them', () => {
    expect(ipv6Timeline([], { detectDuplicates: true })).toMatchInlineSnapshot(`
      "    962.606  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns fe80::ff:fe00:1 nonce
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
          1944.09  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
         1962.606  = address fe80::ff:fe00:1 is ours
         1962.606  = address 2001:db8::1 is ours"
    `)
  })

  const asks = (target: string, nonce: Bytes | null = null): Act =>
    nd('::', solicitedNode(ip6(target)), {
      kind: 'neighbour-solicitation',
      target: ip6(target),
      sourceMac: null,
      nonce,
    })
  const has = (target: string): Act =>
    nd(target, 'ff02::1', {
      kind: 'neighbour-advertisement',
      router: false,
      solicited: false,
      override: true,
      target: ip6(target),
      targetMac: PEER_MAC,
    })

  test('somebody has it: it is not used', () => {
    expect(ipv6Timeline([[1000, has(OWN)]], { detectDuplicates: true })).toMatchInlineSnapshot(`
      "    962.606  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns fe80::ff:fe00:1 nonce
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
             1000  = conflict: 2001:db8::1 is also at 02:00:00:00:00:02
             1000  = address 2001:db8::1 is given up
          1944.09  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
         1962.606  = address fe80::ff:fe00:1 is ours"
    `)
  })

  test('somebody else looks for it at the same time: neither uses it', () => {
    expect(ipv6Timeline([[1000, asks(OWN)]], { detectDuplicates: true })).toMatchInlineSnapshot(`
      "    962.606  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns fe80::ff:fe00:1 nonce
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
             1000  = conflict: 2001:db8::1 is also at another station
             1000  = address 2001:db8::1 is given up
          1944.09  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
         1962.606  = address fe80::ff:fe00:1 is ours"
    `)
  })

  test('the link-local address is taken: the interface has none (§5.4.5)', () => {
    const script: Script = [[1000, has(OWN_LINK_LOCAL)]]
    expect(ipv6Timeline(script, { detectDuplicates: true })).toMatchInlineSnapshot(`
      "    962.606  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns fe80::ff:fe00:1 nonce
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
             1000  = conflict: fe80::ff:fe00:1 is also at 02:00:00:00:00:02
             1000  = address fe80::ff:fe00:1 is given up
             1000  = address 2001:db8::1 is given up
             1000  > :: > ff02::16 at 00:16 report to-in ff02::1:ff00:1
         1006.566  > :: > ff02::16 at 00:16 report to-in ff02::1:ff00:1"
    `)
  })

  test('a probe that comes back is no conflict: three more, until none does (RFC 7527)', () => {
    const back: Act = {
      answer: (last) => {
        const { source, destination, payload } = last.payload as Ipv6Packet
        return icmp6(source, destination, payload as Icmpv6Message, 255)
      },
    }
    expect(ipv6Timeline([[1000, back]], { detectDuplicates: true })).toMatchInlineSnapshot(`
      "    962.606  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns fe80::ff:fe00:1 nonce
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
          1944.09  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
         1962.606  = address fe80::ff:fe00:1 is ours
             2000  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
             3000  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
             4000  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
             5000  = address 2001:db8::1 is ours"
    `)
  })

  test('a claim on an address in use is reported, and the address kept', () => {
    const script: Script = [[5000, has(OWN)]]
    expect(ipv6Timeline(script, { detectDuplicates: true })).toContain(
      '5000  = conflict: 2001:db8::1 is also at 02:00:00:00:00:02',
    )
  })
})

const auto = { addresses: [], detectDuplicates: true, autoconfigure: true }

describe('stateless autoconfiguration (RFC 4862 §5.5)', () => {
  test('it asks for routers, and a prefix makes an address', () => {
    expect(ipv6Timeline([[3000, ra()]], { ...auto, untilMs: 10_000 })).toMatchInlineSnapshot(`
      "    962.606  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns fe80::ff:fe00:1 nonce
          1944.09  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
         1962.606  = address fe80::ff:fe00:1 is ours
         1962.606  > fe80::ff:fe00:1 > ff02::2 at 00:02 rs
             3000  = neighbour fe80::ff:fe00:2 is at 02:00:00:00:00:02
             3000  = router fe80::ff:fe00:2 is there
         3982.799  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8:5::ff:fe00:1 nonce
         4982.799  = address 2001:db8:5::ff:fe00:1 is ours"
    `)
  })

  test('nobody answers: at 4 s, 8 s, 16 s … more or less (RFC 7559)', () => {
    const lines = ipv6Timeline([], { ...auto, untilMs: 120_000 })
    const solicited = lines.split('\n').filter((line) => / rs| router /.test(line))
    expect(solicited.join('\n')).toMatchInlineSnapshot(`
      "   1962.606  > fe80::ff:fe00:1 > ff02::2 at 00:02 rs
      6167.287516  > fe80::ff:fe00:1 > ff02::2 at 00:02 rs
      14506.270118  > fe80::ff:fe00:1 > ff02::2 at 00:02 rs
      31499.076107  > fe80::ff:fe00:1 > ff02::2 at 00:02 rs
      31499.076107  = no router answers
      64744.502982  > fe80::ff:fe00:1 > ff02::2 at 00:02 rs"
    `)
  })

  test('preferred, then deprecated, then gone; and so is the router', () => {
    const lives = { preferredLifetime: 20, validLifetime: 40 }
    const script: Script = [[3000, ra(lives, { lifetime: 30 })]]
    const lines = ipv6Timeline(script, { ...auto, untilMs: 60_000 })
    const told = lines.split('\n').filter((line) => line.includes('= '))
    expect(told.join('\n')).toMatchInlineSnapshot(`
      "   1962.606  = address fe80::ff:fe00:1 is ours
             3000  = neighbour fe80::ff:fe00:2 is at 02:00:00:00:00:02
             3000  = router fe80::ff:fe00:2 is there
         4982.799  = address 2001:db8:5::ff:fe00:1 is ours
            33000  = router fe80::ff:fe00:2 is gone
            43000  = address 2001:db8:5::ff:fe00:1 is given up"
    `)
  })

  const addressAfter = (...advertised: readonly (readonly [atMs: number, act: Act])[]) => {
    const { state } = ipv6Afterwards([[3000, ra()], ...advertised], { ...auto, untilMs: 20_000 })
    const { assigned } = state.interfaces[0]!.ipv6!.list
    const made = assigned.find(({ address }) => address === MADE)!
    const seconds = (at: number) => (at - 10e9) / 1e9
    return [made.phase, seconds(made.preferredUntil), seconds(made.validUntil)]
  }

  test.each([
    ['longer than there was', { validLifetime: 100_000 }, ['preferred', 14_400, 100_000]],
    ['shorter, but more than two hours', { validLifetime: 20_000 }, ['preferred', 14_400, 20_000]],
    ['two hours stay', { validLifetime: 600, preferredLifetime: 300 }, ['preferred', 300, 7200]],
    ['nor is it taken away', { validLifetime: 0, preferredLifetime: 0 }, ['deprecated', 0, 7200]],
    [
      'a preferred time beyond the valid',
      { validLifetime: 10, preferredLifetime: 20 },
      ['preferred', 14_393, 86_393],
    ],
  ])('the two-hour rule (e): %s', (_, said, expected) => {
    expect(addressAfter([10_000, ra(said)])).toEqual(expected)
  })

  test.each([
    ['not autonomous', { autonomous: false }],
    ['another length', { prefixLength: 56 }],
    ['the link-local prefix', { prefix: ip6('fe80::') }],
    ['no lifetime', { validLifetime: 0, preferredLifetime: 0 }],
  ])('no address: %s', (_, said) => {
    const { state } = ipv6Afterwards([[3000, ra(said)]], { ...auto, untilMs: 20_000 })
    const { assigned } = state.interfaces[0]!.ipv6!.list
    expect(assigned.map(({ origin }) => origin)).toEqual(['link-local'])
  })

  test('figures that a router tells are taken (RFC 4861 §6.3.4)', () => {
    const told = { hopLimit: 31, reachableTime: 10_000, retransTimer: 250, mtu: 1400 }
    const { state } = ipv6Afterwards([[3000, ra({}, told)]], { ...auto, untilMs: 20_000 })
    const { hopLimit, mtu, neighbours, discovery } = state.interfaces[0]!.ipv6!
    expect([hopLimit, mtu]).toEqual([31, 1400])
    expect(neighbours).toMatchObject({ baseReachableTime: 10e9, retransTimer: 250e6 })
    expect(neighbours.reachableTime).toBeGreaterThanOrEqual(5e9)
    expect(neighbours.reachableTime).toBeLessThanOrEqual(15e9)
    expect(discovery!.routers).toEqual([{ address: PEER_LINK_LOCAL, validUntil: 1803e9 }])
  })

  test('the hop limit among them is that of connections, unless an application has its own', () => {
    const connect = (...set: Script): number[] => {
      const remote = { address: ip6('2001:db8:99::1'), port: 80 }
      const { sent } = ipv6Afterwards(
        [
          [3000, ra({}, { hopLimit: 31 })],
          [9000, { call: { kind: 'open', protocol: 'tcp' } }],
          ...set,
          [9001, { call: { kind: 'connect', socket: 0, remote } }],
        ],
        { ...auto, untilMs: 9500 },
      )
      const packets = sent.map(({ payload }) => payload as Ipv6Packet)
      return packets.filter(({ payload }) => payload.kind === 'tcp').map((each) => each.hopLimit)
    }
    expect(connect()).toEqual([31])
    const option = 'IPV6_UNICAST_HOPS'
    expect(connect([9000, { call: { kind: 'set', socket: 0, option, value: 3 } }])).toEqual([3])
  })

  test('neither routers nor prefixes can fill the memory', () => {
    const script: Script = Array.from({ length: 100 }, (_, i) => {
      const prefixes = [{ prefix: ip6(`2001:db8:${i + 100}::`) }]
      const { packet } = ra(prefixes[0]) as { packet: Ipv6Packet }
      const { destination, hopLimit, details, payload } = packet
      const from = ip6(`fe80::${i + 10}`)
      const said = new Ipv6Packet(from, destination, 58, hopLimit, details, payload)
      return [3000 + i, { packet: said }] as const
    })
    const { state } = ipv6Afterwards(script, { ...auto, untilMs: 20_000 })
    const { discovery, list } = state.interfaces[0]!.ipv6!
    expect(discovery!.routers).toHaveLength(16)
    expect(discovery!.prefixes).toHaveLength(32)
    expect(list.assigned).toHaveLength(16)
  })

  test('a router that says it is none is none', () => {
    const script: Script = [
      [3000, ra()],
      [9000, ra(null, { lifetime: 0 })],
    ]
    const lines = ipv6Timeline(script, { ...auto, untilMs: 20_000 })
    expect(lines).toContain(`9000  = router ${PEER_LINK_LOCAL} is gone`)
  })
})

test('from somebody who is no neighbour nothing is taken', () => {
  const message = emitNd({
    kind: 'router-solicitation',
    sourceMac: PEER_MAC,
  })
  const from = new Ipv6Packet(PEER, OWN, 58, 255, icmp6(PEER, OWN, message).details, message)
  expect(ipv6Timeline([[0, { packet: from }]])).toContain('drop nd not heard')
})
