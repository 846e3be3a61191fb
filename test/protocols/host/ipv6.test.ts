import { expect, test } from 'vitest'
import { formatIp } from '../../../protocols/address.ts'
import { story } from '../../../sim/testing/story.ts'

// Hosts that speak IPv6 with addresses that were written down, in place, recorded and encoded.

const TWO = {
  topology: { a: 'host', b: 'host' },
  links: [{ ends: { a: '2001:db8::1/64', b: '2001:db8::2/64' }, delay: '1ms' }],
} as const

const ROUTED = {
  topology: { a: 'host', r: 'router', c: 'host' },
  links: [
    { ends: { a: '2001:db8:1::1/64', r: '2001:db8:1::ff/64' }, delay: '1ms' },
    { ends: { r: '2001:db8:2::ff/64', c: '2001:db8:2::1/64' }, delay: '1ms' },
  ],
} as const

test('a static IPv6 host on a link without a router becomes ready', async () => {
  const lines = await story({
    ...TWO,
    until: '20s',
    trace: /IP6/,
    programs: (say) => ({
      a: async (host) => {
        await host.ready()
        say(host, 'ready')
        const answer = await host.ping('2001:db8::2')
        say(host, JSON.stringify(answer))
      },
    }),
  })
  expect(lines).toMatchInlineSnapshot(`
    "0        a  ready
    0.000000000 a>b  IP6 2001:db8::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has 2001:db8::2, length 32
    0.001000000 b>a  IP6 2001:db8::2 > 2001:db8::1: ICMP6, neighbor advertisement, tgt is 2001:db8::2, length 32
    0.002000000 a>b  IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 1, length 64
    0.003000000 b>a  IP6 2001:db8::2 > 2001:db8::1: ICMP6, echo reply, id 1, seq 1, length 64
    0.004    a  {"kind":"reply","from":"2001:db8::2","ttl":64,"rtt":4000000}
    5.001000000 b>a  IP6 2001:db8::2 > 2001:db8::1: ICMP6, neighbor solicitation, who has 2001:db8::1, length 32
    5.002000000 a>b  IP6 2001:db8::1 > 2001:db8::2: ICMP6, neighbor advertisement, tgt is 2001:db8::1, length 32"
  `)
})

