import { expect, test } from 'vitest'
import { story } from '../../../sim/testing/story.ts'

test('x', async () => {
  const lines = await story({
    topology: {
      a: { kind: 'host', ipv6: 'auto' },
      r: { kind: 'router', ipv6: { advertise: true } },
      c: 'host',
    },
    links: [
      { ends: { a: null, r: '2001:db8:1::ff/64' }, delay: '1ms' },
      { ends: { r: '2001:db8:2::ff/64', c: '2001:db8:2::1/64' }, delay: '1ms' },
    ],
    until: '20s',
    trace: /IP6|address|router/,
    programs: (say) => ({
      a: async (host) => {
        await host.ready()
        say(host, 'ready')
        say(host, JSON.stringify(await host.ping('2001:db8:2::1', { timeout: '9s' })))
      },
    }),
  })
  expect(lines).toMatchInlineSnapshot(`
    "0.207494000 r>c  IP6 fe80::ff:fe00:3 > ff02::1: ICMP6, router advertisement, length 64
    0.208494000 c    drop nd not heard: IP6 fe80::ff:fe00:3 > ff02::1: ICMP6, router advertisement, length 64
    0.466441000 r>a  IP6 fe80::ff:fe00:2 > ff02::1: ICMP6, router advertisement, length 64
    0.467441000 a    router fe80::ff:fe00:2 is there
    0.697934000 a>r  IP6 :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
    0.697934000 a>r  IP6 :: > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has 2001:db8:1::ff:fe00:1, length 32
    0.698934000 r    drop ethernet no group member: IP6 :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
    0.698934000 r    drop ethernet no group member: IP6 :: > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has 2001:db8:1::ff:fe00:1, length 32
    0.864832000 a>r  IP6 :: > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has fe80::ff:fe00:1, length 32
    0.865832000 r    drop ethernet no group member: IP6 :: > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has fe80::ff:fe00:1, length 32
    0.942385000 a>r  IP6 :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
    0.943385000 r    drop ethernet no group member: IP6 :: > ff02::16: HBH ICMP6, multicast listener report v2, 1 group record(s), length 28
    1.697934000 a    address 2001:db8:1::ff:fe00:1 is ours
    1.864832000 a    address fe80::ff:fe00:1 is ours
    1.864832000 a>r  IP6 fe80::ff:fe00:1 > ff02::2: ICMP6, router solicitation, length 16
    1.864832 a  ready
    1.864832000 a>r  IP6 2001:db8:1::ff:fe00:1 > 2001:db8:2::1: ICMP6, echo request, id 1, seq 1, length 64
    1.865832000 r>c  IP6 fe80::ff:fe00:3 > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has 2001:db8:2::1, length 32
    1.866832000 c>r  IP6 2001:db8:2::1 > fe80::ff:fe00:3: ICMP6, neighbor advertisement, tgt is 2001:db8:2::1, length 32
    1.867832000 r>c  IP6 2001:db8:1::ff:fe00:1 > 2001:db8:2::1: ICMP6, echo request, id 1, seq 1, length 64
    1.868832000 c>r  IP6 2001:db8:2::1 > ff02::1:ff00:ff: ICMP6, neighbor solicitation, who has 2001:db8:2::ff, length 32
    1.869832000 r>c  IP6 2001:db8:2::ff > 2001:db8:2::1: ICMP6, neighbor advertisement, tgt is 2001:db8:2::ff, length 32
    1.870832000 c>r  IP6 2001:db8:2::1 > 2001:db8:1::ff:fe00:1: ICMP6, echo reply, id 1, seq 1, length 64
    1.871832000 r>a  IP6 fe80::ff:fe00:2 > ff02::1:ff00:1: ICMP6, neighbor solicitation, who has 2001:db8:1::ff:fe00:1, length 32
    1.872832000 a>r  IP6 2001:db8:1::ff:fe00:1 > fe80::ff:fe00:2: ICMP6, neighbor advertisement, tgt is 2001:db8:1::ff:fe00:1, length 32
    1.873832000 r>a  IP6 2001:db8:2::1 > 2001:db8:1::ff:fe00:1: ICMP6, echo reply, id 1, seq 1, length 64
    1.874832 a  {"kind":"reply","from":"2001:db8:2::1","ttl":63,"rtt":10000000}
    3.671110000 r>a  IP6 fe80::ff:fe00:2 > ff02::1: ICMP6, router advertisement, length 64
    6.864832000 a>r  IP6 2001:db8:1::ff:fe00:1 > fe80::ff:fe00:2: ICMP6, neighbor solicitation, who has fe80::ff:fe00:2, length 32
    6.865832000 r>a  IP6 fe80::ff:fe00:2 > 2001:db8:1::ff:fe00:1: ICMP6, neighbor advertisement, tgt is fe80::ff:fe00:2, length 32
    6.866832000 c>r  IP6 2001:db8:2::1 > fe80::ff:fe00:3: ICMP6, neighbor solicitation, who has fe80::ff:fe00:3, length 32
    6.867832000 r>c  IP6 fe80::ff:fe00:3 > 2001:db8:2::1: ICMP6, neighbor advertisement, tgt is fe80::ff:fe00:3, length 32
    16.207494000 r>c  IP6 fe80::ff:fe00:3 > ff02::1: ICMP6, router advertisement, length 64
    16.208494000 c    drop nd not heard: IP6 fe80::ff:fe00:3 > ff02::1: ICMP6, router advertisement, length 64
    19.671110000 r>a  IP6 fe80::ff:fe00:2 > ff02::1: ICMP6, router advertisement, length 64"
  `)
})
