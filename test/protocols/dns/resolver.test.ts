import { describe, expect, test } from 'vitest'
import { formatIp } from '../../../protocols/address.ts'
import { emitDns, framed, parseDns, unframed } from '../../../protocols/dns/codec.ts'
import { DNS_TYPES, type DnsMessage, type DnsTypeName } from '../../../protocols/dns/message.ts'
import {
  createDnsResolver,
  type DnsResolverCommand,
  type DnsResolverReport,
  dnsResolver,
} from '../../../protocols/dns/resolver.ts'
import type { SocketCall, SocketEvent } from '../../../protocols/host/socket.ts'
import { applicationTimeline, type Script } from '../../application-timeline.ts'
import {
  a,
  addr,
  cname,
  dataText,
  message,
  messageText,
  question,
  record,
  said,
  soa,
} from './fixture.ts'

const [ONE, TWO] = [addr('10.0.0.53'), addr('10.0.1.53')]
const SERVERS = [
  { address: ONE, port: 53 },
  { address: TWO, port: 53 },
]

const resolve = (name: string, type: DnsTypeName = 'A', id = 1) =>
  ({ kind: 'command', command: { kind: 'resolve', id, name, type: DNS_TYPES[type] } }) as const

type Told = readonly [at: number, input: Script<DnsResolverCommand>[number][1] | Reply]
/** A response to the last query on a socket; over TCP, framed. */
interface Reply {
  readonly socket: number
  readonly tcp?: boolean
  readonly fields: Partial<DnsMessage>
}

const opened = (socket: number, protocol: 'udp' | 'tcp' = 'udp') =>
  said({ kind: 'opened', socket, protocol })

function reportText(report: DnsResolverReport): string | null {
  if (report.kind === 'asked') {
    const over = report.tcp ? ' over TCP' : ''
    return `? ${report.question.name} at ${formatIp(report.server.address)}${over}`
  }
  const { result, id } = report
  const found = result.kind === 'records' ? result.records.map(({ data }) => dataText(data)) : []
  return `= ${id}: ${result.kind} ${found.join(', ')}`.trim()
}

function callText(call: SocketCall): string | null {
  if (call.kind === 'send') {
    const framedOnes = unframed(call.bytes).messages
    return `> ${messageText(framedOnes.length > 0 ? framedOnes[0]! : call.bytes)}`
  }
  return call.kind === 'close' ? `close ${call.socket}` : null
}

function timeline(told: readonly Told[], until = 100, servers = SERVERS): string {
  const script: Script<DnsResolverCommand>[number][] = []
  const create = () => createDnsResolver(servers, 7)
  for (const [at, given] of told) {
    if ('kind' in given) {
      script.push([at, given])
      continue
    }
    // What was asked last carries the number that the answer needs.
    let asked: DnsMessage | null = null
    applicationTimeline(dnsResolver, create, script, at, {
      call: (call) => {
        if (call.kind !== 'send' || call.socket !== given.socket) return null
        const [inStream] = unframed(call.bytes).messages
        const parsed = parseDns(given.tcp === true ? inStream! : call.bytes)
        if (parsed.ok) asked = parsed.value
        return null
      },
      report: () => null,
    })
    const { id, questions } = asked ?? message({})
    const bytes = emitDns(message({ id, questions, response: true, ...given.fields }))
    const event: SocketEvent =
      given.tcp === true
        ? {
            kind: 'received',
            socket: given.socket,
            chunks: [framed(bytes)],
            bytes: 1,
            ended: false,
          }
        : {
            kind: 'datagram',
            socket: given.socket,
            payload: bytes,
            remote: SERVERS[0]!,
            local: { address: 1, port: 1 },
          }
    script.push([at, said(event)])
  }
  return applicationTimeline(dnsResolver, create, script, until, {
    call: callText,
    report: reportText,
  })
}

const ANSWER: Reply = {
  socket: 0,
  fields: { answers: [record('www.example', a('10.0.0.80'), 60)] },
}

test('a datagram socket that says it is connected is sent nothing more', () => {
  const connected = said({ kind: 'connected', socket: 0, local: SERVERS[0]!, remote: SERVERS[0]! })
  const lines = timeline(
    [
      [0, resolve('www.example')],
      [0, opened(0)],
      [0, connected],
    ],
    1,
  )
  expect(lines.split('\n').filter((line) => line.includes('>'))).toHaveLength(1)
})

