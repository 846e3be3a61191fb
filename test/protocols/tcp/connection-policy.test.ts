import { describe, expect, test } from 'vitest'
import type { TcpChoices } from '../../../protocols/tcp/policy.ts'
import { ms } from '../../../protocols/time.ts'
import { timeline } from '../../../sim/testing/timeline.ts'
import { established, plain } from '../../timeline.ts'

const OPEN = `0 connect
  0.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>`

/** What happens from 1 s on. */
const later = (script: string, policy: Partial<TcpChoices> = {}): string[] =>
  plain(`${OPEN}\n${script}`, { policy, until: '20s' })
    .split('\n')
    .filter((line) => Number(line.slice(0, 9)) >= 1)
    .map((line) => line.replaceAll(/ +/g, ' ').trim())

describe('challenges have a limit (RFC 5961 §7)', () => {
  test('guessed resets draw so many ACKs within the time, and again after it', () => {
    const resets = [1, 1.1, 1.2, 1.3, 2, 6.5].map((at) => `${at} < R 500:500(0)`).join('\n')
    const policy = { challengeAcks: 3 }
    const answered = later(resets, policy).filter((line) => line.includes('>'))
    expect(answered.map((line) => line.split(' ')[0])).toEqual(['1', '1.1', '1.2', '6.5'])
  })

  test('RST answered with RST for ever: a reset is never answered by a reset', () => {
    const resets = later('1 < R. 1:1(0) ack 1\n2 < R. 1:1(0) ack 1\n3 < R 9:9(0)')
    expect(resets.filter((line) => line.includes('> R'))).toEqual([])
  })

  test('an ACK out of the window is answered within the limit: two peers cannot keep it up', () => {
    const old = Array.from({ length: 40 }, (_, i) => `${1 + i / 100} < . 99999:99999(0) ack 1`)
    const policy = { challengeAcks: 10 }
    expect(later(old.join('\n'), policy).filter((line) => line.includes('>'))).toHaveLength(10)
  })
})

describe('before RFC 5961, by choice', () => {
  test('insecureReset: any reset in the window resets', () => {
    expect(later('1 < R 500:500(0)', { insecureReset: true })).toEqual([
      '1 = failed ECONNRESET',
      '1 = CLOSED',
      '1 = closed',
    ])
  })

  test('insecureSyn: a SYN in the window resets both, one outside is challenged', () => {
    expect(later('1 < S 500:500(0)', { insecureSyn: true })).toEqual([
      '1 > R. 1:1(0) ack 1 win 0',
      '1 = failed ECONNRESET',
      '1 = CLOSED',
      '1 = closed',
    ])
    expect(later('1 < S 99999:99999(0)', { insecureSyn: true })[0]).toBe(
      '1 > . 1:1(0) ack 1 win 65535',
    )
  })
})

const TIME_WAIT = `1 shutdown
  1.1 < F. 1:1(0) ack 2`

describe('TIME-WAIT', () => {
  test('a reset ends it, unless RFC 1337 (F1) is chosen', () => {
    const at2 = (policy: Partial<TcpChoices>): string[] =>
      later(`${TIME_WAIT}\n2 < R 2:2(0)`, policy).filter((line) => line.startsWith('2 '))
    expect(at2({})).toEqual(['2 = CLOSED', '2 = closed'])
    expect(at2({ timeWaitStays: true })).toEqual(['2 = dropped: tcp reset in time-wait'])
  })

  test('timeWaitMute: what has no ACK is not answered', () => {
    const at2 = later(`${TIME_WAIT}\n2 < S 500:500(0)`, { timeWaitMute: true })
    expect(at2.filter((line) => line.startsWith('2 '))).toEqual(['2 = dropped: tcp no ack'])
  })
})

