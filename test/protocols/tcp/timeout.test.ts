import { describe, expect, test } from 'vitest'
import type { TcpState } from '../../../protocols/tcp/state.ts'
import { RFC } from '../../../protocols/tcp/profiles/rfc.ts'
import { backOff, createRto, sampleRtt } from '../../../protocols/tcp/rto.ts'
import { ms, s } from '../../../protocols/time.ts'
import { established, plain } from '../../timeline.ts'

// Computed by hand from RFC 6298 §2: SRTT / RTTVAR / RTO before the floor, milliseconds.
const FAST = [100, 100, 200, 100, 50, 300]
const FAST_RESULTS = [
  [100, 50, 300],
  [100, 37.5, 250],
  [112.5, 53.125, 325],
  [110.9375, 42.96875, 282.8125],
  [103.3203125, 47.4609375, 293.1640625],
  [127.9052734375, 84.765625, 466.9677734375],
] as const
const SLOW = [500, 600, 400, 500]

describe('the estimator, as a table', () => {
  test('without a floor', () => {
    const policy = RFC.with({ rtoMin: 0 })
    const r = createRto(s(1))
    for (const [i, [srtt, rttvar, rto]] of FAST_RESULTS.entries()) {
      sampleRtt(r, ms(FAST[i]!), policy)
      expect([r.srtt, r.rttvar, r.rto]).toEqual([ms(1) * srtt, ms(1) * rttvar, ms(rto)])
    }
  })

  test('1 s at least, 120 s at most, and never less than SRTT + G', () => {
    const r = createRto(s(1))
    for (const rtt of FAST) {
      sampleRtt(r, ms(rtt), RFC)
      expect(r.rto).toBe(s(1))
    }
    sampleRtt(r, s(200), RFC)
    expect(r.rto).toBe(s(120))
    const coarse = createRto(s(1))
    const policy = RFC.with({ rtoMin: 0, rtoGranularity: ms(500) })
    sampleRtt(coarse, ms(100), policy)
    expect(coarse.rto).toBe(ms(600))
  })

  test('backing off doubles up to the limit', () => {
    const r = createRto(s(1))
    const seen = Array.from({ length: 8 }, () => {
      backOff(r, RFC)
      return r.rto / 1e9
    })
    expect(seen).toEqual([2, 4, 8, 16, 32, 64, 120, 120])
  })
})

/** One byte every 10 s, acknowledged after each of these times; then one that is not. */
function measured(rtts: readonly number[], rtoMin: number): string {
  const [first = 0, ...rest] = rtts
  let script = `
    0 connect
    ${first / 1000} < S. 0:0(0) ack 1 win 65535 <mss 1000>\n`
  for (const [i, rtt] of rest.entries()) {
    script += `
      ${10 * (i + 1)} send 1
      +${rtt / 1000}  < . 1:1(0) ack ${i + 2}`
  }
  script += `\n 100 send 1`
  const lines = plain(script, { until: '110s', policy: { rtoMin } }).split('\n')
  return lines.find((line) => line.includes('(rto #1'))!.trim()
}

describe('the timeout that follows from measured round trips', () => {
  test('to the nanosecond, after each sample of the first table', () => {
    // The last answer takes 300 ms and would come after its timeout of 293: a floor lets it pass.
    const times = FAST.map((_, i) => {
      return measured(FAST.slice(0, i + 1), i < 5 ? 0 : ms(301)).split(' ')[0]
    })
    expect(times).toEqual([
      '100.3',
      '100.25',
      '100.325',
      '100.2828125',
      '100.293164063', // 293.1640625 ms, rounded to whole nanoseconds
      '100.466967773', // 466.9677734375 ms
    ])
  })

  test('with the floor of 1 s it is 1 s', () => {
    const times = FAST.map((_, i) => measured(FAST.slice(0, i + 1), s(1)).split(' ')[0])
    expect(times).toEqual(Array(6).fill('101'))
  })

  test('above the floor, the second table', () => {
    const times = SLOW.map((_, i) => measured(SLOW.slice(0, i + 1), s(1)).split(' ')[0])
    // 1062.6953125 ms, rounded to whole nanoseconds.
    expect(times).toEqual(['101.5', '101.3625', '101.2484375', '101.062695313'])
  })
})

