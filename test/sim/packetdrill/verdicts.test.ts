import { describe, expect, test } from 'vitest'
import { runScript, type ScriptOptions } from '../../../sim/packetdrill/run-script.ts'

/** A connection from outside, established at 0.1 s, and a segment of 10 bytes at 0.2 s. */
const ESTABLISHED = `
0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   bind(3, ..., ...) = 0
+0   listen(3, 1) = 0
+0   < S 0:0(0) win 65535 <mss 1000>
+0   > S. 0:0(0) ack 1 win 65535 <mss 1460>
+.1  < . 1:1(0) ack 1 win 65535
+0   accept(3, ..., ...) = 4
+.1  write(4, ..., 10) = 10
`
/** After the lines above, what the last one leads to. */
const after = (lines: string, options: ScriptOptions = {}) => {
  const { verdict, line, reason } = runScript(`${ESTABLISHED}${lines}`, options)
  return { verdict, line, reason }
}
const passed = { verdict: 'passed', line: 0, reason: '' }
const failed = (reason: string, line = 10) => ({ verdict: 'failed', line, reason })
const unsupported = (reason: string, line = 10) => ({ verdict: 'unsupported', line, reason })

describe('a packet that is expected', () => {
  test.each([
    ['+0 > P. 1:11(10) ack 1 win 65535', passed],
    ['+0 > P. 1:11(10) ack 1', passed],
    ['* > P. 1:11(10) ack 1', passed],
    ['+0~+.1 > P. 1:11(10) ack 1', passed],
    ['+0 > P. ...(10) ack 1 <...>', passed],
    ['0.2 > P. 1:11(10) ack 1', passed],
    ['+0 > [noecn, ttl 64] P. 1:11(10) ack 1', passed],
    ['+0 > . 1:11(10) ack 1', failed('flags')],
    ['+0 > P. 2:12(10) ack 1', failed('seq')],
    ['+0 > P. 1:10(9) ack 1', failed('length 9 ≠ 10')],
    ['+0 > P. 1:11(10) ack 2', failed('ack')],
    ['+0 > P. 1:11(10) ack 1 win 65534', failed('win')],
    ['+0 > P. 1:11(10) ack 1 <nop,nop,nop,nop>', failed('options')],
    ['+0 > [ect0] P. 1:11(10) ack 1', failed('ecn 2 ≠ 0')],
    ['+0 > [ttl 63] P. 1:11(10) ack 1', failed('ttl 63 ≠ 64')],
    ['+0 > udp (10)', failed('tcp')],
  ])('%s', (line, verdict) => {
    expect(after(line)).toEqual(verdict)
  })

  test('is off by 5 ms: more than the usual 4 ms, less than 6 ms', () => {
    expect(after('+.005 > P. 1:11(10) ack 1')).toEqual(failed('time'))
    const source = `--tolerance_usecs=6000${ESTABLISHED}+.005 > P. 1:11(10) ack 1`
    expect(runScript(source).verdict).toBe('passed')
  })

  test('is an eighth of the wait off: 1 s later it may be 0.125 s', () => {
    const first = '+0 > P. 1:11(10) ack 1\n'
    expect(after(`${first}+.89 > P. 1:11(10) ack 1`)).toEqual(passed)
    expect(after(`${first}+.88 > P. 1:11(10) ack 1`)).toEqual(failed('time', 11))
  })

  test('does not come within two seconds', () => {
    const result = runScript(
      `${ESTABLISHED}+0 > P. 1:11(10) ack 1\n+0 < . 1:1(0) ack 11 win 65535\n+.5 > . 1:1(0) ack 1`,
    )
    expect(result).toMatchObject({ verdict: 'failed', line: 12, reason: 'nothing was sent' })
    expect(result.expected).toEqual({ at: 700_000_000, text: '> . 1:1(0) ack 1' })
    expect(result.actual).toEqual({ at: null, text: 'nothing' })
  })

  test('stands beside what came, both with their times', () => {
    const { expected, actual } = runScript(`${ESTABLISHED}+.1 > F. 1:1(0) ack 1 win 65535`)
    expect(expected).toEqual({ at: 300_000_000, text: '> F. 1:1(0) ack 1 win 65535' })
    expect(actual).toEqual({ at: 200_000_000, text: '> P. 1:11(10) ack 1 win 65535' })
  })
})

