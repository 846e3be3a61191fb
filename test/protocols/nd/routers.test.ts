import { describe, expect, test } from 'vitest'
import { Icmpv6Message } from '../../../protocols/icmpv6/message.ts'
import { solicitedNode } from '../../../protocols/ipv6/address.ts'
import { Ipv6Packet, PLAIN_IPV6 } from '../../../protocols/ipv6/packet.ts'
import type { AdvertiseConfig } from '../../../protocols/nd/advertiser.ts'
import { s } from '../../../protocols/time.ts'
import {
  type Act,
  ip6,
  ipv6Afterwards,
  ipv6Timeline,
  nd,
  OWN,
  OWN_LINK_LOCAL,
  PEER,
  PEER_LINK_LOCAL,
  PEER_MAC,
  type Script,
} from '../host/ipv6-timeline.ts'

const advertise: AdvertiseConfig = {
  maxInterval: s(600),
  minInterval: s(198),
  hopLimit: 64,
  managed: false,
  other: false,
  lifetime: 1800,
  reachableTime: 0,
  retransTimer: 0,
  mtu: 1500,
  prefixes: [
    {
      prefix: ip6('2001:db8::'),
      prefixLength: 64,
      onLink: true,
      autonomous: true,
      validLifetime: 2_592_000,
      preferredLifetime: 604_800,
    },
  ],
}
const router = { forwarding: true, advertise }

describe('a router advertises (RFC 4861 §6.2)', () => {
  test('three times within 16 s of each other, then at random times between 198 and 600 s', () => {
    expect(ipv6Timeline([], { ...router, untilMs: 1_500_000 })).toMatchInlineSnapshot(`
      "    212.664  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64
        16212.664  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64
        32212.664  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64
       339930.569  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64
       823460.661  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64
       1196896.43  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64"
    `)
  })

  const solicits: Act = nd(PEER_LINK_LOCAL, 'ff02::2', {
    kind: 'router-solicitation',
    sourceMac: PEER_MAC,
  })

  test('a solicitation is answered within half a second, and not within 3 s of the last one', () => {
    const script: Script = [
      [50_000, solicits],
      [50_600, solicits],
      [50_700, solicits],
    ]
    const lines = ipv6Timeline(script, { ...router, untilMs: 60_000 }).split('\n')
    expect(lines.filter((line) => Number(line.slice(0, 11)) >= 50_000).join('\n'))
      .toMatchInlineSnapshot(`
      "      50000  = neighbour fe80::ff:fe00:2 is at 02:00:00:00:00:02
        50355.136  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64
         53789.73  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64"
    `)
  })

  test('with duplicate detection it speaks when its own address stands', () => {
    const lines = ipv6Timeline([], { ...router, detectDuplicates: true, untilMs: 3000 })
    expect(lines).toMatchInlineSnapshot(`
      "    962.606  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns fe80::ff:fe00:1 nonce
          962.606  > :: > ff02::1:ff00:1 at 00:01 ns 2001:db8::1 nonce
          1944.09  > :: > ff02::16 at 00:16 report to-ex ff02::1:ff00:1
         1962.606  = address fe80::ff:fe00:1 is ours
         1962.606  = address 2001:db8::1 is ours
          2175.27  > fe80::ff:fe00:1 > ff02::1 at 00:01 ra lifetime 1800 mtu 1500 2001:db8::/64"
    `)
  })
})