describe('text on a SYN (RFC 9293 §3.10.7.2, §3.10.7.3)', () => {
  test('comes to a listener: kept until the connection stands, then delivered', () => {
    const script = `0 < S 0:100(100) win 65535 <mss 1000>
      0.1 < . 101:101(0) ack 1
      0.2 receive`
    expect(plain(script, { passive: true, show: ['readable'], until: '1s' }))
      .toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = accepted
         0.1    = readable 100
         0.14   > . 1:1(0) ack 101 win 65435
         0.2    = received 100"
    `)
    expect(
      plain(script, { passive: true, policy: { keepsSynText: false }, until: '1s' }),
    ).not.toContain('received 100')
  })

  test('a FIN with it too', () => {
    const script = `0 < SF 0:100(100) win 65535 <mss 1000>
      0.1 < . 102:102(0) ack 1
      0.2 receive`
    expect(plain(script, { passive: true, until: '1s' })).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = accepted
         0.1    > . 1:1(0) ack 102 win 65434
         0.1    = CLOSE-WAIT
         0.2    = received 100, end"
    `)
  })

  test('comes with the SYN,ACK, and with the SYN of a simultaneous open', () => {
    const active = `0 connect
      0.1 < S. 0:100(100) ack 1 win 65535 <mss 1000>
      0.2 receive`
    expect(plain(active, { until: '1s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1(0) ack 101 win 65435
         0.2    = received 100"
    `)
    const simultaneous = `0 connect
      0.1 < S 0:100(100) win 65535 <mss 1000>
      0.2 < . 101:101(0) ack 1
      0.3 receive`
    expect(plain(simultaneous, { until: '1s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    = SYN-RECEIVED
         0.1    > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.2    = ESTABLISHED
         0.2    = connected
         0.24   > . 1:1(0) ack 101 win 65435
         0.3    = received 100"
    `)
  })
})

test('finRides: ACKs carry the FIN until it is acknowledged', () => {
  const script = `1 shutdown
    1.1 < F. 1:1(0) ack 1`
  expect(later(script, { finRides: true, rtoInitial: 5e9 }).slice(0, 4)).toMatchInlineSnapshot(`
    [
      "1 = FIN-WAIT-1",
      "1 > F. 1:1(0) ack 1 win 65535",
      "1.1 > F. 1:1(0) ack 2 win 65534",
      "1.1 = CLOSING",
    ]
  `)
})

test('countsSegments: the second segment is acknowledged, however small', () => {
  const script = `1 < P. 1:11(10) ack 1
    1.001 < P. 11:12(1) ack 1`
  expect(later(script, { countsSegments: true })).toEqual(['1.001 > . 1:1(0) ack 12 win 65524'])
})

describe('as Linux has it, by choice', () => {
  test('takesSynAckText off: what comes with a SYN,ACK comes again', () => {
    const script = `
      0    connect
      0.1  < SF. 0:10(10) ack 1 win 65535 <mss 1000>
      0.2  < PF. 1:11(10) ack 1`
    const policy = { takesSynAckText: false }
    expect(plain(script, { policy, until: '0.3s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    = ESTABLISHED
         0.1    = connected
         0.1    > . 1:1(0) ack 1 win 65535
         0.2    > . 1:1(0) ack 12 win 65524
         0.2    = CLOSE-WAIT"
    `)
  })

  test('synAgainAfter: a wrong ACK is reset, and the SYN comes again', () => {
    const script = `
      0    connect
      0.1  < . 0:0(0) ack 7
      0.2  < . 0:0(0) ack 7`
    const policy = { synAgainAfter: ms(2) }
    expect(plain(script, { policy, until: '0.3s' })).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460>
         0.1    > R 7:7(0) win 0
         0.102  > S 0:0(0) win 65535 <mss 1460>  (rto #1, rto 2)
         0.2    > R 7:7(0) win 0"
    `)
  })

  test('delaysFinAck: half a close may wait for its ACK, a whole one does not', () => {
    const policy = { delaysFinAck: true }
    const half = `
      1    < PF. 1:11(10) ack 1`
    expect(established(half, { policy, until: '1.2s' })).toMatchInlineSnapshot(`
      "   1      = CLOSE-WAIT
         1.04   > . 1:1(0) ack 12 win 65524"
    `)
    const whole = `
      1    shutdown
      1.1  < . 1:1(0) ack 2
      1.2  < F. 1:1(0) ack 2`
    expect(established(whole, { policy, until: '1.3s' })).toMatchInlineSnapshot(`
      "   1      = FIN-WAIT-1
         1      > F. 1:1(0) ack 1 win 65535
         1.1    = FIN-WAIT-2
         1.2    > . 2:2(0) ack 2 win 65534
         1.2    = TIME-WAIT"
    `)
  })

  test('crossingOffersAll: the SYN,ACK of a simultaneous open says what the SYN said', () => {
    const script = `
      0    connect
      0.1  < S 0:0(0) win 65535 <mss 1000,sackOK,eol,eol>
      0.2  < . 1:1(0) ack 1`
    const all = { until: '0.3s', show: [] }
    expect(timeline(script, all)).toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>
         0.1    = SYN-RECEIVED
         0.1    > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>
         0.2    = ESTABLISHED
         0.2    = connected"
    `)
    expect(timeline(script, { ...all, policy: { crossingOffersAll: true } }))
      .toMatchInlineSnapshot(`
      "   0      = SYN-SENT
         0      > S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>
         0.1    = SYN-RECEIVED
         0.1    > S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>
         0.2    = ESTABLISHED
         0.2    = connected"
    `)
  })

  test('looseHalfOpenReset: any reset in the window that names our SYN or none', () => {
    const half = (what: string): string =>
      plain(`0 < S 0:0(0) win 65535 <mss 1000>\n 0.1 < ${what}`, {
        passive: true,
        until: '0.2s',
        policy: { looseHalfOpenReset: true },
      })
    expect(half('R 100:100(0)')).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.1    = CLOSED
         0.1    = closed"
    `)
    expect(half('R. 100:100(0) ack 7')).toMatchInlineSnapshot(`
      "   0      = SYN-RECEIVED
         0      > S. 0:0(0) ack 1 win 65535 <mss 1460>
         0.1    = dropped: tcp bad ack"
    `)
  })

  test('resetAtFin: a reset that has the number of the FIN ends the connection', () => {
    const script = `
      1    < F. 1:1(0) ack 1
      1.1  < R 1:1(0)`
    expect(established(script, { until: '1.2s' })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 2 win 65534
         1      = CLOSE-WAIT
         1.1    = dropped: tcp outside window"
    `)
    const policy = { resetAtFin: true }
    expect(established(script, { until: '1.2s', policy })).toMatchInlineSnapshot(`
      "   1      > . 1:1(0) ack 2 win 65534
         1      = CLOSE-WAIT
         1.1    = failed EPIPE
         1.1    = CLOSED
         1.1    = closed"
    `)
  })
})
