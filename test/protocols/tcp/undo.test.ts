import { describe, expect, test } from 'vitest'
import { timeline, type TimelineOptions } from '../../../sim/testing/timeline.ts'
import { cwnd, established, PLAIN, selective } from '../../timeline.ts'

// Losses that were none. Ten segments leave at 1 s, more wait; the RTO of 1 s ends at 2 s.

const after = (shown: string): string[] => shown.split('\n').slice(10)

describe('F-RTO (RFC 5682)', () => {
  const frto = { frto: true }

  test('with SACK: after the first ACK new data; what was never sent again arrives: spurious (§3.1)', () => {
    const script = `
      1    send 20000
      2.1  < . 1:1(0) ack 1001        # the first, late; 2b: two new segments
      2.2  < . 1:1(0) ack 3001        # 3b: and the next two, though only the first was sent again
      2.3  < . 1:1(0) ack 6001`
    const shown = selective(script, { until: '2.5s', watch: cwnd, policy: frto })
    expect(after(shown)).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2      * cwnd 1000 ssthresh 5000",
        "   2.1    > . 10001:11001(1000) ack 1 win 65535",
        "   2.1    > . 11001:12001(1000) ack 1 win 65535",
        "   2.1    * cwnd 2000 ssthresh 5000",
        "   2.2    = spurious",
        "   2.2    > . 12001:13001(1000) ack 1 win 65535",
        "   2.2    * cwnd 10000 ssthresh unset",
        "   2.3    > . 13001:14001(1000) ack 1 win 65535",
        "   2.3    > . 14001:15001(1000) ack 1 win 65535",
        "   2.3    > . 15001:16001(1000) ack 1 win 65535",
        "   2.3    > . 16001:17001(1000) ack 1 win 65535",
        "   2.3    * cwnd 11000 ssthresh unset",
      ]
    `)
  })

  test('with SACK: new data is SACKed and no more: the timeout was needed (3a)', () => {
    const script = `
      1    send 20000
      2.1  < . 1:1(0) ack 1001
      2.2  < . 1:1(0) ack 1001 <nop,nop,sack 10001:11001>
      2.3  < . 1:1(0) ack 2001 <nop,nop,sack 10001:12001>`
    const shown = selective(script, { until: '2.5s', watch: cwnd, policy: frto })
    expect(after(shown)).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2      * cwnd 1000 ssthresh 5000",
        "   2.1    > . 10001:11001(1000) ack 1 win 65535",
        "   2.1    > . 11001:12001(1000) ack 1 win 65535",
        "   2.1    * cwnd 2000 ssthresh 5000",
        "   2.2    > . 1001:2001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 2001:3001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 3001:4001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 4001:5001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    * cwnd 3000 ssthresh 5000",
      ]
    `)
  })

  test('without SACK: a second ACK of new data (§2.1, 3b)', () => {
    const script = `
      1    send 20000
      2.1  < . 1:1(0) ack 1001
      2.2  < . 1:1(0) ack 3001
      2.3  < . 1:1(0) ack 6001`
    const shown = established(script, { until: '2.5s', watch: cwnd, policy: frto })
    expect(after(shown)).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2      * cwnd 1000 ssthresh 5000",
        "   2.1    > . 10001:11001(1000) ack 1 win 65535",
        "   2.1    > . 11001:12001(1000) ack 1 win 65535",
        "   2.1    * cwnd 2000 ssthresh 5000",
        "   2.2    = spurious",
        "   2.2    > . 12001:13001(1000) ack 1 win 65535",
        "   2.2    * cwnd 10000 ssthresh unset",
        "   2.3    > . 13001:14001(1000) ack 1 win 65535",
        "   2.3    > . 14001:15001(1000) ack 1 win 65535",
        "   2.3    > . 15001:16001(1000) ack 1 win 65535",
        "   2.3    > . 16001:17001(1000) ack 1 win 65535",
        "   2.3    * cwnd 11000 ssthresh unset",
      ]
    `)
  })

  test('without SACK: a duplicate, and everything is sent again from the first hole on (3a)', () => {
    const script = `
      1    send 20000
      2.1  < . 1:1(0) ack 1001
      2.2  < . 1:1(0) ack 1001
      2.3  < . 1:1(0) ack 3001`
    const shown = established(script, { until: '2.5s', watch: cwnd, policy: frto })
    expect(after(shown)).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2      * cwnd 1000 ssthresh 5000",
        "   2.1    > . 10001:11001(1000) ack 1 win 65535",
        "   2.1    > . 11001:12001(1000) ack 1 win 65535",
        "   2.1    * cwnd 2000 ssthresh 5000",
        "   2.2    > . 1001:2001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.2    > . 2001:3001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 3001:4001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 4001:5001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    > . 5001:6001(1000) ack 1 win 65535  (rto #1, rto 2)",
        "   2.3    * cwnd 3000 ssthresh 5000",
      ]
    `)
  })

  test('nothing new to send: the conventional way', () => {
    const script = `
      1    send 10000
      2.1  < . 1:1(0) ack 1001
      2.2  < . 1:1(0) ack 3001`
    const shown = selective(script, { until: '2.5s', watch: cwnd, policy: frto })
    expect(after(shown)).toMatchInlineSnapshot(`
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
      ]
    `)
  })
})

