import { describe, expect, test } from 'vitest'
import { established, plain } from '../../timeline.ts'

describe('urgent data is sent (RFC 9293 §3.8.5)', () => {
  test('the pointer names the byte behind the last urgent one, again when it is sent again', () => {
    const script = `
      1    send 5 urgent
      2.1  < . 1:1(0) ack 6`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > PU. 1:6(5) ack 1 win 65535 urg 5
         2      > PU. 1:6(5) ack 1 win 65535 urg 5  (rto #1, rto 2)"
    `)
  })

  test('any length of it: every segment before its end tells of it, none behind', () => {
    const script = `
      1    send 1500
      1    send 1500 urgent
      1    send 500
      1.1  < . 1:1(0) ack 3001
      1.2  < . 1:1(0) ack 3501`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > U. 1001:2001(1000) ack 1 win 65535 urg 2000
         1      > PU. 2001:3001(1000) ack 1 win 65535 urg 1000
         1      > P. 3001:3501(500) ack 1 win 65535"
    `)
  })

  test('it does not wait: not for Nagle, not for a cork', () => {
    const script = `
      1    set TCP_CORK 1
      1    send 10
      1    send 10 urgent
      1.05 send 10
      1.1  < . 1:1(0) ack 31
      1.1  send 10
      1.2  < . 1:1(0) ack 31`
    expect(established(script, { until: '1.25s' })).toMatchInlineSnapshot(`
      "   1      > PU. 1:21(20) ack 1 win 65535 urg 20
         1.05   > P. 21:31(10) ack 1 win 65535
         1.2    > P. 31:41(10) ack 1 win 65535"
    `)
  })

  test('a closed window keeps the bytes back, not the news', () => {
    const script = `
      1    < . 1:1(0) ack 1 win 0
      1.1  send 100 urgent
      1.2  send 1 urgent
      1.3  < . 1:1(0) ack 1 win 1000
      1.4  < . 1:1(0) ack 102`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1.1    > U. 1:1(0) ack 1 win 65535 urg 100
         1.2    > U. 1:1(0) ack 1 win 65535 urg 101
         1.3    > PU. 1:102(101) ack 1 win 65535 urg 101"
    `)
  })

  test('an end that the field cannot name is named as far as it can', () => {
    const script = `
      1    < . 1:1(0) ack 1 win 1000
      1.1  send 50000
      1.1  send 50000 urgent
      1.2  < . 1:1(0) ack 1001 win 1000`
    const policy = { sendBuffer: 200_000 }
    expect(established(script, { policy, until: '1.25s' })).toMatchInlineSnapshot(`
      "   1.1    > . 1:1001(1000) ack 1 win 65535
         1.1    > U. 1001:1001(0) ack 1 win 65535 urg 65535
         1.2    > U. 1001:2001(1000) ack 1 win 65535 urg 65535"
    `)
  })

  test('queued before the connection stands, it is told of behind the handshake', () => {
    // The SYN has no pointer.
    const script = `
      0    connect
      0.05 send 3 urgent
      0.1  < S. 0:0(0) ack 1 win 65535 <mss 1000>
      0.2  < . 1:1(0) ack 4`
    expect(plain(script)).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > PU. 1:4(3) ack 1 win 65535 urg 3"
    `)
  })
})

