import { describe, expect, test } from 'vitest'
import { cwnd, established } from '../../timeline.ts'

/** Ten segments leave at 1 s; the RTO of 1 s ends at 2 s. */
const FLIGHT = '1 send 10000'
const DUPLICATE = '< . 1:1(0) ack 1'

describe('fast retransmit and NewReno (RFC 5681 §3.2, RFC 6582 §3.2)', () => {
  test('the third duplicate ACK sends the segment again, the second does not', () => {
    const two = `${FLIGHT}
      1.1  ${DUPLICATE}
      1.11 ${DUPLICATE}`
    expect(established(two, { until: '1.9s', watch: cwnd }).split('\n').slice(10)).toEqual([])
    expect(
      established(`${two}\n1.12 ${DUPLICATE}`, { until: '1.9s', watch: cwnd })
        .split('\n')
        .slice(10),
    ).toEqual([
      '   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)',
      '   1.12   * cwnd 5000 ssthresh 5000', // half of 10,000
    ])
  })

  test('an ACK of new data begins the count anew', () => {
    const script = `${FLIGHT}
      1.1  ${DUPLICATE}
      1.11 ${DUPLICATE}
      1.2  < . 1:1(0) ack 1001
      1.3  < . 1:1(0) ack 1001
      1.31 < . 1:1(0) ack 1001`
    expect(established(script, { until: '1.9s' }).split('\n').slice(10)).toEqual([])
  })

  test('what has left makes room for new data, a partial ACK sends the next hole, a full one ends it', () => {
    const script = `
      1    send 20000              # ten of twenty segments: the initial window
      1.1  ${DUPLICATE}
      1.11 ${DUPLICATE}
      1.12 ${DUPLICATE}
      1.13 ${DUPLICATE}            # four have left: 6000 in the network
      1.14 ${DUPLICATE}            # 5000
      1.15 ${DUPLICATE}            # 4000: one new segment
      1.3  < . 1:1(0) ack 5001     # the first hole is filled, 5001 is the next
      1.4  < . 1:1(0) ack 11001    # more than had been sent when the loss was found
      1.5  < . 1:1(0) ack 12001`
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
         1.12   > . 1:1001(1000) ack 1 win 65535  (fast)
         1.12   * cwnd 5000 ssthresh 5000
         1.15   > . 10001:11001(1000) ack 1 win 65535
         1.3    > . 5001:6001(1000) ack 1 win 65535  (fast)
         1.3    > . 11001:12001(1000) ack 1 win 65535
         1.4    > . 12001:13001(1000) ack 1 win 65535
         1.4    * cwnd 2000 ssthresh 5000
         1.5    > . 13001:14001(1000) ack 1 win 65535
         1.5    > . 14001:15001(1000) ack 1 win 65535
         1.5    * cwnd 3000 ssthresh 5000"
    `)
  })

  test('only the first partial ACK starts the timer anew', () => {
    const script = `${FLIGHT}
      1.1  ${DUPLICATE}
      1.11 ${DUPLICATE}
      1.12 ${DUPLICATE}
      1.3  < . 1:1(0) ack 1001     # the timer: 2.3
      1.5  < . 1:1(0) ack 2001`
    expect(established(script, { until: '2.4s' }).split('\n').slice(10)).toMatchInlineSnapshot(`
      [
        "   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.3    > . 1001:2001(1000) ack 1 win 65535  (fast)",
        "   1.5    > . 2001:3001(1000) ack 1 win 65535  (fast)",
        "   2.3    > . 2001:3001(1000) ack 1 win 65535  (rto #1, rto 2)",
      ]
    `)
  })

  test('what is no duplicate: data, another window, nothing in flight', () => {
    const script = `${FLIGHT}
      1.1  < . 1:101(100) ack 1
      1.11 < . 101:201(100) ack 1
      1.12 < . 201:301(100) ack 1
      1.13 < . 301:301(0) ack 1 win 65000
      1.14 < . 301:301(0) ack 1 win 64000
      1.15 < . 301:301(0) ack 1 win 63000
      1.2  < . 301:301(0) ack 10001
      1.3  < . 301:301(0) ack 10001
      1.31 < . 301:301(0) ack 10001
      1.32 < . 301:301(0) ack 10001`
    const lines = established(script, { until: '1.9s' }).split('\n')
    expect(lines.filter((line) => line.includes('(fast'))).toEqual([])
    expect(lines.slice(10)).toMatchInlineSnapshot(`
      [
        "   1.11   > . 10001:10001(0) ack 201 win 65335",
        "   1.16   > . 10001:10001(0) ack 301 win 65235",
      ]
    `)
  })

  test('duplicates after a new loss in the next window find it', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 10001
      1.2  send 5000
      1.3  < . 1:1(0) ack 10001
      1.31 < . 1:1(0) ack 10001
      1.32 < . 1:1(0) ack 10001`
    expect(established(script, { until: '1.9s' }).split('\n').slice(15)).toEqual([
      '   1.32   > . 10001:11001(1000) ack 1 win 65535  (fast)',
    ])
  })
})

