import { expect, test } from 'vitest'
import { BROADCAST_MAC } from '../../../protocols/address.ts'
import {
  ARP_ENTRIES_MAX,
  ARP_PENDING_MAX,
  arpConfirm,
  arpLookup,
  arpNextDue,
  arpSuspect,
  createArp,
} from '../../../protocols/arp/cache.ts'
import { NEVER, ms, s } from '../../../protocols/time.ts'
import {
  type Act,
  addr,
  hear,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
  reply,
  request,
  type Script,
  send,
  timeline,
} from './timeline.ts'
import { ARP_REPLY, ArpPacket } from '../../../protocols/arp/packet.ts'

const confirm: Act = (state, now) => arpConfirm(state, now, PEER)
const suspect: Act = (state, now) => arpSuspect(state, now, PEER)

test('an address that nobody answers for is asked for at 0, 1 and 2 s and given up at 3 s', () => {
  expect(timeline([[0, send(1)]], 60_000)).toMatchInlineSnapshot(`
    "     0  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
      1000  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
      2000  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
      3000  = neighbour 10.0.0.2 gone
      3000  = packet 1 arp-unresolved"
  `)
})

test('packets wait for the reply and leave in their order; a quiet cache has no deadline', () => {
  const script: Script = [
    [0, send(1)],
    [300, send(2)],
    [1500, reply()],
    [1600, send(3)],
  ]
  expect(timeline(script, 3_600_000)).toMatchInlineSnapshot(`
    "     0  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
      1000  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
      1500  = neighbour 10.0.0.2 02
      1500  > packet 1 to 02
      1500  > packet 2 to 02
      1600  > packet 3 to 02"
  `)
})

test('addresses wait on their own', () => {
  const third = addr('10.0.0.3')
  const script: Script = [
    [0, send(1)],
    [400, send(2, third)],
    [1700, reply(third, '02:00:00:00:00:03')],
  ]
  expect(timeline(script, 10_000)).toMatchInlineSnapshot(`
    "     0  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
       400  > who-has 10.0.0.3 tell 10.0.0.1 to broadcast
      1000  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
      1400  > who-has 10.0.0.3 tell 10.0.0.1 to broadcast
      1700  = neighbour 10.0.0.3 03
      1700  > packet 2 to 03
      2000  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
      3000  = neighbour 10.0.0.2 gone
      3000  = packet 1 arp-unresolved"
  `)
})

test('the queue of an address is bounded: the oldest packet makes room', () => {
  const script: Script = Array.from({ length: ARP_PENDING_MAX + 2 }, (_, i) => [0, send(i)])
  const lines = timeline([...script, [10, reply()]], 20).split('\n')
  expect(lines.slice(0, 4)).toEqual([
    '     0  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast',
    '     0  = packet 0 arp-queue-full',
    '     0  = packet 1 arp-queue-full',
    '    10  = neighbour 10.0.0.2 02',
  ])
  expect(lines.slice(4)).toEqual(
    Array.from({ length: ARP_PENDING_MAX }, (_, i) => `    10  > packet ${i + 2} to 02`),
  )
})

test('after 60 s an entry is polled by unicast and used meanwhile; an answer renews it', () => {
  const script: Script = [
    [0, send(1)],
    [10, reply()],
    [60_009, send(2)],
    [60_010, send(3)],
    [60_020, send(4)],
    [60_030, reply()],
    [120_029, send(5)],
    [120_030, send(6)],
  ]
  expect(timeline(script, 120_100)).toMatchInlineSnapshot(`
    "     0  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
        10  = neighbour 10.0.0.2 02
        10  > packet 1 to 02
     60009  > packet 2 to 02
     60010  > who-has 10.0.0.2 tell 10.0.0.1 to 02
     60010  > packet 3 to 02
     60020  > packet 4 to 02
    120029  > packet 5 to 02
    120030  > who-has 10.0.0.2 tell 10.0.0.1 to 02
    120030  > packet 6 to 02"
  `)
})

