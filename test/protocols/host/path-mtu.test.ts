import { expect, test } from 'vitest'
import { meantMtu } from '../../../protocols/host/path-mtu.ts'
import type { LinkBetween, Program } from '../../../sim/scenario.ts'
import { story, type StoryOptions } from '../../../sim/testing/story.ts'
import { PLAIN } from '../../timeline.ts'
import { codeOf } from '../../sim/two-hosts.ts'

// a -- r -- q -- b, 10 ms each; the link in the middle carries packets of 600 bytes.

const tcp = { ...PLAIN, initialWindow: 3 }
const LINKS: readonly LinkBetween[] = [
  { ends: { a: '10.0.1.2/24', r: '10.0.1.1/24' }, delay: '10ms' },
  { ends: { r: '10.0.3.1/24', q: '10.0.3.2/24' }, delay: '10ms', mtu: '600B' },
  { ends: { q: '10.0.2.1/24', b: '10.0.2.2/24' }, delay: '10ms' },
]
const narrow = (
  programs: StoryOptions['programs'],
  more: Partial<StoryOptions> & { readonly choices?: object } = {},
): Promise<string> =>
  story({
    topology: {
      a: { kind: 'host', tcp: { ...tcp, ...more.choices } },
      r: 'router',
      q: 'router',
      b: { kind: 'host', tcp },
    },
    links: LINKS,
    until: '2000s',
    trace: /IP 10\.0\.1\.2\.\d+ > .* length [1-9]|path mtu|need to frag|black hole/,
    ...more,
    programs,
  })

const receiver: Program = async (host) => {
  for await (const socket of host.listen(80)) {
    void socket.receiveAll().then(() => socket.close())
  }
}

const sender =
  (...sizes: readonly number[]): Program =>
  async (host) => {
    const socket = await host.connect('10.0.2.2', 80)
    for (const size of sizes) {
      await socket.send(new Uint8Array(size))
      await host.sleep('1s')
    }
    socket.shutdown()
  }

/** Ports and addresses say nothing here. */
const brief = (text: string): string =>
  text
    .replaceAll(/10\.0\.1\.2\.\d+ > 10\.0\.2\.2\.80: Flags \[P?\.\], /g, '')
    .replaceAll(/, ack 1, win \d+/g, '')
    .replaceAll('00:00:', '')

test('what a router says is too big is sent again at once in smaller segments', async () => {
  const text = await narrow(() => ({ a: sender(1500), b: receiver }))
  expect(brief(text)).toMatchInlineSnapshot(`
    "0.120000000 a>r  IP seq 1:1461, length 1460
    0.130000000 r    drop ipv4 too big: IP seq 1:1461, length 1460
    0.130000000 r>a  IP 10.0.1.1 > 10.0.1.2: ICMP 10.0.2.2 unreachable - need to frag (mtu 600), length 556
    0.140000000 a    path mtu to 10.0.2.2 is 600
    0.140000000 a>r  IP seq 1:561, length 560 RETX #1 mtu
    0.150000000 r>q  IP seq 1:561, length 560
    0.160000000 q>b  IP seq 1:561, length 560
    0.240000000 a>r  IP seq 561:1121, length 560 RETX #1 mtu
    0.240000000 a>r  IP seq 1121:1501, length 380 RETX #1 mtu
    0.250000000 r>q  IP seq 561:1121, length 560
    0.250000000 r>q  IP seq 1121:1501, length 380
    0.260000000 q>b  IP seq 561:1121, length 560
    0.260000000 q>b  IP seq 1121:1501, length 380"
  `)
})

