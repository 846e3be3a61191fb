import { describe, expect, test } from 'vitest'
import { established, plain } from '../../timeline.ts'

/** What happens at 9 s, the lines of that instant alone. */
const at9 = (script: string, options: Parameters<typeof plain>[1] = {}): string[] =>
  plain(script, { until: '9s', ...options })
    .split('\n')
    .filter((line) => line.startsWith('   9 '))
    .map((line) => line.slice(10))

const OPEN = '0 connect\n0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n'
const FIN_WAIT_1 = `${OPEN} 8.5 close\n`
const FIN_WAIT_2 = `${FIN_WAIT_1} 8.6 < . 1:1(0) ack 2\n`
const TIME_WAIT = `${FIN_WAIT_2} 8.7 < F. 1:1(0) ack 2\n`
const CLOSING = `${FIN_WAIT_1} 8.6 < F. 1:1(0) ack 1\n`
const CLOSE_WAIT = `${OPEN} 8.5 < F. 1:1(0) ack 1\n`
const LAST_ACK = `${CLOSE_WAIT} 8.6 close\n`

describe('a reset with the exact sequence number (RFC 9293 §3.10.7.4, second)', () => {
  test.each([
    ['ESTABLISHED', OPEN, 1, ['= failed ECONNRESET']],
    ['FIN-WAIT-1', FIN_WAIT_1, 1, ['= failed ECONNRESET']],
    ['FIN-WAIT-2', FIN_WAIT_2, 1, ['= failed ECONNRESET']],
    ['CLOSE-WAIT', CLOSE_WAIT, 2, ['= failed EPIPE']],
    ['CLOSING', CLOSING, 2, []],
    ['LAST-ACK', LAST_ACK, 2, []],
    ['TIME-WAIT', TIME_WAIT, 2, []],
  ] as const)('in %s ends the connection and is not answered', (_, script, seq, said) => {
    const reset = `9 < R ${seq}:${seq}(0)`
    expect(at9(script + reset)).toEqual([...said, '= CLOSED', '= closed'])
  })

  test('in SYN-RECEIVED: a listener hears nothing, whoever connected is refused', () => {
    const passive = '8.5 < S 0:0(0) win 65535\n9 < R 1:1(0)'
    expect(at9(passive, { passive: true })).toEqual(['= CLOSED', '= closed'])
    const crossing = '8.5 connect\n8.6 < S 0:0(0) win 65535\n9 < R 1:1(0)'
    expect(at9(crossing)).toEqual(['= failed ECONNREFUSED', '= CLOSED', '= closed'])
  })
})

describe('a reset elsewhere', () => {
  test('in the window it is challenged (RFC 5961 §3.2)', () => {
    expect(at9(`${OPEN} 9 < R 2:2(0)`)).toEqual([
      '> . 1:1(0) ack 1 win 65535',
      '= dropped: tcp challenged reset',
    ])
    expect(at9(`${OPEN} 9 < R 65535:65535(0)`)).toContain('= dropped: tcp challenged reset')
  })

  test('outside it is dropped without a word', () => {
    expect(at9(`${OPEN} 8 < . 1:1001(1000) ack 1\n 9 < R 1000:1000(0)`)).toEqual([
      '= dropped: tcp outside window',
    ])
    expect(at9(`${OPEN} 9 < R 70000:70000(0)`)).toEqual(['= dropped: tcp outside window'])
  })

  test('to nobody it is never answered, anything else is (RFC 9293 §3.5.2)', () => {
    // A connection that is CLOSED speaks for any port without one.
    expect(plain('1 < R 5:5(0)\n2 < R. 5:5(0) ack 9')).toBe('')
    expect(plain('1 < . 5:5(0) ack 77')).toBe('   1      > R 77:77(0) win 0')
    expect(plain('1 < S 5:5(0)', { iss: 0 })).toBe('   1      > R. 0:0(0) ack 6 win 0')
    expect(plain('1 < FP 5:105(100)', { iss: 0 })).toBe('   1      > R. 0:0(0) ack 106 win 0')
  })
})

describe('a SYN in a synchronized state (RFC 5961 §4.2)', () => {
  test.each([
    ['ESTABLISHED', OPEN, '> . 1:1(0) ack 1 win 65535'],
    ['FIN-WAIT-2', FIN_WAIT_2, '> . 2:2(0) ack 1 win 65535'],
    ['CLOSE-WAIT', CLOSE_WAIT, '> . 1:1(0) ack 2 win 65534'],
    ['TIME-WAIT', TIME_WAIT, '> . 2:2(0) ack 2 win 65534'],
  ])('in %s is answered with an ACK and changes nothing', (_, script, answer) => {
    expect(at9(`${script} 9 < S 100:100(0)`)).toEqual([answer, '= dropped: tcp challenged syn'])
    expect(at9(`${script} 9 < S 99999:99999(0)`)).toEqual([answer, '= dropped: tcp challenged syn'])
  })
})

