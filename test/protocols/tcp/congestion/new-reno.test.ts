import { describe, expect, test } from 'vitest'
import { newReno } from '../../../../protocols/tcp/congestion/new-reno.ts'
import { connection, cwnd, established } from '../../../timeline.ts'

const MSS = 1000
const state = (cwnd: number, ssthresh: number) => connection({ mss: MSS, cwnd, ssthresh })

describe('the window, as a table (RFC 5681)', () => {
  test.each([
    // Slow start grows by what was acknowledged, a segment at most.
    [10_000, 50_000, 1000, 11_000],
    [10_000, 50_000, 2000, 11_000],
    [10_000, 50_000, 300, 10_300],
    [49_999, 50_000, 1000, 50_999],
    // Congestion avoidance: nothing until a window's worth is acknowledged.
    [50_000, 50_000, 1000, 50_000],
    [50_000, 50_000, 50_000, 51_000],
  ])('cwnd %i, ssthresh %i, %i bytes acknowledged: cwnd %i', (cwnd, ssthresh, acked, after) => {
    const c = state(cwnd, ssthresh)
    newReno.acked(c, 0, acked)
    expect(c.cc.cwnd).toBe(after)
  })

  test('congestion avoidance: one segment a window', () => {
    const c = state(4000, 4000)
    const seen: number[] = []
    for (let i = 0; i < 20; i++) {
      newReno.acked(c, 0, MSS)
      seen.push(c.cc.cwnd / MSS)
    }
    // So many ACKs as there are segments: 4, then 5, then 6.
    expect(seen).toEqual([4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7])
  })

  test('congestion avoidance: what is left over counts towards the next increase', () => {
    const c = state(4000, 4000)
    const seen = [3000, 3000, 3000].map((acked) => {
      newReno.acked(c, 0, acked)
      return c.cc.cwnd
    })
    expect(seen).toEqual([4000, 5000, 6000]) // 3000; 6000 of 4000; 2000 + 3000 of 5000
  })

  test.each([
    [20_000, 10_000],
    [5001, 2500],
    [3000, 2000], // two segments at least
    [0, 2000],
  ])('a flight of %i at the loss: ssthresh %i', (flight, ssthresh) => {
    const fast = state(20_000, 1 << 30)
    newReno.lost(fast, 0, flight)
    expect(fast.cc.ssthresh).toBe(ssthresh)
    const slow = state(20_000, 1 << 30)
    newReno.timedOut(slow, 0, flight, true)
    expect([slow.cc.ssthresh, slow.cc.cwnd]).toEqual([ssthresh, MSS])
    newReno.timedOut(slow, 0, MSS, false)
    expect(slow.cc.ssthresh).toBe(ssthresh)
  })
})

test('ten segments at first (RFC 6928), then two for each ACK of one', () => {
  const script = `
    1    send 40000
    1.1  < . 1:1(0) ack 1001
    1.11 < . 1:1(0) ack 2001
    1.12 < . 1:1(0) ack 4001     # a delayed ACK of two counts as one segment`
  expect(established(script, { until: '1.9s', watch: cwnd })).toMatchInlineSnapshot(`
    "   1      > . 1:1001(1000) ack 1 win 65535
       1      > . 1001:2001(1000) ack 1 win 65535
       1      > . 2001:3001(1000) ack 1 win 65535
       1      > . 3001:4001(1000) ack 1 win 65535
       1      > . 4001:5001(1000) ack 1 win 65535
       1      > . 5001:6001(1000) ack 1 win 65535
       1      > . 6001:7001(1000) ack 1 win 65535
       1      > . 7001:8001(1000) ack 1 win 65535
       1      > . 8001:9001(1000) ack 1 win 65535
       1      > . 9001:10001(1000) ack 1 win 65535
       1.1    > . 10001:11001(1000) ack 1 win 65535
       1.1    > . 11001:12001(1000) ack 1 win 65535
       1.1    * cwnd 11000 ssthresh unset
       1.11   > . 12001:13001(1000) ack 1 win 65535
       1.11   > . 13001:14001(1000) ack 1 win 65535
       1.11   * cwnd 12000 ssthresh unset
       1.12   > . 14001:15001(1000) ack 1 win 65535
       1.12   > . 15001:16001(1000) ack 1 win 65535
       1.12   > . 16001:17001(1000) ack 1 win 65535
       1.12   * cwnd 13000 ssthresh unset"
  `)
})

test('an application that sends little does not earn a larger window', () => {
  const script = `
    1    send 1000
    1.1  < . 1:1(0) ack 1001
    1.2  send 9000                # one segment short of the window
    1.3  < . 1:1(0) ack 10001
    1.4  send 10000               # all of it, though nothing is left waiting
    1.5  < . 1:1(0) ack 11001`
  const lines = established(script, { until: '1.9s', watch: cwnd }).split('\n')
  expect(lines.filter((line) => line.includes('*'))).toEqual([
    '   1.5    * cwnd 11000 ssthresh unset',
  ])
})

test('congestion avoidance in a connection: one segment a round trip', () => {
  const script = `
    1    send 60000
    2.1  < . 1:1(0) ack 10001    # after a timeout: ssthresh 5000, cwnd 1000 + 1000
    2.2  < . 1:1(0) ack 12001
    2.3  < . 1:1(0) ack 15001
    2.4  < . 1:1(0) ack 19001    # 5000: avoidance from here on
    2.5  < . 1:1(0) ack 24001    # a whole window: 6000
    2.6  < . 1:1(0) ack 29001    # 5000 of 6000
    2.7  < . 1:1(0) ack 31001`
  const lines = established(script, { until: '2.9s', watch: cwnd }).split('\n')
  expect(lines.filter((line) => line.includes('*'))).toEqual([
    '   2      * cwnd 1000 ssthresh 5000',
    '   2.1    * cwnd 2000 ssthresh 5000',
    '   2.2    * cwnd 3000 ssthresh 5000',
    '   2.3    * cwnd 4000 ssthresh 5000',
    '   2.4    * cwnd 5000 ssthresh 5000',
    '   2.5    * cwnd 6000 ssthresh 5000',
    '   2.7    * cwnd 7000 ssthresh 5000',
  ])
})

test('after a pause longer than the RTO the window is the initial one again (RFC 5681 §4.1)', () => {
  const grow = `
    1    send 20000
    1.1  < . 1:1(0) ack 10001
    1.2  < . 1:1(0) ack 20001    # the second ten did not fill it: still 11,000`
  const sentAt = (script: string, time: string) =>
    established(script, { until: '9s' })
      .split('\n')
      .filter((line) => line.startsWith(`   ${time} `) && line.includes('>')).length
  expect(sentAt(`${grow}\n2.1 send 20000`, '2.1')).toBe(11)
  expect(sentAt(`${grow}\n2.101 send 20000`, '2.101')).toBe(10)
})

test('TCP_CONGESTION takes the names that there are (ENOENT, as on Linux)', () => {
  const script = `
    1    set TCP_CONGESTION reno
    2    set TCP_CONGESTION vegas`
  expect(established(script, { until: '3s' })).toBe('   2      = set rejected: ENOENT')
})
