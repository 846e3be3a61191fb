import { expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { type Bytes, putI32, putU16, toHex } from '../../../protocols/bytes.ts'
import { checksum, sumRange } from '../../../protocols/checksum.ts'
import { ETHERTYPE_IPV4, EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { hostEngine } from '../../../protocols/host/host.ts'
import { multicastMacOf } from '../../../protocols/host/igmp.ts'
import type { HostOut } from '../../../protocols/host/output.ts'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { createHost, type HostState } from '../../../protocols/host/state.ts'
import { readIgmpQuery } from '../../../protocols/igmp/codec.ts'
import { Ipv4Packet, MAY_FRAGMENT } from '../../../protocols/ipv4/packet.ts'
import { Opaque } from '../../../protocols/payload.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { ms, NEVER, type Nanos } from '../../../protocols/time.ts'
import { enableMapSet, produce } from 'immer'

enableMapSet()

const GROUP = ip('239.1.2.3') as Ipv4Address
const ROUTER = ip('10.0.0.254') as Ipv4Address

/** RFC 3376 §4.1, robustness 3, or RFC 2236 §2 where it is `older`. `tenths`: to answer in. */
function query(group: string, tenths: number, older = false): Bytes {
  const b = new Uint8Array(older ? 8 : 12)
  b[0] = 0x11
  b[1] = tenths
  putI32(b, 4, ip(group) as Ipv4Address)
  if (!older) b[8] = 3
  putU16(b, 2, checksum(sumRange(b, 0, b.length, 0)))
  return b
}

type Act = { readonly call: SocketCall } | { readonly igmp: Bytes; readonly to: string }
const open: Act = { call: { kind: 'open', protocol: 'udp' } }
const join: Act = { call: { kind: 'join', socket: 0, group: GROUP, via: null } }
const leave: Act = { call: { kind: 'leave', socket: 0, group: GROUP } }

/** What the host sends, with its time in ms: in place and recorded. */
function timeline(script: readonly (readonly [atMs: number, act: Act])[]): string {
  const make = () =>
    createHost({
      forwarding: false,
      policy: RFC,
      seed: 'igmp',
      interfaces: [
        {
          mac: '02:00:00:00:00:01',
          mtu: 1500,
          addresses: [{ address: ip('10.0.0.1') as Ipv4Address, prefixLength: 24 }],
          claim: null,
        },
      ],
      routes: [],
      now: 0,
    })
  const live = make()
  let frozen = make()
  const inPlace = run(script, (act) => act(live))
  const recorded = run(script, (act) => {
    frozen = produce(frozen, (draft) => act(draft as HostState))
  })
  expect(recorded).toEqual(inPlace)
  return inPlace.join('\n')
}

function run(
  script: readonly (readonly [number, Act])[],
  step: (act: (h: HostState) => void) => void,
): string[] {
  const lines: string[] = []
  const wakes = new Map<number, Nanos>()
  let now: Nanos = 0
  const out: HostOut = {
    send({ destination, payload }) {
      if (payload.kind !== 'ipv4' || !(payload.payload instanceof Opaque)) return
      const { ttl, details, payload: inner } = payload
      const to = `${destination.slice(-8)} ttl ${ttl} options ${toHex(details.options)}`
      lines.push(`${String(now / 1e6).padStart(9)}  ${to} ${toHex(inner.bytes)}`)
    },
    event: () => undefined,
    wake: (owner, at) => void wakes.set(owner, Math.min(wakes.get(owner) ?? NEVER, at)),
  }
  let next = 0
  for (;;) {
    const due = Math.min(NEVER, ...wakes.values())
    const at = next < script.length ? ms(script[next]![0]) : NEVER
    now = Math.min(due, at)
    if (now === NEVER) return lines
    if (due === now) {
      const [owner] = [...wakes].find(([, when]) => when === due)!
      wakes.delete(owner)
      step((h) => hostEngine.step(h, now, { kind: 'timer', owner }, out))
      continue
    }
    const act = script[next++]![1]
    step((h) => {
      if ('call' in act) return hostEngine.step(h, now, { kind: 'call', call: act.call }, out)
      const to = ip(act.to) as Ipv4Address
      const packet = new Ipv4Packet(ROUTER, to, 2, 1, 1, MAY_FRAGMENT, new Opaque(act.igmp))
      const mac = '02:00:00:00:00:fe'
      const frame = new EthernetFrame(multicastMacOf(to), mac, ETHERTYPE_IPV4, packet)
      return hostEngine.step(h, now, { kind: 'packet', packet: frame, port: 0 }, out)
    })
  }
}

test('joining and leaving is told at once, and again within a second', () => {
  expect(
    timeline([
      [0, open],
      [0, join],
      [5000, leave],
    ]),
  ).toMatchInlineSnapshot(`
    "        0  00:00:16 ttl 1 options 94040000 2200e8f90000000104000000ef010203
      883.743  00:00:16 ttl 1 options 94040000 2200e8f90000000104000000ef010203
         5000  00:00:16 ttl 1 options 94040000 2200e9f90000000103000000ef010203
     5067.737  00:00:16 ttl 1 options 94040000 2200e9f90000000103000000ef010203"
  `)
})

test('a query is answered at a random time within what it gives, about groups that are told', () => {
  const script = [
    [0, open],
    [0, join],
    [5000, { igmp: query('0.0.0.0', 100), to: '224.0.0.1' }],
  ] as const
  expect(timeline(script).split('\n').slice(2).join('\n')).toMatchInlineSnapshot(
    `" 5677.377  00:00:16 ttl 1 options 94040000 2200eaf90000000102000000ef010203"`,
  )
})

test('a router that speaks IGMPv2 is spoken to in IGMPv2, for 260 s', () => {
  const script = [
    [0, open],
    [0, { igmp: query('0.0.0.0', 100, true), to: '224.0.0.1' }],
    [20_000, join],
    [30_000, leave],
    [261_000, join],
  ] as const
  expect(timeline(script)).toMatchInlineSnapshot(`
    "    20000  01:02:03 ttl 1 options 94040000 1600f8faef010203
    20067.737  01:02:03 ttl 1 options 94040000 1600f8faef010203
        30000  00:00:02 ttl 1 options 94040000 1700f7faef010203
    30149.544  00:00:02 ttl 1 options 94040000 1700f7faef010203
       261000  00:00:16 ttl 1 options 94040000 2200e8f90000000104000000ef010203
    261215.016  00:00:16 ttl 1 options 94040000 2200e8f90000000104000000ef010203"
  `)
})

test('what is damaged is no query', () => {
  const right = query('0.0.0.0', 100)
  expect(readIgmpQuery(right)).toMatchObject({
    group: null,
    within: 10e9,
    robustness: 3,
    older: false,
  })
  for (let length = 0; length < 8; length++) {
    expect(readIgmpQuery(right.subarray(0, length))).toBe('truncated')
  }
  for (let bit = 0; bit < 96; bit++) {
    const flipped = Uint8Array.from(right)
    flipped[bit >>> 3]! ^= 0x80 >>> (bit & 7)
    expect(readIgmpQuery(flipped)).toBe('bad-checksum')
  }
})

test.each([
  ['224.0.0.1', '01:00:5e:00:00:01'],
  ['239.129.2.3', '01:00:5e:01:02:03'],
])('%s is %s on Ethernet (RFC 1112 §6.4)', (group, mac) => {
  expect(multicastMacOf(ip(group) as Ipv4Address)).toBe(mac)
})
