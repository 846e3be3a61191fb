import { describe, expect, test } from 'vitest'
import { runScript } from '../../../sim/packetdrill/run-script.ts'
import { TIME_WAIT_CASES } from './time-wait-cases.ts'

/** To TIME-WAIT at time 0, which lasts 60 s. */
const CLOSED = `--tolerance_usecs=0
\`sysctl -q net.ipv4.tcp_timestamps=0\`
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 5) = 0
+0 < S 0:0(0) win 32767
+0 > S. 0:0(0) ack 1 <...>
+0 < . 1:1(0) ack 1 win 32767
+0 accept(3, ..., ...) = 4
+0 close(4) = 0
+0 > F. 1:1(0) ack 1
+0 < . 1:1(0) ack 2 win 32767
+0 < F. 1:1(0) ack 2 win 32767
+0 > . 2:2(0) ack 2
`
const count = (at: number, n: number): string =>
  `${at} \`sockstat -4 -P tcp -s | grep packetdril | grep -c TIME_WAIT | grep ${n}\`\n`

const passes = (script: string): boolean =>
  runScript(script, { profile: 'linux' }).verdict === 'passed'

describe('the linux profile in TIME-WAIT, as the kernel', () => {
  test.each(TIME_WAIT_CASES)('$name', ({ flags, seq, ack, length, answer, isGone, restarts }) => {
    const segment = `2 < ${flags} ${seq}:${seq + length}(${length}) ack ${ack} win 32767\n`
    const sent = (what: string): boolean => passes(`${CLOSED}${segment}${what}`)
    expect(sent('+0 > . 2:2(0) ack 2\n')).toBe(answer === '.')
    expect(sent(`+0 > S. ...(0) ack ${seq + 1} <...>\n`)).toBe(answer === 'S.')
    expect(passes(CLOSED + segment + count(2.5, isGone ? 0 : 1))).toBe(true)
    expect(passes(CLOSED + segment + count(61, restarts ? 1 : 0))).toBe(true)
  })

  test('empty answers have a limit, those to text do not', () => {
    const old = '+0 < . 1:1(0) ack 2 win 9\n'
    const text = '+0 < P. 2:12(10) ack 2 win 9\n'
    const answer = '+0 > . 2:2(0) ack 2\n'
    expect(passes(`${CLOSED}+1 < . 1:1(0) ack 2 win 9\n${answer}${old}${answer}`)).toBe(false)
    expect(
      passes(`${CLOSED}+1 < . 1:1(0) ack 2 win 9\n${answer}${text}${answer}${text}${answer}`),
    ).toBe(true)
  })
})
