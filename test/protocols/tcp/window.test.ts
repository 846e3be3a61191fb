import { describe, expect, test } from 'vitest'
import { seqDiff } from '../../../protocols/sequence.ts'
import type { TcpState } from '../../../protocols/tcp/state.ts'
import { established, plain, PLAIN } from '../../timeline.ts'

describe('what the peer offers', () => {
  test('no more than its window is sent', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 3000
      1.1   send 5000
      1.2   < . 1:1(0) ack 2001 win 2000
      1.3   < . 1:1(0) ack 4001 win 2000`
    expect(established(script, { until: '1.9s' })).toMatchInlineSnapshot(`
      "   1.1    > . 1:1001(1000) ack 1 win 65535
         1.1    > . 1001:2001(1000) ack 1 win 65535
         1.1    > . 2001:3001(1000) ack 1 win 65535
         1.2    > . 3001:4001(1000) ack 1 win 65535
         1.3    > P. 4001:5001(1000) ack 1 win 65535"
    `)
  })

  test('a closed window is probed after 1, 2, 4 s … for as long as the peer answers', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 0
      1.1   send 3000
      2.2   < . 1:1(0) ack 1 win 0
      4.2   < . 1:1(0) ack 1 win 0
      8.2   < . 1:1(0) ack 1 win 0
      16.2  < . 1:1(0) ack 1 win 0
      20    < . 1:1(0) ack 1 win 5000   # open
      20.1  < . 1:1(0) ack 3001 win 5000`
    expect(established(script, { until: '300s' })).toMatchInlineSnapshot(`
      "   2.1    > . 1:2(1) ack 1 win 65535
         4.1    > . 1:2(1) ack 1 win 65535  (probe)
         8.1    > . 1:2(1) ack 1 win 65535  (probe)
        16.1    > . 1:2(1) ack 1 win 65535  (probe)
        20      > . 1:1001(1000) ack 1 win 65535  (probe)
        20      > . 1001:2001(1000) ack 1 win 65535
        20      > P. 2001:3001(1000) ack 1 win 65535"
    `)
  })

  test('answered probes go on for ever, and are no duplicate ACKs', () => {
    let script = `
      1     < . 1:1(0) ack 1 win 0
      1.1   send 3000`
    // 1 + 1 + 2 + 4 + … + 64 s, then every 120 s.
    const times = [2, 4, 8, 16, 32, 64, 128]
    for (let at = 248; at <= 4000; at += 120) times.push(at)
    for (const at of times) script += `\n${at}.15 < . 1:1(0) ack 1 win 0`
    const lines = established(script, { until: '4000s', policy: { rtoMin: 1e9 } }).split('\n')
    const probes = lines.map((line) => line.trim().split(' ')[0])
    expect(probes[0]).toBe('2.1')
    expect(lines.length).toBe(probes.length)
    expect(lines.every((line) => line.includes('> . 1:2(1) ack 1'))).toBe(true)
    expect(lines.length).toBe(times.length)
  })

  test('unanswered probes: fifteen, then the connection breaks', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 0
      1.1   send 3000`
    expect(established(script, { until: '2000s' })).toMatchInlineSnapshot(`
      "   2.1    > . 1:2(1) ack 1 win 65535
         4.1    > . 1:2(1) ack 1 win 65535  (probe)
         8.1    > . 1:2(1) ack 1 win 65535  (probe)
        16.1    > . 1:2(1) ack 1 win 65535  (probe)
        32.1    > . 1:2(1) ack 1 win 65535  (probe)
        64.1    > . 1:2(1) ack 1 win 65535  (probe)
       128.1    > . 1:2(1) ack 1 win 65535  (probe)
       248.1    > . 1:2(1) ack 1 win 65535  (probe)
       368.1    > . 1:2(1) ack 1 win 65535  (probe)
       488.1    > . 1:2(1) ack 1 win 65535  (probe)
       608.1    > . 1:2(1) ack 1 win 65535  (probe)
       728.1    > . 1:2(1) ack 1 win 65535  (probe)
       848.1    > . 1:2(1) ack 1 win 65535  (probe)
       968.1    > . 1:2(1) ack 1 win 65535  (probe)
      1088.1    > . 1:2(1) ack 1 win 65535  (probe)
      1208.1    = failed ETIMEDOUT
      1208.1    = CLOSED
      1208.1    = closed"
    `)
  })

  test('a probe that finds room counts', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 0
      1.1   send 3000
      2.2   < . 1:1(0) ack 2 win 4999
      2.3   < . 1:1(0) ack 2002 win 2999    # Nagle lets the rest go
      2.4   < . 1:1(0) ack 3001 win 2000`
    expect(established(script, { until: '10s' })).toMatchInlineSnapshot(`
      "   2.1    > . 1:2(1) ack 1 win 65535
         2.2    > . 2:1002(1000) ack 1 win 65535
         2.2    > . 1002:2002(1000) ack 1 win 65535
         2.3    > P. 2002:3001(999) ack 1 win 65535"
    `)
  })

  test('data in flight when the window closes turns into probes at its timeout', () => {
    const script = `
      1     send 2000
      1.1   < . 1:1(0) ack 1001 win 0
      3.3   < . 1:1(0) ack 1001 win 0
      7.5   < . 1:1(0) ack 1001 win 9000
      7.6   < . 1:1(0) ack 2001 win 9000`
    expect(established(script, { until: '60s' })).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > P. 1001:2001(1000) ack 1 win 65535
         4.1    > . 1001:1002(1) ack 1 win 65535  (probe)
         7.5    > P. 1001:2001(1000) ack 1 win 65535  (probe)"
    `)
  })

  test('an ACK while probing keeps to the window, or the peer would refuse it', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 0
      1.1   send 3000
      2.2   < . 1:1001(1000) ack 1 win 0`
    expect(established(script, { until: '3s' }).split('\n')).toEqual([
      '   2.1    > . 1:2(1) ack 1 win 65535',
      '   2.24   > . 1:1(0) ack 1001 win 65535',
    ])
  })

  test('a lone FIN waits for the window, and is what the probes carry', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 1000
      1.1   send 1000
      1.2   < . 1:1(0) ack 1001 win 0
      1.3   shutdown
      2.4   < . 1:1(0) ack 1001 win 0
      3     < . 1:1(0) ack 1001 win 1000
      3.1   < . 1:1(0) ack 1002 win 1000`
    expect(established(script, { until: '60s' })).toMatchInlineSnapshot(`
      "   1.1    > P. 1:1001(1000) ack 1 win 65535
         1.3    = FIN-WAIT-1
         2.3    > F. 1001:1001(0) ack 1 win 65535
         3      > F. 1001:1001(0) ack 1 win 65535  (probe)
         3.1    = FIN-WAIT-2"
    `)
  })

  test('silly windows: less than a segment or half of the largest window waits', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 900
      1.1   send 900
      1.2   < . 1:1(0) ack 901 win 1000
      1.3   send 5000
      1.4   < . 1:1(0) ack 901 win 0
      1.5   < . 1:1(0) ack 901 win 100      # used when the timer says so
`
    expect(established(script, { until: '5s' })).toMatchInlineSnapshot(`
      "   1.1    > P. 1:901(900) ack 1 win 65535
         1.3    > . 901:1901(1000) ack 1 win 65535
         4.3    > . 901:1001(100) ack 1 win 65535  (probe)"
    `)
  })

  test('an opening too small for a segment is used after a timeout all the same', () => {
    const script = `
      1     < . 1:1(0) ack 1 win 100
      1.1   send 500
      2.2   < . 1:1(0) ack 101 win 100`
    expect(established(script, { until: '3.3s' })).toMatchInlineSnapshot(`
      "   2.1    > . 1:101(100) ack 1 win 65535
         3.2    > . 101:201(100) ack 1 win 65535"
    `)
  })

  test('half of the largest window ever offered is worth a segment', () => {
    const open = `
      0     connect
      0.1   < S. 0:0(0) ack 1 win 600 <mss 1000>
      1     send 2000`
    expect(plain(open, { until: '1s' }).split('\n').at(-1)).toBe(
      '   1      > . 1:601(600) ack 1 win 65535',
    )
  })

  const wnd = ({ snd }: TcpState) => `wnd ${snd.wnd}`

  test('a window that shrinks below what is in flight: nothing new, and that is sent again (MUST-34)', () => {
    const script = `
      1    < . 1:1(0) ack 1 win 3000
      1    send 4000
      1.1  < . 1:1(0) ack 1001 win 500
      9    < . 1:1(0) ack 3001 win 3000
      9.1  < . 1:1(0) ack 4001 win 3000`
    expect(established(script)).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > . 1001:2001(1000) ack 1 win 65535
         1      > . 2001:3001(1000) ack 1 win 65535
         4.1    > . 1001:1501(500) ack 1 win 65535  (probe)
         8.1    > . 1001:1501(500) ack 1 win 65535  (probe)
         9      > P. 3001:4001(1000) ack 1 win 65535"
    `)
  })

  test('a segment that was overtaken does not bring its window back', () => {
    const script = `
      1     < . 1001:1101(100) ack 1 win 4000
      1.1   < . 1:1001(1000) ack 1 win 9000 # sent before`
    expect(established(script, { until: '1.9s', watch: wnd }).split('\n').at(1)).toBe(
      '   1      * wnd 4000',
    )
    expect(established(script, { until: '1.9s', watch: wnd })).not.toContain('9000')
  })

  test('a retransmission with a new ACK brings its window, old as its number is', () => {
    const script = `
      1     send 1000
      1.1   < . 1001:1001(0) ack 1 win 1000  # an ACK behind data that was lost
      2.1   < . 1:1001(1000) ack 1001 win 60
      2.2   send 1000`
    const lines = established(script, { until: '3s', watch: wnd }).split('\n')
    expect(lines.filter((line) => line.includes('*'))).toEqual([
      '   1.1    * wnd 1000',
      '   2.1    * wnd 60',
    ])
    expect(lines.some((line) => line.includes('1001:2001'))).toBe(false)
  })

  test('an old segment does not bring its window back (SND.WL1, SND.WL2)', () => {
    const script = `
      1     send 2000
      1.1   < . 1:1(0) ack 2001 win 3000
      1.2   < . 1:1(0) ack 1001 win 9000    # overtaken
      1.3   < P. 1:101(100) ack 2001 win 4000
      1.4   < . 1:1(0) ack 2001 win 9000    # overtaken, below RCV.NXT
      1.5   < . 101:101(0) ack 2001 win 2000`
    expect(established(script, { until: '1.9s', watch: wnd })).toMatchInlineSnapshot(`
      "   1      > . 1:1001(1000) ack 1 win 65535
         1      > P. 1001:2001(1000) ack 1 win 65535
         1.1    * wnd 3000
         1.3    * wnd 4000
         1.34   > . 2001:2001(0) ack 101 win 65435
         1.4    > . 2001:2001(0) ack 101 win 65435
         1.4    = dropped: tcp outside window
         1.5    * wnd 2000"
    `)
  })
})

