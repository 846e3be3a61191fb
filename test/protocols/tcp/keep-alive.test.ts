import { describe, expect, test } from 'vitest'
import { established, plain } from '../../timeline.ts'

const policy = { keepAlive: true, keepIdle: 10e9, keepInterval: 3e9, keepCount: 3 }

describe('keep-alives (RFC 9293 §3.8.4)', () => {
  test('an idle connection is probed; without an answer it is reset', () => {
    expect(established('', { policy, until: '100s' })).toMatchInlineSnapshot(`
      "  10.1    > . 0:0(0) ack 1 win 65535
        13.1    > . 0:0(0) ack 1 win 65535
        16.1    > . 0:0(0) ack 1 win 65535
        19.1    > R. 1:1(0) ack 1 win 0
        19.1    = failed ETIMEDOUT
        19.1    = CLOSED
        19.1    = closed"
    `)
  })

  test('an answer starts the wait anew, from when it came', () => {
    const script = `10.2 < . 1:1(0) ack 1
      15 < . 1:1(0) ack 1`
    expect(established(script, { policy, until: '26s' })).toMatchInlineSnapshot(`
      "  10.1    > . 0:0(0) ack 1 win 65535
        25      > . 0:0(0) ack 1 win 65535"
    `)
  })

  test('data in flight has its own timer: nothing is probed', () => {
    const script = '9 send 100'
    const sent = established(script, { policy, until: '15s' })
    expect(sent).not.toContain('0:0(0)')
    expect(sent).toContain('(rto')
  })

  test('off by default, and two hours where it is switched on', () => {
    expect(established('', { until: '30000s' })).toBe('')
    expect(established('1 set SO_KEEPALIVE 1', { until: '7300s' })).toMatchInlineSnapshot(`
      "7201      > . 0:0(0) ack 1 win 65535
      7276      > . 0:0(0) ack 1 win 65535"
    `)
  })

  test('the three timers are options', () => {
    const script = `1 set TCP_KEEPIDLE 5
      1 set TCP_KEEPINTVL 2
      1 set TCP_KEEPCNT 1
      1 set SO_KEEPALIVE 1
      1 get TCP_KEEPIDLE
      1 get TCP_KEEPCNT`
    expect(established(script, { until: '20s' })).toMatchInlineSnapshot(`
      "   1      = TCP_KEEPIDLE 5
         1      = TCP_KEEPCNT 1
         6      > . 0:0(0) ack 1 win 65535
         8      > R. 1:1(0) ack 1 win 0
         8      = failed ETIMEDOUT
         8      = CLOSED
         8      = closed"
    `)
  })

  test('with a user timeout, that decides and not the number of probes (RFC 5482)', () => {
    const patient = { ...policy, userTimeout: 17e9 }
    expect(established('', { policy: patient, until: '100s' })).toMatchInlineSnapshot(`
      "  10.1    > . 0:0(0) ack 1 win 65535
        13.1    > . 0:0(0) ack 1 win 65535
        16.1    > . 0:0(0) ack 1 win 65535
        19.1    > R. 1:1(0) ack 1 win 0
        19.1    = failed ETIMEDOUT
        19.1    = CLOSED
        19.1    = closed"
    `)
  })
})

describe('user timeout (RFC 5482)', () => {
  test('data that nobody acknowledges for so long ends the connection', () => {
    const script = `1 set TCP_USER_TIMEOUT 4500
      2 send 100`
    expect(established(script, { until: '100s' })).toMatchInlineSnapshot(`
      "   2      > P. 1:101(100) ack 1 win 65535
         3      > P. 1:101(100) ack 1 win 65535  (rto #1, rto 2)
         5      > P. 1:101(100) ack 1 win 65535  (rto #2, rto 4)
         6.5    = failed ETIMEDOUT
         6.5    = CLOSED
         6.5    = closed"
    `)
  })

  test('progress starts it anew', () => {
    const script = `1 set TCP_USER_TIMEOUT 4500
      2 send 2000
      5 < . 1:1(0) ack 1001`
    expect(established(script, { until: '100s' }).split('\n').at(-3)).toContain('9.5')
  })

  test('a window that stays closed is probed for as long as the peer answers', () => {
    const script = `1 set TCP_USER_TIMEOUT 5000
      1 < . 1:1(0) ack 1 win 0
      2 send 100
      3.1 < . 1:1(0) ack 1 win 0
      5.1 < . 1:1(0) ack 1 win 0
      9.1 < . 1:1(0) ack 1 win 0`
    const lines = established(script, { until: '100s' }).split('\n')
    expect(lines.find((line) => line.includes('failed'))).toMatchInlineSnapshot(
      `"  17      = failed ETIMEDOUT"`,
    )
  })
})

test('an attempt to connect is given up after connectTimeout, whatever is left to try', () => {
  const lines = plain('0 connect', { policy: { connectTimeout: 5e9 }, until: '100s' })
  expect(lines.split('\n').at(-3)).toBe('   5      = failed ETIMEDOUT')
})