describe('in a connection', () => {
  test('data that nobody acknowledges is sent 15 times more and given up after 1208 s', () => {
    // 1 + 2 + 4 + … + 64 = 127 s, then nine times 120 s.
    expect(established('1 send 100', { until: '2000s' })).toMatchInlineSnapshot(`
      "   1      > P. 1:101(100) ack 1 win 65535
         2      > P. 1:101(100) ack 1 win 65535  (rto #1, rto 2)
         4      > P. 1:101(100) ack 1 win 65535  (rto #2, rto 4)
         8      > P. 1:101(100) ack 1 win 65535  (rto #3, rto 8)
        16      > P. 1:101(100) ack 1 win 65535  (rto #4, rto 16)
        32      > P. 1:101(100) ack 1 win 65535  (rto #5, rto 32)
        64      > P. 1:101(100) ack 1 win 65535  (rto #6, rto 64)
       128      > P. 1:101(100) ack 1 win 65535  (rto #7, rto 120)
       248      > P. 1:101(100) ack 1 win 65535  (rto #8, rto 120)
       368      > P. 1:101(100) ack 1 win 65535  (rto #9, rto 120)
       488      > P. 1:101(100) ack 1 win 65535  (rto #10, rto 120)
       608      > P. 1:101(100) ack 1 win 65535  (rto #11, rto 120)
       728      > P. 1:101(100) ack 1 win 65535  (rto #12, rto 120)
       848      > P. 1:101(100) ack 1 win 65535  (rto #13, rto 120)
       968      > P. 1:101(100) ack 1 win 65535  (rto #14, rto 120)
      1088      > P. 1:101(100) ack 1 win 65535  (rto #15, rto 120)
      1208      = failed ETIMEDOUT
      1208      = CLOSED
      1208      = closed"
    `)
  })

  test('Karn: the answer to a retransmission is no sample, and the back-off stays until there is one', () => {
    const script = `
      1    send 100
      4.1  < . 1:1(0) ack 101      # after the second retransmission
      5    send 100                # the RTO is 4 s still
      9.1  < . 1:1(0) ack 201
      10   send 100                # 8 s now
      10.1 < . 1:1(0) ack 301      # a sample at last
      11   send 100`
    expect(established(script, { until: '12.5s', show: ['rtt'] })).toMatchInlineSnapshot(`
      "   1      > P. 1:101(100) ack 1 win 65535
         2      > P. 1:101(100) ack 1 win 65535  (rto #1, rto 2)
         4      > P. 1:101(100) ack 1 win 65535  (rto #2, rto 4)
         5      > P. 101:201(100) ack 1 win 65535
         9      > P. 101:201(100) ack 1 win 65535  (rto #1, rto 8)
        10      > P. 201:301(100) ack 1 win 65535
        10.1    = rtt 100 ms, srtt 100 ms
        11      > P. 301:401(100) ack 1 win 65535
        12      > P. 301:401(100) ack 1 win 65535  (rto #1, rto 2)"
    `)
  })

  test('a segment behind a retransmitted one is not timed either', () => {
    const script = `
      1    send 1000
      2.1  < . 1:1(0) ack 1001
      3    send 2000
      3.1  < . 1:1(0) ack 2001     # the first of the two is the one that is timed
      3.2  < . 1:1(0) ack 3001`
    expect(established(script, { until: '4s', show: ['rtt'] })).toMatchInlineSnapshot(`
      "   1      > P. 1:1001(1000) ack 1 win 65535
         2      > P. 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)
         3      > . 1001:2001(1000) ack 1 win 65535
         3      > P. 2001:3001(1000) ack 1 win 65535
         3.1    = rtt 100 ms, srtt 100 ms"
    `)
  })

  test('a sample is taken when the whole of the timed segment is acknowledged', () => {
    const script = `
      1    send 1000
      1.1  < . 1:1(0) ack 501
      1.3  < . 1:1(0) ack 1001`
    expect(
      established(script, { show: ['rtt'] })
        .split('\n')
        .at(-1),
    ).toBe(
      '   1.3    = rtt 300 ms, srtt 125 ms', // 7/8 of 100 and 1/8 of 300
    )
    expect(established(script, { show: ['rtt'] }).split('\n').length).toBe(2)
  })

  test('every ACK of new data starts the timer anew, the last one stops it (RFC 6298 5.2, 5.3)', () => {
    const script = `
      1    send 3000
      1.9  < . 1:1(0) ack 1001
      2.8  < . 1:1(0) ack 2001     # the timer would have fired at 2.0 and 2.9
      3.7  < . 1:1(0) ack 3001`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > . 1001:2001(1000) ack 1 win 65535
         1      > P. 2001:3001(1000) ack 1 win 65535"
    `)
  })

  test('the timer runs from the first segment on, later ones leave it alone (RFC 6298 5.1)', () => {
    const script = `
      1    send 1000
      1.5  send 1000`
    expect(established(script, { until: '2s' })).toMatchInlineSnapshot(`
      "   1      > P. 1:1001(1000) ack 1 win 65535
         1.5    > P. 1001:2001(1000) ack 1 win 65535
         2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)"
    `)
  })

  test('the peer that is alive but loses everything once is asked again with the count from zero', () => {
    const retransmits = ({ rto }: TcpState) => `retransmits ${rto.retransmits}`
    const script = `
      1    send 2000
      4.1  < . 1:1(0) ack 1001`
    expect(established(script, { until: '9s', watch: retransmits })).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > P. 1001:2001(1000) ack 1 win 65535
         2      > . 1:1001(1000) ack 1 win 65535  (rto #1, rto 2)
         2      * retransmits 1
         4      > . 1:1001(1000) ack 1 win 65535  (rto #2, rto 4)
         4      * retransmits 2
         4.1    > P. 1001:2001(1000) ack 1 win 65535  (rto #1, rto 4)
         4.1    * retransmits 0
         8.1    > P. 1001:2001(1000) ack 1 win 65535  (rto #1, rto 8)
         8.1    * retransmits 1"
    `)
  })
})