describe('what we offer', () => {
  const policy = { ...PLAIN, receiveBuffer: 4000 }

  test('the window closes as data comes, and reading opens it when it is worth a word', () => {
    const script = `
      1     < . 1:1001(1000) ack 1
      1.001 < . 1001:2001(1000) ack 1
      1.002 < . 2001:3001(1000) ack 1
      1.003 < . 3001:4001(1000) ack 1   # full
      2     receive 500                 # not worth a word
      3     receive 500
      4     receive 1000                # half of the buffer
      5     receive`
    expect(established(script, { policy })).toMatchInlineSnapshot(`
      "   1.001  > . 1:1(0) ack 2001 win 2000
         1.003  > . 1:1(0) ack 4001 win 0
         2      = received 500
         3      = received 500
         4      = received 1000
         4      > . 1:1(0) ack 4001 win 2000
         5      = received 2000
         5      > . 1:1(0) ack 4001 win 4000"
    `)
  })

  test('a probe of a closed window is answered and not kept', () => {
    const script = `
      1     < . 1:1001(1000) ack 1
      1.001 < . 1001:4001(3000) ack 1   # full
      2     < . 4001:4002(1) ack 1
      3     receive
      4     < . 4001:4101(100) ack 1`
    expect(established(script, { policy })).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 4001 win 0
         2      > . 1:1(0) ack 4001 win 0
         2      = dropped: tcp outside window
         3      = received 4000
         3      > . 1:1(0) ack 4001 win 4000
         4.04   > . 1:1(0) ack 4101 win 3900"
    `)
  })

  test('data beyond the window is cut off', () => {
    const script = `
      1     < . 1:5001(5000) ack 1      # 4000 fit
      1.1   receive`
    expect(established(script, { policy })).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 4001 win 0
         1.1    = received 4000
         1.1    > . 1:1(0) ack 4001 win 4000"
    `)
  })

  test('a FIN beyond the window is cut off with it', () => {
    const script = `
      1     < F. 1:5001(5000) ack 1
      1.1   receive
      1.2   < F. 4001:5001(1000) ack 1
      1.3   receive`
    expect(established(script, { policy })).toMatchInlineSnapshot(`
      "   1.04   > . 1:1(0) ack 4001 win 0
         1.1    = received 4000
         1.1    > . 1:1(0) ack 4001 win 4000
         1.2    > . 1:1(0) ack 5002 win 2999
         1.2    = CLOSE-WAIT
         1.3    = received 1000, end"
    `)
  })

  test('nor is it remembered from beyond a gap', () => {
    const script = `
      1     < F. 1001:5001(4000) ack 1  # 1001 to 4001 fit
      1.1   < . 1:1001(1000) ack 1
      1.2   receive
      1.3   < . 4001:5001(1000) ack 1   # without the FIN: it has to come again
      1.4   < F. 5001:5001(0) ack 1`
    const lines = established(script, { policy }).split('\n')
    expect(lines.filter((line) => line.includes('='))).toEqual([
      '   1.2    = received 4000',
      '   1.4    = CLOSE-WAIT',
    ])
  })

  test('the right edge never moves back, whatever is received, read or set', () => {
    let edge = -Infinity
    const watch = ({ rcv, irs }: TcpState): string => {
      if (rcv.nxt === 0) return ''
      const now = seqDiff(rcv.adv, irs)
      expect(now).toBeGreaterThanOrEqual(edge)
      edge = now
      return ''
    }
    let script = ''
    for (let i = 0; i < 40; i++) {
      script += `${1 + i / 10} < . ${1 + 97 * i}:${1 + 97 * (i + 1)}(97) ack 1\n`
      if (i === 20) script += '3.05 set SO_RCVBUF 100\n'
      if (i % 7 === 3) script += `+0.01 receive 150\n`
    }
    // Each run of the script begins anew.
    const reset = (s: TcpState): string => {
      if (s.state === 'SYN-SENT') edge = -Infinity
      return watch(s)
    }
    const lines = established(script, { policy, watch: reset }).split('\n')
    const edges = lines
      .map((line) => /ack (\d+) win (\d+)$/.exec(line))
      .filter((found) => found !== null)
      .map(([, ack, win]) => Number(ack) + Number(win))
    expect(edges.length).toBeGreaterThan(10)
    expect(edges).toEqual([...edges].sort((a, b) => a - b))
  })

  test('after the peer has ended nobody hears of windows', () => {
    const script = `
      1     < F. 1:4001(4000) ack 1
      2     receive`
    expect(established(script, { policy })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 4002 win 0
         1      = CLOSE-WAIT
         2      = received 4000, end"
    `)
  })
})