describe('what is acknowledged (RFC 5961 §5.2)', () => {
  const SENT = `${OPEN} 1 < . 1:1(0) ack 1 win 3000
    1.1 send 3000
    1.2 < . 1:1(0) ack 1001 win 3000
    1.3 < . 1:1(0) ack 3001 win 3000\n`
  const answer = '> . 3001:3001(0) ack 1 win 65535'
  // SND.UNA 3001, SND.MAX 3001, and the largest window was 65535 (the SYN's).
  test('too new: answered and dropped', () => {
    expect(at9(`${SENT} 9 < . 1:101(100) ack 3002`)).toEqual([answer, '= dropped: tcp bad ack'])
  })

  test('old, but within the largest window: the data counts', () => {
    expect(at9(`${SENT} 9 < . 1:2001(2000) ack 1\n 9 < . 2001:4001(2000) ack 1`)).toContain(
      '> . 3001:3001(0) ack 4001 win 65535',
    )
  })

  test('older than the largest window: answered and dropped', () => {
    const old = `0 connect
      0.1 < S. 0:0(0) ack 1 win 2000 <mss 1000>
      1   send 3000
      1.2 < . 1:1(0) ack 2001 win 2000
      1.3 < . 1:1(0) ack 3001 win 2000\n`
    expect(at9(`${old} 9 < . 1:101(100) ack 1001`)).toEqual([]) // 2000 behind: just acceptable
    expect(at9(`${old} 9 < . 1:101(100) ack 1000`)).toEqual([answer, '= dropped: tcp bad ack'])
  })

  test('nothing: dropped', () => {
    expect(at9(`${OPEN} 9 < P 1:101(100)`)).toEqual(['= dropped: tcp no ack'])
  })
})

describe('the window (RFC 9293 table 6)', () => {
  const answer = '> . 1:1(0) ack 1001 win 65535'
  const GOT = `${OPEN} 1 < . 1:1001(1000) ack 1\n`
  test.each([
    ['old data', '501:1001(500)', answer],
    ['an old bare ACK', '1000:1000(0)', answer],
    ['data beyond the right edge', '66536:66636(100)', answer],
  ])('%s is answered with an ACK and dropped', (_, segment, answered) => {
    expect(at9(`${GOT} 9 < . ${segment} ack 1`)).toEqual([
      answered,
      '= dropped: tcp outside window',
    ])
  })

  test('what begins before it and reaches into it counts from there on', () => {
    expect(at9(`${GOT} 9 < . 1:1501(1500) ack 1\n9 receive`)).toEqual(['= received 1500'])
  })

  test('a bare ACK at the right edge counts, for its sender has filled the window', () => {
    expect(at9(`${GOT} 8.5 send 100\n 9 < . 66536:66536(0) ack 101\n 9 send 5`)).toEqual([
      '> P. 101:106(5) ack 1001 win 65535',
    ])
  })

  test('a closed window lets a reset through (MUST-66)', () => {
    const full = `${OPEN} 1 < . 1:4001(4000) ack 1\n`
    const policy = { receiveBuffer: 4000 }
    expect(at9(`${full} 9 < R 4001:4001(0)`, { policy }).slice(0, 2)).toEqual([
      '= failed ECONNRESET',
      '= received 4000',
    ])
  })

  test('a closed window lets an ACK through all the same', () => {
    const full = `${OPEN} 1 < . 1:4001(4000) ack 1\n 8.5 send 10\n 8.5 send 10\n`
    const policy = { receiveBuffer: 4000 }
    expect(at9(`${full} 9 < . 4001:4002(1) ack 11`, { policy })).toEqual([
      '> P. 11:21(10) ack 4001 win 0',
      '> . 21:21(0) ack 4001 win 0',
      '= dropped: tcp outside window',
    ])
  })
})

test('an ACK after a timeout stands behind everything sent, or the peer would refuse it', () => {
  const script = `
    1    send 3000
    2.5  < . 1001:2001(1000) ack 1  # SND.NXT is back at 1001`
  expect(established(script, { until: '2.9s' }).split('\n').at(-1)).toBe(
    '   2.5    > . 3001:3001(0) ack 1 win 65535',
  )
})
