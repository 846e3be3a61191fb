import { describe, expect, test } from 'vitest'
import { established, plain } from '../../timeline.ts'

describe('closing (RFC 9293 §3.6)', () => {
  test('active: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT for 60 s', () => {
    const script = `
      1    close
      1.1  < . 1:1(0) ack 2
      1.2  < F. 1:1(0) ack 2`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.1    = FIN-WAIT-2
         1.2    > . 2:2(0) ack 2 win 65534
         1.2    = TIME-WAIT
        61.2    = CLOSED
        61.2    = closed"
    `)
  })

  test('FIN and ACK in one segment lead to TIME-WAIT at once', () => {
    const script = `
      1    close
      1.1  < F. 1:1(0) ack 2`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.1    = FIN-WAIT-2
         1.1    > . 2:2(0) ack 2 win 65534
         1.1    = TIME-WAIT
        61.1    = CLOSED
        61.1    = closed"
    `)
  })

  test('passive: CLOSE-WAIT, LAST-ACK', () => {
    const script = `
      1    < F. 1:1(0) ack 1
      1    receive
      2    close
      2.1  < . 2:2(0) ack 2`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 2 win 65534
         1      = CLOSE-WAIT
         1      = received 0, end
         2      = LAST-ACK
         2      > F. 1:1(0) ack 2 win 65534
         2.1    = CLOSED
         2.1    = closed"
    `)
  })

  test('simultaneous: CLOSING', () => {
    const script = `
      1    close
      1.05 < F. 1:1(0) ack 1
      1.1  < . 2:2(0) ack 2`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.05   > . 2:2(0) ack 2 win 65534
         1.05   = CLOSING
         1.1    = TIME-WAIT
        61.1    = CLOSED
        61.1    = closed"
    `)
  })

  test('half close: sending has ended, receiving goes on', () => {
    const script = `
      1    send 100
      1    shutdown
      1    send 100
      1.1  < . 1:1(0) ack 102
      2    < P. 1:1001(1000) ack 102
      2.1  receive
      3    < FP. 1001:1501(500) ack 102
      3.1  receive
      3.2  receive`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > P. 1:101(100) ack 1 win 65535
         1      = FIN-WAIT-1
         1      > F. 101:101(0) ack 1 win 65535
         1      = send rejected: EPIPE
         1.1    = FIN-WAIT-2
         2.04   > . 102:102(0) ack 1001 win 65535
         2.1    = received 1000
         3      > . 102:102(0) ack 1502 win 65034
         3      = TIME-WAIT
         3.1    = received 500, end
         3.2    = received 0, end
        63      = CLOSED
        63      = closed"
    `)
  })

  test('half close of the other side: sending goes on', () => {
    const script = `
      1    < F. 1:1(0) ack 1
      2    send 100
      2.1  < . 2:2(0) ack 101
      3    close
      3.1  < . 2:2(0) ack 102`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 2 win 65534
         1      = CLOSE-WAIT
         2      > P. 1:101(100) ack 2 win 65534
         3      = LAST-ACK
         3      > F. 101:101(0) ack 2 win 65534
         3.1    = CLOSED
         3.1    = closed"
    `)
  })

  test('what is queued goes before the FIN', () => {
    const script = `
      1    < . 1:1(0) ack 1 win 1000
      2    send 2500
      2    close
      2.1  < . 1:1(0) ack 1001 win 1000
      2.2  < . 1:1(0) ack 2001 win 1000
      2.3  < . 1:1(0) ack 2502 win 1000`
    expect(established(script, { until: '5s' })).toMatchInlineSnapshot(`
      "   2      > . 1:1001(1000) ack 1 win 65535
         2      = FIN-WAIT-1
         2.1    > . 1001:2001(1000) ack 1 win 65535
         2.2    > FP. 2001:2501(500) ack 1 win 65535
         2.3    = FIN-WAIT-2"
    `)
  })

  test('close before the SYN is answered', () => {
    expect(plain('0 connect\n 0.5 close')).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.5    = CLOSED
         0.5    = closed"
    `)
  })

  test('close in SYN-RECEIVED: the FIN waits for the handshake', () => {
    const script = `
      0    < S 0:0(0) win 65535 <mss 1000>
      0.1  close
      0.2  < . 1:1(0) ack 1
      0.3  < F. 1:1(0) ack 2`
    expect(plain(script, { passive: true, until: '10s' })).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.2    = ESTABLISHED
         0.2    = accepted
         0.2    = FIN-WAIT-1
         0.2    > F. 1:1(0) ack 1 win 65535
         0.3    = FIN-WAIT-2
         0.3    > . 2:2(0) ack 2 win 65534
         0.3    = TIME-WAIT"
    `)
  })
})

