import { describe, expect, test } from 'vitest'
import { emitEthernet } from '../../../protocols/ethernet/codec.ts'
import type { EthernetFrame } from '../../../protocols/ethernet/frame.ts'
import { problemOf } from '../../../protocols/host/icmp-errno.ts'
import { ICMP_ECHO_REPLY, IcmpMessage } from '../../../protocols/icmp/message.ts'
import type { Ipv4Packet } from '../../../protocols/ipv4/packet.ts'
import { story } from '../../../sim/testing/story.ts'
import { type Act, addr, hostTimeline, packet, PEER, type Script } from './host-timeline.ts'

// The host is 10.0.0.1. An error quotes the packet that it sent last.

const ROUTER = addr('10.0.0.254')
const remote = { address: PEER, port: 7 }
const open = (protocol: 'tcp' | 'udp' | 'icmp'): Act => ({ call: { kind: 'open', protocol } })
const connect: Act = { call: { kind: 'connect', socket: 0, remote } }
const bytes = new Uint8Array(8)

/** An ICMP error about the last packet, after `change` has been done to the bytes it quotes. */
const error = (
  type: number,
  code: number,
  change: (quoted: Uint8Array) => void = () => {},
  rest = 0,
): Act => ({
  answer: (last: EthernetFrame): Ipv4Packet => {
    const quoted = emitEthernet(last).slice(14, 14 + 28)
    change(quoted)
    return packet(new IcmpMessage(type, code, rest, quoted), { source: ROUTER })
  },
})

/** From 1 s on, without what is sent. */
const heard = (script: Script): string[] =>
  hostTimeline([...script])
    .split('\n')
    .filter((line) => Number(line.slice(0, 6)) >= 1000 && !line.includes('  > '))
    .map((line) => line.trim().replace(/\s+/g, ' '))

describe('a UDP socket', () => {
  const send: Act = { call: { kind: 'send-to', socket: 0, bytes, remote } }

  test('hears of its datagram, connected or not', () => {
    const of = (first: Act) =>
      heard([
        [0, open('udp')],
        [1, first],
        [2, send],
        [1000, error(3, 3)],
      ])
    const line = '1000 = socket 0 icmp error type 3 code 3 from 10.0.0.254'
    expect(of(send)).toEqual([line])
    expect(of(connect)).toEqual([line])
  })

  test('hears nothing about other ports, other hosts and other protocols', () => {
    const of = (change: (quoted: Uint8Array) => void) =>
      heard([
        [0, open('udp')],
        [1, connect],
        [2, send],
        [1000, error(3, 3, change)],
      ])
    expect(of((q) => (q[21]! ^= 1))).toEqual([]) // its own port
    expect(of((q) => (q[23]! ^= 1))).toEqual([]) // the peer's port
    expect(of((q) => (q[19]! ^= 1))).toEqual([]) // the peer's address
    expect(of((q) => (q[15]! ^= 2))).toEqual([]) // its own address
    expect(of((q) => (q[9] = 6))).toEqual([])
    expect(of((q) => (q[0] = 0x4f))).toEqual([]) // a header longer than the quote
  })

  test('hears nothing of source quench and redirect', () => {
    const of = (type: number) =>
      heard([
        [0, open('udp')],
        [2, send],
        [1000, error(type, 0)],
      ])
    expect(of(4)).toEqual(['1000 = drop icmp source quench: 10.0.0.254, 56'])
    expect(of(5)).toEqual(['1000 = drop icmp redirect: 10.0.0.254, 56'])
  })

  test('whose datagrams may be cut hears nothing of a path that is too narrow', () => {
    const tooBig = error(3, 4, (q) => (q[2] = 4), 600)
    expect(
      heard([
        [0, open('udp')],
        [2, send],
        [1000, tooBig],
      ]),
    ).toEqual([])
  })
})

describe('a TCP connection that is being opened', () => {
  const script = (act: Act): Script => [
    [0, open('tcp')],
    [500, connect],
    [1000, act],
  ]

  test.each([
    [0, 'ENETUNREACH'],
    [1, 'EHOSTUNREACH'],
    [2, 'ENOPROTOOPT'],
    [3, 'ECONNREFUSED'],
    [13, 'EHOSTUNREACH'],
  ])('fails at code %i with %s', (code, name) => {
    expect(heard(script(error(3, code)))).toEqual([
      `1000 = socket 0 icmp error type 3 code ${code} from 10.0.0.254`,
      `1000 = socket 0 failed ${name}`,
      '1000 = tcp 0 SYN-SENT -> CLOSED',
      '1000 = socket 0 closed',
    ])
  })

  test('does not believe an error about a segment that is not in flight', () => {
    const forged = (by: number) =>
      heard(script(error(3, 3, (q) => (q[27] = (q[27]! + by) & 255)))).slice(0, 1)
    // The SYN is at ISS, SND.MAX one behind it.
    expect(forged(0)).toEqual(['1000 = socket 0 icmp error type 3 code 3 from 10.0.0.254'])
    expect(forged(1)).toEqual(['1500 = timer 0 retransmit'])
    expect(forged(-1)).toEqual(['1500 = timer 0 retransmit'])
  })

  test('hears nothing of a source quench (MUST-55)', () => {
    expect(heard(script(error(4, 0))).slice(0, 2)).toEqual([
      '1000 = drop icmp source quench: 10.0.0.254, 56',
      '1500 = timer 0 retransmit',
    ])
  })

  test('rides out a time exceeded', () => {
    expect(heard(script(error(11, 0))).slice(0, 2)).toEqual([
      '1000 = socket 0 icmp error type 11 code 0 from 10.0.0.254',
      '1500 = timer 0 retransmit',
    ])
  })
})

