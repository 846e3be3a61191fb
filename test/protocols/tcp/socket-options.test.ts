import { describe, expect, test } from 'vitest'
import { established, plain } from '../../timeline.ts'

describe('SO_LINGER', () => {
  test('without time: close resets, and what was queued is gone', () => {
    const script = `1 set SO_LINGER 0
      2 send 100
      2 close`
    expect(established(script, { until: '3s' })).toMatchInlineSnapshot(`
      "   2      > P. 1:101(100) ack 1 win 65535
         2      > R. 101:101(0) ack 1 win 0
         2      = CLOSED
         2      = closed"
    `)
  })

  test('with a time: the end is told when the FIN is acknowledged', () => {
    const script = `1 set SO_LINGER 5
      2 send 100
      2 close
      2.1 < . 1:1(0) ack 102`
    expect(established(script, { until: '10s' })).toMatchInlineSnapshot(`
      "   2      > P. 1:101(100) ack 1 win 65535
         2      = FIN-WAIT-1
         2      > F. 101:101(0) ack 1 win 65535
         2.1    = FIN-WAIT-2
         2.1    = lingered"
    `)
  })

  test('or when the time is over, and the connection goes on ending by itself', () => {
    const script = `1 set SO_LINGER 5
      2 close
      8 < . 1:1(0) ack 2`
    expect(established(script, { until: '10s', policy: { rtoInitial: 4e9 } }))
      .toMatchInlineSnapshot(`
      "   2      = FIN-WAIT-1
         2      > F. 1:1(0) ack 1 win 65535
         3      > F. 1:1(0) ack 1 win 65535  (rto #1, rto 2)
         5      > F. 1:1(0) ack 1 win 65535  (rto #2, rto 4)
         7      = lingered in vain
         8      = FIN-WAIT-2"
    `)
  })
})

describe('TCP_CORK', () => {
  test('less than a segment waits for more, at most 200 ms', () => {
    const script = `1 set TCP_CORK 1
      2 send 300
      2.1 send 900
      3 send 100`
    expect(established(script, { until: '3.5s' })).toMatchInlineSnapshot(`
      "   2.1    > . 1:1001(1000) ack 1 win 65535
         2.2    > P. 1001:1201(200) ack 1 win 65535
         3.1    > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)"
    `)
  })

  test('corkTime 0: as long as a timeout', () => {
    const script = `
      1    set TCP_CORK 1
      1    send 10
      2.1  < . 1:1(0) ack 11`
    expect(established(script, { policy: { corkTime: 0 }, until: '3s' })).toMatchInlineSnapshot(
      `"   2      > P. 1:11(10) ack 1 win 65535"`,
    )
  })

  test('taking it out sends what waits; so does closing', () => {
    const script = `1 set TCP_CORK 1
      2 send 300
      2.05 set TCP_CORK 0
      2.1 < . 1:1(0) ack 301
      3 set TCP_CORK 1
      3 send 10
      3.01 close`
    expect(established(script, { until: '3.5s' })).toMatchInlineSnapshot(`
      "   2.05   > P. 1:301(300) ack 1 win 65535
         3.01   = FIN-WAIT-1
         3.01   > FP. 301:311(10) ack 1 win 65535"
    `)
  })

  test('full segments go, and a closed window is probed as ever', () => {
    const script = `1 set TCP_CORK 1
      1 < . 1:1(0) ack 1 win 0
      2 send 100`
    expect(established(script, { until: '3.9s' })).toMatchInlineSnapshot(
      `"   3.2    > . 1:2(1) ack 1 win 65535"`,
    )
  })
})

describe('MSG_MORE', () => {
  test('less than a segment waits for the next call, and goes with it', () => {
    const script = `
      1    send 100 more
      1.1  send 100
      1.2  < . 1:1(0) ack 201
      1.2  send 100 more
      1.25 shutdown`
    expect(established(script, { until: '1.3s' })).toMatchInlineSnapshot(`
      "   1.1    > P. 1:201(200) ack 1 win 65535
         1.25   = FIN-WAIT-1
         1.25   > FP. 201:301(100) ack 1 win 65535"
    `)
  })

  test('or 200 ms at most; the next of them waits as long again', () => {
    const script = `
      1    send 100 more
      1.3  < . 1:1(0) ack 101
      1.3  send 100 more`
    expect(established(script, { until: '2s' })).toMatchInlineSnapshot(`
      "   1.2    > P. 1:101(100) ack 1 win 65535
         1.5    > P. 101:201(100) ack 1 win 65535"
    `)
  })
})

