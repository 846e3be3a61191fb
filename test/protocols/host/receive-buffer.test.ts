import { expect, test } from 'vitest'
import { chargeOf, doubled, RECEIVE_BUFFER } from '../../../protocols/host/receive-buffer.ts'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { UdpDatagram } from '../../../protocols/udp/datagram.ts'
import { type Act, hostTimeline, OWN, packet, type Script } from './host-timeline.ts'

/**
 * How many datagrams of a size the receive buffer holds that nobody reads. Counted on Linux 6.18 over
 * its loopback, with the default of 212,992: the sizes are the last and the first of each number.
 */
test.each([
  [0, 256],
  [197, 256],
  [198, 166],
  [645, 166],
  [646, 92],
  [1669, 92],
  [1670, 48],
  [3717, 48],
  [3718, 25],
  [7813, 25],
  [7814, 12],
  [16_005, 12],
  [16_917, 12],
  [16_918, 11],
  [18_531, 10],
  [25_793, 7],
  [41_767, 4],
  [52_416, 4],
  [52_417, 3],
])('of %i bytes each there is room for %i datagrams, as in Linux', (size, datagrams) => {
  expect(Math.floor(RECEIVE_BUFFER / chargeOf(size))).toBe(datagrams)
})

test('what is set counts twice, and less than 2304 is not taken', () => {
  expect([1, 1000, 1152, 1153, 10_000].map(doubled)).toEqual([2304, 2304, 2304, 2306, 20_000])
})

const open: readonly SocketCall[] = [
  { kind: 'open', protocol: 'udp' },
  { kind: 'bind', socket: 0, address: OWN, port: 7 },
]
const comes = (size: number): Act => ({
  packet: packet(new UdpDatagram(9, 7, new Uint8Array(size))),
})
const hold = (size: number): Act => ({ call: { kind: 'hold', socket: 0, size } })
const release = (size: number): Act => ({ call: { kind: 'release', socket: 0, size } })
const script = (...acts: readonly Act[]): Script => [
  ...open.map((call) => [0, { call }] as const),
  ...acts.map((act, i) => [i + 1, act] as const),
]

test('a datagram that finds no room is dropped; what is read makes room', () => {
  const small: Act = { call: { kind: 'set', socket: 0, option: 'SO_RCVBUF', value: 1000 } }
  const told: Act = { call: { kind: 'get', socket: 0, option: 'SO_RCVBUF' } }
  const fills = [told, small, told, comes(1), hold(1), comes(2), hold(2), comes(3)]
  const empties = [release(1), comes(4), hold(4), comes(5), release(2), release(4), comes(6)]
  const text = hostTimeline(script(...fills, ...empties))
  expect(text).toMatchInlineSnapshot(`
    "     0  = socket 0 opened udp
         1  = socket 0 SO_RCVBUF=212992
         3  = socket 0 SO_RCVBUF=2304
         4  = socket 0 datagram 1 from 10.0.0.2.9
         6  = socket 0 datagram 2 from 10.0.0.2.9
         8  = drop udp receive buffer full: 10.0.0.2, 31
        10  = socket 0 datagram 4 from 10.0.0.2.9
        12  = drop udp receive buffer full: 10.0.0.2, 33
        15  = socket 0 datagram 6 from 10.0.0.2.9"
  `)
})

test('who takes each datagram as it comes loses none; the first of any size finds room', () => {
  const small: Act = { call: { kind: 'set', socket: 0, option: 'SO_RCVBUF', value: 1 } }
  const text = hostTimeline(
    script(small, comes(1000), comes(1001), comes(1002), hold(1002), comes(0)),
  )
  expect(text).toMatchInlineSnapshot(`
    "     0  = socket 0 opened udp
         2  = socket 0 datagram 1000 from 10.0.0.2.9
         3  = socket 0 datagram 1001 from 10.0.0.2.9
         4  = socket 0 datagram 1002 from 10.0.0.2.9
         6  = drop udp receive buffer full: 10.0.0.2, 28"
  `)
})