test('a flight of large segments brings an error each, and is sent again once', async () => {
  const text = await narrow(() => ({ a: sender(4380), b: receiver }), {
    trace: /a>r .*RETX|need to frag|r>q  IP .*length [1-9]/,
  })
  expect(text.match(/need to frag/g)).toHaveLength(3)
  const again = [...text.matchAll(/a>r .*seq (\d+:\d+).*RETX #1 mtu/g)].map((match) => match[1])
  // 4380 bytes are 7 segments of 560 and one of 460.
  expect(again).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(range))
  expect(text.match(/r>q/g)).toHaveLength(8)
})

const range = (i: number): string => `${i * 560 + 1}:${Math.min(i * 560 + 560, 4380) + 1}`

test('what is learned holds for other connections, and for ten minutes', async () => {
  const text = await narrow(() => ({
    a: async (host) => {
      const first = await host.connect('10.0.2.2', 80)
      await first.send(new Uint8Array(1000))
      await host.sleep('1s')
      const second = await host.connect('10.0.2.2', 80)
      await second.send(new Uint8Array(1000))
      await host.sleep('598s')
      await second.send(new Uint8Array(1000))
      await host.sleep('2s')
      await second.send(new Uint8Array(1000))
    },
    b: receiver,
  }))
  expect(brief(text)).toMatchInlineSnapshot(`
    "0.120000000 a>r  IP seq 1:1001, length 1000
    0.130000000 r    drop ipv4 too big: IP seq 1:1001, length 1000
    0.130000000 r>a  IP 10.0.1.1 > 10.0.1.2: ICMP 10.0.2.2 unreachable - need to frag (mtu 600), length 556
    0.140000000 a    path mtu to 10.0.2.2 is 600
    0.140000000 a>r  IP seq 1:561, length 560 RETX #1 mtu
    0.150000000 r>q  IP seq 1:561, length 560
    0.160000000 q>b  IP seq 1:561, length 560
    0.240000000 a>r  IP seq 561:1001, length 440 RETX #1 mtu
    0.250000000 r>q  IP seq 561:1001, length 440
    0.260000000 q>b  IP seq 561:1001, length 440
    1.180000000 a>r  IP seq 1:561, length 560
    1.190000000 r>q  IP seq 1:561, length 560
    1.200000000 q>b  IP seq 1:561, length 560
    1.280000000 a>r  IP seq 561:1001, length 440
    1.290000000 r>q  IP seq 561:1001, length 440
    1.300000000 q>b  IP seq 561:1001, length 440
    599.200000000 a>r  IP seq 1001:1561, length 560
    599.230000000 r>q  IP seq 1001:1561, length 560
    599.260000000 q>b  IP seq 1001:1561, length 560
    599.340000000 a>r  IP seq 1561:2001, length 440
    599.350000000 r>q  IP seq 1561:2001, length 440
    599.360000000 q>b  IP seq 1561:2001, length 440
    601.180000000 a>r  IP seq 2001:3001, length 1000
    601.190000000 r    drop ipv4 too big: IP seq 2001:3001, length 1000
    601.190000000 r>a  IP 10.0.1.1 > 10.0.1.2: ICMP 10.0.2.2 unreachable - need to frag (mtu 600), length 556
    601.200000000 a    path mtu to 10.0.2.2 is 600
    601.200000000 a>r  IP seq 2001:2561, length 560 RETX #1 mtu
    601.210000000 r>q  IP seq 2001:2561, length 560
    601.220000000 q>b  IP seq 2001:2561, length 560
    601.300000000 a>r  IP seq 2561:3001, length 440 RETX #1 mtu
    601.310000000 r>q  IP seq 2561:3001, length 440
    601.320000000 q>b  IP seq 2561:3001, length 440"
  `)
})

test('routers that say nothing: after two timeouts of a full segment it shrinks', async () => {
  const text = await narrow(() => ({ a: sender(1500), b: receiver }), {
    choices: { blackHoleAfter: 2 },
    links: [{ ...LINKS[0]!, to: { a: { drop: 'every ICMP error' } } }, ...LINKS.slice(1)],
    until: '10s',
  })
  expect(brief(text)).toMatchInlineSnapshot(`
    "0.120000000 a>r  IP seq 1:1461, length 1460
    0.130000000 r    drop ipv4 too big: IP seq 1:1461, length 1460
    0.130000000 r>a  IP 10.0.1.1 > 10.0.1.2: ICMP 10.0.2.2 unreachable - need to frag (mtu 600), length 556 DROP forced
    1.120000000 a>r  IP 10.0.1.2.49588 > 10.0.2.2.80: Flags [FP.], seq 1461:1501, length 40
    1.120000000 a>r  IP seq 1:1461, length 1460 RETX #1 rto=2s
    1.130000000 r>q  IP 10.0.1.2.49588 > 10.0.2.2.80: Flags [FP.], seq 1461:1501, length 40
    1.130000000 r    drop ipv4 too big: IP seq 1:1461, length 1460
    1.130000000 r>a  IP 10.0.1.1 > 10.0.1.2: ICMP 10.0.2.2 unreachable - need to frag (mtu 600), length 556 DROP forced
    1.140000000 q>b  IP 10.0.1.2.49588 > 10.0.2.2.80: Flags [FP.], seq 1461:1501, length 40
    3.120000000 a    tcp 0 black hole: mss=536
    3.120000000 a>r  IP seq 1:537, length 536 RETX #2 rto=4s
    3.130000000 r>q  IP seq 1:537, length 536
    3.140000000 q>b  IP seq 1:537, length 536
    3.180000000 a>r  IP seq 537:1073, length 536 RETX #1 rto=4s
    3.180000000 a>r  IP 10.0.1.2.49588 > 10.0.2.2.80: Flags [FP.], seq 1073:1501, length 428 RETX #1 rto=4s
    3.190000000 r>q  IP seq 537:1073, length 536
    3.190000000 r>q  IP 10.0.1.2.49588 > 10.0.2.2.80: Flags [FP.], seq 1073:1501, length 428
    3.200000000 q>b  IP seq 537:1073, length 536
    3.200000000 q>b  IP 10.0.1.2.49588 > 10.0.2.2.80: Flags [FP.], seq 1073:1501, length 428"
  `)
})

test('a datagram that must stay whole is refused once the path is known', async () => {
  const text = await narrow(
    (say) => ({
      a: async (host) => {
        const socket = host.udp(5000)
        socket.connect('10.0.2.2', 7)
        socket.setOption('IP_MTU_DISCOVER', 2)
        socket.send(new Uint8Array(573))
        say(host, await codeOf(socket.receive()))
        const error = socket.nextError()
        say(host, `${error?.error} ${error?.type}/${error?.code}`)
        say(host, await codeOf(() => socket.send(new Uint8Array(573))))
        say(host, await codeOf(() => socket.send(new Uint8Array(572))))
        socket.setOption('IP_MTU_DISCOVER', 0)
        say(host, await codeOf(() => socket.send(new Uint8Array(573))))
      },
      b: (host) => void host.udp(7),
    }),
    { trace: /path mtu|q>b/ },
  )
  expect(brief(text)).toMatchInlineSnapshot(`
    "0.040000000 a    path mtu to 10.0.2.2 is 600
    0.04     a  EMSGSIZE
    0.04     a  EMSGSIZE 3/4
    0.04     a  EMSGSIZE
    0.04     a  no error
    0.04     a  no error
    0.080000000 q>b  ARP, Request who-has 10.0.2.2 tell 10.0.2.1, length 28
    0.100000000 q>b  IP 10.0.1.2.5000 > 10.0.2.2.7: UDP, length 572
    0.100000000 q>b  IP 10.0.1.2.5000 > 10.0.2.2.7: UDP, length 573
    0.100000000 q>b  IP 10.0.1.2 > 10.0.2.2: ip-proto-17"
  `)
})

test.each([
  // [next-hop MTU, total length of what was too big, what it means]
  [600, 1500, 600],
  [1499, 1500, 1499],
  // A router that could have passed it on would not have complained.
  [1500, 1500, 0],
  [9000, 1500, 0],
  // No link is that narrow (RFC 791).
  [1, 1500, 68],
  [40, 68, 0],
  // Routers older than RFC 1191 say nothing: the next plateau of its table 7-1.
  [0, 1500, 1492],
  [0, 1492, 1006],
  [0, 65_535, 32_000],
  [0, 500, 296],
  [0, 69, 68],
  [0, 68, 0],
])('a next-hop MTU of %i about %i bytes means %i', (said, quoted, mtu) => {
  expect(meantMtu(said, quoted)).toBe(mtu)
})
