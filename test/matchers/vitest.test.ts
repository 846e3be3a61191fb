import { describe, expect, test } from 'vitest'
import { packetdrill, timeline } from '../../matchers/vitest.ts'

const SYN_LOST = `
  0    connect
  3.5  < S. 0:0(0) ack 1 win 65535 <mss 1000>`

const lines = timeline(SYN_LOST, { until: '10s', policy: { timestamps: false } })

/** What a matcher says when it does not hold. */
function complaint(ask: () => void): string {
  try {
    ask()
  } catch (e) {
    return e instanceof Error ? e.message : String(e)
  }
  throw new Error('it holds')
}

describe('toPass', () => {
  const opens = (answer: string) => packetdrill`
    0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
    +0  bind(3, ..., ...) = 0
    +0  listen(3, 1) = 0
    +0  < S 0:0(0) win 65535 <mss 1000>
    ${answer}
    +.1 < . 1:1(0) ack 1 win 65535
    +0  accept(3, ..., ...) = 4`

  test('a script that passes', () => {
    expect(opens('+0 > S. 0:0(0) ack 1 <mss 1460>')).toPass()
    expect(opens('+0 > S. 0:0(0) ack 1 <mss 1400>')).not.toPass()
  })

  test('plays by a profile, by definitions, or neutrally', () => {
    expect(opens('+0 > S. 0:0(0) ack 1 win 65535 <mss 1460>')).toPass({ profile: 'freebsd' })
    expect(opens('+0 > S. 0:0(0) ack 1 win 17 <MSS>')).toPass({
      neutral: true,
      defines: new Map([['MSS', 'mss 1460']]),
    })
  })

  test('shows both sides, the place, and what came before', () => {
    const wrong = opens('+1 > S. 0:0(0) ack 1 <mss 1460>')
    expect(complaint(() => expect(wrong).toPass())).toMatchInlineSnapshot(`
      "line 6: time
        expected    1.000000 s  > S. 0:0(0) ack 1 <mss 1460>
        actual      0.000000 s  > S. 0:0(0) ack 1 win 65535 <mss 1460>
                  early by 1.000000 s

          2 |     0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
          3 |     +0  bind(3, ..., ...) = 0
          4 |     +0  listen(3, 1) = 0
          5 |     +0  < S 0:0(0) win 65535 <mss 1000>
      >   6 |     +1 > S. 0:0(0) ack 1 <mss 1460>
          7 |     +.1 < . 1:1(0) ack 1 win 65535

      What happened:
        0.000000 = socket = 3
        0.000000 = bind = 0
        0.000000 = listen = 0
        0.000000  < S 0:0(0) win 65535 <mss 1000>
        0.000000  > S. 0:0(0) ack 1 win 65535 <mss 1460>"
    `)
  })

  test('what is not supported does not pass', () => {
    expect(complaint(() => expect(opens('+0 psp(1) = 0')).toPass())).toContain('unsupported: psp')
  })
})

describe('toRetransmitAt', () => {
  test('these times and no other', () => {
    expect(lines).toRetransmitAt(['1s', '3s'])
    expect(lines).toRetransmitAt([1e9, 3e9], { cause: 'rto' })
    expect(lines).not.toRetransmitAt(['1s'])
    expect(lines).not.toRetransmitAt(['1s', '3.001s'])
    expect(lines).toRetransmitAt([], { cause: 'fast' })
  })

  test('shows those that there were', () => {
    expect(complaint(() => expect(lines).toRetransmitAt(['1s', '2s']))).toMatchInlineSnapshot(`
      "retransmissions were expected at 1 s, 2 s; there were
                 1 s  > S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>  (rto #1, rto 2)
                 3 s  > S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK,nop,wscale 7>  (rto #2, rto 4)"
    `)
  })
})

describe('toSend', () => {
  test('a segment, or how it begins, at any time or at one', () => {
    expect(lines).toSend('. 1:1(0) ack 1')
    expect(lines).toSend('S 0:0(0)', { at: '3s' })
    expect(lines).not.toSend('S 0:0(0)', { at: '2s' })
    // Not a part of a number.
    expect(lines).not.toSend('S 0:0(0) win 6553')
  })
})

describe('toBeSilentUntil', () => {
  test('between two times, both left out', () => {
    expect(lines).toBeSilentUntil('3s', { after: '1s' })
    expect(lines).not.toBeSilentUntil('3.1s', { after: '1s' })
    expect(lines).not.toBeSilentUntil('1s')
    expect(complaint(() => expect(lines).toBeSilentUntil('1s'))).toContain('before 1 s')
  })
})

test('what is asked of anything else is a mistake of the test', () => {
  expect(() => expect(3).toSend('S')).toThrow('expects what `timeline` returns')
  expect(() => expect('0 f() = 1').toPass()).toThrow('expects packetdrill`…`')
})