const STAMPED = `
  0    connect
  0.1  < S. 0:0(0) ack 1 win 65535 <mss 1012,sackOK,TS val 700 ecr 0>\n`

/** Timestamps and SACK; segments of 1000 bytes, from 1 s on. */
const stamped = (script: string, options: Partial<TimelineOptions> = {}): string =>
  timeline(STAMPED + script, {
    until: '3s',
    watch: cwnd,
    ...options,
    policy: { ...PLAIN, timestamps: true, sackPermitted: true, ...options.policy },
  })
    .split('\n')
    .filter((line) => Number(line.slice(0, 9)) >= 1)
    .map((line) => line.replace('nop,nop,TS ', ''))
    .join('\n')

describe('Eifel (RFC 3522, RFC 4015)', () => {
  test('a timeout that was too early: nothing more is sent again, the window comes back', () => {
    const script = `
      1    send 20000
      2.01 < . 1:1(0) ack 1001 <nop,nop,TS val 1700 ecr 1000>   # it took 1010 ms
      2.02 < . 1:1(0) ack 3001 <nop,nop,TS val 1710 ecr 1000>`
    expect(after(stamped(script))).toMatchInlineSnapshot(`
      [
        "   2      > . 1:1001(1000) ack 1 win 65535 <val 2000 ecr 700>  (rto #1, rto 2)",
        "   2      * cwnd 1000 ssthresh 5000",
        "   2.01   = spurious",
        "   2.01   > . 10001:11001(1000) ack 1 win 65535 <val 2010 ecr 1700>",
        "   2.01   * cwnd 10000 ssthresh unset",
        "   2.02   > . 11001:12001(1000) ack 1 win 65535 <val 2020 ecr 1710>",
        "   2.02   > . 12001:13001(1000) ack 1 win 65535 <val 2020 ecr 1710>",
        "   2.02   > . 13001:14001(1000) ack 1 win 65535 <val 2020 ecr 1710>",
        "   2.02   * cwnd 11000 ssthresh unset",
      ]
    `)
  })

  test('an ACK that may be the answer to the retransmission says nothing of how long the path takes', () => {
    const script = `
      1    send 1000
      2.1  < . 1:1(0) ack 1001 <nop,nop,TS val 1700 ecr 1000>   # the first ACK was lost
      3    send 1000`
    // With an RTT of 1.1 s taken from it, the timeout would be 3.3 s.
    expect(stamped(script, { until: '5.5s' })).toMatchInlineSnapshot(`
      "   1      > P. 1:1001(1000) ack 1 win 65535 <val 1000 ecr 700>
         2      > P. 1:1001(1000) ack 1 win 65535 <val 2000 ecr 700>  (rto #1, rto 2)
         2      * cwnd 1000 ssthresh 2000
         2.1    = spurious
         2.1    * cwnd 1000 ssthresh unset
         3      > P. 1001:2001(1000) ack 1 win 65535 <val 3000 ecr 1700>
         5      > P. 1001:2001(1000) ack 1 win 65535 <val 5000 ecr 1700>  (rto #1, rto 4)
         5      * cwnd 1000 ssthresh 2000"
    `)
  })

  test('a duplicate told of: only the ACK was lost, and the back-off ends', () => {
    const script = `
      1    send 1000
      4.1  < . 1:1(0) ack 1001 <nop,nop,TS val 1700 ecr 1000,nop,nop,sack 1:1001>
      5    send 1000`
    // After two timeouts the next would come after 4 s.
    expect(stamped(script, { until: '6.5s' })).toMatchInlineSnapshot(`
      "   1      > P. 1:1001(1000) ack 1 win 65535 <val 1000 ecr 700>
         2      > P. 1:1001(1000) ack 1 win 65535 <val 2000 ecr 700>  (rto #1, rto 2)
         2      * cwnd 1000 ssthresh 2000
         4      > P. 1:1001(1000) ack 1 win 65535 <val 4000 ecr 700>  (rto #2, rto 4)
         4.1    = spurious
         4.1    * cwnd 1000 ssthresh unset
         5      > P. 1001:2001(1000) ack 1 win 65535 <val 5000 ecr 1700>
         6      > P. 1001:2001(1000) ack 1 win 65535 <val 6000 ecr 1700>  (rto #1, rto 2)
         6      * cwnd 1000 ssthresh 2000"
    `)
  })

  test('a fast retransmit of what was only late', () => {
    const script = `
      1    send 20000
      1.1  < . 1:1(0) ack 1 <nop,nop,TS val 800 ecr 1000,nop,nop,sack 1001:4001>
      1.12 < . 1:1(0) ack 4001 <nop,nop,TS val 820 ecr 1000>`
    expect(after(stamped(script))).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535 <val 1100 ecr 800>  (fast)",
        "   1.1    * cwnd 5000 ssthresh 5000",
        "   1.12   = spurious",
        "   1.12   > . 10001:11001(1000) ack 1 win 65535 <val 1120 ecr 820>",
        "   1.12   > . 11001:12001(1000) ack 1 win 65535 <val 1120 ecr 820>",
        "   1.12   > . 12001:13001(1000) ack 1 win 65535 <val 1120 ecr 820>",
        "   1.12   > . 13001:14001(1000) ack 1 win 65535 <val 1120 ecr 820>",
        "   1.12   * cwnd 10000 ssthresh unset",
        "   2.12   > . 4001:5001(1000) ack 1 win 65535 <val 2120 ecr 820>  (rto #1, rto 2)",
        "   2.12   * cwnd 1000 ssthresh 5000",
      ]
    `)
  })

  test('an ACK of what lies before the retransmission proves nothing, old as its echo is', () => {
    const script = `
      1    send 20000
      1.1  < . 1:1(0) ack 1 <nop,nop,TS val 800 ecr 1000,nop,nop,sack 5001:8001>
      1.2  < . 1:1(0) ack 1001 <nop,nop,TS val 900 ecr 1100,nop,nop,sack 5001:8001>
      1.21 < . 1:1(0) ack 2001 <nop,nop,TS val 910 ecr 1100,nop,nop,sack 5001:8001>`
    const shown = after(stamped(script, { until: '1.9s' }))
    expect(shown).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535 <val 1100 ecr 800>  (fast)",
        "   1.1    > . 1001:2001(1000) ack 1 win 65535 <val 1100 ecr 800>  (fast)",
        "   1.1    > . 2001:3001(1000) ack 1 win 65535 <val 1100 ecr 800>  (fast)",
        "   1.1    * cwnd 5000 ssthresh 5000",
        "   1.2    > . 3001:4001(1000) ack 1 win 65535 <val 1200 ecr 900>  (fast)",
        "   1.21   > . 4001:5001(1000) ack 1 win 65535 <val 1210 ecr 910>  (fast)",
      ]
    `)
    expect(shown.join()).not.toContain('spurious')
  })
})