describe('TCP_QUICKACK', () => {
  test('ACKs go at once, one that waits too', () => {
    const script = `1 < P. 1:11(10) ack 1
      1.01 set TCP_QUICKACK 1
      2 < P. 11:21(10) ack 1
      3 set TCP_QUICKACK 0
      3 < P. 21:31(10) ack 1`
    expect(established(script, { until: '4s' })).toMatchInlineSnapshot(`
      "   1.01   > . 1:1(0) ack 11 win 65525
         2      > . 1:1(0) ack 21 win 65515
         3.04   > . 1:1(0) ack 31 win 65505"
    `)
  })

  test('a new connection of Linux is quick until it answers', () => {
    const script = `1 < P. 1:11(10) ack 1
      2 < P. 11:21(10) ack 1
      2.01 send 5
      2.1 < P. 21:31(10) ack 6`
    const acks = established(script, { until: '4s', policy: { quickAcks: 16 } })
    expect(acks).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 11 win 65525
         2      > . 1:1(0) ack 21 win 65515
         2.01   > P. 1:6(5) ack 21 win 65515
         2.14   > . 6:6(0) ack 31 win 65505"
    `)
  })
})

test('TCP_DEFER_ACCEPT: the listener hears of a connection with its first bytes, or later', () => {
  const policy = { deferAccept: 5e9 }
  const open = `0 < S 0:0(0) win 65535 <mss 1000>
    0.1 < . 1:1(0) ack 1`
  const accepted = (script: string): string | undefined =>
    plain(script, { passive: true, policy, until: '10s' })
      .split('\n')
      .find((line) => line.includes('accepted'))
  expect(accepted(`${open}\n 2 < P. 1:11(10) ack 1`)).toBe('   2      = accepted')
  expect(accepted(open)).toBe('   5.1    = accepted')
})

describe('shutdown', () => {
  test('of reading stays here: what has come can be read, then there is the end', () => {
    const script = `1 < P. 1:11(10) ack 1
      2 shutdown read
      2 receive
      2 receive
      3 send 5`
    expect(established(script, { until: '4s', show: ['readable'] })).toMatchInlineSnapshot(`
      "   1      = readable 10
         1.04   > . 1:1(0) ack 11 win 65525
         2      = readable 10
         2      = received 10, end
         2      = received 0, end
         3      > P. 1:6(5) ack 11 win 65525
         4      > P. 1:6(5) ack 11 win 65525  (rto #1, rto 2)"
    `)
  })

  test('of both ends the stream too', () => {
    expect(established('1 shutdown both', { until: '1.1s' })).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535"
    `)
  })
})

describe('getsockopt', () => {
  test('tells what was set, in Linux units, and what the connection found out', () => {
    const set = ['TCP_USER_TIMEOUT 1500', 'TCP_LINGER2 7', 'TCP_SYNCNT 3', 'SO_LINGER 9']
    const get = [...set.map((each) => each.split(' ')[0]!), 'TCP_MAXSEG', 'TCP_CONGESTION']
    const script = [...set.map((each) => `1 set ${each}`), ...get.map((each) => `1 get ${each}`)]
    expect(established(script.join('\n'), { until: '1s' })).toMatchInlineSnapshot(`
      "   1      = TCP_USER_TIMEOUT 1500
         1      = TCP_LINGER2 7
         1      = TCP_SYNCNT 3
         1      = SO_LINGER 9
         1      = TCP_MAXSEG 1000
         1      = TCP_CONGESTION reno"
    `)
  })
})

test('connect again: EALREADY while it is under way, EISCONN when it stands', () => {
  const script = `0 connect
    0.05 connect
    0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>
    0.2 connect`
  const rejected = plain(script, { until: '1s' })
    .split('\n')
    .filter((line) => line.includes('rejected'))
  expect(rejected).toEqual([
    '   0.05   = connect rejected: EALREADY',
    '   0.2    = connect rejected: EISCONN',
  ])
})
