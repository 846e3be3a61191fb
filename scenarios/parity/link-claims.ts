import { type Claim, codeOf, same } from './claim.ts'

/** Below TCP: ARP, IPv4, ICMP, UDP, addresses. */
export const linkClaims: readonly Claim[] = [
  {
    name: 'arp',
    that: 'ARP asks for a neighbour once, and remembers it',
    link: { delay: '5ms' },
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const first = await host.ping(b)
        const second = await host.ping(b)
        tell(host, same([first?.rtt, second?.rtt], [20e6, 10e6]))
      },
    }),
  },
  {
    name: 'arp-conflict',
    that: 'whoever probes for an address that somebody has does not use it',
    a: { arp: 'probe' },
    ends: ['10.200.0.1/24', ['10.200.0.1/24', '10.200.0.2/24']],
    programs: ({ tell }) => ({
      a: (host) =>
        host.ready().then(
          () => tell(host, 'used it'),
          (e) => tell(host, codeOf(e) === 'EADDRNOTAVAIL'),
        ),
    }),
  },
  {
    name: 'port-unreachable',
    that: 'a datagram to a port where nobody listens brings an ICMP error',
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const socket = host.udp()
        socket.connect(b, 9999)
        socket.send('x')
        await socket.receive().then(
          () => tell(host, 'an answer'),
          (e) => tell(host, codeOf(e) === 'ECONNREFUSED'),
        )
      },
    }),
  },
  {
    name: 'services',
    that: 'echo, discard and daytime answer over UDP, whatever the order of 4 KB in three fragments',
    link: { delay: '10ms', jitter: '5ms', keepOrder: false },
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const socket = host.udp()
        let good = 0
        for (let i = 0; i < 20; i++) {
          const sent = new Uint8Array(4000).fill(i)
          socket.sendTo(sent, b, 7)
          const { payload } = await socket.receive()
          if (payload.length === 4000 && payload[3999] === i) good += 1
        }
        socket.sendTo('x', b, 9)
        socket.sendTo('x', b, 13)
        const { payload } = await socket.receive()
        const time = new TextDecoder().decode(payload as Uint8Array)
        tell(host, same([good, time.startsWith('Thursday, January 1, 1970')], [20, true]))
      },
      b: (host) => {
        for (const service of ['echo', 'discard', 'daytime'] as const) host.serve(service)
      },
    }),
  },
  {
    name: 'fragments-lost',
    that: 'a datagram of which a fragment is lost does not arrive, and the next one does',
    link: { to: { 'fragments-lost-b': { drop: '2nd fragment' } } },
    programs: ({ b, tell }) => ({
      a: async (host) => {
        const socket = host.udp()
        for (const byte of [1, 2]) socket.sendTo(new Uint8Array(4000).fill(byte), b, 7)
        const { payload } = await socket.receive()
        tell(host, same([payload[0], payload.length], [2, 4000]))
      },
      b: (host) => host.serve('echo'),
    }),
  },
  {
    name: 'slaac',
    that: 'a host makes itself an IPv6 address from a router advertisement, and can be reached',
    a: { ipv6: 'auto' },
    b: { kind: 'router', ipv6: { advertise: true } },
    ends: [null, 'fd00:1::1/64'],
    programs: ({ tell }) => ({
      a: async (host) => {
        await host.sleep('10s')
        const result = await host.ping('fd00:1::1').catch(codeOf)
        tell(host, typeof result === 'string' ? result : result?.kind === 'reply')
      },
    }),
  },
  {
    name: 'duplicate',
    that: 'an IPv6 address that somebody has is found to be taken (RFC 4862)',
    a: { ipv6: 'dad' },
    ends: ['fd00:2::1/64', ['fd00:2::1/64', 'fd00:2::2/64']],
    programs: ({ nodeA, tell }) => ({
      a: async (host) => {
        let found = false
        void host.when((record) => {
          if (record.node !== nodeA || record.kind !== 'event') return false
          const { said } = record
          if (said.kind === 'address-conflict' && said.address === 'fd00:2::1') found = true
          return false
        })
        await host.sleep('5s')
        tell(host, found || 'nobody noticed')
      },
    }),
  },
]
