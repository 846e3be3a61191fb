import { describe, expect, test } from 'vitest'
import type { Ipv4Address } from '../../../protocols/address.ts'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { Ipv4Details, type Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { NO_OPTIONS } from '../../../protocols/tcp/options.ts'
import { SYN, TcpSegment } from '../../../protocols/tcp/segment.ts'
import {
  type Act,
  addr,
  FAR,
  hostTimeline,
  packet,
  PEER,
  type Script,
  sentBy,
} from './host-timeline.ts'

// The host is 10.0.0.1/24. With whom it speaks TCP at all, and how far its segments go.

const none = new Uint8Array(0)
const syn = new TcpSegment(5000, 80, 1000, 0, SYN, 1000, 0, NO_OPTIONS, none)
const call = (what: SocketCall): Act => ({ call: what })
const listening: Script = [
  [0, call({ kind: 'open', protocol: 'tcp' })],
  [0, call({ kind: 'bind', socket: 0, address: null, port: 80 })],
  [0, call({ kind: 'listen', socket: 0, backlog: 5 })],
]
const connecting = (address: Ipv4Address): Script => [
  [0, call({ kind: 'open', protocol: 'tcp' })],
  [1, call({ kind: 'connect', socket: 0, remote: { address, port: 80 } })],
]
const hops = (script: Script): number[] =>
  sentBy(script)
    .filter(({ payload }) => payload.kind === 'ipv4')
    .map(({ payload }) => (payload as Ipv4Packet).ttl)

describe('no connection to or from what is not one host (RFC 9293 §3.9.2.3)', () => {
  test.each([
    ['0.0.0.0', 'tcp bad source'],
    ['127.0.0.1', 'tcp bad source'],
    ['10.0.0.255', 'tcp bad source'],
    ['255.255.255.255', 'ipv4 bad source'],
    ['224.0.0.1', 'ipv4 bad source'],
  ])('a SYN from %s is dropped: %s (MUST-63)', (source, why) => {
    const script: Script = [...listening, [10, { packet: packet(syn, { source: addr(source) }) }]]
    const lines = hostTimeline(script).split('\n').slice(1)
    expect(lines).toEqual([`    10  = drop ${why}: ${source}, 40`])
  })

  test.each(['10.0.0.255', '255.255.255.255'])(
    'a SYN to %s is dropped without a word (MUST-57)',
    (destination) => {
      const meant = packet(syn, { destination: addr(destination) })
      const lines = hostTimeline([...listening, [10, { packet: meant }]])
        .split('\n')
        .slice(1)
      expect(lines).toEqual(['    10  = drop tcp to a group: 10.0.0.2, 40'])
    },
  )

  test.each(['0.0.0.0', '127.0.0.1', '10.0.0.255', '255.255.255.255', '224.0.0.1'])(
    'nobody connects to %s (MUST-46)',
    (to) => {
      const lines = hostTimeline(connecting(addr(to)))
        .split('\n')
        .slice(1)
      expect(lines).toEqual(['     1  = socket 0 refuses connect: ENETUNREACH'])
    },
  )
})

test('IP options are no matter of TCP (MUST-50)', () => {
  const details = new Ipv4Details(0, false, false, 0, Uint8Array.of(1, 1, 1, 0))
  const lines = hostTimeline([...listening, [10, { packet: packet(syn, { details }) }]])
  expect(lines).toContain('Flags [S.]')
})

describe('the address of ours (RFC 9293 §3.9.2.1)', () => {
  const OTHER = addr('10.0.9.1')
  const sources = (script: Script): Ipv4Address[] =>
    sentBy(script, { router: true })
      .filter(({ payload }) => payload.kind === 'ipv4')
      .map(({ payload }) => (payload as Ipv4Packet).source)

  test('of a SYN is that of the interface that leads there (MUST-44), unless one is bound (MUST-43)', () => {
    expect(sources(connecting(PEER)).at(0)).toBe(addr('10.0.0.1'))
    expect(sources(connecting(FAR)).at(0)).toBe(OTHER)
    const [open, connect] = connecting(PEER) as [Script[0], Script[0]]
    const bind = call({ kind: 'bind', socket: 0, address: OTHER, port: 0 })
    expect(sources([open, [0, bind], connect]).at(0)).toBe(OTHER)
  })

  test('of an answer is the one that was spoken to, wherever it came in (MUST-45)', () => {
    const toOther = { packet: packet(syn, { destination: OTHER }) }
    expect(sources([...listening, [10, toOther]]).at(0)).toBe(OTHER)
  })
})

describe('the hop limit (RFC 9293 §3.9.2.1)', () => {
  const [open, connect] = connecting(PEER) as [Script[0], Script[0]]
  const limit = (value: number): Script[0] => [
    0,
    call({ kind: 'set', socket: 0, option: 'IP_TTL', value }),
  ]

  test('is 64, or what the application says, also for what a listener answers (MUST-49)', () => {
    expect(hops([open, connect]).at(0)).toBe(64)
    expect(hops([open, limit(5), connect]).at(0)).toBe(5)
    expect(hops([...listening, limit(9), [10, { packet: packet(syn) }]]).at(0)).toBe(9)
  })

  test('is told, and has to fit its field', () => {
    const told = (...acts: Script): string[] =>
      hostTimeline([open, ...acts])
        .split('\n')
        .slice(1)
    const get: Script[0] = [2, call({ kind: 'get', socket: 0, option: 'IP_TTL' })]
    expect(told(get)).toEqual(['     2  = socket 0 IP_TTL=64'])
    expect(told(limit(7), get)).toEqual(['     2  = socket 0 IP_TTL=7'])
    expect(told(limit(0))).toEqual(['     0  = socket 0 refuses set: EINVAL'])
    expect(told(limit(256))).toEqual(['     0  = socket 0 refuses set: EINVAL'])
  })
})

test('three retransmissions cast doubt on the neighbour: it is asked for again (MUST-20, R1)', () => {
  const sent = hostTimeline(connecting(PEER))
    .split('\n')
    .filter((line) => line.includes('  > '))
    .map((line) => line.replace(/(ARP|IP).*?(who-has|Flags \[S\]).*/, '$1 $2'))
  expect(sent.slice(0, 8)).toMatchInlineSnapshot(`
    [
      "     1  > IP Flags [S]",
      "  1001  > IP Flags [S]",
      "  3001  > IP Flags [S]",
      "  7001  > IP Flags [S]",
      " 15001  > ARP who-has",
      " 15001  > IP Flags [S]",
      " 16001  > ARP who-has",
      " 31001  > ARP who-has",
    ]
  `)
})