test('two polls without an answer delete the entry, and the next packet asks everybody', () => {
  const script: Script = [
    [0, reply()],
    [70_000, send(1)],
    [71_900, send(2)],
    [72_500, send(3)],
    [72_600, reply(PEER, '02:00:00:00:00:99')],
  ]
  expect(timeline(script, 80_000)).toMatchInlineSnapshot(`
    "     0  = neighbour 10.0.0.2 02
     70000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
     70000  > packet 1 to 02
     71000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
     71900  > packet 2 to 02
     72000  = neighbour 10.0.0.2 gone
     72500  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
     72600  = neighbour 10.0.0.2 99
     72600  > packet 3 to 99"
  `)
})

test('an entry that nobody used for two minutes is not trusted any more', () => {
  const script: Script = [
    [0, reply()],
    [120_000, send(1)],
    [120_005, reply()],
  ]
  expect(timeline(script, 121_500)).toMatchInlineSnapshot(`
    "     0  = neighbour 10.0.0.2 02
    120000  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
    120005  = neighbour 10.0.0.2 02
    120005  > packet 1 to 02"
  `)
})

test('a suspected neighbour is polled with the next packet, and dropped when it stays silent', () => {
  const script: Script = [
    [0, reply()],
    [5_000, suspect],
    [5_000, send(1)],
    [5_500, suspect],
    [5_500, send(2)],
  ]
  expect(timeline(script, 20_000)).toMatchInlineSnapshot(`
    "     0  = neighbour 10.0.0.2 02
      5000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
      5000  > packet 1 to 02
      5500  > packet 2 to 02
      6000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
      7000  = neighbour 10.0.0.2 gone"
  `)
})

test('suspicion does not lift the limit of one request a second', () => {
  const script: Script = [
    [0, reply()],
    [5_000, suspect],
    [5_000, send(1)],
    [5_100, reply()],
    [5_200, suspect],
    [5_200, send(2)],
    [5_400, reply()],
    [5_600, suspect],
    [5_600, send(3)],
  ]
  expect(timeline(script, 20_000)).toMatchInlineSnapshot(`
    "     0  = neighbour 10.0.0.2 02
      5000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
      5000  > packet 1 to 02
      5200  > packet 2 to 02
      5600  > packet 3 to 02
      6000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
      7000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
      8000  = neighbour 10.0.0.2 gone"
  `)
})

test('progress above renews an entry, ends a poll, and is noted once a second', () => {
  const script: Script = [
    [0, reply()],
    [500, confirm], // within a second of the reply: not noted, valid until 60,000
    [30_000, confirm], // noted: valid until 90,000
    [89_999, send(1)],
    [90_000, send(2)],
    [90_400, confirm], // ends the poll: valid until 150,400
    [150_399, send(3)],
    [150_400, send(4)],
  ]
  expect(timeline(script, 150_500)).toMatchInlineSnapshot(`
    "     0  = neighbour 10.0.0.2 02
     89999  > packet 1 to 02
     90000  > who-has 10.0.0.2 tell 10.0.0.1 to 02
     90000  > packet 2 to 02
    150399  > packet 3 to 02
    150400  > who-has 10.0.0.2 tell 10.0.0.1 to 02
    150400  > packet 4 to 02"
  `)
  const early: Script = [
    [0, reply()],
    [999, confirm],
    [60_000, send(1)],
  ]
  expect(timeline(early, 60_000)).toContain('60000  > who-has')
})

test('a request for an address of ours is answered and teaches us the sender', () => {
  const script: Script = [
    [0, request(PEER, PEER_MAC, OWN)],
    [1, request(PEER, PEER_MAC, addr('10.0.0.11'))],
    [2, send(1)],
  ]
  expect(timeline(script, 10_000)).toMatchInlineSnapshot(`
    "     0  = neighbour 10.0.0.2 02
         0  > 10.0.0.1 is-at 01 to 02
         1  > 10.0.0.11 is-at 01 to 02
         2  > packet 1 to 02"
  `)
})