describe('urgent data comes (RFC 9293 §3.10.7.4, sixth)', () => {
  test('the application is told when it is news: first, and where the end moves on (MUST-32)', () => {
    const script = `
      1    < PU. 1:6(5) ack 1 urg 5
      1.01 < PU. 1:6(5) ack 1 urg 5      # again
      1.02 < U. 6:16(10) ack 1 urg 200   # beyond what has come
      1.03 < U. 16:26(10) ack 1 urg 190  # the same end
      1.04 < U. 26:36(10) ack 1 urg 300`
    expect(established(script, { until: '1.1s' })).toMatchInlineSnapshot(`
      "   1      = urgent 5 ahead
         1.01   > . 1:1(0) ack 6 win 65530
         1.01   = dropped: tcp outside window
         1.02   = urgent 205 ahead
         1.03   > . 1:1(0) ack 26 win 65510
         1.04   = urgent 325 ahead
         1.08   > . 1:1(0) ack 36 win 65500"
    `)
  })

  test('it stays in the stream; what is read ends before the mark once (MUST-33)', () => {
    const script = `
      1    < PU. 1:11(10) ack 1 urg 5
      1.1  get SIOCATMARK
      1.1  receive 2
      1.1  receive
      1.1  get SIOCATMARK
      1.1  receive
      1.1  get SIOCATMARK`
    expect(established(script, { until: '1.2s' })).toMatchInlineSnapshot(`
      "   1      = urgent 5 ahead
         1.04   > . 1:1(0) ack 11 win 65525
         1.1    = SIOCATMARK 0
         1.1    = received 2
         1.1    = received 2
         1.1    = SIOCATMARK 1
         1.1    = received 6
         1.1    = SIOCATMARK 0"
    `)
  })

  test('the mark stays where it is when the end of the stream has come, too', () => {
    const script = `
      1    < PU. 1:5(4) ack 1 urg 4
      1.01 < F. 5:8(3) ack 1
      1.1  receive
      1.1  get SIOCATMARK
      1.1  receive`
    expect(established(script, { until: '1.2s' })).toMatchInlineSnapshot(`
      "   1      = urgent 4 ahead
         1.01   > . 1:1(0) ack 9 win 65527
         1.01   = CLOSE-WAIT
         1.1    = received 3
         1.1    = SIOCATMARK 1
         1.1    = received 4, end"
    `)
  })

  test('a mark on the first byte stops nothing', () => {
    const script = `
      1    < PU. 1:11(10) ack 1 urg 1
      1.1  get SIOCATMARK
      1.1  receive
      1.1  get SIOCATMARK`
    expect(established(script, { until: '1.2s' })).toMatchInlineSnapshot(`
      "   1      = urgent 1 ahead
         1.04   > . 1:1(0) ack 11 win 65525
         1.1    = SIOCATMARK 1
         1.1    = received 10
         1.1    = SIOCATMARK 0"
    `)
  })

  test('behind a gap, and on a bare ACK, the news comes before the bytes', () => {
    const script = `
      1    < U. 1:1(0) ack 1 urg 20
      1.1  < PU. 11:21(10) ack 1 urg 10
      1.2  < P. 1:11(10) ack 1
      1.3  receive
      1.3  receive`
    expect(established(script, { until: '1.35s' })).toMatchInlineSnapshot(`
      "   1      = urgent 20 ahead
         1.1    > . 1:1(0) ack 1 win 65535
         1.2    > . 1:1(0) ack 21 win 65515
         1.3    = received 19
         1.3    = received 1"
    `)
  })

  test('before a closed window (MUST-66)', () => {
    const script = `
      1    < P. 1:1001(1000) ack 1
      1.1  < PU. 1001:1002(1) ack 1 urg 1
      1.2  < U. 1001:1001(0) ack 1 urg 9`
    const policy = { receiveBuffer: 1000 }
    expect(established(script, { policy, until: '1.3s' })).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 1001 win 0
         1.1    = urgent 1001 ahead
         1.1    > . 1:1(0) ack 1001 win 0
         1.1    = dropped: tcp outside window
         1.2    = urgent 1009 ahead"
    `)
  })

  test('what is behind us, a pointer to nothing, and what comes behind a FIN are no news', () => {
    const script = `
      1    < P. 1:11(10) ack 1
      1.01 receive
      1.02 < U. 1:11(10) ack 1 urg 10
      1.03 < U. 11:11(0) ack 1 urg 0
      1.04 < F. 11:11(0) ack 1
      1.05 < U. 12:12(0) ack 1 urg 7`
    expect(established(script, { until: '1.06s' })).toMatchInlineSnapshot(`
      "   1.01   = received 10
         1.02   > . 1:1(0) ack 11 win 65525
         1.02   = dropped: tcp outside window
         1.04   > . 1:1(0) ack 12 win 65524
         1.04   = CLOSE-WAIT"
    `)
  })

  test('where numbers wrap', () => {
    const script = `
      1    < PU. 1:101(100) ack 1 urg 100
      1.1  receive
      1.1  receive
      1.2  < PU. 101:201(100) ack 1 urg 50
      1.3  receive
      1.3  receive`
    const options = { iss: 0xffff_ffff, irs: 0xffff_ffc0, until: '1.35s' }
    expect(established(script, options)).toMatchInlineSnapshot(`
      "   1      = urgent 100 ahead
         1.04   > . 1:1(0) ack 101 win 65435
         1.1    = received 99
         1.1    = received 1
         1.2    = urgent 50 ahead
         1.24   > . 1:1(0) ack 201 win 65335
         1.3    = received 49
         1.3    = received 51"
    `)
  })
})
