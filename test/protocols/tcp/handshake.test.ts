import { describe, expect, test } from 'vitest'
import { timeline } from '../../../sim/testing/timeline.ts'
import { cwnd, plain } from '../../timeline.ts'

describe('active open', () => {
  test('a SYN that nobody answers goes out at 0, 1, 3, 7 … 127 s and is given up at 247 s', () => {
    expect(plain('0 connect')).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         1      > S 0:0(0) win 65535 <mss 1460>  (rto #1, rto 2)
         3      > S 0:0(0) win 65535 <mss 1460>  (rto #2, rto 4)
         7      > S 0:0(0) win 65535 <mss 1460>  (rto #3, rto 8)
        15      > S 0:0(0) win 65535 <mss 1460>  (rto #4, rto 16)
        31      > S 0:0(0) win 65535 <mss 1460>  (rto #5, rto 32)
        63      > S 0:0(0) win 65535 <mss 1460>  (rto #6, rto 64)
       127      > S 0:0(0) win 65535 <mss 1460>  (rto #7, rto 120)
       247      = failed ETIMEDOUT
       247      = CLOSED
       247      = closed"
    `)
  })

  test('the SYN offers everything, and timestamps tick in milliseconds', () => {
    expect(timeline('0.25 connect', { until: '2s' })).toMatchInlineSnapshot(`
      "   0.25   = SYN-SENT
         0.25   > S 0:0(0) win 65535 <mss 1460,sackOK,TS val 250 ecr 0,nop,wscale 7>
         1.25   > S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1250 ecr 0,nop,wscale 7>  (rto #1, rto 2)"
    `)
  })

  test('data queued before the SYN is answered leaves with the ACK of the SYN,ACK', () => {
    const script = `
      0   connect
      0   send 1500
      0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
      0.2 < . 1:1(0) ack 1001      # Nagle lets the rest go
      0.3 < . 1:1(0) ack 1501`
    expect(plain(script)).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1001(1000) ack 1 win 65535
         0.2    > P. 1001:1501(500) ack 1 win 65535"
    `)
  })

  test('a lost SYN costs the sample, sets the RTO to 3 s and the window to one segment', () => {
    const script = `
      0   connect
      1.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
      2   send 3000
      5.1 < . 1:1(0) ack 1001`
    expect(plain(script, { until: '6s', watch: cwnd, show: ['rtt'] })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0      * cwnd 0 ssthresh unset
         1      > S 0:0(0) win 65535 <mss 1460>  (rto #1, rto 2)
         1.1    = ESTABLISHED
         1.1    = connected
         1.1    > . 1:1(0) ack 1 win 65535
         1.1    * cwnd 1000 ssthresh unset
         2      > . 1:1001(1000) ack 1 win 65535
         5      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 6)
         5      * cwnd 1000 ssthresh 2000
         5.1    > . 1001:2001(1000) ack 1 win 65535
         5.1    > P. 2001:3001(1000) ack 1 win 65535
         5.1    * cwnd 2000 ssthresh 2000"
    `)
  })

  test('without an MSS option the peer takes 536 bytes (RFC 9293 §3.7.1)', () => {
    const script = `
      0   connect
      0.1 < S. 0:0(0) ack 1 win 65535
      1   send 1000`
    expect(plain(script, { until: '1s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1(0) ack 1 win 65535
         1      > . 1:537(536) ack 1 win 65535"
    `)
  })

  test('an MSS below 64 bytes is taken for 64', () => {
    const script = `
      0   connect
      0.1 < S. 0:0(0) ack 1 win 65535 <mss 1>
      1   send 65`
    expect(plain(script, { until: '1s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1(0) ack 1 win 65535
         1      > . 1:65(64) ack 1 win 65535"
    `)
  })

  test('a reset that acknowledges the SYN refuses the connection; others are nothing', () => {
    const script = `
      0    connect
      0.1  < R 0:0(0)               # no ACK: it could be anybody's
      0.2  < R. 0:0(0) ack 2        # acknowledges what was never sent
      0.3  < R. 0:0(0) ack 1`
    expect(plain(script)).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.3    = failed ECONNREFUSED
         0.3    = CLOSED
         0.3    = closed"
    `)
  })

  test('an ACK of something else in SYN-SENT is reset, and the SYN goes on', () => {
    const script = `
      0    connect
      0.1  < . 0:0(0) ack 500
      0.2  < S. 0:0(0) ack 0
      0.3  < . 0:0(0) ack 1         # no SYN in it: ignored`
    expect(plain(script, { until: '2s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    > R 500:500(0) win 0
         0.2    > R 0:0(0) win 0
         1      > S 0:0(0) win 65535 <mss 1460>  (rto #1, rto 2)"
    `)
  })
})

describe('passive open', () => {
  const SYN = '0 < S 0:0(0) win 65535 <mss 1000>'

  test('an unanswered SYN,ACK goes out like a SYN; then the half-open connection vanishes', () => {
    expect(plain(SYN, { passive: true })).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         1      > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #1, rto 2)
         3      > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #2, rto 4)
         7      > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #3, rto 8)
        15      > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #4, rto 16)
        31      > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #5, rto 32)
        63      > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #6, rto 64)
       127      > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #7, rto 120)
       247      = CLOSED
       247      = closed"
    `)
  })

  test('the SYN again means that the SYN,ACK was lost', () => {
    const script = `${SYN}
      0.5 < S 0:0(0) win 65535 <mss 1000>
      0.6 < . 1:1(0) ack 1`
    expect(plain(script, { passive: true, until: '5s', show: ['rtt'] })).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.5    > S. 0:0(0) ack 1 win 65535 <mss 1460>  (rto #1, rto 1)
         0.6    = ESTABLISHED
         0.6    = accepted"
    `)
  })

  test('data may come with the ACK', () => {
    const script = `${SYN}
      0.1 < P. 1:101(100) ack 1
      0.1 receive`
    expect(plain(script, { passive: true, until: '5s' })).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = accepted
         0.1    = received 100
         0.14   > . 1:1(0) ack 101 win 65435"
    `)
  })

  test('an ACK of something else is reset; a reset ends the half-open connection silently', () => {
    const script = `${SYN}
      0.1 < . 1:1(0) ack 7
      0.2 < R 1:1(0)`
    expect(plain(script, { passive: true, until: '5s' })).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.1    > R 7:7(0) win 0
         0.1    = dropped: tcp bad ack
         0.2    = CLOSED
         0.2    = closed"
    `)
  })

  test('in LISTEN a reset is nothing, an ACK is reset', () => {
    const script = `
      0   < R 0:0(0)
      0.1 < . 0:0(0) ack 9
      0.2 < F 0:0(0)`
    expect(plain(script, { passive: true, until: '5s' })).toMatchInlineSnapshot(
      `"   0.1    > R 9:9(0) win 0"`,
    )
  })

  test('a SYN,ACK offers only what the SYN offered', () => {
    const open = (options: string) =>
      timeline(`0 < S 0:0(0) win 65535 <${options}>`, { passive: true, until: '0.5s' })
        .split('\n')
        .at(-1)
    expect([
      open('mss 1460'),
      open('mss 1460,nop,wscale 3'),
      open('mss 1460,TS val 9 ecr 0,eol,eol'),
      open('sackOK,mss 1460,nop,nop'),
    ]).toMatchInlineSnapshot(`
      [
        "   0      > S. 0:0(0) ack 1 win 65535 <mss 1460>",
        "   0      > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 7>",
        "   0      > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,TS val 0 ecr 9>",
        "   0      > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>",
      ]
    `)
  })
})

test('simultaneous open: both SYNs cross, both are answered, no RTT is taken and the RTO stays', () => {
  const script = `
    0    connect
    0.1  < S 0:0(0) win 65535 <mss 1000>
    0.2  < S. 0:0(0) ack 1 win 65535 <mss 1000>
    0.3  < . 1:1(0) ack 1
    1    send 100`
  expect(plain(script, { until: '3s', show: ['rtt'] })).toMatchInlineSnapshot(`
    "   0      = SYN-SENT
       0      > S 0:0(0) win 65535 <mss 1460>
       0.1    = SYN-RECEIVED
       0.1    > S. 0:0(0) ack 1 win 65535 <mss 1460>
       0.2    > . 1:1(0) ack 1 win 65535
       0.2    = dropped: tcp outside window
       0.3    = ESTABLISHED
       0.3    = connected
       1      > P. 1:101(100) ack 1 win 65535
       2      > P. 1:101(100) ack 1 win 65535  (rto #1, rto 2)"
  `)
})