describe('a long segment of the script', () => {
  const lines =
    '+0 > P. 1:11(10) ack 1\n+0 < . 1:1(0) ack 11 win 65535\n+0 write(4, ..., 2000) = 2000\n'

  test('stands for several in a row', () => {
    expect(after(`${lines}+0 > P. 11:2011(2000) ack 1`)).toEqual(passed)
  })
  test('does not with --strict_segments', () => {
    const source = `--strict_segments\n${ESTABLISHED}${lines}+0 > P. 11:2011(2000) ack 1`
    expect(runScript(source)).toMatchObject({ verdict: 'failed', reason: 'flags' })
  })
})

describe('neutral comparison', () => {
  test.each([
    ['the window', '+0 > P. 1:11(10) ack 1 win 17', 'win'],
    ['padding', '+0 > P. 1:11(10) ack 1 <nop,nop,nop,eol>', 'options'],
  ])('leaves %s aside', (_, line, reason) => {
    expect(after(line)).toEqual(failed(reason))
    expect(after(line, { neutral: true })).toEqual(passed)
  })

  test('leaves order and window scale of options aside, not their kinds and the MSS', () => {
    const open = (answer: string, neutral: boolean) =>
      runScript(
        `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0 bind(3, ..., ...) = 0
        +0 listen(3, 1) = 0
        +0 < S 0:0(0) win 65535 <mss 1000,nop,wscale 4,sackOK,nop,nop>
        +0 > S. 0:0(0) ack 1 ${answer}`,
        { neutral },
      ).reason
    expect(open('<mss 1460,nop,nop,sackOK,nop,wscale 7>', false)).toBe('')
    expect(open('<mss 1460,nop,wscale 2,sackOK,eol,eol>', false)).toBe('options')
    expect(open('<mss 1460,nop,wscale 2,sackOK,eol,eol>', true)).toBe('')
    expect(open('<mss 1460,nop,wscale 2>', true)).toBe('options')
    expect(open('<mss 1400,nop,wscale 2,sackOK,eol,eol>', true)).toBe('mss')
  })
})

test('timestamps are looked at where --tcp_ts_tick_usecs says how long a tick is', () => {
  const stamped = (ticks: string, second: number) =>
    runScript(`--tolerance_percent=0 ${ticks}
      0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
      +0 bind(3, ..., ...) = 0
      +0 listen(3, 1) = 0
      +0 < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 1 ecr 0>
      +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 500 ecr 1>
      +.5 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 1000 ecr 500>
      +0 accept(3, ..., ...) = 4
      +0 write(4, ..., 10) = 10
      +0 > P. 1:11(10) ack 1 <nop,nop,TS val ${second} ecr 1000>`).reason
  // One tick a millisecond: 500 of them, give or take 4 ms.
  expect(stamped('--tcp_ts_tick_usecs=1000', 1000)).toBe('')
  expect(stamped('--tcp_ts_tick_usecs=1000', 1004)).toBe('')
  expect(stamped('--tcp_ts_tick_usecs=1000', 1005)).toBe('TS val')
  expect(stamped('', 9999)).toBe('')
})

test('an echo of a timestamp that was not written is a mistake of the script', () => {
  const { verdict, line, reason } = runScript(`0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
    +0 bind(3, ..., ...) = 0
    +0 listen(3, 1) = 0
    +0 < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 1 ecr 0>
    +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 500 ecr 1>
    +0 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 2 ecr 501>`)
  expect({ verdict, line }).toEqual({ verdict: 'failed', line: 6 })
  expect(reason).toContain('ecr 501')
})

test('options from outside hold where the script has none', () => {
  const options = new Map([['tolerance_usecs', '6000']])
  expect(after('+.005 > P. 1:11(10) ack 1', { options })).toEqual(passed)
  const own = `--tolerance_usecs=1000${ESTABLISHED}+.005 > P. 1:11(10) ack 1`
  expect(runScript(own, { options })).toMatchObject({ verdict: 'failed', reason: 'time' })
})

