import { describe, expect, test } from 'vitest'
import type { TcpState } from '../../../protocols/tcp/state.ts'
import { cwnd, selective } from '../../timeline.ts'

// RFC 8985. The handshake took 100 ms; the RTO of 1 s ends at 2 s; ten segments leave at 1 s.

const RACK = { rack: true, tlp: false }
const played = (script: string, options: Parameters<typeof selective>[1] = {}): string[] =>
  selective(script, { until: '1.9s', ...options, policy: { ...RACK, ...options.policy } }).split(
    '\n',
  )

const window = ({ rack }: TcpState): string =>
  rack === null ? '' : `reordering ${rack.reorderingSeen} x${rack.reoWndMult}`

describe('RACK (RFC 8985 §6.2)', () => {
  test('three SACKed segments: what was sent before them is lost at once', () => {
    const script = `
      1    send 10000
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
      1.11 < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>`
    expect(played(script, { until: '1.12s' }).slice(10)).toMatchInlineSnapshot(`
      [
        "   1.11   > . 1:1001(1000) ack 1 win 65535  (rack)",
      ]
    `)
  })

  test('fewer: after a quarter of the round trip, by the reordering timer (§6.3)', () => {
    const script = `
      1    send 10000
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>`
    expect(played(script, { show: ['timer'] }).slice(10)).toMatchInlineSnapshot(`
      [
        "   1.125  = timer reorder",
        "   1.125  > . 1:1001(1000) ack 1 win 65535  (rack)",
      ]
    `)
  })

  test('what arrives within that time was only late, and from then on more time is given', () => {
    const script = `
      1     send 10000
      1.1   < . 1:1(0) ack 1 <nop,nop,sack 1001:2001>
      1.12  < . 1:1(0) ack 2001
      1.13  < . 1:1(0) ack 2001 <nop,nop,sack 3001:8001>   # 25 ms, for three are no sign any more`
    expect(played(script, { watch: window, show: ['timer'] }).slice(10)).toMatchInlineSnapshot(`
      [
        "   1      * reordering false x1",
        "   1.12   * reordering true x1",
        "   1.125  = timer reorder",
        "   1.155  = timer reorder",
        "   1.155  > . 2001:3001(1000) ack 1 win 65535  (rack)",
      ]
    `)
  })

  test('a retransmission that is lost is found as well, and the window shrinks again (RFC 5681 §4.3)', () => {
    const script = `
      1    send 20000
      1.1  < . 1:1(0) ack 1 <nop,nop,sack 1001:9001>       # sends the first again, and new data
      1.21 < . 1:1(0) ack 1 <nop,nop,sack 1001:11001>      # sent after it, has arrived before it`
    expect(played(script, { watch: cwnd, policy: { prr: true } }).slice(10)).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (rack)",
        "   1.1    > . 10001:11001(1000) ack 1 win 65535",
        "   1.1    > . 11001:12001(1000) ack 1 win 65535",
        "   1.1    > . 12001:13001(1000) ack 1 win 65535",
        "   1.1    * cwnd 5000 ssthresh 5000",
        "   1.21   > . 1:1001(1000) ack 1 win 65535  (rack)",
        "   1.21   * cwnd 3000 ssthresh 2500",
      ]
    `)
  })

  test('the tail of a flight is found by what was sent later, whatever its number', () => {
    const script = `
      1     send 10000
      1.1   < . 1:1(0) ack 1 <nop,nop,sack 1001:6001>      # 6001 to 10001 are lost too
      1.22  < . 1:1(0) ack 6001                            # what left at 1.1 has arrived, what left at 1.0 is late
      1.33  < . 1:1(0) ack 10001`
    expect(played(script).slice(10)).toMatchInlineSnapshot(`
      [
        "   1.1    > . 1:1001(1000) ack 1 win 65535  (rack)",
        "   1.22   > . 6001:7001(1000) ack 1 win 65535  (rack)",
        "   1.22   > . 7001:8001(1000) ack 1 win 65535  (rack)",
        "   1.22   > . 8001:9001(1000) ack 1 win 65535  (rack)",
        "   1.22   > P. 9001:10001(1000) ack 1 win 65535  (rack)",
      ]
    `)
  })

  test('duplicates that are told of widen the window, once a round, until sixteen recoveries later', () => {
    let script = `
      1     send 10000
      1.1   < . 1:1(0) ack 10001
      1.11  < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>
      1.12  < . 1:1(0) ack 10001 <nop,nop,sack 1001:2001>  # with nothing in flight: another round`
    for (let i = 0; i < 17; i++) {
      const from = 10_001 + i * 2000
      script += `
      ${2 + i}     send 2000
      ${2 + i}.1   < . 1:1(0) ack ${from} <nop,nop,sack ${from + 1000}:${from + 2000}>
      ${2 + i}.4   < . 1:1(0) ack ${from + 2000}`
    }
    const seen = played(script, { watch: window, until: '20s' })
    // The first is late after 75 ms, three quarters of the round trip; the last after 25.
    expect(seen.filter((line) => /\*|rack/.test(line))).toMatchInlineSnapshot(`
      [
        "   1      * reordering false x1",
        "   1.11   * reordering false x2",
        "   1.12   * reordering false x3",
        "   2.175  > . 10001:11001(1000) ack 1 win 65535  (rack)",
        "   3.175  > . 12001:13001(1000) ack 1 win 65535  (rack)",
        "   4.175  > . 14001:15001(1000) ack 1 win 65535  (rack)",
        "   5.175  > . 16001:17001(1000) ack 1 win 65535  (rack)",
        "   6.175  > . 18001:19001(1000) ack 1 win 65535  (rack)",
        "   7.175  > . 20001:21001(1000) ack 1 win 65535  (rack)",
        "   8.175  > . 22001:23001(1000) ack 1 win 65535  (rack)",
        "   9.175  > . 24001:25001(1000) ack 1 win 65535  (rack)",
        "  10.175  > . 26001:27001(1000) ack 1 win 65535  (rack)",
        "  11.175  > . 28001:29001(1000) ack 1 win 65535  (rack)",
        "  12.175  > . 30001:31001(1000) ack 1 win 65535  (rack)",
        "  13.175  > . 32001:33001(1000) ack 1 win 65535  (rack)",
        "  14.175  > . 34001:35001(1000) ack 1 win 65535  (rack)",
        "  15.175  > . 36001:37001(1000) ack 1 win 65535  (rack)",
        "  16.175  > . 38001:39001(1000) ack 1 win 65535  (rack)",
        "  17.175  > . 40001:41001(1000) ack 1 win 65535  (rack)",
        "  17.4    * reordering false x1",
        "  18.125  > . 42001:43001(1000) ack 1 win 65535  (rack)",
      ]
    `)
  })

  test('without SACK there is no RACK: duplicates are counted', () => {
    const script = `
      1    send 10000
      1.1  < . 1:1(0) ack 1
      1.11 < . 1:1(0) ack 1
      1.3  < . 1:1(0) ack 1`
    const policy = { sackPermitted: false }
    expect(played(script, { policy }).slice(10)).toEqual([
      '   1.3    > . 1:1001(1000) ack 1 win 65535  (fast)',
    ])
  })
})

