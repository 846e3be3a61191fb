import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../../protocols/bytes.ts'
import { emitDns, framed, unframed } from '../../../protocols/dns/codec.ts'
import { DNS_ANY, type DnsMessage, type DnsQuestion } from '../../../protocols/dns/message.ts'
import { createDnsServer, dnsServer } from '../../../protocols/dns/server.ts'
import type { SocketCall } from '../../../protocols/host/socket.ts'
import { applicationTimeline, type Script } from '../../application-timeline.ts'
import { datagram, EXAMPLE, message, messageText, question, record, said, soa } from './fixture.ts'

const ZONES = [EXAMPLE, { origin: 'sub.example', soa: record('sub.example', soa(5)), records: [] }]
const START: Script<never> = [
  [0, { kind: 'start' }],
  [0, said({ kind: 'opened', socket: 0, protocol: 'udp' })],
  [0, said({ kind: 'opened', socket: 1, protocol: 'tcp' })],
]

function callText(call: SocketCall): string | null {
  if (call.kind === 'send-to') return messageText(call.bytes)
  if (call.kind === 'send') return unframed(call.bytes).messages.map(messageText).join(' | ')
  return call.kind === 'abort' || call.kind === 'close' ? call.kind : null
}

const play = (script: Script<never>): string =>
  applicationTimeline(dnsServer, () => createDnsServer(ZONES), [...START, ...script], 100, {
    call: callText,
    report: () => null,
  })
    .split('\n')
    .map((line) => line.trim().replace(/^\S+ +/, ''))
    .join('\n')

const answerTo = (asked: DnsQuestion, fields: Partial<DnsMessage> = {}): string =>
  play([[1, datagram(message({ questions: [asked], ...fields }))]])

describe('answers', () => {
  test.each([
    ['an address', question('www.example', 'A'), 'www.example A? ok aa: A 10.0.0.80'],
    ['in either case', question('WWW.Example', 'A'), 'WWW.Example A? ok aa: A 10.0.0.80'],
    ['IPv6', question('www.example', 'AAAA'), 'www.example AAAA? ok aa: AAAA 2001:db8::80'],
    [
      'through an alias',
      question('alias.example', 'A'),
      'alias.example A? ok aa: CNAME www.example, A 10.0.0.80',
    ],
    [
      'the alias itself',
      question('alias.example', 'CNAME'),
      'alias.example CNAME? ok aa: CNAME www.example',
    ],
    [
      'an alias that leads away',
      question('away.example', 'A'),
      'away.example A? ok aa: CNAME www.elsewhere',
    ],
    ['text', question('text.example', 'TXT'), 'text.example TXT? ok aa: TXT "v=1" "two words"'],
    ['the zone itself', question('example', 'SOA'), 'example SOA? ok aa: SOA 60'],
    ['nothing of this type', question('www.example', 'TXT'), 'www.example TXT? ok aa: SOA 60'],
    ['no such name', question('nobody.example', 'A'), 'nobody.example A? NXDOMAIN aa: SOA 60'],
    [
      'a name with only others below it',
      question('empty.example', 'A'),
      'empty.example A? ok aa: SOA 60',
    ],
    ['the closest zone', question('x.sub.example', 'A'), 'x.sub.example A? NXDOMAIN aa: SOA 5'],
    ['another zone', question('www.other', 'A'), 'www.other A? REFUSED:'],
    [
      'whatever there is',
      { name: 'www.example', type: DNS_ANY },
      'www.example 255? ok aa: A 10.0.0.80, AAAA 2001:db8::80',
    ],
  ])('%s', (_, asked, expected) => {
    expect(answerTo(asked)).toBe(expected)
  })

  test('aliases in a circle come to an end', () => {
    expect(answerTo(question('loop.example', 'A'))).toContain('16 records')
  })
})

test('too much for a datagram: cut off, and whole over TCP', () => {
  const query = message({ questions: [question('big.example', 'A')] })
  expect(play([[1, datagram(query)]])).toBe('big.example A? ok aa tc:')
  const bytes = framed(emitDns(query))
  const local = { address: 1, port: 53 }
  const received = (chunk: Uint8Array, ended = false) =>
    said({ kind: 'received', socket: 5, chunks: [chunk], bytes: chunk.length, ended })
  expect(
    play([
      [1, said({ kind: 'accepted', socket: 5, listener: 1, local, remote: local })],
      // In pieces, two in one, and the end.
      [2, received(bytes.subarray(0, 1))],
      [3, received(bytes.subarray(1, 20))],
      [4, received(concatBytes([bytes.subarray(20), bytes]), true)],
    ]),
  ).toBe('big.example A? ok aa: 40 records\nbig.example A? ok aa: 40 records\nclose')
})

describe('what is no question', () => {
  test('half a message: FORMERR with its number', () => {
    expect(
      play([[1, datagram(emitDns(message({ questions: [question('x', 'A')] })).subarray(0, 14))]]),
    ).toBe('FORMERR:')
  })
  test('less than a header, and answers: silence', () => {
    expect(play([[1, datagram(new Uint8Array(11))]])).toBe('')
    expect(answerTo(question('www.example', 'A'), { response: true })).toBe('')
  })
  test('another operation, two questions, none', () => {
    expect(answerTo(question('www.example', 'A'), { opcode: 4 })).toContain('NOTIMP')
    const two = [question('www.example', 'A'), question('example', 'A')]
    expect(answerTo(two[0]!, { questions: two })).toContain('FORMERR')
    expect(answerTo(two[0]!, { questions: [] })).toContain('FORMERR')
  })
})