describe('redirects (RFC 4861 §8)', () => {
  const ping = (source: string, destination: string): Act => {
    const request = new Icmpv6Message(128, 0, 1, new Uint8Array(0))
    return { packet: new Ipv6Packet(ip6(source), ip6(destination), 58, 64, PLAIN_IPV6, request) }
  }

  test('a router tells a neighbour that the destination is its neighbour, too', () => {
    const asks = nd(PEER, solicitedNode(OWN), {
      kind: 'neighbour-solicitation',
      target: OWN,
      sourceMac: PEER_MAC,
      nonce: null,
    })
    const script: Script = [
      [0, asks],
      [1, ping(PEER, '2001:db8::3')],
    ]
    expect(ipv6Timeline(script, { forwarding: true, untilMs: 100 })).toMatchInlineSnapshot(`
      "          0  = neighbour 2001:db8::2 is at 02:00:00:00:00:02
                0  > 2001:db8::1 > 2001:db8::2 at 00:02 na 2001:db8::1 RSO
                1  > fe80::ff:fe00:1 > ff02::1:ff00:3 at 00:03 ns 2001:db8::3
                1  > fe80::ff:fe00:1 > 2001:db8::2 at 00:02 redirect 2001:db8::3 to 2001:db8::3 at null"
    `)
  })

  test('a host believes the router that it sends by, and nobody else', () => {
    const auto = { addresses: [], autoconfigure: true, untilMs: 4000 }
    const advertised = (from: string): Act =>
      nd(from, 'ff02::1', {
        ...advertise,
        kind: 'router-advertisement',
        sourceMac: PEER_MAC,
      })
    const redirect = (from: string): Act =>
      nd(from, OWN_LINK_LOCAL, {
        kind: 'redirect',
        target: ip6('fe80::77'),
        destination: ip6('2001:db8:7::1'),
        targetMac: '02:00:00:00:00:77',
      })
    const open: Act = { call: { kind: 'open', protocol: 'icmp' } }
    const echo = (sequence: number): Act => ({
      call: {
        kind: 'send-echo',
        socket: 0,
        remote: ip6('2001:db8:7::1'),
        sequence,
        bytes: new Uint8Array(0),
        ttl: 64,
      },
    })
    const script: Script = [
      [2000, advertised(PEER_LINK_LOCAL)],
      [2100, open],
      [2100, echo(1)],
      [2200, redirect('fe80::66')],
      [2300, echo(2)],
      [2400, redirect(PEER_LINK_LOCAL)],
      [2500, echo(3)],
    ]
    const lines = ipv6Timeline(script, auto).split('\n')
    expect(lines.filter((line) => Number(line.slice(0, 11)) >= 2000).join('\n'))
      .toMatchInlineSnapshot(`
      "       2000  = neighbour fe80::ff:fe00:2 is at 02:00:00:00:00:02
             2000  = router fe80::ff:fe00:2 is there
             2000  = address 2001:db8::ff:fe00:1 is ours
             2100  = socket 0 opened icmp
             2100  > IP6 2001:db8::ff:fe00:1 > 2001:db8:7::1: ICMP6, echo request, id 1, seq 1, length 8
             2200  = drop nd not heard from fe80::66, 88
             2300  > IP6 2001:db8::ff:fe00:1 > 2001:db8:7::1: ICMP6, echo request, id 1, seq 2, length 8
             2400  = neighbour fe80::77 is at 02:00:00:00:00:77
             2500  > IP6 2001:db8::ff:fe00:1 > 2001:db8:7::1: ICMP6, echo request, id 1, seq 3, length 8"
    `)
  })
})

test('a default router that stops to answer gives way to another one (§6.3.6)', () => {
  const advertised = (from: string, mac: string): Act =>
    nd(from, 'ff02::1', { ...advertise, kind: 'router-advertisement', sourceMac: mac })
  const open: Act = { call: { kind: 'open', protocol: 'icmp' } }
  const echo = (sequence: number): Act => {
    const remote = ip6('2001:db8:7::1')
    const bytes = new Uint8Array(0)
    return { call: { kind: 'send-echo', socket: 0, remote, sequence, bytes, ttl: 64 } }
  }
  const script: Script = [
    [2000, advertised(PEER_LINK_LOCAL, PEER_MAC)],
    [2001, advertised('fe80::66', '02:00:00:00:00:66')],
    [2100, open],
    [2100, echo(1)],
    [9000, echo(2)],
    [11_000, echo(3)],
  ]
  const { sent } = ipv6Afterwards(script, { addresses: [], autoconfigure: true, untilMs: 12_000 })
  const echoes = sent.filter(({ payload }) => payload.size === 48)
  expect(echoes.map(({ destination }) => destination.slice(-2))).toEqual(['02', '02', '66'])
})
