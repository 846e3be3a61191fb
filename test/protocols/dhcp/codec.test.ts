import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ip, type Ipv4Address } from '../../../protocols/address.ts'
import { fromHex, toHex } from '../../../protocols/bytes.ts'
import { emitDhcp, parseDhcp } from '../../../protocols/dhcp/codec.ts'
import {
  DHCP_TYPES,
  type DhcpMessage,
  leaseOf,
  NO_DHCP_OPTIONS,
} from '../../../protocols/dhcp/message.ts'
import { s } from '../../../protocols/time.ts'

const addr = (text: string) => ip(text) as Ipv4Address

const REQUEST: DhcpMessage = {
  reply: false,
  type: 'request',
  transaction: 0x3903f326,
  seconds: 7,
  broadcast: true,
  clientAddress: 0,
  yourAddress: 0,
  nextServer: 0,
  relay: 0,
  hardware: '02:00:00:00:00:01',
  options: {
    ...NO_DHCP_OPTIONS,
    requestedAddress: addr('10.0.0.9'),
    serverId: addr('10.0.0.1'),
    hostName: 'a',
    parameters: [1, 3, 6],
  },
}

test('the bytes of a request, field by field', () => {
  const b = emitDhcp(REQUEST)
  expect(b.length).toBe(300)
  expect(toHex(b.subarray(0, 44))).toBe(
    `010106003903f32600078000${'00'.repeat(16)}020000000001${'00'.repeat(10)}`,
  )
  expect(toHex(b.subarray(44, 236))).toBe('00'.repeat(192))
  expect(toHex(b.subarray(236, 270))).toBe(
    '63825363' +
      '350103' +
      '0c0161' +
      '32040a000009' +
      '36040a000001' +
      '3703010306' +
      'ff' +
      '00'.repeat(6),
  )
})

const address = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const optional = <T>(a: fc.Arbitrary<T>) => fc.option(a, { nil: null })
const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-', '.'),
  minLength: 1,
  maxLength: 300,
})
const message: fc.Arbitrary<DhcpMessage> = fc.record({
  reply: fc.boolean(),
  type: fc.constantFrom(...DHCP_TYPES),
  transaction: address,
  seconds: fc.integer({ min: 0, max: 65535 }),
  broadcast: fc.boolean(),
  clientAddress: address,
  yourAddress: address,
  nextServer: address,
  relay: address,
  hardware: fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .map((b) => Array.from(b, (n) => n.toString(16).padStart(2, '0')).join(':')),
  options: fc.record({
    mask: optional(address),
    routers: fc.array(address, { maxLength: 70 }),
    dns: fc.array(address, { maxLength: 3 }),
    hostName: optional(text),
    domainName: optional(text),
    requestedAddress: optional(address),
    leaseSeconds: optional(seconds),
    renewalSeconds: optional(seconds),
    rebindingSeconds: optional(seconds),
    serverId: optional(address),
    message: optional(text),
    clientId: optional(fc.uint8Array({ minLength: 1, maxLength: 300 })),
    parameters: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }),
  }),
})

test('parse(emit(x)) = x, long options in pieces included', () => {
  fc.assert(
    fc.property(message, (m) => {
      expect(parseDhcp(emitDhcp(m))).toEqual({ ok: true, value: m })
    }),
    { numRuns: 200, seed: 1 },
  )
})

test('no truncation and no flipped bit throws', () => {
  const b = emitDhcp(REQUEST)
  for (let n = 0; n < 240; n++) {
    expect(parseDhcp(b.subarray(0, n))).toEqual({ ok: false, why: 'truncated' })
  }
  for (let n = 240; n < b.length; n++) parseDhcp(b.subarray(0, n))
  for (let bit = 0; bit < 8 * b.length; bit++) {
    const flipped = b.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    parseDhcp(flipped)
  }
})

describe('what is refused, and why', () => {
  const changed = (at: number, ...bytes: number[]) => {
    const b = emitDhcp(REQUEST)
    b.set(bytes, at)
    return parseDhcp(b)
  }
  test.each([
    ['an operation that is none', changed(0, 3), 'unsupported'],
    ['hardware that is not Ethernet', changed(1, 6), 'unsupported'],
    ['BOOTP without DHCP', changed(236, 0), 'unsupported'],
    ['a type that is none', changed(242, 9), 'unsupported'],
    ['an option beyond the end', changed(244, 255), 'bad-option'],
    ['an address of three bytes', changed(247, 3), 'bad-option'],
  ])('%s', (_, parsed, why) => {
    expect(parsed.ok).toBe(why === 'ok')
    expect(parsed).toMatchObject({ why })
  })
})

test('options that go on in the file and server name fields', () => {
  const b = emitDhcp({ ...REQUEST, options: NO_DHCP_OPTIONS })
  b.set(fromHex('340103ff'), 243) // overload both
  b.set(fromHex('33040000003cff'), 108)
  b.set(fromHex('36040a000001ff'), 44)
  expect(parseDhcp(b)).toMatchObject({
    ok: true,
    value: { options: { leaseSeconds: 60, serverId: addr('10.0.0.1') } },
  })
})

test('an option that stands there twice is one (RFC 3396)', () => {
  const b = emitDhcp({ ...REQUEST, options: NO_DHCP_OPTIONS })
  b.set(fromHex('0c0261620c026364ff'), 243)
  expect(parseDhcp(b)).toMatchObject({ ok: true, value: { options: { hostName: 'abcd' } } })
})

describe('the lease that an ACK grants', () => {
  const ack = (options: Partial<DhcpMessage['options']>): DhcpMessage => ({
    ...REQUEST,
    reply: true,
    type: 'ack',
    yourAddress: addr('10.0.0.9'),
    options: { ...NO_DHCP_OPTIONS, serverId: addr('10.0.0.1'), leaseSeconds: 800, ...options },
  })
  test('counts from the request; T1 is half of it, T2 seven eighths', () => {
    const lease = leaseOf(ack({}), s(10))!
    expect([lease.renewAt, lease.rebindAt, lease.expiresAt]).toEqual([s(410), s(710), s(810)])
  })
  test('T1 and T2 as the server says, but in order', () => {
    const lease = leaseOf(ack({ renewalSeconds: 900, rebindingSeconds: 700 }), 0)!
    expect([lease.renewAt, lease.rebindAt]).toEqual([s(700), s(700)])
  })
  test('without an end', () => {
    expect(leaseOf(ack({ leaseSeconds: 0xffffffff }), 0)!.expiresAt).toBe(Infinity)
  })
  test('the mask, or else the class of the address', () => {
    expect(leaseOf(ack({ mask: addr('255.255.255.0') }), 0)!.prefixLength).toBe(24)
    expect(leaseOf(ack({ mask: addr('255.0.255.0') }), 0)!.prefixLength).toBe(8)
    expect(leaseOf(ack({}), 0)!.prefixLength).toBe(8)
  })
  test('none without a length, a server or an address', () => {
    expect(leaseOf(ack({ leaseSeconds: null }), 0)).toBeNull()
    expect(leaseOf(ack({ serverId: null }), 0)).toBeNull()
    expect(leaseOf({ ...ack({}), yourAddress: 0 }, 0)).toBeNull()
  })
})