describe('duplicates told of (RFC 2883 §5)', () => {
  test('of every retransmission: the window comes back, also after recovery', () => {
    const script = `
      1    send 20000
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
      1.15 < . 1:1(0) ack 4001
      1.16 < . 1:1(0) ack 10001
      1.2  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>`
    const shown = selective(script, { until: '1.9s', watch: cwnd })
    expect(after(shown)).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (fast)",
        "   1.1    * cwnd 5000 ssthresh 5000",
        "   1.16   > . 10001:11001(1000) ack 1 win 65535",
        "   1.16   > . 11001:12001(1000) ack 1 win 65535",
        "   1.16   > . 12001:13001(1000) ack 1 win 65535",
        "   1.16   > . 13001:14001(1000) ack 1 win 65535",
        "   1.16   > . 14001:15001(1000) ack 1 win 65535",
        "   1.2    = spurious",
        "   1.2    > . 15001:16001(1000) ack 1 win 65535",
        "   1.2    > . 16001:17001(1000) ack 1 win 65535",
        "   1.2    > . 17001:18001(1000) ack 1 win 65535",
        "   1.2    > . 18001:19001(1000) ack 1 win 65535",
        "   1.2    > P. 19001:20001(1000) ack 1 win 65535",
        "   1.2    * cwnd 10000 ssthresh unset",
      ]
    `)
  })

  test('of one of two: the other was needed', () => {
    const script = `
      1    send 20000
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 2001:10001>
      1.2  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>`
    const shown = selective(script, { until: '1.9s', watch: cwnd })
    expect(shown).not.toContain('spurious')
  })

  test('of what was sent once: the network copied it', () => {
    const script = `
      1    send 20000
      1.1  < . 1:1(0) ack 10001
      1.2  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>`
    expect(selective(script, { until: '1.9s' })).not.toContain('spurious')
  })
})