describe('recovery after a timeout (RFC 5681 §3.1)', () => {
  test('one segment, then slow start through what was sent before; nothing is sent a third time', () => {
    const script = `${FLIGHT}
      2.1  < . 1:1(0) ack 1001
      2.2  < . 1:1(0) ack 3001
      2.3  < . 1:1(0) ack 7001
      2.4  < . 1:1(0) ack 10001`
    expect(established(script, { until: '5s', watch: cwnd }).split('\n').slice(10))
      .toMatchInlineSnapshot(`
        [
          "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2      * cwnd 1000 ssthresh 5000",
          "   2.1    > . 1001:2001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.1    > . 2001:3001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.1    * cwnd 2000 ssthresh 5000",
          "   2.2    > . 3001:4001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.2    > . 4001:5001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.2    > . 5001:6001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.2    * cwnd 3000 ssthresh 5000",
          "   2.3    > . 7001:8001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.3    > . 8001:9001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.3    > P. 9001:10001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2.3    * cwnd 4000 ssthresh 5000",
        ]
      `)
  })

  test('what the receiver held on to is skipped', () => {
    const script = `${FLIGHT}
      2.1  < . 1:1(0) ack 9001     # only the first and the last were lost
      2.2  < . 1:1(0) ack 10001`
    expect(established(script, { until: '5s' }).split('\n').slice(10)).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.1    > P. 9001:10001(1000) ack 1 win 65535  (rto #1, rto 2)",
      ]
    `)
  })

  test('duplicates of what a timeout sent again are no loss (RFC 6582 §3.2 step 1)', () => {
    const script = `${FLIGHT}
      2.1  < . 1:1(0) ack 5001
      2.11 < . 1:1(0) ack 5001
      2.12 < . 1:1(0) ack 5001
      2.13 < . 1:1(0) ack 5001
      2.14 < . 1:1(0) ack 5001
      2.2  < . 1:1(0) ack 10001`
    const lines = established(script, { until: '5s' })
    expect(lines).not.toContain('fast')
    expect(lines.split('\n').slice(10)).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.1    > . 5001:6001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.1    > . 6001:7001(1000) ack 1 win 65535  (rto #1, rto 2)",
      ]
    `)
  })

  test('half of the flight becomes ssthresh once; a second timeout leaves it', () => {
    expect(established(FLIGHT, { until: '5s', watch: cwnd }).split('\n').slice(10))
      .toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2      * cwnd 1000 ssthresh 5000",
        "   4      > . 1:1001(1000) ack 1 win 65535  (rto #2, rto 4)",
      ]
    `)
  })

  test('a timeout in the middle of fast recovery ends it', () => {
    const script = `${FLIGHT}
      1.1  ${DUPLICATE}
      1.11 ${DUPLICATE}
      1.12 ${DUPLICATE}            # the timer goes on: 2.0
      2.5  < . 1:1(0) ack 10001`
    expect(established(script, { until: '5s', watch: cwnd }).split('\n').slice(10))
      .toMatchInlineSnapshot(`
        [
          "   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)",
          "   1.12   * cwnd 5000 ssthresh 5000",
          "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
          "   2      * cwnd 1000 ssthresh 5000",
          "   2.5    * cwnd 2000 ssthresh 5000",
        ]
      `)
  })
})