test('TCP and UDP over two links of IPv6', async () => {
  const lines = await story({
    ...ROUTED,
    until: '20s',
    trace: /[ac]>r .*(Flags|UDP)/,
    programs: (say) => ({
      a: async (host) => {
        const socket = await host.connect('2001:db8:2::1', 7)
        await socket.send('hello')
        say(host, `${(await socket.receive(100))!.length} bytes`)
        socket.close()
        const udp = host.udp()
        udp.sendTo('datagram', '2001:db8:2::1', 7)
        const { payload, remote } = await udp.receive()
        say(host, `${payload.length} bytes from ${remote.address}`)
      },
      c: (host) => host.serve('echo'),
    }),
  })
  expect(lines).toMatchInlineSnapshot(`
    "0.002000000 a>r  IP6 2001:db8:1::1.65320 > 2001:db8:2::1.7: Flags [S], seq 305231113, win 65535, options [mss 1440,sackOK,TS val 29961 ecr 0,nop,wscale 7], length 0
    0.008000000 c>r  IP6 2001:db8:2::1.7 > 2001:db8:1::1.65320: Flags [S.], seq 3296607517, ack 305231114, win 65535, options [mss 1440,sackOK,TS val 15651 ecr 29961,nop,wscale 7], length 0
    0.010000000 a>r  IP6 2001:db8:1::1.65320 > 2001:db8:2::1.7: Flags [.], ack 1, win 32768, options [nop,nop,TS val 29971 ecr 15651], length 0
    0.010000000 a>r  IP6 2001:db8:1::1.65320 > 2001:db8:2::1.7: Flags [P.], seq 1:6, ack 1, win 32768, options [nop,nop,TS val 29971 ecr 15651], length 5
    0.012000000 c>r  IP6 2001:db8:2::1.7 > 2001:db8:1::1.65320: Flags [.], ack 6, win 32768, options [nop,nop,TS val 15657 ecr 29971], length 0
    0.012000000 c>r  IP6 2001:db8:2::1.7 > 2001:db8:1::1.65320: Flags [P.], seq 1:6, ack 6, win 32768, options [nop,nop,TS val 15657 ecr 29971], length 5
    0.014    a  5 bytes
    0.014000000 a>r  IP6 2001:db8:1::1.65320 > 2001:db8:2::1.7: Flags [F.], seq 6, ack 6, win 32767, options [nop,nop,TS val 29975 ecr 15657], length 0
    0.014000000 a>r  IP6 2001:db8:1::1.54616 > 2001:db8:2::1.7: UDP, length 8
    0.016000000 c>r  IP6 2001:db8:2::1.7 > 2001:db8:1::1.65320: Flags [.], ack 7, win 32767, options [nop,nop,TS val 15661 ecr 29975], length 0
    0.016000000 c>r  IP6 2001:db8:2::1.7 > 2001:db8:1::1.65320: Flags [F.], seq 6, ack 7, win 32767, options [nop,nop,TS val 15661 ecr 29975], length 0
    0.016000000 c>r  IP6 2001:db8:2::1.7 > 2001:db8:1::1.54616: UDP, length 8
    0.018000000 a>r  IP6 2001:db8:1::1.65320 > 2001:db8:2::1.7: Flags [.], ack 7, win 32767, options [nop,nop,TS val 29979 ecr 15661], length 0
    0.018    a  8 bytes from 2001:db8:2::1"
  `)
})

test('an echo request that nobody is there for brings address unreachable', async () => {
  const lines = await story({
    ...ROUTED,
    until: '20s',
    trace: /IP6|drop/,
    programs: (say) => ({
      a: async (host) => {
        say(host, JSON.stringify(await host.ping('2001:db8:2::9', { timeout: '9s' })))
        say(host, JSON.stringify(await host.ping('2001:db8:9::9', { timeout: '9s' })))
        say(host, JSON.stringify(await host.ping('2001:db8:2::1', { ttl: 1 })))
      },
    }),
  })
  expect(lines).toMatchInlineSnapshot(`
    "0.000000000 a>r  IP6 2001:db8:1::1 > ff02::1:ff00:ff: ICMP6, neighbor solicitation, who has 2001:db8:1::ff, length 32
    0.001000000 r>a  IP6 2001:db8:1::ff > 2001:db8:1::1: ICMP6, neighbor advertisement, tgt is 2001:db8:1::ff, length 32
    0.002000000 a>r  IP6 2001:db8:1::1 > 2001:db8:2::9: ICMP6, echo request, id 1, seq 1, length 64
    0.003000000 r>c  IP6 fe80::ff:fe00:3 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has 2001:db8:2::9, length 32
    0.004000000 c    drop ethernet no group member: IP6 fe80::ff:fe00:3 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has 2001:db8:2::9, length 32
    1.003000000 r>c  IP6 fe80::ff:fe00:3 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has 2001:db8:2::9, length 32
    1.004000000 c    drop ethernet no group member: IP6 fe80::ff:fe00:3 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has 2001:db8:2::9, length 32
    2.003000000 r>c  IP6 fe80::ff:fe00:3 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has 2001:db8:2::9, length 32
    2.004000000 c    drop ethernet no group member: IP6 fe80::ff:fe00:3 > ff02::1:ff00:9: ICMP6, neighbor solicitation, who has 2001:db8:2::9, length 32
    3.003000000 r    drop nd unresolved: IP6 2001:db8:1::1 > 2001:db8:2::9: ICMP6, echo request, id 1, seq 1, length 64
    3.003000000 r>a  IP6 2001:db8:1::ff > 2001:db8:1::1: ICMP6, destination unreachable, unreachable address 2001:db8:2::9, length 112
    3.004    a  {"kind":"error","from":"2001:db8:1::ff","type":1,"code":3,"rtt":3004000000}
    3.004000000 a>r  IP6 2001:db8:1::1 > 2001:db8:9::9: ICMP6, echo request, id 1, seq 2, length 64
    3.005000000 r    drop ipv6 no route: IP6 2001:db8:1::1 > 2001:db8:9::9: ICMP6, echo request, id 1, seq 2, length 64
    3.005000000 r>a  IP6 2001:db8:1::ff > 2001:db8:1::1: ICMP6, destination unreachable, unreachable route 2001:db8:9::9, length 112
    3.006    a  {"kind":"error","from":"2001:db8:1::ff","type":1,"code":0,"rtt":2000000}
    3.006000000 a>r  IP6 2001:db8:1::1 > 2001:db8:2::1: ICMP6, echo request, id 1, seq 3, length 64
    3.007000000 r    drop ipv6 hop limit: IP6 2001:db8:1::1 > 2001:db8:2::1: ICMP6, echo request, id 1, seq 3, length 64
    3.007000000 r>a  IP6 2001:db8:1::ff > 2001:db8:1::1: ICMP6, time exceeded in-transit for 2001:db8:2::1, length 112
    3.008    a  {"kind":"error","from":"2001:db8:1::ff","type":3,"code":0,"rtt":2000000}
    5.001000000 r>a  IP6 2001:db8:1::ff > 2001:db8:1::1: ICMP6, neighbor solicitation, who has 2001:db8:1::1, length 32
    5.002000000 a>r  IP6 2001:db8:1::1 > 2001:db8:1::ff: ICMP6, neighbor advertisement, tgt is 2001:db8:1::1, length 32"
  `)
})