describe('closing with losses', () => {
  test('a FIN is sent again after 1, 2, 4 s …', () => {
    const script = `
      1    close
      9    < . 1:1(0) ack 2`
    expect(established(script, { until: '60s' })).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         2      > F. 1:1(0) ack 1 win 65535  (rto #1, rto 2)
         4      > F. 1:1(0) ack 1 win 65535  (rto #2, rto 4)
         8      > F. 1:1(0) ack 1 win 65535  (rto #3, rto 8)
         9      = FIN-WAIT-2"
    `)
  })

  test('data and FIN in one segment are sent again together', () => {
    const script = `
      1    send 100
      1    close
      2.1  < . 1:1(0) ack 102`
    expect(established(script, { until: '20s' })).toMatchInlineSnapshot(`
      "   1      > P. 1:101(100) ack 1 win 65535
         1      = FIN-WAIT-1
         1      > F. 101:101(0) ack 1 win 65535
         2      > FP. 1:101(100) ack 1 win 65535  (rto #1, rto 2)
         2.1    = FIN-WAIT-2"
    `)
  })

  test('LAST-ACK: the FIN is sent again until its ACK arrives', () => {
    const script = `
      1    < F. 1:1(0) ack 1
      2    close
      5.5  < . 2:2(0) ack 2`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 2 win 65534
         1      = CLOSE-WAIT
         2      = LAST-ACK
         2      > F. 1:1(0) ack 2 win 65534
         3      > F. 1:1(0) ack 2 win 65534  (rto #1, rto 2)
         5      > F. 1:1(0) ack 2 win 65534  (rto #2, rto 4)
         5.5    = CLOSED
         5.5    = closed"
    `)
  })

  test("the peer's FIN again in TIME-WAIT: acknowledged, and 60 s begin anew", () => {
    const script = `
      1    close
      1.1  < F. 1:1(0) ack 2
      31.1 < F. 1:1(0) ack 2`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.1    = FIN-WAIT-2
         1.1    > . 2:2(0) ack 2 win 65534
         1.1    = TIME-WAIT
        31.1    > . 2:2(0) ack 2 win 65534
        31.1    = dropped: tcp outside window
        91.1    = CLOSED
        91.1    = closed"
    `)
  })

  test("the peer's FIN again in CLOSE-WAIT is acknowledged", () => {
    const script = `
      1    < F. 1:1(0) ack 1
      2    < F. 1:1(0) ack 1`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 2 win 65534
         1      = CLOSE-WAIT
         2      > . 1:1(0) ack 2 win 65534
         2      = dropped: tcp outside window"
    `)
  })

  test('the FIN again in CLOSING, the ACK late', () => {
    const script = `
      1    close
      1.05 < F. 1:1(0) ack 1
      2.5  < F. 1:1(0) ack 1
      3.1  < . 2:2(0) ack 2`
    expect(established(script, { until: '70s' })).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.05   > . 2:2(0) ack 2 win 65534
         1.05   = CLOSING
         2      > F. 1:1(0) ack 2 win 65534  (rto #1, rto 2)
         2.5    > . 2:2(0) ack 2 win 65534
         2.5    = dropped: tcp outside window
         3.1    = TIME-WAIT
        63.1    = CLOSED
        63.1    = closed"
    `)
  })

  test('an orphan waits 60 s in FIN-WAIT-2, an open socket for ever', () => {
    const closed = '1 close\n 1.1 < . 1:1(0) ack 2'
    expect(established(closed, { until: '9999s' })).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.1    = FIN-WAIT-2
        61.1    = CLOSED
        61.1    = closed"
    `)
    const shut = '1 shutdown\n 1.1 < . 1:1(0) ack 2\n'
    expect(established(shut, { until: '9999s' }).split('\n').at(-1)).toContain('FIN-WAIT-2')
    expect(established(`${shut} 500 close`, { until: '9999s' }).split('\n').slice(-2)).toEqual([
      ' 560      = CLOSED',
      ' 560      = closed',
    ])
  })

  test('a FIN that nobody acknowledges is given up like data', () => {
    expect(established('1 close', { until: '2000s' }).split('\n').slice(-4)).toEqual([
      '1088      > F. 1:1(0) ack 1 win 65535  (rto #15, rto 120)',
      '1208      = failed ETIMEDOUT',
      '1208      = CLOSED',
      '1208      = closed',
    ])
  })
})

describe('what an application leaves behind', () => {
  test('close with unread data resets (RFC 2525 §2.17)', () => {
    const script = `
      1    < P. 1:101(100) ack 1
      2    close`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 101 win 65435
         2      > R. 1:1(0) ack 101 win 0
         2      = CLOSED
         2      = closed"
    `)
  })

  test('data after close is answered with a reset', () => {
    const script = `
      1    close
      1.1  < . 1:1(0) ack 2
      2    < P. 1:101(100) ack 2`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.1    = FIN-WAIT-2
         2      > R 2:2(0) win 0
         2      = CLOSED
         2      = closed"
    `)
  })

  test('abort resets at the end of what was sent, and drops what was not', () => {
    const script = `
      1    < . 1:1(0) ack 1 win 1000
      1.1  send 5000
      1.2  abort`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1.1    > . 1:1001(1000) ack 1 win 65535
         1.2    > R. 1001:1001(0) ack 1 win 0
         1.2    = CLOSED
         1.2    = closed"
    `)
  })

  test('abort says nothing where the peer needs no word', () => {
    const closing = '1 close\n1.05 < F. 1:1(0) ack 1\n1.06 abort'
    const lastAck = '1 < F. 1:1(0) ack 1\n1.05 close\n1.06 abort'
    const timeWait = '1 close\n1.05 < F. 1:1(0) ack 2\n1.06 abort'
    for (const script of [closing, lastAck, timeWait]) {
      expect(established(script).split('\n').slice(-2)).toEqual([
        '   1.06   = CLOSED',
        '   1.06   = closed',
      ])
      expect(established(script)).not.toContain('> R')
    }
    expect(plain('0 connect\n 0.5 abort').split('\n').slice(2)).toEqual([
      '   0.5    = CLOSED',
      '   0.5    = closed',
    ])
  })

  test('a second shutdown or close says nothing, sending after it is refused', () => {
    const script = `
      1    shutdown
      1.01 shutdown
      1.02 send 5
      1.03 close
      1.04 close
      1.05 connect`
    expect(established(script, { until: '1.9s' })).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.02   = send rejected: EPIPE
         1.05   = connect rejected: EISCONN"
    `)
  })

  test('unread bytes outlive the connection of an application that only shut down', () => {
    const lastAck = `
      1    < FP. 1:101(100) ack 1
      2    shutdown
      2.1  < . 102:102(0) ack 2`
    expect(established(lastAck)).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 102 win 65434
         1      = CLOSE-WAIT
         2      = LAST-ACK
         2      > F. 1:1(0) ack 102 win 65434
         2.1    = received 100, end
         2.1    = CLOSED
         2.1    = closed"
    `)
    const timeWait = `
      1    shutdown
      1.1  < . 1:1(0) ack 2
      1.2  < FP. 1:101(100) ack 2`
    expect(established(timeWait)).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.1    = FIN-WAIT-2
         1.2    > . 2:2(0) ack 102 win 65434
         1.2    = TIME-WAIT
        61.2    = received 100, end
        61.2    = CLOSED
        61.2    = closed"
    `)
  })
})
