import { describe, expect, test } from 'vitest'
import { runScript } from '../../../sim/packetdrill/run-script.ts'

// Choices of the freebsd profile, each by a script that it plays and the rfc profile does not.

const EXACT = `--tolerance_usecs=0
--tolerance_percent=0
\`sysctl -w net.inet.tcp.rfc1323=0; sysctl -w net.inet.tcp.recvspace=65536\`
`
const OPEN = `
 0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   bind(3, ..., ...) = 0
+0   listen(3, 1) = 0
+0   < S 0:0(0) win 65535 <mss 1000,sackOK,eol,eol>
+0   > S. 0:0(0) ack 1 <...>
+.1  < . 1:1(0) ack 1 win 65535
+0   accept(3, ..., ...) = 4
`

const verdicts = (script: string) =>
  (['freebsd', 'rfc'] as const).map((profile) => {
    const { verdict, reason } = runScript(script.startsWith('--') ? script : EXACT + script, {
      profile,
    })
    return verdict === 'passed' ? verdict : reason
  })

describe('the freebsd profile, and not the rfc profile', () => {
  test.each([
    [
      'alwaysKeepAlive: an idle connection is probed though nobody has asked for it',
      `${OPEN}
+0   setsockopt(4, IPPROTO_TCP, TCP_KEEPIDLE, [1], 4) = 0
+0   getsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [0], [4]) = 0
+1   > . 0:0(0) ack 1`,
      'nothing was sent',
    ],
    [
      'sackCountsFin: a FIN that came early is not in its block',
      `${OPEN}
+.1  < F. 11:21(10) ack 1 win 65535
+0   > . 1:1(0) ack 1 <nop,nop,sack 11:21>`,
      'sack',
    ],
    [
      'maxsegLowers: TCP_MAXSEG limits what a connection that stands sends',
      `${OPEN}
+0   setsockopt(4, IPPROTO_TCP, TCP_MAXSEG, [500], 4) = 0
+0   setsockopt(4, IPPROTO_TCP, TCP_MAXSEG, [501], 4) = -1 EINVAL (Invalid argument)
+0   getsockopt(4, IPPROTO_TCP, TCP_MAXSEG, [500], [4]) = 0
+0   write(4, ..., 500) = 500
+0   > P. 1:501(500) ack 1`,
      'result',
    ],
    [
      'nagleAsksOnce: the small rest of what was written goes with the full segment',
      `${OPEN}
+0   write(4, ..., 1500) = 1500
+0   > . 1:1001(1000) ack 1
+0   > P. 1001:1501(500) ack 1
+0   write(4, ..., 10) = 10
+.1  < . 1:1(0) ack 1501 win 65535
+0   > P. 1501:1511(10) ack 1`,
      'time',
    ],
    [
      'resetsAsSocket: the reset from a port that is only bound has the TOS of the socket',
      ` 0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   setsockopt(3, IPPROTO_IP, IP_TOS, [0x20], 4) = 0
+0   bind(3, ..., ...) = 0
+0   < S 0:0(0) win 65535 <mss 1000>
+0   > (tos 0x20) R. 0:0(0)! ack 1 win 0`,
      'tos 32 ≠ 0',
    ],
    [
      'offersPathMss, provesIpv6TooBig: a SYN that is repeated offers what the path is said to take',
      `--ip_version=ipv6
\`sysctl -w net.inet.tcp.rfc1323=0\`
 0   socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0   fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0   connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0   > S 0:0(0) <...>
+.1  < icmp packet_too_big mtu 1300 [0:0(0)]
+.9  > S 0:0(0) <mss 1240,sackOK,eol,eol>`,
      'options',
    ],
  ])('%s', (_, script, otherwise) => {
    const [freebsd, rfc] = verdicts(script)
    expect(freebsd).toBe('passed')
    expect(rfc).toContain(otherwise)
  })
})