test('what may go otherwise by --non_fatal is noted, and the script goes on', () => {
  const lines = `${ESTABLISHED}+0 > F. 9:9(0) ack 1\n+0 write(4, ..., 5) = 6`
  const both = runScript(`--non_fatal=packet,syscall${lines}`)
  expect(both.verdict).toBe('passed')
  expect(both.log.filter((line) => line.includes(' ! '))).toEqual([
    '0.200000 ! line 10: flags',
    '0.200000 ! line 11: result',
  ])
  expect(runScript(`--non_fatal=packet${lines}`)).toMatchObject({ verdict: 'failed', line: 11 })
})

describe('a call', () => {
  const drained = '+0 > P. 1:11(10) ack 1\n'
  test.each([
    ['+0 read(4, ..., 10) = 0', failed('the call does not return', 11)],
    ['+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EAGAIN (again)', passed],
    ['+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EWOULDBLOCK', passed],
    ['+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EPIPE', failed('result', 11)],
    ['+0 write(4, ..., 10) = 11', failed('result', 11)],
    ['+0 write(9, ..., 10) = -1 EBADF (no such file)', passed],
    ['+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [EPIPE], [4]) = 0', failed('value', 11)],
    ['+0 fcntl(4, F_GETFL) = 0x2 (flags O_RDWR)', passed],
    ['+0...0.3 read(4, ..., 10) = 5\n+.3 < P. 1:6(5) ack 11 win 65535', passed],
    ['+0...0.3 read(4, ..., 10) = 5\n+.4 < P. 1:6(5) ack 11 win 65535', failed('time', 11)],
    ['+0 %{ assert tcpi_state == TCP_ESTABLISHED and tcpi_snd_cwnd == 10 }%', passed],
    [
      '+0 %{ assert tcpi_snd_cwnd == 4, tcpi_snd_cwnd }%',
      failed('assert tcpi_snd_cwnd == 4: tcpi_snd_cwnd is 10', 11),
    ],
  ])('%s', (line, verdict) => {
    expect(after(drained + line)).toEqual(verdict)
  })
})

describe('what is not known is refused, wherever it stands', () => {
  test.each([
    ['+0 setsockopt(4, SOL_TCP, TCP_ULP, [1], 4) = 0', 'TCP_ULP'],
    ['+0 getsockopt(4, SOL_SOCKET, SO_MARK, [0], [4]) = 0', 'SO_MARK'],
    ['+0 write(4, "text", 4) = 4', 'a buffer with text'],
    ['+0 recvmsg(4, {msg_iov(1)=[{..., 9}], msg_flags=MSG_CTRUNC}, 0) = 9', 'MSG_CTRUNC'],
    ['+0 psp_rx_assoc(4) = 0', 'psp_rx_assoc'],
    ['+0 recv(4, ..., 1, MSG_OOB) = 1', 'MSG_OOB with recv'],
    ['+0 < . 1:1(0) ack 1 win 9 <md5 valid>', 'md5 valid without --tcp_md5_secret'],
    ['+0 `echo "flush" | setkey -c`', "command 'echo'"],
    ["+0 `echo 'add 10.0.0.1 10.0.0.2 esp 1' | setkey -c`", 'setkey: add 10.0.0.1 10.0.0.2 esp 1'],
    ['+0 < gre: . 1:1(0) ack 1 win 9', 'encapsulation gre'],
    ['+0 `rm -f x`', "command 'rm'"],
    ['+0 `sysctl -w net.inet.tcp.blackhole=1`', 'net.inet.tcp.blackhole=1'],
    [
      '+0 `sysctl -w net.inet.tcp.udp_tunneling_overhead=7`',
      'net.inet.tcp.udp_tunneling_overhead=7',
    ],
    [
      '+0 `sysctl -w net.inet.tcp.udp_tunneling_port=65536`',
      'net.inet.tcp.udp_tunneling_port=65536',
    ],
    ['+0 %{ assert tcpi_plb_rehash == 3 }%', "code 'tcpi_plb_rehash'"],
  ])('%s', (line, word) => {
    // A line that fails comes before it.
    expect(after(`+0 > F. 9:9(0) ack 1\n${line}`)).toEqual(unsupported(word, 11))
  })

  test.each(['--ip_version=ipv5', '--udp_encapsulation=sctp', '--is_anyip'])('%s', (option) => {
    expect(runScript(`${option}\n${ESTABLISHED}`)).toMatchObject({
      verdict: 'unsupported',
      reason: option,
    })
  })
})