describe('an echo socket', () => {
  const send = (socket: number): Act => ({
    call: { kind: 'send-echo', socket, remote: PEER, sequence: 5, bytes, ttl: 64 },
  })
  const reply = (identifier: number, source = PEER): Act => ({
    packet: packet(new IcmpMessage(ICMP_ECHO_REPLY, 0, (identifier << 16) | 5, bytes), { source }),
  })
  const bind = (port: number, socket = 0): Act => ({
    call: { kind: 'bind', socket, address: null, port },
  })

  test('hears of its requests, by identifier and sequence number', () => {
    expect(
      heard([
        [0, open('icmp')],
        [1, send(0)],
        [1000, error(11, 0)],
      ]),
    ).toEqual(['1000 = socket 0 icmp error type 11 code 0 from 10.0.0.254'])
    const other = error(11, 0, (q) => (q[25]! += 1))
    expect(
      heard([
        [0, open('icmp')],
        [1, send(0)],
        [1000, other],
      ]),
    ).toEqual([])
    // An error about a reply is nobody's.
    const aboutReply = error(11, 0, (q) => (q[20] = 0))
    expect(
      heard([
        [0, open('icmp')],
        [1, send(0)],
        [1000, aboutReply],
      ]),
    ).toEqual([])
  })

  test('has the identifier that it was bound to, and nobody else has', () => {
    const script: Script = [
      [0, open('icmp')],
      [1, bind(77)],
      [2, open('icmp')],
      [1000, bind(77, 1)],
      [1001, reply(77)],
      [1002, reply(1)],
    ]
    expect(heard(script)).toEqual([
      '1000 = socket 1 refuses bind: EADDRINUSE',
      '1001 = socket 0 echo reply seq 5 from 10.0.0.2 ttl 64',
      // The second socket took the number that the first one gave back.
      '1002 = socket 1 echo reply seq 5 from 10.0.0.2 ttl 64',
    ])
  })

  test('that is connected hears one host alone', () => {
    const script: Script = [
      [0, open('icmp')],
      [1, connect],
      [1000, reply(1, addr('10.0.0.3'))],
      [1001, reply(1)],
    ]
    expect(heard(script)).toEqual([
      '1000 = drop icmp no socket: 10.0.0.3, 36',
      '1001 = socket 0 echo reply seq 5 from 10.0.0.2 ttl 64',
    ])
  })
})

test("Linux's names for all codes; what nobody defined is nobody's", () => {
  const names = Array.from({ length: 17 }, (_, code) => {
    const problem = problemOf(3, code)
    return problem === null ? null : `${problem.hard ? '!' : ''}${problem.error}`
  })
  expect(names.join(' ')).toBe(
    'ENETUNREACH EHOSTUNREACH !ENOPROTOOPT !ECONNREFUSED EMSGSIZE EOPNOTSUPP !ENETUNREACH ' +
      '!EHOSTDOWN !ENONET !ENETUNREACH !EHOSTUNREACH ENETUNREACH EHOSTUNREACH !EHOSTUNREACH ' +
      '!EHOSTUNREACH !EHOSTUNREACH ',
  )
  expect(problemOf(11, 0)).toEqual({ error: 'EHOSTUNREACH', hard: false })
  expect(problemOf(12, 0)).toEqual({ error: 'EPROTO', hard: true })
  expect([problemOf(4, 0), problemOf(5, 1), problemOf(0, 0)]).toEqual([null, null, null])
})

test('a connection that times out after a hint fails with the name of the hint (RFC 5461 §4)', async () => {
  const text = await story({
    topology: { a: { kind: 'host', tcp: { dataRetries: 8 } }, r: 'router', b: 'host' },
    links: [
      { ends: { a: '10.0.1.2/24', r: '10.0.1.1/24' }, delay: '10ms' },
      { ends: { r: '10.0.2.1/24', b: '10.0.2.2/24' }, delay: '10ms' },
    ],
    programs: (say) => ({
      a: async (host) => {
        const socket = await host.connect('10.0.2.2', 80)
        await host.sleep('5s')
        await socket.send('anybody?')
        await socket.receive().catch((reason: { code: string }) => say(host, reason.code))
      },
      b: (host) => void host.listen(80),
    }),
    faults: [{ at: '2s', crash: 'b' }],
    until: '2000s',
    trace: /a .*icmp error/,
  })
  // Sent at 5.08 s, again as a tail loss probe after 0.36 s (twice the round trip, and 0.2 s for a
  // delayed ACK), and 1, 3, 7, 15, 31, 63, 127 and 247 s after that; given up after 367 s. At 68 s the
  // router's entry is stale and its polls find nobody, so at 132 s and 252 s it asks everybody,
  // three times in as many seconds, before it says so.
  expect(text).toMatchInlineSnapshot(`
    "135.460000000 a    socket 0 icmp error type 3 code 1 from 10.0.1.1
    255.460000000 a    socket 0 icmp error type 3 code 1 from 10.0.1.1
    372.44   a  EHOSTUNREACH"
  `)
})
