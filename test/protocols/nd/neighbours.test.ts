import { describe, expect, test } from 'vitest'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import type { NeighbourAdvertisement } from '../../../protocols/nd/message.ts'
import { emitNd } from '../../../protocols/nd/codec.ts'
import { solicitedNode } from '../../../protocols/ipv6/address.ts'
import {
  type Act,
  icmp6,
  ipv6Timeline,
  nd,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
} from '../host/ipv6-timeline.ts'

// RFC 4861 §7, seen from outside: echo requests go to a neighbour whose answers are scripted.

const open: Act = { call: { kind: 'open', protocol: 'icmp' } }
const echo = (sequence: number): Act => {
  const call: SocketCall = {
    kind: 'send-echo',
    socket: 0,
    remote: PEER,
    sequence,
    bytes: new Uint8Array(0),
    ttl: 64,
  }
  return { call }
}

const advertisement = (more: Partial<NeighbourAdvertisement> = {}): Act =>
  nd(PEER, more.solicited === false ? 'ff02::1' : OWN, {
    kind: 'neighbour-advertisement',
    router: false,
    solicited: true,
    override: true,
    target: PEER,
    targetMac: PEER_MAC,
    ...more,
  })

/** Lines about packets of ours, and drops. */
const only = (lines: string): string =>
  lines
    .split('\n')
    .filter((line) => !/socket 0 opened/.test(line))
    .join('\n')

test('INCOMPLETE: three solicitations a second apart, then what waited comes back', () => {
  expect(
    only(
      ipv6Timeline([
        [0, open],
        [0, echo(1)],
        [500, echo(2)],
      ]),
    ),
  ).toMatchInlineSnapshot(`
    "          0  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
           1000  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
           2000  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
           3000  = neighbour 2001:db8::2 lost
           3000  = drop nd unresolved from 2001:db8::1, 48
           3000  = drop nd unresolved from 2001:db8::1, 48
           3000  = socket 0 icmp error type 1 code 3 from 2001:db8::1
           3000  = socket 0 icmp error type 1 code 3 from 2001:db8::1"
  `)
})

test('REACHABLE for a random time around 30 s, then STALE, DELAY and PROBE until it is gone', () => {
  const script = [
    [0, open],
    [0, echo(1)],
    [10, advertisement()],
    [20_000, echo(2)],
    [50_000, echo(3)],
  ] as const
  expect(only(ipv6Timeline(script))).toMatchInlineSnapshot(`
    "          0  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
             10  = neighbour 2001:db8::2 is at 02:00:00:00:00:02
             10  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 1, length 8
          20000  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, length 8
          50000  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 3, length 8
          55000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
          56000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
          57000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
          58000  = neighbour 2001:db8::2 lost"
  `)
})

test('an answer to a probe makes it REACHABLE again', () => {
  const script = [
    [0, open],
    [0, echo(1)],
    [10, advertisement()],
    [50_000, echo(2)],
    [55_010, advertisement()],
    [56_000, echo(3)],
  ] as const
  expect(only(ipv6Timeline(script))).toMatchInlineSnapshot(`
    "          0  > 2001:db8::1 > ff02::1:ff00:2 at 00:02 ns 2001:db8::2
             10  = neighbour 2001:db8::2 is at 02:00:00:00:00:02
             10  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 1, length 8
          50000  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, length 8
          55000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
          56000  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 3, length 8"
  `)
})

describe('an advertisement of a neighbour that is known (§7.2.5)', () => {
  const other = '02:00:00:00:00:99'
  const after = (more: Partial<NeighbourAdvertisement>): string =>
    only(
      ipv6Timeline(
        [
          [0, open],
          [0, echo(1)],
          [10, advertisement()],
          [1000, advertisement(more)],
          [1010, echo(2)],
        ],
        { untilMs: 7000 },
      ),
    )
      .split('\n')
      .filter((line) => Number(line.slice(0, 11)) >= 1000)
      .join('\n')

  test('another MAC without the override flag casts doubt: STALE, and the old one stays', () => {
    expect(after({ override: false, targetMac: other })).toMatchInlineSnapshot(`
      "       1010  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, length 8
             6010  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2"
    `)
  })
  test('with it, unsolicited, the new one is taken and watched', () => {
    expect(after({ solicited: false, targetMac: other })).toMatchInlineSnapshot(`
      "       1000  = neighbour 2001:db8::2 is at 02:00:00:00:00:99
             1010  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, length 8
             6010  > 2001:db8::1 > 2001:db8::2 at 00:99 ns 2001:db8::2"
    `)
  })
  test('with it and solicited, the new one is REACHABLE', () => {
    expect(after({ targetMac: other })).toMatchInlineSnapshot(`
      "       1000  = neighbour 2001:db8::2 is at 02:00:00:00:00:99
             1010  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, length 8"
    `)
  })
  test('the same MAC, unsolicited, changes nothing', () => {
    expect(after({ solicited: false })).toMatchInlineSnapshot(
      `"       1010  > IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, length 8"`,
    )
  })
})

test('a solicitation is answered, and tells who asks: STALE', () => {
  const asks = nd(PEER, solicitedNode(OWN), {
    kind: 'neighbour-solicitation',
    target: OWN,
    sourceMac: PEER_MAC,
    nonce: null,
  })
  expect(only(ipv6Timeline([[0, asks]]))).toMatchInlineSnapshot(`
    "          0  = neighbour 2001:db8::2 is at 02:00:00:00:00:02
              0  > 2001:db8::1 > 2001:db8::2 at 00:02 na 2001:db8::1 SO
           5000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
           6000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
           7000  > 2001:db8::1 > 2001:db8::2 at 00:02 ns 2001:db8::2
           8000  = neighbour 2001:db8::2 lost"
  `)
})

test('one that looks for duplicates is answered to all nodes', () => {
  const asks = nd('::', solicitedNode(OWN), {
    kind: 'neighbour-solicitation',
    target: OWN,
    sourceMac: null,
    nonce: null,
  })
  expect(only(ipv6Timeline([[0, asks]]))).toMatchInlineSnapshot(
    `"          0  > 2001:db8::1 > ff02::1 at 00:01 na 2001:db8::1 O"`,
  )
})

test('what is not for this link, or contradicts itself, is not heard', () => {
  const said = { kind: 'neighbour-advertisement', router: false, override: true } as const
  const message = emitNd({ ...said, solicited: true, target: PEER, targetMac: PEER_MAC })
  const afar = { packet: icmp6(PEER, OWN, message, 254) }
  const withMac = nd('::', solicitedNode(OWN), {
    kind: 'neighbour-solicitation',
    target: OWN,
    sourceMac: OWN_MAC,
    nonce: null,
  })
  const toAll = { packet: icmp6(PEER, 'ff02::1', message, 255) }
  expect(
    only(
      ipv6Timeline([
        [0, afar],
        [1, withMac],
        [2, toAll],
      ]),
    ),
  ).toMatchInlineSnapshot(`
    "          0  = drop nd from afar from 2001:db8::2, 72
              1  = drop nd invalid from ::, 72
              2  = drop nd invalid from 2001:db8::2, 72"
  `)
})