test('a name is found', () => {
  expect(
    timeline([
      [0, resolve('www.example')],
      [0, opened(0)],
      [0.02, ANSWER],
    ]),
  ).toMatchInlineSnapshot(`
    "            0  ? www.example at 10.0.0.53
                0  > www.example A?
             0.02  close 0
             0.02  = 1: records A 10.0.0.80"
  `)
})

test('nobody answers: each server twice, five seconds each', () => {
  expect(
    timeline([
      [0, resolve('www.example')],
      [0, opened(0)],
      [5.001, opened(1)],
      [10.001, opened(2)],
      [15.001, opened(3)],
    ]),
  ).toMatchInlineSnapshot(`
    "            0  ? www.example at 10.0.0.53
                0  > www.example A?
                5  close 0
                5  ? www.example at 10.0.1.53
            5.001  > www.example A?
               10  close 1
               10  ? www.example at 10.0.0.53
           10.001  > www.example A?
               15  close 2
               15  ? www.example at 10.0.1.53
           15.001  > www.example A?
               20  close 3
               20  = 1: timed-out"
  `)
})

test('a server that refuses, fails or is not there: the next one at once', () => {
  const gone: SocketEvent = {
    kind: 'icmp-error',
    socket: 2,
    from: ONE,
    remote: ONE,
    type: 3,
    code: 3,
    sequence: 0,
    error: 'ECONNREFUSED',
    hard: true,
  }
  expect(
    timeline([
      [0, resolve('www.example')],
      [0, opened(0)],
      [1, { socket: 0, fields: { rcode: 5 } }],
      [1, opened(1)],
      [2, { socket: 1, fields: { rcode: 2 } }],
      [2, opened(2)],
      [3, said(gone)],
      [3, opened(3)],
      [4, { socket: 3, fields: { rcode: 2 } }],
    ]),
  ).toMatchInlineSnapshot(`
    "            0  ? www.example at 10.0.0.53
                0  > www.example A?
                1  close 0
                1  ? www.example at 10.0.1.53
                1  > www.example A?
                2  close 1
                2  ? www.example at 10.0.0.53
                2  > www.example A?
                3  close 2
                3  ? www.example at 10.0.1.53
                3  > www.example A?
                4  close 3
                4  = 1: server-failure"
  `)
})

describe('what does not match is not believed (RFC 5452)', () => {
  test.each([
    ['another number', { id: 0 }],
    ['another name', { questions: [question('www.other', 'A')] }],
    ['another type', { questions: [question('www.example', 'TXT')] }],
    ['no question', { questions: [] }],
    ['a question', { response: false }],
  ])('%s', (_, fields) => {
    const forged: Reply = { socket: 0, fields: { ...ANSWER.fields, ...fields } }
    const lines = timeline(
      [
        [0, resolve('www.example')],
        [0, opened(0)],
        [0.02, forged],
      ],
      1,
    )
    expect(lines).not.toContain('=')
  })
})

test('cut off: the same again over TCP', () => {
  const connected = said({ kind: 'connected', socket: 1, local: SERVERS[0]!, remote: SERVERS[0]! })
  expect(
    timeline([
      [0, resolve('www.example')],
      [0, opened(0)],
      [0.02, { socket: 0, fields: { truncated: true } }],
      [0.02, opened(1, 'tcp')],
      [0.04, connected],
      [0.06, { ...ANSWER, socket: 1, tcp: true }],
    ]),
  ).toMatchInlineSnapshot(`
    "            0  ? www.example at 10.0.0.53
                0  > www.example A?
             0.02  close 0
             0.02  ? www.example at 10.0.0.53 over TCP
             0.04  > www.example A?
             0.06  close 1
             0.06  = 1: records A 10.0.0.80"
  `)
})

