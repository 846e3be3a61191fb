import { describe, expect, test } from 'vitest'
import { cwnd, plain } from '../../timeline.ts'

// RFC 3168. E is ECE, W is CWR in the lines.

const REQUEST = { policy: { ecn: 'request' } } as const

/** From an established connection on that has agreed on ECN. */
const agreed = (script: string, until: string, watch?: typeof cwnd): string =>
  plain(
    `
    0    connect
    0.1  < SE. 0:0(0) ack 1 win 65535 <mss 1000>
    ${script}`,
    { ...REQUEST, until, ...(watch === undefined ? {} : { watch }) },
  )
    .split('\n')
    .filter((line) => Number(line.slice(0, 9)) > 0.1)
    .join('\n')

describe('who asks, and who agrees (§6.1.1)', () => {
  test('a SYN with both bits, a SYN,ACK with one: data is ECN-capable, a bare ACK is not', () => {
    const script = `
      0    connect
      0.1  < SE. 0:0(0) ack 1 win 65535 <mss 1000>
      0.2  send 1000`
    expect(plain(script, { ...REQUEST, until: '0.3s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > SEW 0:0(0) win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1(0) ack 1 win 65535
         0.2    > [ect0] P. 1:1001(1000) ack 1 win 65535"
    `)
  })

  test.each([
    ['a peer that knows nothing of it', 'S. 0:0(0) ack 1 win 65535 <mss 1000>'],
    ['a peer that reflects what it does not know', 'SEW. 0:0(0) ack 1 win 65535 <mss 1000>'],
  ])('%s', (_, answer) => {
    const script = `
      0    connect
      0.1  < ${answer}
      0.2  send 1000`
    const lines = plain(script, { ...REQUEST, until: '0.3s' }).split('\n')
    expect(lines.at(-1)).toBe('   0.2    > P. 1:1001(1000) ack 1 win 65535')
  })

  test('a SYN that is not answered goes out again without (§6.1.1.1), and then there is none', () => {
    const script = `
      0    connect
      1.1  < SE. 0:0(0) ack 1 win 65535 <mss 1000>
      1.2  send 1000`
    const lines = plain(script, { ...REQUEST, until: '1.3s' }).split('\n')
    expect(lines.filter((line) => line.includes('>'))).toEqual([
      '   0      > SEW 0:0(0) win 65535 <mss 1460>',
      '   1      > S 0:0(0) win 65535 <mss 1460>  (rto #1, rto 2)',
      '   1.1    > . 1:1(0) ack 1 win 65535',
      '   1.2    > P. 1:1001(1000) ack 1 win 65535',
    ])
  })

  test.each([
    ['accept', 'SEW', 'SE.'],
    ['accept', 'S', 'S.'],
    ['request', 'SEW', 'SE.'],
    ['off', 'SEW', 'S.'],
  ] as const)('%s: %s is answered by %s', (ecn, syn, answer) => {
    const script = `0 < ${syn} 0:0(0) win 65535 <mss 1000>`
    const lines = plain(script, { passive: true, policy: { ecn }, until: '0.1s' }).split('\n')
    expect(lines.at(-1)).toBe(`   0      > ${answer} 0:0(0) ack 1 win 65535 <mss 1460>`)
  })
})

test('receiver: every ACK says ECE until CWR comes, and again if that comes marked (§6.1.3)', () => {
  const script = `
    1    < P. 1:1001(1000) ack 1
    1.1  < [ce] P. 1001:2001(1000) ack 1
    1.2  < [ect0] P. 2001:3001(1000) ack 1
    1.3  < [ect0] P. 3001:4001(1000) ack 1
    1.4  < [ect0] PW. 4001:5001(1000) ack 1
    1.5  < [ce] PW. 5001:6001(1000) ack 1
    1.6  < [ce] . 9001:9001(0) ack 1        # a bare ACK is not marked in earnest`
  const lines = agreed(script, '1.7s').split('\n')
  expect(lines.filter((line) => line.includes('>'))).toMatchInlineSnapshot(`
    [
      "   1.04   > . 1:1(0) ack 1001 win 65535",
      "   1.14   > E. 1:1(0) ack 2001 win 65535",
      "   1.24   > E. 1:1(0) ack 3001 win 65535",
      "   1.34   > E. 1:1(0) ack 4001 win 65535",
      "   1.44   > . 1:1(0) ack 5001 win 65535",
      "   1.54   > E. 1:1(0) ack 6001 win 65535",
    ]
  `)
})

test('sender: one reduction for each window of data, CWR on the next new segment (§6.1.2)', () => {
  const script = `
    1    send 40000
    1.1  < E. 1:1(0) ack 1001       # ssthresh 5000: half of ten in flight
    1.11 < E. 1:1(0) ack 2001       # the same window: nothing
    1.12 < E. 1:1(0) ack 6001       # room for one
    1.13 < E. 1:1(0) ack 10001      # all that was out then: still nothing
    1.14 < E. 1:1(0) ack 11001      # what was sent after that is marked, too
    1.15 < . 1:1(0) ack 15001`
  expect(agreed(script, '1.2s', cwnd)).toMatchInlineSnapshot(`
    "   1      > [ect0] . 1:1001(1000) ack 1 win 65535
       1      > [ect0] . 1001:2001(1000) ack 1 win 65535
       1      > [ect0] . 2001:3001(1000) ack 1 win 65535
       1      > [ect0] . 3001:4001(1000) ack 1 win 65535
       1      > [ect0] . 4001:5001(1000) ack 1 win 65535
       1      > [ect0] . 5001:6001(1000) ack 1 win 65535
       1      > [ect0] . 6001:7001(1000) ack 1 win 65535
       1      > [ect0] . 7001:8001(1000) ack 1 win 65535
       1      > [ect0] . 8001:9001(1000) ack 1 win 65535
       1      > [ect0] . 9001:10001(1000) ack 1 win 65535
       1.1    * cwnd 5000 ssthresh 5000
       1.12   > [ect0] W. 10001:11001(1000) ack 1 win 65535
       1.13   > [ect0] . 11001:12001(1000) ack 1 win 65535
       1.13   > [ect0] . 12001:13001(1000) ack 1 win 65535
       1.13   > [ect0] . 13001:14001(1000) ack 1 win 65535
       1.13   > [ect0] . 14001:15001(1000) ack 1 win 65535
       1.14   * cwnd 2500 ssthresh 2500
       1.15   > [ect0] W. 15001:16001(1000) ack 1 win 65535
       1.15   > [ect0] . 16001:17001(1000) ack 1 win 65535
       1.15   > [ect0] . 17001:18001(1000) ack 1 win 65535
       1.15   * cwnd 3500 ssthresh 2500"
  `)
})

test('what is sent again is not ECN-capable (§6.1.5), and the loss that it mends is told as CWR', () => {
  const script = `
    1    send 12000
    1.1  < . 1:1(0) ack 1001
    1.2  < . 1:1(0) ack 1001
    1.21 < . 1:1(0) ack 1001
    1.22 < . 1:1(0) ack 1001
    1.23 < E. 1:1(0) ack 1001        # in recovery the window has shrunk already
    1.3  < . 1:1(0) ack 12001
    1.4  send 1000`
  expect(agreed(script, '1.5s', cwnd)).toMatchInlineSnapshot(`
    "   1      > [ect0] . 1:1001(1000) ack 1 win 65535
       1      > [ect0] . 1001:2001(1000) ack 1 win 65535
       1      > [ect0] . 2001:3001(1000) ack 1 win 65535
       1      > [ect0] . 3001:4001(1000) ack 1 win 65535
       1      > [ect0] . 4001:5001(1000) ack 1 win 65535
       1      > [ect0] . 5001:6001(1000) ack 1 win 65535
       1      > [ect0] . 6001:7001(1000) ack 1 win 65535
       1      > [ect0] . 7001:8001(1000) ack 1 win 65535
       1      > [ect0] . 8001:9001(1000) ack 1 win 65535
       1      > [ect0] . 9001:10001(1000) ack 1 win 65535
       1.1    > [ect0] . 10001:11001(1000) ack 1 win 65535
       1.1    > [ect0] P. 11001:12001(1000) ack 1 win 65535
       1.1    * cwnd 11000 ssthresh unset
       1.22   > . 1001:2001(1000) ack 1 win 65535  (fast)
       1.22   * cwnd 5500 ssthresh 5500
       1.3    * cwnd 2000 ssthresh 5500
       1.4    > [ect0] PW. 12001:13001(1000) ack 1 win 65535"
  `)
})
