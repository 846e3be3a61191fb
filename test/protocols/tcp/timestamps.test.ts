import { describe, expect, test } from 'vitest'
import { timeline, type TimelineOptions } from '../../../sim/testing/timeline.ts'

const OPEN = `
  0    connect
  0.1  < S. 0:0(0) ack 1 win 65535 <mss 1012,nop,nop,TS val 700 ecr 0>\n`

/** From 1 s on; segments of 1000 bytes beside 12 of timestamps. */
const stamped = (script: string, options: Partial<TimelineOptions> = {}): string =>
  timeline(OPEN + script, {
    until: '10s',
    ...options,
    policy: { windowScale: false, sackPermitted: false },
  })
    .split('\n')
    .filter((line) => Number(line.slice(0, 9)) >= 1)
    .join('\n')

describe('timestamps (RFC 7323)', () => {
  test('every segment carries the clock in milliseconds and echoes the peer (§3.2)', () => {
    const script = `
      1      send 1000
      1.25   < . 1:1(0) ack 1001 <nop,nop,TS val 800 ecr 1000>
      1.5    send 10`
    expect(stamped(script, { until: '2s' })).toMatchInlineSnapshot(`
      "   1      > P. 1:1001(1000) ack 1 win 65535 <nop,nop,TS val 1000 ecr 700>
         1.5    > P. 1001:1011(10) ack 1 win 65535 <nop,nop,TS val 1500 ecr 800>"
    `)
  })

  test('a delayed ACK echoes the first of what it acknowledges (§4.3)', () => {
    const script = `
      1      < . 1:1001(1000) ack 1 <nop,nop,TS val 801 ecr 100>
      1.01   < . 1001:2001(1000) ack 1 <nop,nop,TS val 811 ecr 100>`
    expect(stamped(script)).toMatchInlineSnapshot(
      `"   1.01   > . 1:1(0) ack 2001 win 65535 <nop,nop,TS val 1010 ecr 801>"`,
    )
  })

  test('a segment beyond a gap is not echoed, one that fills it is (§4.3)', () => {
    const script = `
      1      < . 1001:2001(1000) ack 1 <nop,nop,TS val 850 ecr 100>
      1.01   < . 1:1001(1000) ack 1 <nop,nop,TS val 860 ecr 100>`
    expect(stamped(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1000 ecr 700>
         1.01   > . 1:1(0) ack 2001 win 65535 <nop,nop,TS val 1010 ecr 860>"
    `)
  })

  test('PAWS: an older timestamp is answered and dropped, the same one passes (§5.3 R1)', () => {
    const script = `
      1      < . 1:1001(1000) ack 1 <nop,nop,TS val 900 ecr 100>
      2      < . 1001:2001(1000) ack 1 <nop,nop,TS val 899 ecr 100>
      3      < . 1001:2001(1000) ack 1 <nop,nop,TS val 900 ecr 100>`
    expect(stamped(script)).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 1001 win 65535 <nop,nop,TS val 1040 ecr 900>
         2      > . 1:1(0) ack 1001 win 65535 <nop,nop,TS val 2000 ecr 900>
         2      = dropped: tcp old timestamp
         3.04   > . 1:1(0) ack 2001 win 65535 <nop,nop,TS val 3040 ecr 900>"
    `)
  })

  test('after 24 days of silence an older timestamp is as good as any (§5.5)', () => {
    const days = 24 * 86_400
    const script = `
      1             < . 1:1001(1000) ack 1 <nop,nop,TS val 900 ecr 100>
      ${days - 10}  < . 1001:2001(1000) ack 1 <nop,nop,TS val 850 ecr 100>   # not yet
      ${2 * days}   < . 1001:2001(1000) ack 1 <nop,nop,TS val 800 ecr 100>
      +1            < . 2001:3001(1000) ack 1 <nop,nop,TS val 799 ecr 100>`
    const until = `${2 * days + 2}s`
    const shown = stamped(script, { until }).split('\n')
    const drops = shown.filter((line) => line.includes('old timestamp'))
    expect(drops.map((line) => Number(line.trim().split(' ')[0]))).toEqual([
      days - 10,
      2 * days + 1,
    ])
    expect(shown.at(-2)).toContain('ack 2001')
  })

  test('PAWS survives a wrap of the timestamp clock', () => {
    const open = OPEN.replace('val 700', 'val 4294967295')
    const script = `${open}
      1      < . 1:1001(1000) ack 1 <nop,nop,TS val 5 ecr 100>
      2      < . 1001:2001(1000) ack 1 <nop,nop,TS val 4294967290 ecr 100>`
    const lines = timeline(script, { until: '5s' }).split('\n')
    expect(lines.slice(-3)).toMatchInlineSnapshot(`
      [
        "   1.04   > . 1:1(0) ack 1001 win 65535 <nop,nop,TS val 1040 ecr 5>",
        "   2      > . 1:1(0) ack 1001 win 65535 <nop,nop,TS val 2000 ecr 5>",
        "   2      = dropped: tcp old timestamp",
      ]
    `)
  })

  test('without a timestamp a segment is dropped silently (§3.2); a reset needs none', () => {
    const script = `
      1      < . 1:1001(1000) ack 1
      2      < R 1:1(0)`
    expect(stamped(script)).toMatchInlineSnapshot(`
      "   1      = dropped: tcp no timestamp
         2      = failed ECONNRESET
         2      = CLOSED
         2      = closed"
    `)
  })

  test('the answer to a retransmission is a sample, for the echo says which (§4.1)', () => {
    const script = `
      1      send 1000
      2.25   < . 1:1(0) ack 1001 <nop,nop,TS val 800 ecr 2000>
      3      send 1000`
    expect(stamped(script, { until: '4s', show: ['rtt'] })).toMatchInlineSnapshot(`
      "   1      > P. 1:1001(1000) ack 1 win 65535 <nop,nop,TS val 1000 ecr 700>
         2      > P. 1:1001(1000) ack 1 win 65535 <nop,nop,TS val 2000 ecr 700>  (rto #1, rto 2)
         2.25   = rtt 250 ms, srtt 118.75 ms
         3      > P. 1001:2001(1000) ack 1 win 65535 <nop,nop,TS val 3000 ecr 800>
         4      > P. 1001:2001(1000) ack 1 win 65535 <nop,nop,TS val 4000 ecr 800>  (rto #1, rto 2)"
    `)
  })

  test('an echo of the first transmission shows that the second was not needed (RFC 3522)', () => {
    const script = `
      1      send 1000
      2.25   < . 1:1(0) ack 1001 <nop,nop,TS val 800 ecr 1000>`
    expect(stamped(script, { until: '4s', show: ['rtt'] })).toMatchInlineSnapshot(`
      "   1      > P. 1:1001(1000) ack 1 win 65535 <nop,nop,TS val 1000 ecr 700>
         2      > P. 1:1001(1000) ack 1 win 65535 <nop,nop,TS val 2000 ecr 700>  (rto #1, rto 2)
         2.25   = spurious"
    `)
  })

  test('the echo of anything but the last transmission is no sample: its ACK may have been lost', () => {
    // What was sent at 2 s arrived, its ACK did not; the duplicate of 4 s brings it again. Taken as
    // a sample, the wait of 2 s for the timeout would come into every later RTO.
    const lost = `
      1      send 1000
      4.1    < . 1:1(0) ack 1001 <nop,nop,TS val 800 ecr 2000>`
    expect(stamped(lost, { until: '5s', show: ['rtt'] })).not.toContain('rtt')
    const latest = lost.replace('ecr 2000', 'ecr 4000')
    expect(stamped(latest, { until: '5s', show: ['rtt'] })).toContain('4.1    = rtt 100 ms')
  })

  test('an echo of the future is no sample', () => {
    const script = `
      1      send 1000
      2.25   < . 1:1(0) ack 1001 <nop,nop,TS val 800 ecr 9000>`
    expect(stamped(script, { until: '4s', show: ['rtt'] })).not.toContain('rtt')
  })
})