describe('aliases', () => {
  test('within the answer', () => {
    const answers = [record('x.example', cname('www.example')), ...ANSWER.fields.answers!]
    expect(
      timeline([
        [0, resolve('x.example')],
        [0, opened(0)],
        [0.02, { socket: 0, fields: { answers } }],
      ]),
    ).toContain('= 1: records A 10.0.0.80')
  })
  test('that lead to another question', () => {
    const answers = [record('x.example', cname('www.example'))]
    expect(
      timeline([
        [0, resolve('x.example')],
        [0, opened(0)],
        [0.02, { socket: 0, fields: { answers } }],
        [0.02, opened(1)],
        [0.04, { ...ANSWER, socket: 1 }],
      ]),
    ).toMatchInlineSnapshot(`
      "            0  ? x.example at 10.0.0.53
                  0  > x.example A?
               0.02  close 0
               0.02  ? www.example at 10.0.0.53
               0.02  > www.example A?
               0.04  close 1
               0.04  = 1: records A 10.0.0.80"
    `)
  })
  test('in a circle end as nothing', () => {
    const answers = [
      record('x.example', cname('y.example')),
      record('y.example', cname('x.example')),
    ]
    const lines = timeline([
      [0, resolve('x.example')],
      [0, opened(0)],
      [0.02, { socket: 0, fields: { answers, authorities: [record('example', soa(9))] } }],
    ])
    expect(lines).toContain('= 1: no-data')
  })
})

describe('what was found is remembered', () => {
  const again = (at: number): Told => [at, resolve('WWW.example.', 'A', 2)]
  test('for as long as it may be', () => {
    const start: Told[] = [
      [0, resolve('www.example')],
      [0, opened(0)],
      [0.02, ANSWER],
    ]
    expect(timeline([...start, again(60)])).toContain('60  = 2: records A 10.0.0.80')
    expect(timeline([...start, again(60.02)])).toContain('60.02  ? WWW.example at 10.0.0.53')
  })
  test('no such name: for as long as the SOA says', () => {
    const no: Reply = {
      socket: 0,
      fields: { rcode: 3, authorities: [record('example', soa(10), 3600)] },
    }
    const start: Told[] = [
      [0, resolve('www.example')],
      [0, opened(0)],
      [0.02, no],
    ]
    expect(timeline([...start, again(10)])).toContain('10  = 2: no-name')
    expect(timeline([...start, again(10.02)])).toContain('10.02  ? WWW.example')
  })
  test('a "no" without an SOA is not', () => {
    const no: Reply = { socket: 0, fields: { rcode: 3 } }
    const start: Told[] = [
      [0, resolve('www.example')],
      [0, opened(0)],
      [0.02, no],
    ]
    expect(timeline([...start, again(1)])).toContain('1  ? WWW.example')
  })
  test('an alias shortens it', () => {
    const answers = [
      record('www.example', cname('b.example'), 5),
      record('b.example', a('10.0.0.1')),
    ]
    const start: Told[] = [
      [0, resolve('www.example')],
      [0, opened(0)],
      [0.02, { socket: 0, fields: { answers } }],
    ]
    expect(timeline([...start, again(5)])).toContain('5  = 2: records')
    expect(timeline([...start, again(6)])).toContain('6  ? WWW.example')
  })
})

test('names that are none, and nobody to ask', () => {
  expect(timeline([[0, resolve('a..b')]])).toContain('bad-name')
  expect(timeline([[0, resolve('')]])).toContain('bad-name')
  expect(timeline([[0, resolve('x'.repeat(64))]])).toContain('bad-name')
  expect(timeline([[0, resolve('x')]], 10, [])).toContain('timed-out')
})

test('a port that is taken: another one', () => {
  const binds: number[] = []
  const rejected: SocketEvent = { kind: 'rejected', socket: 0, call: 'bind', error: 'EADDRINUSE' }
  const script: Script<DnsResolverCommand> = [
    [0, resolve('www.example')],
    [0, opened(0)],
    [0, said(rejected)],
  ]
  applicationTimeline(dnsResolver, () => createDnsResolver(SERVERS, 7), script, 1, {
    call: (call) => {
      if (call.kind === 'bind') binds.push(call.port)
      return null
    },
    report: () => null,
  })
  // In place, then recorded.
  expect(new Set(binds).size).toBe(2)
  expect(binds.every((port) => port >= 1024 && port < 65536)).toBe(true)
})