describe('tail loss probes (RFC 8985 §7)', () => {
  const TLP = { policy: { tlp: true }, show: ['timer'] as const }

  test('two round trips after the last segment it is sent again; its ACK ends it', () => {
    const script = `
      1    send 10000
      1.1  < . 1:1(0) ack 9001          # the last one is lost
      1.6  < . 1:1(0) ack 10001
      1.7  send 1000
      1.8  < . 1:1(0) ack 11001         # beyond the probe: it has repaired a loss`
    expect(played(script, { ...TLP, watch: cwnd }).slice(10)).toMatchInlineSnapshot(`
      [
        "   1.1    * cwnd 11000 ssthresh unset",
        "   1.5    = timer tailLoss",
        "   1.5    > P. 9001:10001(1000) ack 1 win 65535  (tlp)",
        "   1.6    * cwnd 12000 ssthresh unset",
        "   1.7    > P. 10001:11001(1000) ack 1 win 65535",
        "   1.8    * cwnd 6000 ssthresh 6000",
      ]
    `)
  })

  test('a duplicate told of: nothing was lost, the window stays', () => {
    const script = `
      1    send 3000
      1.25 < . 1:1(0) ack 3001
      1.35 < . 1:1(0) ack 3001 <nop,nop,sack 2001:3001>
      1.6  send 1000
      1.7  < . 1:1(0) ack 4001`
    expect(played(script, { ...TLP, watch: cwnd }).slice(3)).toMatchInlineSnapshot(`
      [
        "   1.2    = timer tailLoss",
        "   1.2    > P. 2001:3001(1000) ack 1 win 65535  (tlp)",
        "   1.6    > P. 3001:4001(1000) ack 1 win 65535",
      ]
    `)
  })

  test('new data, where there is some, goes instead, though the window is full', () => {
    const script = `
      1    send 12000
      1.3  < . 1:1(0) ack 1 <nop,nop,sack 10001:11001>   # the answer: everything before was lost`
    expect(played(script, TLP).slice(10)).toMatchInlineSnapshot(`
      [
        "   1.2    = timer tailLoss",
        "   1.2    > . 10001:11001(1000) ack 1 win 65535",
        "   1.3    > . 1:1001(1000) ack 1 win 65535  (rack)",
        "   1.3    > . 1001:2001(1000) ack 1 win 65535  (rack)",
        "   1.3    > . 2001:3001(1000) ack 1 win 65535  (rack)",
        "   1.3    > . 3001:4001(1000) ack 1 win 65535  (rack)",
        "   1.3    > . 4001:5001(1000) ack 1 win 65535  (rack)",
      ]
    `)
  })

  test('one segment alone waits for a delayed ACK besides', () => {
    expect(played('1 send 1000', TLP)).toMatchInlineSnapshot(`
      [
        "   1      > P. 1:1001(1000) ack 1 win 65535",
        "   1.4    = timer tailLoss",
        "   1.4    > P. 1:1001(1000) ack 1 win 65535  (tlp)",
      ]
    `)
  })

  test('one probe, then the timeout, a whole RTO after it', () => {
    expect(played('1 send 5000', { ...TLP, until: '2.5s' }).slice(5)).toMatchInlineSnapshot(`
      [
        "   1.2    = timer tailLoss",
        "   1.2    > P. 4001:5001(1000) ack 1 win 65535  (tlp)",
        "   2.2    = timer retransmit",
        "   2.2    > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)",
      ]
    `)
  })

  test('never later than the timeout', () => {
    const script = `
      1    send 1000
      1.6  < . 1:1(0) ack 1001
      2    send 1000`
    const policy = { tlp: true, rtoMin: 0, rtoMax: 350_000_000 }
    expect(played(script, { ...TLP, policy, until: '2.5s' }).slice(1)).toMatchInlineSnapshot(`
      [
        "   1.3    = timer tailLoss",
        "   1.3    > P. 1:1001(1000) ack 1 win 65535  (tlp)",
        "   1.6    = timer retransmit",
        "   1.6    > P. 1:1001(1000) ack 1 win 65535  (rto #1, rto 0.35)",
        "   2      > P. 1001:2001(1000) ack 1 win 65535",
        "   2.35   = timer tailLoss",
        "   2.35   > P. 1001:2001(1000) ack 1 win 65535  (tlp)",
      ]
    `)
  })

  test('switched off there is none', () => {
    expect(played('1 send 5000').slice(5)).toEqual([])
  })
})