test('a connection that makes progress keeps its neighbours reachable (RFC 4861 §7.3.1)', async () => {
  const lines = await story({
    ...TWO,
    until: '110s',
    trace: /solicitation/,
    programs: () => ({
      a: async (host) => {
        const socket = await host.connect('2001:db8::2', 9)
        for (let second = 0; second < 100; second++) {
          await socket.send('tick')
          await host.sleep('1s')
        }
        socket.abort()
      },
      b: (host) => host.serve('discard'),
    }),
  })
  // Nobody asks again: without the hint, both would at the latest 50 s after the answer.
  expect(lines).toMatchInlineSnapshot(
    `"0.000000000 a>b  IP6 2001:db8::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has 2001:db8::2, length 32"`,
  )
})

test('both families on one link, and a socket that hears both', async () => {
  const lines = await story({
    topology: { a: 'host', b: 'host' },
    links: [
      {
        ends: { a: ['10.0.0.1/24', '2001:db8::1/64'], b: ['10.0.0.2/24', '2001:db8::2/64'] },
        delay: '1ms',
      },
    ],
    until: '20s',
    programs: (say) => ({
      a: async (host) => {
        for (const to of ['10.0.0.2', '2001:db8::2']) {
          const socket = host.udp()
          socket.sendTo('hi', to, 9)
          const tcp = await host.connect(to, 7)
          await tcp.send('hi')
          say(host, `${to}: ${(await tcp.receive())!.length} bytes back`)
          tcp.close()
        }
      },
      b: [
        (host) => host.serve('echo'),
        async (host) => {
          const socket = host.udp(9)
          for (let i = 0; i < 2; i++) {
            const { remote } = await socket.receive()
            say(host, `from ${formatIp(remote.address)}`)
          }
        },
      ],
    }),
  })
  expect(lines).toMatchInlineSnapshot(`
    "0.003    b  from 10.0.0.1
    0.006    a  10.0.0.2: 2 bytes back
    0.009    b  from 2001:db8::1
    0.012    a  2001:db8::2: 2 bytes back"
  `)
})