test('what is overheard updates an entry but never makes one', () => {
  const other = addr('10.0.0.9')
  const script: Script = [
    [0, request(PEER, PEER_MAC, other)],
    [1, send(1)],
    [2, reply()],
    [3, request(PEER, '02:00:00:00:00:22', PEER)], // gratuitous: the peer moved
    [4, send(2)],
    [60_002, send(3)], // and the update was a sign of life at 3 ms
    [60_003, send(4)],
  ]
  expect(timeline(script, 60_003)).toMatchInlineSnapshot(`
    "     1  > who-has 10.0.0.2 tell 10.0.0.1 to broadcast
         2  = neighbour 10.0.0.2 02
         2  > packet 1 to 02
         3  = neighbour 10.0.0.2 22
         4  > packet 2 to 22
     60002  > packet 3 to 22
     60003  > who-has 10.0.0.2 tell 10.0.0.1 to 22
     60003  > packet 4 to 22"
  `)
})

test('group MACs, group addresses and our own echo teach nothing', () => {
  const reflected = new ArpPacket(ARP_REPLY, OWN_MAC, PEER, OWN_MAC, OWN)
  const script: Script = [
    [0, reply(PEER, BROADCAST_MAC)],
    [1, reply(PEER, '01:00:5e:00:00:01')],
    [2, hear(reflected)],
    [3, reply(addr('224.0.0.1'))],
    [4, reply(addr('255.255.255.255'))],
    [5, request(0, PEER_MAC, OWN)], // an address probe: answered, not learned
  ]
  expect(timeline(script, 10_000)).toBe('     5  > 10.0.0.1 is-at 01 to 02')
})

test('a station that claims an address of ours is reported and not learned', () => {
  const script: Script = [
    [0, request(OWN, PEER_MAC, OWN)],
    [1, send(1, OWN)],
  ]
  expect(timeline(script, 2)).toMatchInlineSnapshot(`
    "     0  = address-conflict 10.0.0.1 02
         1  > who-has 10.0.0.1 tell 10.0.0.1 to broadcast"
  `)
})

const many = (count: number, act: (i: number) => readonly [number, Act]) =>
  Array.from({ length: count }, (_, i) => act(i))
const neighbour = (i: number) => (addr('10.1.0.0') + i) | 0

test('a full cache forgets the least recently confirmed neighbour', () => {
  const fill = many(ARP_ENTRIES_MAX, (i) => [i, reply(neighbour(i))])
  const script: Script = [
    ...fill,
    [2_000, reply(neighbour(0))], // so that number 1 is the oldest
    [3_000, reply(addr('10.9.9.9'))],
    [3_001, send(7, neighbour(1))], // takes the place of number 2
  ]
  expect(timeline(script, 3_002).split('\n').slice(ARP_ENTRIES_MAX)).toEqual([
    '  3000  = neighbour 10.9.9.9 02',
    '  3000  = neighbour 10.1.0.1 gone',
    '  3001  > who-has 10.1.0.1 tell 10.0.0.1 to broadcast',
    '  3001  = neighbour 10.1.0.2 gone',
  ])
})

test('where all wait for an answer, the first gives its packets back', () => {
  const script = many(ARP_ENTRIES_MAX + 1, (i) => [0, send(i, neighbour(i))])
  expect(timeline(script, 1).split('\n').slice(ARP_ENTRIES_MAX)).toEqual([
    '     0  > who-has 10.1.4.0 tell 10.0.0.1 to broadcast',
    '     0  = neighbour 10.1.0.0 gone',
    '     0  = packet 0 arp-cache-full',
  ])
})

test('deadlines are there while a request is out, and only then', () => {
  const state = createArp()
  const out = { sendArp() {}, forward() {}, undeliverable() {}, event() {} }
  expect(arpNextDue(state)).toBe(NEVER)
  send(1)(state, ms(5), out)
  expect(arpNextDue(state)).toBe(s(1) + ms(5))
  expect(arpLookup(state, ms(5), PEER)).toBeNull()
  reply()(state, ms(6), out)
  expect(arpNextDue(state)).toBe(NEVER)
  expect(arpLookup(state, ms(6), PEER)).toBe(PEER_MAC)
  expect(arpLookup(state, ms(6) + s(60), PEER)).toBeNull()
})
