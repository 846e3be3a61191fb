import { describe, expect, test } from 'vitest'
import { established } from '../../timeline.ts'

describe('delayed ACK (RFC 9293 §3.8.6.3, RFC 5681 §4.2)', () => {
  test('a lone segment is acknowledged after 40 ms', () => {
    const script = `
      1    < P. 1:1001(1000) ack 1
      2    < P. 1001:2001(1000) ack 1`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 1001 win 65535
         2.04   > . 1:1(0) ack 2001 win 65535"
    `)
  })

  test('every second full segment at once', () => {
    const script = `
      1     < . 1:1001(1000) ack 1
      1.001 < . 1001:2001(1000) ack 1
      1.002 < . 2001:3001(1000) ack 1
      1.003 < . 3001:4001(1000) ack 1
      1.004 < . 4001:5001(1000) ack 1`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1.001  > . 1:1(0) ack 2001 win 65535
         1.003  > . 1:1(0) ack 4001 win 65535
         1.044  > . 1:1(0) ack 5001 win 65535"
    `)
  })

  test('small segments add up to full ones', () => {
    const script = `
      1     < . 1:1001(1000) ack 1
      1.001 < . 1001:1501(500) ack 1
      1.002 < . 1501:1901(400) ack 1
      1.003 < . 1901:2001(100) ack 1   # 2000 bytes`
    expect(established(script)).toMatchInlineSnapshot(`"   1.003  > . 1:1(0) ack 2001 win 65535"`)
  })

  test('data of our own carries the ACK and stops the timer', () => {
    const script = `
      1     < P. 1:1001(1000) ack 1
      1.01  send 100
      1.1   < . 1001:1001(0) ack 101`
    expect(established(script)).toMatchInlineSnapshot(
      `"   1.01   > P. 1:101(100) ack 1001 win 65535"`,
    )
  })

  test('at once: out of order, where a gap fills, wholly or in part, a duplicate, a FIN', () => {
    const script = `
      0.9   < . 1:1001(1000) ack 1
      1     < . 3001:4001(1000) ack 1  # a gap
      1.001 < . 5001:6001(1000) ack 1  # another
      1.002 < . 1001:2001(1000) ack 1  # the gap is smaller
      1.003 < . 2001:3001(1000) ack 1  # filled, the second is left
      1.004 < . 4001:5001(1000) ack 1  # all
      1.005 < . 5001:6001(1000) ack 1  # a duplicate
      1.006 < F. 6001:6001(0) ack 1`
    expect(established(script)).toMatchInlineSnapshot(`
      "   0.94   > . 1:1(0) ack 1001 win 65535
         1      > . 1:1(0) ack 1001 win 65535
         1.001  > . 1:1(0) ack 1001 win 65535
         1.002  > . 1:1(0) ack 2001 win 65535
         1.003  > . 1:1(0) ack 4001 win 65535
         1.004  > . 1:1(0) ack 6001 win 65535
         1.005  > . 1:1(0) ack 6001 win 65535
         1.005  = dropped: tcp outside window
         1.006  > . 1:1(0) ack 6002 win 65534
         1.006  = CLOSE-WAIT"
    `)
  })

  test('a pure ACK is never answered', () => {
    const script = `
      1     < . 1:1(0) ack 1
      1.001 < . 1:1(0) ack 1 win 60000`
    expect(established(script)).toBe('')
  })
})

describe('Nagle (RFC 9293 §3.7.4)', () => {
  test('little is sent while nothing is in flight, and waits while something is', () => {
    const script = `
      1     send 10
      1.01  send 10
      1.02  send 10
      1.1   < . 1:1(0) ack 11
      1.2   < . 1:1(0) ack 31`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > P. 1:11(10) ack 1 win 65535
         1.1    > P. 11:31(20) ack 1 win 65535"
    `)
  })

  test('full segments never wait; the rest does', () => {
    const script = `
      1     send 2500
      1.1   < . 1:1(0) ack 2001
      1.2   < . 1:1(0) ack 2501`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > . 1001:2001(1000) ack 1 win 65535
         1.1    > P. 2001:2501(500) ack 1 win 65535"
    `)
  })

  test('TCP_NODELAY lets everything go, and at once what has waited', () => {
    const script = `
      1     send 10
      1.01  send 10
      1.02  set TCP_NODELAY 1
      1.03  send 10
      1.1   < . 1:1(0) ack 31`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > P. 1:11(10) ack 1 win 65535
         1.02   > P. 11:21(10) ack 1 win 65535
         1.03   > P. 21:31(10) ack 1 win 65535"
    `)
  })

  test('minshall: what is small waits for what was small alone', () => {
    const script = `
      1    send 1500
      1.05 send 100
      1.1  < . 1:1(0) ack 1501
      1.2  < . 1:1(0) ack 1601`
    expect(established(script, { policy: { minshall: true } })).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > P. 1001:1501(500) ack 1 win 65535
         1.1    > P. 1501:1601(100) ack 1 win 65535"
    `)
  })

  test('the end of the stream does not wait', () => {
    const script = `
      1     send 10
      1.01  send 10
      1.02  shutdown
      1.1   < . 1:1(0) ack 22`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > P. 1:11(10) ack 1 win 65535
         1.02   = FIN-WAIT-1
         1.02   > FP. 11:21(10) ack 1 win 65535
         1.1    = FIN-WAIT-2"
    `)
  })
})

test('PSH stands where the queue is empty', () => {
  expect(established('1 send 2000\n 1.01 send 1000', { until: '1.5s' })).toMatchInlineSnapshot(`
    "   1      > . 1:1001(1000) ack 1 win 65535
       1      > P. 1001:2001(1000) ack 1 win 65535
       1.01   > P. 2001:3001(1000) ack 1 win 65535"
  `)
})

describe('the send buffer', () => {
  test('takes what fits and says when half of it is free', () => {
    const script = `
      1     send 5000
      1.1   < . 1:1(0) ack 1001
      1.2   < . 1:1(0) ack 2001     # 2000 of 4000 free
      1.3   < . 1:1(0) ack 4001`
    expect(established(script, { policy: { sendBuffer: 4000 }, show: ['queued'] }))
      .toMatchInlineSnapshot(`
      "   1      = queued 4000
         1      > . 1:1001(1000) ack 1 win 65535
         1      > . 1001:2001(1000) ack 1 win 65535
         1      > . 2001:3001(1000) ack 1 win 65535
         1      > P. 3001:4001(1000) ack 1 win 65535
         1.2    = writable 2000"
    `)
  })

  test('a call that names an unknown option is rejected', () => {
    expect(established('1 set IP_MULTICAST_TTL 3')).toMatchInlineSnapshot(
      `"   1      = set rejected: ENOPROTOOPT"`,
    )
  })
})
