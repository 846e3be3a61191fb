import { describe, expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import {
  createNat,
  mapIn,
  mapOut,
  NAT_DEFAULTS,
  type NatConfig,
  type NatFiltering,
} from '../../../protocols/nat/table.ts'
import { ACK, FIN, RST, SYN } from '../../../protocols/tcp/segment.ts'
import { s } from '../../../protocols/time.ts'

const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address
const [TCP, UDP, ICMP] = [6, 17, 1]
const IN = addr('192.168.0.2')
const OTHER = addr('192.168.0.3')
const PEER = addr('10.9.0.1')
const STRANGER = addr('10.9.0.2')

const nat = (changes: Partial<NatConfig> = {}) =>
  createNat({ ...NAT_DEFAULTS, outside: 0, address: addr('10.9.0.9'), ...changes })

describe('mapping (RFC 4787 REQ-1, 3, 4)', () => {
  test('one port outside for one endpoint inside, whoever the peer is', () => {
    const table = nat()
    const one = mapOut(table, 0, UDP, IN, 5000, PEER, 53)!
    const two = mapOut(table, 0, UDP, IN, 5000, STRANGER, 99)!
    expect([one.outsidePort, two.outsidePort]).toEqual([5000, 5000])
  })
  test('the inside port where it is free, else the next of its parity', () => {
    const table = nat()
    mapOut(table, 0, UDP, IN, 5000, PEER, 53)
    expect(mapOut(table, 0, UDP, OTHER, 5000, PEER, 53)!.outsidePort).toBe(5002)
    expect(mapOut(table, 0, TCP, OTHER, 5000, PEER, 53)!.outsidePort).toBe(5000)
  })
  test('low ports stay low', () => {
    const table = nat()
    mapOut(table, 0, UDP, IN, 1023, PEER, 53)
    expect(mapOut(table, 0, UDP, OTHER, 1023, PEER, 53)!.outsidePort).toBe(1)
  })
  test('when every port is taken, or the table is full: none', () => {
    const table = nat({ mappingsMax: 2 })
    mapOut(table, 0, UDP, IN, 1, PEER, 53)
    mapOut(table, 0, UDP, IN, 2, PEER, 53)
    expect(mapOut(table, 0, UDP, IN, 3, PEER, 53)).toBeNull()
    expect(mapOut(table, s(301), UDP, IN, 3, PEER, 53)).not.toBeNull()
    const low = nat()
    for (let i = 0; i < 511; i++) mapOut(low, 0, UDP, addr('192.168.4.0') + i, 2, PEER, 53)
    expect(mapOut(low, 0, UDP, OTHER, 2, PEER, 53)).toBeNull()
  })
})

describe('filtering (REQ-8)', () => {
  const enters = (filtering: NatFiltering, from: Ipv4Address, port: number): boolean => {
    const table = nat({ filtering })
    mapOut(table, 0, UDP, IN, 5000, PEER, 53)
    return mapIn(table, s(1), UDP, 5000, from, port) !== null
  }
  test.each([
    ['endpoint-independent', true, true],
    ['address-dependent', true, false],
    ['address-and-port-dependent', false, false],
  ] as const)('%s', (filtering, otherPort, stranger) => {
    expect(enters(filtering, PEER, 53)).toBe(true)
    expect(enters(filtering, PEER, 54)).toBe(otherPort)
    expect(enters(filtering, STRANGER, 53)).toBe(stranger)
  })
})

describe('UDP lives for five minutes (REQ-5, REQ-6)', () => {
  test('after what went out last', () => {
    const table = nat()
    mapOut(table, 0, UDP, IN, 5000, PEER, 53)
    mapOut(table, s(200), UDP, IN, 5000, PEER, 53)
    expect(mapIn(table, s(499.9), UDP, 5000, PEER, 53)).not.toBeNull()
    expect(mapIn(table, s(500), UDP, 5000, PEER, 53)).toBeNull()
  })
  test('what comes in keeps nothing alive', () => {
    const table = nat()
    mapOut(table, 0, UDP, IN, 5000, PEER, 53)
    expect(mapIn(table, s(299), UDP, 5000, PEER, 53)).not.toBeNull()
    expect(mapIn(table, s(300), UDP, 5000, PEER, 53)).toBeNull()
  })
})

describe('TCP (RFC 5382 REQ-5)', () => {
  const out = (table: ReturnType<typeof nat>, at: number, flags: number) =>
    mapOut(table, s(at), TCP, IN, 5000, PEER, 80, flags)
  const enter = (table: ReturnType<typeof nat>, at: number, flags: number) =>
    mapIn(table, s(at), TCP, 5000, PEER, 80, flags)
  function established() {
    const table = nat()
    out(table, 0, SYN)
    enter(table, 0, SYN | ACK)
    return table
  }
  test('a SYN that nobody answers: four minutes', () => {
    const table = nat()
    out(table, 0, SYN)
    expect(enter(table, 239, SYN | ACK)).not.toBeNull()
    const again = nat()
    out(again, 0, SYN)
    expect(enter(again, 240, SYN | ACK)).toBeNull()
  })
  test('established: two hours and four minutes after the last segment either way', () => {
    const table = established()
    expect(enter(table, 7439, ACK)).not.toBeNull()
    expect(enter(table, 7439 + 7439, ACK)).not.toBeNull()
    expect(enter(table, 7439 + 7439 + 7440, ACK)).toBeNull()
  })
  test('both FINs, or a reset: four minutes; one FIN alone: as before', () => {
    const half = established()
    out(half, 10, FIN | ACK)
    expect(enter(half, 1000, ACK)).not.toBeNull()
    const closed = established()
    out(closed, 10, FIN | ACK)
    enter(closed, 11, FIN | ACK)
    expect(enter(closed, 252, ACK)).toBeNull()
    const reset = established()
    enter(reset, 10, RST)
    expect(enter(reset, 251, ACK)).toBeNull()
  })
  test('a new SYN on the same port begins anew', () => {
    const table = established()
    enter(table, 10, RST)
    out(table, 20, SYN)
    enter(table, 20, SYN | ACK)
    expect(enter(table, 1000, ACK)).not.toBeNull()
  })
})

test('an echo lives for a minute (RFC 5508 REQ-2)', () => {
  const table = nat()
  mapOut(table, 0, ICMP, IN, 7, PEER, 0)
  expect(mapIn(table, s(59), ICMP, 7, PEER, 0)).not.toBeNull()
  expect(mapIn(table, s(60), ICMP, 7, PEER, 0)).toBeNull()
})

test('a mapping talks to many, and remembers a bounded number of them', () => {
  const table = nat()
  for (let i = 0; i < 3000; i++) mapOut(table, i, UDP, IN, 5000, PEER, 1 + i)
  expect(table.byOutside.size).toBe(1)
  expect(mapIn(table, 4000, UDP, 5000, PEER, 3000)).not.toBeNull()
  expect(mapIn(table, 4000, UDP, 5000, PEER, 1)).toBeNull()
})
