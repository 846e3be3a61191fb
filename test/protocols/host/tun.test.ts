import { expect, test } from 'vitest'
import { emitIpv4 } from '../../../protocols/ipv4/codec.ts'
import { DONT_FRAGMENT } from '../../../protocols/ipv4/packet.ts'
import { echoRest, IcmpMessage } from '../../../protocols/icmp/message.ts'
import { Opaque } from '../../../protocols/payload.ts'
import type { Bytes } from '../../../protocols/bytes.ts'
import { type Act, addr, hostTimeline, OWN, packet, PEER } from './host-timeline.ts'

const OPEN: Act = { call: { kind: 'open', protocol: 'tun' } }
const CLOSE: Act = { call: { kind: 'close', socket: 0 } }
const INSIDE = addr('10.7.0.1')
const BEYOND = addr('10.7.0.9')
const echo = (data: Uint8Array = new Uint8Array(8)): IcmpMessage =>
  new IcmpMessage(8, 0, echoRest(1, 1), data)
const enters = (bytes: Bytes): Act => ({ call: { kind: 'send', socket: 0, bytes } })

test('what is routed into a TUN is heard, header and all; what is sent comes in', () => {
  const request = packet(echo(), { source: BEYOND, destination: INSIDE })
  expect(
    hostTimeline(
      [
        [0, { packet: packet(echo(), { destination: BEYOND }) }],
        [10, OPEN],
        [20, { packet: packet(echo(), { destination: BEYOND }) }],
        [30, enters(emitIpv4(request))],
        [40, enters(emitIpv4(packet(echo(), { source: BEYOND, destination: PEER })))],
        [50, enters(emitIpv4(request).subarray(0, 30))],
        [60, enters(Uint8Array.of(0x15))],
        [65, OPEN],
        [70, CLOSE],
        [80, { packet: packet(echo(), { destination: BEYOND }) }],
        [90, OPEN],
      ],
      { router: true, tun: true },
    ),
  ).toMatchInlineSnapshot(`
    "     0  = drop tun without a reader: 10.0.0.2, 36
        10  = socket 0 opened tun
        20  = socket 0 datagram 36 from 10.7.0.9.0
        30  = socket 0 datagram 36 from 10.7.0.9.0
        40  > IP 10.7.0.9 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 16
        50  = drop ipv4 bad-length: 
        60  = socket 0 refuses send: EINVAL
        65  = socket 1 refuses open: EBUSY
        70  = socket 0 closed
        80  = drop tun without a reader: 10.0.0.2, 36
        90  = socket 0 opened tun"
  `)
})

test('its MTU can be set: what is too big for it is said as on any link', () => {
  const whole = packet(new Opaque(new Uint8Array(1300)), {
    destination: BEYOND,
    details: DONT_FRAGMENT,
  })
  const set = (value: number): Act => ({
    call: { kind: 'set', socket: 0, option: 'SIOCSIFMTU', value },
  })
  expect(
    hostTimeline(
      [
        [0, OPEN],
        [0, set(1280)],
        [10, { packet: whole }],
        [20, set(1400)],
        [30, { packet: whole }],
        [40, set(20)],
        [50, { call: { kind: 'set', socket: 0, option: 'IP_TTL', value: 9 } }],
        [60, { call: { kind: 'listen', socket: 0, backlog: 1 } }],
      ],
      { router: true, tun: true },
    ),
  ).toMatchInlineSnapshot(`
    "     0  = socket 0 opened tun
        10  = drop ipv4 too big: 10.0.0.2, 1320
        10  > IP 10.0.0.1 > 10.0.0.2: ICMP 10.7.0.9 unreachable - need to frag (mtu 1280), length 556
        30  = socket 0 datagram 1320 from 10.7.0.9.0
        40  = socket 0 refuses set: EINVAL
        50  = socket 0 refuses set: ENOPROTOOPT
        60  = socket 0 refuses listen: EOPNOTSUPP"
  `)
})

test('a host without one has none', () => {
  expect(hostTimeline([[0, OPEN]])).toMatchInlineSnapshot(
    `"     0  = socket 0 refuses open: ENODEV"`,
  )
})

test('whatever is sent into it, nothing throws', () => {
  const good = emitIpv4(packet(echo(), { source: BEYOND, destination: OWN }))
  const script: [number, Act][] = [[0, OPEN]]
  for (let length = 0; length <= good.length; length++) {
    script.push([1, enters(good.subarray(0, length))])
    for (const bits of [0x01, 0x80, 0xff]) {
      if (length === good.length) continue
      const bad = Uint8Array.from(good)
      bad[length]! ^= bits
      script.push([1, enters(bad)])
    }
  }
  script.push([1, enters(Uint8Array.of(0x60, ...new Uint8Array(50)))])
  expect(hostTimeline(script, { tun: true }).split('\n').length).toBeGreaterThan(80)
})
