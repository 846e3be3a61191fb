import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatIp } from '../../../protocols/address.ts'
import { concatBytes, fromHex, toHex } from '../../../protocols/bytes.ts'
import { emitDns, framed, parseDns, unframed } from '../../../protocols/dns/codec.ts'
import { type DnsData, DNS_TYPES, type DnsMessage } from '../../../protocols/dns/message.ts'
import { a, cname, message, question, record } from './fixture.ts'

test('a query and its compressed answer, byte by byte', () => {
  const query = message({ id: 0xabcd, recursionDesired: true, questions: [question('www.x', 'A')] })
  expect(toHex(emitDns(query))).toBe('abcd010000010000000000000377777701780000010001')
  const answer = message({
    ...query,
    response: true,
    authoritative: true,
    answers: [record('www.x', cname('y.x'), 60), record('y.x', a('10.0.0.1'), 60)],
  })
  expect(toHex(emitDns(answer))).toBe(
    `abcd850000010002000000000377777701780000010001${[
      'c00c000500010000003c00040179c010', // y, then a pointer to x
      'c023000100010000003c00040a000001', // a pointer to the data of the record before
    ].join('')}`,
  )
  expect(parseDns(emitDns(answer))).toEqual({ ok: true, value: answer })
})

const label = fc.string({
  unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-', '_'),
  minLength: 1,
  maxLength: 63,
})
const name = fc.array(label, { minLength: 0, maxLength: 3 }).map((labels) => labels.join('.'))
const u32 = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const data: fc.Arbitrary<DnsData> = fc.oneof(
  fc.record({ kind: fc.constant('A' as const), address: fc.integer() }),
  fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((b): DnsData => {
      const words = Array.from({ length: 8 }, (_, i) =>
        ((b[2 * i]! << 8) | b[2 * i + 1]!).toString(16),
      )
      return { kind: 'AAAA', address: formatIp(words.join(':')) }
    })
    .filter((d) => d.kind === 'AAAA' && !d.address.includes('::') && !/(^|:)0+\w/.test(d.address)),
  fc.record({ kind: fc.constantFrom('CNAME' as const, 'NS' as const, 'PTR' as const), name }),
  fc.record({
    kind: fc.constant('MX' as const),
    preference: fc.integer({ min: 0, max: 65535 }),
    name,
  }),
  fc.record({
    kind: fc.constant('TXT' as const),
    texts: fc.array(fc.string({ unit: fc.constantFrom('a', ' ', '"', 'é'), maxLength: 255 }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  fc.record({
    kind: fc.constant('SOA' as const),
    primary: name,
    mailbox: name,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
  }),
)
const records = fc.array(fc.record({ name, ttl: u32, data }), { maxLength: 5 })
const messages: fc.Arbitrary<DnsMessage> = fc.record({
  id: fc.integer({ min: 0, max: 65535 }),
  response: fc.boolean(),
  opcode: fc.integer({ min: 0, max: 15 }),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  recursionDesired: fc.boolean(),
  recursionAvailable: fc.boolean(),
  rcode: fc.integer({ min: 0, max: 15 }),
  questions: fc.array(fc.record({ name, type: fc.integer({ min: 1, max: 300 }) }), {
    maxLength: 2,
  }),
  answers: records,
  authorities: records,
  additionals: records,
})

// Compression takes names of either case for the same: here all are in lower case.
test('parse(emit(x)) = x', () => {
  fc.assert(
    fc.property(messages, (m) => {
      expect(parseDns(emitDns(m))).toEqual({ ok: true, value: m })
    }),
    { numRuns: 300, seed: 2 },
  )
})

describe('names that lead nowhere', () => {
  const header = 'abcd01000001000000000000'
  test.each([
    ['a pointer to itself', 'c00c00010001', 'bad-length'],
    ['a pointer forward', 'c01000010001', 'bad-length'],
    ['two that point at each other', '0161c00ec00c00010001', 'bad-length'],
    ['a label beyond the end', '3f6161', 'truncated'],
    ['no end', '0161', 'truncated'],
    ['a label of the reserved kinds', '4061000000010001', 'unsupported'],
    ['more than 255 bytes', `${'3f'.padEnd(128, '61').repeat(4)}0000010001`, 'bad-length'],
    ['no type behind it', '016100', 'truncated'],
  ])('%s', (_, bytes, why) => {
    expect(parseDns(fromHex(header + bytes))).toEqual({ ok: false, why })
  })

  test('a record whose length contradicts it', () => {
    const b = emitDns(message({ response: true, answers: [record('x', a('10.0.0.1'))] }))
    b[b.length - 5] = 3
    expect(parseDns(b)).toEqual({ ok: false, why: 'bad-length' })
  })
})

test('no truncation, no flipped bit and no random bytes throw', () => {
  const b = emitDns(
    message({
      response: true,
      questions: [question('www.example', 'A')],
      answers: [record('www.example', cname('a.example')), record('a.example', a('10.0.0.1'))],
    }),
  )
  for (let n = 0; n < b.length; n++) expect(parseDns(b.subarray(0, n)).ok).toBe(false)
  for (let bit = 0; bit < 8 * b.length; bit++) {
    const flipped = b.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    parseDns(flipped)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parseDns(bytes)
    }),
    { numRuns: 2000, seed: 3 },
  )
})

test('what is not printable in a name is escaped, and comes back', () => {
  const odd = 'a\\046b.c\\000d.x'
  const m = message({ questions: [{ name: odd, type: DNS_TYPES.A }] })
  expect(parseDns(emitDns(m))).toEqual({ ok: true, value: m })
})

test('records of another class are passed over (EDNS among them)', () => {
  const b = emitDns(message({ questions: [question('x', 'A')] }))
  b[11] = 1
  const opt = fromHex('0000291000000000000000')
  const parsed = parseDns(concatBytes([b, opt]))
  expect(parsed).toMatchObject({ ok: true, value: { additionals: [] } })
})

test('messages in a stream: whole ones are taken, the rest stays', () => {
  const [one, two] = [new Uint8Array(300).fill(1), new Uint8Array(3).fill(2)]
  const stream = concatBytes([framed(one), framed(two), Uint8Array.of(0, 5, 9)])
  const { messages: whole, rest } = unframed(stream)
  expect(whole.map((m) => m.length)).toEqual([300, 3])
  expect(toHex(rest)).toBe('000509')
  expect(unframed(Uint8Array.of(0))).toMatchObject({ messages: [] })
})

test('a TTL with its top bit set counts as none', () => {
  const b = emitDns(message({ response: true, answers: [record('x', a('10.0.0.1'), 5)] }))
  b[b.length - 10] = 0x80
  expect(parseDns(b)).toMatchObject({ ok: true, value: { answers: [{ ttl: 0 }] } })
})
