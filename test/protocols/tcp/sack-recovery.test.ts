import { describe, expect, test } from 'vitest'
import { cwnd, selective } from '../../timeline.ts'

/** Ten segments leave at 1 s, ten wait; the RTO of 1 s ends at 2 s. */
const FLIGHT = '1 send 20000'
const AFTER = 10
const lines = (script: string, options: Parameters<typeof selective>[1] = {}): string[] =>
  selective(script, { until: '1.9s', ...options })
    .split('\n')
    .slice(AFTER)

describe('what is lost (RFC 6675 §4, IsLost)', () => {
  test('more than two segments SACKed above: lost; two are not enough', () => {
    const two = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
      1.11 < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>`
    expect(lines(two)).toEqual([])
    const three = `${two}\n1.12 < . 1:1(0) ack 1 <nop,nop,sack 1001:3002>`
    expect(lines(three, { watch: cwnd })).toEqual([
      '   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)',
      '   1.12   * cwnd 5000 ssthresh 5000',
    ])
  })

  test('one ACK that SACKs enough is enough, for two may have been lost', () => {
    expect(lines(`${FLIGHT}\n1.1 < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>`)).toEqual([
      '   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)',
    ])
  })

  test('three blocks, however small, are enough; what lies above the third is not lost', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:1101>
      1.11 < . 1:1(0) ack 1 <nop,nop,sack 3001:3101 1001:1101>
      1.12 < . 1:1(0) ack 1 <nop,nop,sack 5001:5101 3001:3101 1001:1101>`
    expect(lines(script)).toEqual(['   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)'])
  })

  test('a block outside the flight, an empty one and one the wrong way round say nothing', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:40001>
      1.11 < . 1:1(0) ack 1 <nop,nop,sack 3001:3001 4001:3001 1:5001>`
    expect(lines(script)).toEqual([])
  })
})

describe('what is sent (RFC 6675 §4, NextSeg; §5)', () => {
  test('several holes: the lost ones first, each once, then what is new, as the pipe allows', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
      1.11 < . 1:1(0) ack 1 <nop,nop,sack 1001:2001 3001:4001>
      1.12 < . 1:1(0) ack 1 <nop,nop,sack 1001:2001 3001:4001 5001:6001>  # pipe 6 of 5
      1.13 < . 1:1(0) ack 1 <nop,nop,sack 5001:7001 3001:4001 1001:2001>  # 5: 2001 is lost too
      1.14 < . 1:1(0) ack 1 <nop,nop,sack 5001:8001 3001:4001 1001:2001>  # and 4001: 3
      1.15 < . 1:1(0) ack 1 <nop,nop,sack 5001:9001 3001:4001 1001:2001>
      1.16 < . 1:1(0) ack 1 <nop,nop,sack 5001:10001 3001:4001 1001:2001>
      1.3  < . 1:1(0) ack 2001 <nop,nop,sack 5001:10001 3001:4001>
      1.31 < . 1:1(0) ack 4001 <nop,nop,sack 5001:10001>
      1.32 < . 1:1(0) ack 10001
      1.33 < . 1:1(0) ack 11001`
    expect(lines(script, { watch: cwnd })).toMatchInlineSnapshot(`
      [
        "   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.12   * cwnd 5000 ssthresh 5000",
        "   1.14   > . 2001:3001(1000) ack 1 win 65535  (fast)",
        "   1.14   > . 4001:5001(1000) ack 1 win 65535  (fast)",
        "   1.15   > . 10001:11001(1000) ack 1 win 65535",
        "   1.16   > . 11001:12001(1000) ack 1 win 65535",
        "   1.3    > . 12001:13001(1000) ack 1 win 65535",
        "   1.31   > . 13001:14001(1000) ack 1 win 65535",
        "   1.32   > . 14001:15001(1000) ack 1 win 65535",
        "   1.33   > . 15001:16001(1000) ack 1 win 65535",
      ]
    `)
  })

  test('(3) what nobody counts as lost is sent again where nothing is new', () => {
    const script = `
      1    send 10000
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:7001 8001:9001>  # 7001 is below a block, not lost
      1.3  < . 1:1(0) ack 9001`
    expect(lines(script)).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.1    > . 7001:8001(1000) ack 1 win 65535  (fast)",
        "   1.1    > P. 9001:10001(1000) ack 1 win 65535  (fast)",
      ]
    `)
  })

  test('(4) the rescue: once the end of the flight, to hear of it before the timeout', () => {
    const script = `
      1    send 10000
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:6001>   # all that follows is lost as well
      1.2  < . 1:1(0) ack 6001
      1.3  < . 1:1(0) ack 6001 <nop,nop,sack 9001:10001>
      1.4  < . 1:1(0) ack 7001 <nop,nop,sack 9001:10001>`
    expect(lines(script)).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.2    > P. 9001:10001(1000) ack 1 win 65535  (fast)",
        "   1.3    > . 6001:7001(1000) ack 1 win 65535  (fast)",
        "   1.3    > . 7001:8001(1000) ack 1 win 65535  (fast)",
        "   1.4    > . 8001:9001(1000) ack 1 win 65535  (fast)",
      ]
    `)
  })

  test('limited transmit: the first two let out a segment each (RFC 3042)', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
      1.11 < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
      1.12 < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>`
    expect(lines(script, { policy: { limitedTransmit: true }, watch: cwnd }))
      .toMatchInlineSnapshot(`
      [
        "   1.1    > . 10001:11001(1000) ack 1 win 65535",
        "   1.11   > . 11001:12001(1000) ack 1 win 65535",
        "   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.12   * cwnd 5000 ssthresh 5000",
      ]
    `)
  })

  test('what the peer sends again is asked for once more only after a timeout', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
      1.2  < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
      2.3  < . 1:1(0) ack 1 <nop,nop,sack 1001:12001>`
    expect(lines(script, { until: '2.5s' })).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.2    > . 10001:11001(1000) ack 1 win 65535",
        "   1.2    > . 11001:12001(1000) ack 1 win 65535",
        "   1.2    > . 12001:13001(1000) ack 1 win 65535",
        "   1.2    > . 13001:14001(1000) ack 1 win 65535",
        "   2.1    > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
      ]
    `)
  })

  test('a window that has no room keeps what is lost behind its edge', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 win 2500 <nop,nop,sack 3001:10001>
      1.2  < . 1:1(0) ack 1001 win 65535 <nop,nop,sack 3001:10001>`
    expect(lines(script)).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.1    > . 1001:2001(1000) ack 1 win 65535  (fast)",
        "   1.1    > . 2001:2501(500) ack 1 win 65535  (fast)",
        "   1.2    > . 2501:3001(500) ack 1 win 65535  (fast)",
        "   1.2    > . 10001:11001(1000) ack 1 win 65535",
        "   1.2    > . 11001:12001(1000) ack 1 win 65535",
        "   1.2    > . 12001:13001(1000) ack 1 win 65535",
      ]
    `)
  })
})

describe('PRR (RFC 6937)', () => {
  const prr = { prr: true }
  test('one segment for every two that arrive, until the pipe is at ssthresh', () => {
    let script = '1 send 40000'
    for (let i = 2; i <= 18; i++) {
      script += `\n${(1.08 + i / 100).toFixed(2)} < . 1:1(0) ack 1 <nop,nop,sack 1001:${i}001>`
    }
    const policy = { prr: true, initialWindow: 20 }
    expect(lines(script, { policy, watch: cwnd }).slice(10)).toMatchInlineSnapshot(`
      [
        "   1.12   > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.12   * cwnd 17000 ssthresh 10000",
        "   1.13   * cwnd 16000 ssthresh 10000",
        "   1.14   * cwnd 15500 ssthresh 10000",
        "   1.15   > . 20001:21001(1000) ack 1 win 65535",
        "   1.15   * cwnd 15000 ssthresh 10000",
        "   1.16   * cwnd 14500 ssthresh 10000",
        "   1.17   > . 21001:22001(1000) ack 1 win 65535",
        "   1.17   * cwnd 14000 ssthresh 10000",
        "   1.18   * cwnd 13500 ssthresh 10000",
        "   1.19   > . 22001:23001(1000) ack 1 win 65535",
        "   1.19   * cwnd 13000 ssthresh 10000",
        "   1.2    * cwnd 12500 ssthresh 10000",
        "   1.21   > . 23001:24001(1000) ack 1 win 65535",
        "   1.21   * cwnd 12000 ssthresh 10000",
        "   1.22   * cwnd 11500 ssthresh 10000",
        "   1.23   * cwnd 10000 ssthresh 10000",
        "   1.24   > . 24001:25001(1000) ack 1 win 65535",
        "   1.25   > . 25001:26001(1000) ack 1 win 65535",
        "   1.26   > . 26001:27001(1000) ack 1 win 65535",
      ]
    `)
  })

  test('with most of the flight lost, slow start up to the threshold (the reduction bound)', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 7001:10001>   # seven of ten are lost
      1.2  < . 1:1(0) ack 1001 <nop,nop,sack 7001:10001>
      1.3  < . 1:1(0) ack 3001 <nop,nop,sack 7001:10001>
      1.4  < . 1:1(0) ack 7001 <nop,nop,sack 7001:10001>`
    expect(lines(script, { policy: prr, watch: cwnd })).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.1    > . 1001:2001(1000) ack 1 win 65535  (fast)",
        "   1.1    > . 2001:3001(1000) ack 1 win 65535  (fast)",
        "   1.1    > . 3001:4001(1000) ack 1 win 65535  (fast)",
        "   1.1    * cwnd 4000 ssthresh 5000",
        "   1.2    > . 4001:5001(1000) ack 1 win 65535  (fast)",
        "   1.2    > . 5001:6001(1000) ack 1 win 65535  (fast)",
        "   1.2    * cwnd 5000 ssthresh 5000",
        "   1.3    > . 6001:7001(1000) ack 1 win 65535  (fast)",
        "   1.3    > . 10001:11001(1000) ack 1 win 65535",
        "   1.4    > . 11001:12001(1000) ack 1 win 65535",
        "   1.4    > . 12001:13001(1000) ack 1 win 65535",
        "   1.4    > . 13001:14001(1000) ack 1 win 65535",
        "   1.4    > . 14001:15001(1000) ack 1 win 65535",
      ]
    `)
  })
})

describe('a timeout (RFC 6675 §5.1)', () => {
  test('what the peer holds is not sent again', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 4001:5001 8001:9001>
      2.1  < . 1:1(0) ack 1001 <nop,nop,sack 4001:5001 8001:9001>
      2.2  < . 1:1(0) ack 3001 <nop,nop,sack 4001:5001 8001:9001>
      2.3  < . 1:1(0) ack 7001 <nop,nop,sack 8001:9001>
      2.4  < . 1:1(0) ack 10001`
    expect(lines(script, { until: '2.5s', watch: cwnd })).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2      * cwnd 1000 ssthresh 5000",
        "   2.1    > . 1001:2001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.1    > . 2001:3001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.1    * cwnd 2000 ssthresh 5000",
        "   2.2    > . 3001:4001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.2    > . 5001:6001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.2    > . 6001:7001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.2    * cwnd 3000 ssthresh 5000",
        "   2.3    > . 7001:8001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 9001:10001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 10001:11001(1000) ack 1 win 65535",
        "   2.3    > . 11001:12001(1000) ack 1 win 65535",
        "   2.3    * cwnd 4000 ssthresh 5000",
        "   2.4    > . 12001:13001(1000) ack 1 win 65535",
        "   2.4    > . 13001:14001(1000) ack 1 win 65535",
        "   2.4    > . 14001:15001(1000) ack 1 win 65535",
        "   2.4    * cwnd 5000 ssthresh 5000",
      ]
    `)
  })

  test('a peer that has thrown away what it held (RFC 2018 §8): everything is sent again', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
      1.2  < . 1:1(0) ack 1001            # it has the first now, and nothing else any more
      2.3  < . 1:1(0) ack 2001
      2.4  < . 1:1(0) ack 4001`
    expect(lines(script, { until: '2.5s' })).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.1    > . 10001:11001(1000) ack 1 win 65535",
        "   1.1    > . 11001:12001(1000) ack 1 win 65535",
        "   1.1    > . 12001:13001(1000) ack 1 win 65535",
        "   1.1    > . 13001:14001(1000) ack 1 win 65535",
        "   1.2    > . 14001:15001(1000) ack 1 win 65535",
        "   2.2    > . 1001:2001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 2001:3001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 3001:4001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.4    > . 4001:5001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.4    > . 5001:6001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.4    > . 6001:7001(1000) ack 1 win 65535  (rto #1, rto 2)",
      ]
    `)
  })

  test('in the middle of recovery: ssthresh stays, the holes are sent again', () => {
    const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
      1.2  < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>`
    expect(lines(script, { until: '2.5s', watch: cwnd })).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.1    * cwnd 5000 ssthresh 5000",
        "   1.2    > . 10001:11001(1000) ack 1 win 65535",
        "   1.2    > . 11001:12001(1000) ack 1 win 65535",
        "   1.2    > . 12001:13001(1000) ack 1 win 65535",
        "   1.2    > . 13001:14001(1000) ack 1 win 65535",
        "   2.1    > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.1    * cwnd 1000 ssthresh 5000",
      ]
    `)
  })
})

test('everything across the wrap of sequence numbers', () => {
  const script = `${FLIGHT}
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:2001 3001:4001>
      1.11 < . 1:1(0) ack 1 <nop,nop,sack 1001:2001 3001:4001 5001:7001>
      1.12 < . 1:1(0) ack 1 <nop,nop,sack 5001:10001 1001:2001 3001:4001>
      1.3  < . 1:1(0) ack 4001 <nop,nop,sack 5001:10001>
      1.31 < . 1:1(0) ack 10001
      2.5  < . 1:1(0) ack 11001`
  const plain = selective(script, { until: '4s', watch: cwnd })
  for (const iss of [2 ** 32 - 1, 2 ** 32 - 1500, 2 ** 32 - 4001, 2 ** 32 - 9999, 2 ** 31 - 5000]) {
    expect(selective(script, { until: '4s', watch: cwnd, iss, irs: iss })).toBe(plain)
  }
})
