import { describe, expect, test } from 'vitest'
import { parseScript } from '../../../sim/packetdrill/parse-script.ts'
import { ScriptSyntaxError } from '../../../sim/packetdrill/script.ts'

const NONE = new Map<string, string>()
const parse = (source: string, defines = NONE) => parseScript(source, defines)
const one = (source: string) => parse(source).events[0]!

describe('times', () => {
  test.each([
    ['1.25', { relative: false, time: 1_250_000_000, latest: 1_250_000_000, returns: null }],
    ['+.5', { relative: true, time: 500_000_000, latest: 500_000_000, returns: null }],
    ['+.1~+.3', { relative: true, time: 100_000_000, latest: 300_000_000, returns: null }],
    ['0.1234569', { relative: false, time: 123_456_000, latest: 123_456_000, returns: null }],
  ])('%s', (time, when) => {
    expect(one(`${time} > . 1:1(0) ack 1`).when).toEqual({ kind: 'at', ...when })
  })

  test('of a call that blocks', () => {
    expect(one('+0...0.1 read(3, ..., 9) = 0').when).toEqual({
      kind: 'at',
      relative: true,
      time: 0,
      latest: 0,
      returns: 100_000_000,
    })
  })

  test('* is any', () => {
    expect(one('* > . 1:1(0) ack 1').when).toEqual({ kind: 'any' })
  })
})

test('a segment with everything', () => {
  const { action } = one(
    '0 < [ce] SFE. 5:8(3) ack 7 win 9 urg 2 <mss 10,sack 1:2 3:4,nop,TS val 5 ecr 6>',
  )
  expect(action).toEqual({
    kind: 'packet',
    inbound: true,
    packet: {
      kind: 'tcp',
      ip: { ecn: 'ce', tos: -1, ttl: -1, flowLabel: -1 },
      ports: null,
      flags: 0x53,
      seq: 5,
      length: 3,
      ack: 7,
      window: 9,
      urgent: 2,
      absolute: false,
      options: [
        { kind: 'mss', value: 10 },
        { kind: 'sack', edges: [1, 2, 3, 4] },
        { kind: 'nop' },
        { kind: 'TS', value: 5, echo: 6 },
      ],
      udp: null,
    },
  })
})

test('a call', () => {
  expect(
    one('0 f(3, A|B, [1, "x" "y"], {a=..., 0x10}, htons(80)) = -1 EAGAIN (try (again))').action,
  ).toEqual({
    kind: 'call',
    name: 'f',
    result: -1,
    errno: 'EAGAIN',
    args: [
      { kind: 'number', value: 3 },
      {
        kind: 'or',
        parts: [
          { kind: 'word', name: 'A' },
          { kind: 'word', name: 'B' },
        ],
      },
      {
        kind: 'list',
        items: [
          { kind: 'number', value: 1 },
          { kind: 'string', value: 'xy' },
        ],
      },
      {
        kind: 'fields',
        fields: [
          { name: 'a', value: { kind: 'ellipsis' } },
          { name: null, value: { kind: 'number', value: 16 } },
        ],
      },
      { kind: 'apply', name: 'htons', args: [{ kind: 'number', value: 80 }] },
    ],
  })
})

test('options, commands at the ends, comments of both kinds, and lines counted through them', () => {
  const { options, init, events, cleanup } = parse(`// one
--mtu=1400
--define=WHO=host_unreachable /* two
*/ \`first
one\`
0 < icmp unreachable WHO [1:11(10)] // not WHO
+0 \`middle\`
\`last\``)
  expect([...options]).toEqual([['mtu', '1400']])
  expect(init).toEqual({ line: 4, text: 'first\none' })
  expect(cleanup).toEqual({ line: 8, text: 'last' })
  expect(events.map(({ line, text }) => [line, text])).toEqual([
    [6, '< icmp unreachable host_unreachable [1:11(10)]'],
    [7, '`middle`'],
  ])
})

test('#ifdef keeps one branch, and the numbers of the lines', () => {
  const source = '#ifdef A\n0 f() = 1\n#endif\n#ifdef B\n0 f() = 2\n#endif'
  expect(parse(source, new Map([['B', '']])).events.map((e) => e.line)).toEqual([5])
  expect(parse(source).events).toEqual([])
})

describe('mistakes are told with their line', () => {
  test.each([
    ['\n0 > . 1:5(3) ack 1', 2, '1:5 are not 3 bytes'],
    ['0 < . 1:1(0) ack 1', 1, "'win' expected"],
    ['0 < . 1:1(0) ack 1 win 1 <mss>', 1, 'a number expected'],
    ['* read(3, ..., 1) = 0', 1, 'only a packet that is sent'],
    ['f() = 1', 1, 'a time expected'],
    ['0 `never', 1, "'`' is missing"],
    ['#ifdef A\n0 f() = 1', 2, '#ifdef without #endif'],
    ['#else', 1, "unknown directive '#else'"],
  ])('%s', (source, line, message) => {
    const read = () => parse(source)
    expect(read).toThrow(ScriptSyntaxError)
    expect(read).toThrow(message)
    expect(read).toThrow(expect.objectContaining({ line }))
  })
})
