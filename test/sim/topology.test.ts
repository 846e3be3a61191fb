import { describe, expect, test } from 'vitest'
import { formatIp, ip } from '../../protocols/address.ts'
import type { LinkBetween, Topology } from '../../sim/scenario.ts'
import { type NodePlan, planNetwork } from '../../sim/topology.ts'
import { UserError } from '../../sim/user-error.ts'

const STATIC_IPV6 = {
  everywhere: false,
  detectDuplicates: false,
  autoconfigure: false,
  advertise: null,
}

const two: Topology = { a: 'host', b: 'host' }
const ends = { a: '10.0.0.1/24', b: '10.0.0.2/24' }

const plan = (topology: Topology, links: readonly LinkBetween[]) => planNetwork(topology, links)

const routesText = (node: NodePlan): string[] =>
  node.routes.map(({ destination, prefixLength, gateway, port }) => {
    const via = gateway === null ? '' : ` via ${formatIp(gateway)}`
    return `${formatIp(destination)}/${prefixLength}${via} port ${port}`
  })

test('two hosts and a cable, spelled out', () => {
  const network = plan(two, [
    {
      ends,
      delay: '10ms',
      rate: '1Mbit',
      queue: '100 frames',
      mtu: 1400,
      to: { b: { loss: '5%', queue: '64KiB' } },
    },
  ])
  const port = { mtu: 1400, link: 0, vlan: 0, carries: null }
  const connected = { destination: ip('10.0.0.0'), prefixLength: 24, gateway: null, port: 0 }
  expect(network.nodes).toEqual([
    {
      name: 'a',
      kind: 'host',
      forwarding: false,
      interfaces: [
        {
          ...port,
          mac: '02:00:00:00:00:01',
          end: 'a',
          addresses: [{ address: ip('10.0.0.1'), prefixLength: 24 }],
        },
      ],
      routes: [connected],
      tcp: {},
      claim: null,
      ipv6: STATIC_IPV6,
      nat: null,
      clock: null,
      switching: null,
    },
    {
      name: 'b',
      kind: 'host',
      forwarding: false,
      interfaces: [
        {
          ...port,
          mac: '02:00:00:00:00:02',
          end: 'b',
          addresses: [{ address: ip('10.0.0.2'), prefixLength: 24 }],
        },
      ],
      routes: [connected],
      tcp: {},
      claim: null,
      ipv6: STATIC_IPV6,
      nat: null,
      clock: null,
      switching: null,
    },
  ])
  const [link] = network.links
  expect(link).toMatchObject({
    a: { node: 0, port: 0 },
    b: { node: 1, port: 0 },
    nameAB: 'a>b',
    nameBA: 'b>a',
  })
  const both = { delay: 10_000_000, jitter: 0, rate: 1_000_000, mtu: 1400, drops: [] }
  expect(link!.optionsBA).toMatchObject({
    ...both,
    loss: 0,
    queueFrames: 100,
    queueBytes: Infinity,
  })
  expect(link!.optionsAB).toMatchObject({
    ...both,
    loss: 0.05,
    queueFrames: Infinity,
    queueBytes: 65_536,
  })
})

test('an MTU for one direction is not known to the ends', () => {
  const network = plan(two, [{ ends, to: { b: { mtu: '1000B' } } }])
  expect(network.nodes.map((node) => node.interfaces[0]!.mtu)).toEqual([1500, 1500])
  expect(network.links[0]!.optionsAB.mtu).toBe(1000)
  expect(network.links[0]!.optionsBA.mtu).toBe(1500)
})

test('parallel links are numbered, whichever end is written first', () => {
  const network = plan(two, [
    { ends },
    { ends: { b: '10.0.1.2/24', a: '10.0.1.1/24' } },
    { ends: { a: null, b: null } },
  ])
  const names = network.links.map(({ nameAB, nameBA }) => `${nameAB} ${nameBA}`)
  expect(names).toEqual(['a>b b>a', 'b>a#2 a>b#2', 'a>b#3 b>a#3'])
  // MAC addresses count through the nodes, then their ports.
  expect(network.nodes.map((node) => node.interfaces.map(({ mac }) => mac.slice(-2)))).toEqual([
    ['01', '02', '03'],
    ['04', '05', '06'],
  ])
})

test('a node may have no link, an end no address, a node several', () => {
  const network = plan({ alone: 'host', a: 'host', b: 'router' }, [
    { ends: { a: ['10.0.0.1/24', 'fd00::1/64'], b: ['10.0.0.2/24', 'fd00::2/64'] } },
  ])
  expect(network.nodes[0]).toEqual({
    name: 'alone',
    kind: 'host',
    forwarding: false,
    interfaces: [],
    routes: [],
    tcp: {},
    claim: null,
    ipv6: STATIC_IPV6,
    nat: null,
    clock: null,
    switching: null,
  })
  expect(routesText(network.nodes[1]!)).toEqual([
    '10.0.0.0/24 port 0',
    'fd00::/64 port 0',
    '0.0.0.0/0 via 10.0.0.2 port 0',
    '::/0 via fd00::2 port 0',
  ])
})

describe('routes nobody wrote', () => {
  /** a - r1 - r2 - r3 - b, and a longer way r1 - r4 - r5 - r3. */
  const topology: Topology = {
    a: 'host',
    b: 'host',
    r1: 'router',
    r2: 'router',
    r3: 'router',
    r4: 'router',
    r5: 'router',
  }
  const links: LinkBetween[] = [
    { ends: { a: '10.1.0.2/24', r1: '10.1.0.1/24' } },
    { ends: { r1: '10.14.0.1/30', r4: '10.14.0.2/30' } },
    { ends: { r4: '10.45.0.1/30', r5: '10.45.0.2/30' } },
    { ends: { r5: '10.35.0.2/30', r3: '10.35.0.1/30' } },
    { ends: { r1: '10.12.0.1/30', r2: '10.12.0.2/30' } },
    { ends: { r2: '10.23.0.1/30', r3: '10.23.0.2/30' } },
    { ends: { b: '10.3.0.2/24', r3: '10.3.0.1/24' } },
  ]
  const node = (name: string, t = topology, l = links) =>
    plan(t, l).nodes.find((n) => n.name === name)!

  test('a host leaves everything to its router', () => {
    expect(routesText(node('a'))).toEqual(['10.1.0.0/24 port 0', '0.0.0.0/0 via 10.1.0.1 port 0'])
  })

  test('a router takes the way over the fewest routers', () => {
    expect(routesText(node('r1'))).toEqual([
      '10.1.0.0/24 port 0',
      '10.14.0.0/30 port 1',
      '10.12.0.0/30 port 2',
      '10.45.0.0/30 via 10.14.0.2 port 1',
      '10.23.0.0/30 via 10.12.0.2 port 2',
      // r5 and r3 are equally far; r5 is found first, over the link that was declared first.
      '10.35.0.0/30 via 10.14.0.2 port 1',
      '10.3.0.0/24 via 10.12.0.2 port 2',
    ])
  })

  test('nothing is routed through a host', () => {
    const through: Topology = { r1: 'router', h: 'host', r2: 'router' }
    const network = plan(through, [
      { ends: { r1: '10.0.1.1/24', h: '10.0.1.2/24' } },
      { ends: { h: '10.0.2.2/24', r2: '10.0.2.1/24' } },
      { ends: { r2: '10.0.3.1/24', r1: '10.0.3.2/24' } },
    ])
    expect(routesText(network.nodes[0]!)).toEqual([
      '10.0.1.0/24 port 0',
      '10.0.3.0/24 port 1',
      '10.0.2.0/24 via 10.0.3.1 port 1',
    ])
    // Two links: nobody says which router the host means.
    expect(routesText(network.nodes[1]!)).toEqual(['10.0.1.0/24 port 0', '10.0.2.0/24 port 1'])
  })

  test('a written route rules over what lies inside it; a default route leaves room', () => {
    const written = {
      ...topology,
      r1: { kind: 'router', gateway: '10.12.0.2', routes: ['10.3.0.0/16 via 10.14.0.2'] },
    } as const
    expect(routesText(node('r1', written))).toEqual([
      '10.1.0.0/24 port 0',
      '10.14.0.0/30 port 1',
      '10.12.0.0/30 port 2',
      '10.3.0.0/16 via 10.14.0.2 port 1',
      '0.0.0.0/0 via 10.12.0.2 port 2',
      '10.45.0.0/30 via 10.14.0.2 port 1',
      '10.23.0.0/30 via 10.12.0.2 port 2',
      '10.35.0.0/30 via 10.14.0.2 port 1',
    ])
  })

  test('a written gateway replaces the automatic one', () => {
    const network = plan({ a: { kind: 'host', gateway: '10.0.0.9' }, r: 'router' }, [
      { ends: { a: '10.0.0.1/24', r: '10.0.0.2/24' } },
    ])
    expect(routesText(network.nodes[0]!)).toEqual([
      '10.0.0.0/24 port 0',
      '0.0.0.0/0 via 10.0.0.9 port 0',
    ])
  })
})

test('TCP options are read by their kind', () => {
  const tcp = { rtoMin: '200ms', nagle: false, sendBuffer: '64KiB', initialWindow: 4 }
  const network = plan({ a: { kind: 'host', tcp } }, [])
  expect(network.nodes[0]!.tcp).toEqual({
    rtoMin: 200_000_000,
    nagle: false,
    sendBuffer: 65_536,
    initialWindow: 4,
  })
})

test('forced drops: patterns, frame numbers, predicates, several at once', () => {
  const mine = () => false
  const drops = (drop: LinkBetween['drop']) =>
    plan(two, [{ ends, drop: drop! }]).links[0]!.optionsAB.drops
  expect(drops('3rd data segment')).toHaveLength(1)
  expect(drops([1, 5])).toHaveLength(1)
  expect(drops(mine)).toEqual([mine])
  expect(drops(['first SYN', [2], mine])).toHaveLength(3)
})

describe('what cannot be right is one clear line', () => {
  const link = (more: object): [Topology, LinkBetween[]] => [two, [{ ends, ...more }]]
  const addresses = (a: unknown, b: unknown): [Topology, LinkBetween[]] => [
    two,
    [{ ends: { a, b } } as LinkBetween],
  ]
  const node = (a: unknown): [Topology, LinkBetween[]] => [{ a, b: 'host' } as Topology, [{ ends }]]
  const cases: [string, [Topology, LinkBetween[]], string, string, string][] = [
    ['a misspelt key', link({ dealy: '1ms' }), 'link a-b', "unknown key 'dealy'", "mean 'delay'?"],
    ['no unit', link({ delay: '10' }), 'link a-b: delay', "'10' has no unit", "write '10ms'"],
    ['140 % loss', link({ loss: '140%' }), 'link a-b: loss', "'140%' is more than all", '100%'],
    ['no quantity', link({ loss: true }), 'link a-b: loss', 'true is not a quantity', ''],
    ['bps', link({ rate: '10Mbps' }), 'link a-b: rate', 'may mean bits or bytes', "'10Mbit'"],
    ['a queue', link({ queue: '100' }), 'link a-b: queue', 'has no unit', "'100 frames'"],
    ['an MTU', link({ mtu: '60' }), 'link a-b: mtu', '60 is not an MTU', '68 to 65535'],
    ['a drop', link({ drop: 'last FIN' }), 'link a-b: drop', "'last FIN'", ''],
    ['a frame number', link({ drop: [0] }), 'link a-b: drop', '0 is not a frame number', 'from 1'],
    ['towards', link({ to: { c: {} } }), 'link a-b: to', "'c' is not an end", 'expected a or b'],
    ['in to', link({ to: { b: { los: 1 } } }), 'link a-b: to b', "unknown key 'los'", "'loss'"],
    ['one end', [two, [{ ends: { a: null } }]], 'link 1', 'a link has two ends, not 1', 'write'],
    [
      'an unknown node',
      [{ client: 'host', b: 'host' }, [{ ends: { cleint: null, b: null } }]],
      'link cleint-b',
      "there is no node 'cleint'",
      "did you mean 'client'?",
    ],
    [
      'different networks',
      addresses('10.0.0.1/24', '10.0.1.2/24'),
      'link a-b: b',
      '10.0.1.2/24 is outside 10.0.0.0/24, the network of a',
      'of one network',
    ],
    [
      'different prefix lengths',
      addresses('10.0.0.1/24', '10.0.0.2/25'),
      'link a-b: b',
      '10.0.0.2/25 is outside 10.0.0.0/24',
      '',
    ],
    [
      'a duplicate',
      addresses('10.0.0.1/24', '10.0.0.1/24'),
      'link a-b: b',
      '10.0.0.1 is already an address of a',
      '',
    ],
    [
      'one network twice',
      [two, [{ ends }, { ends: { a: '10.0.0.3/24', b: '10.0.0.4/24' } }]],
      'link a-b: a',
      '10.0.0.0/24 is already the network of link a-b',
      'of its own',
    ],
    ['no prefix', addresses('10.0.0.1', null), 'link a-b: a', 'no prefix length', "'10.0.0.1/24'"],
    ['long prefix', addresses('10.0.0.1/33', null), 'link a-b: a', 'prefix length', '0 to 32'],
    ['octal', addresses('010.0.0.1/24', null), 'link a-b: a', 'is not an IP address', ''],
    ['short', addresses('10.1/24', null), 'link a-b: a', "'10.1/24' is not an IP address", ''],
    ['the network', addresses('10.0.0.0/24', null), 'link a-b: a', 'network address of', ''],
    ['broadcast', addresses('10.0.0.255/24', null), 'link a-b: a', 'broadcast address of', ''],
    ['multicast', addresses('224.0.0.1/24', null), 'link a-b: a', 'multicast address', ''],
    ['loopback', addresses('127.0.0.1/8', null), 'link a-b: a', 'loopback address', ''],
    ['a kind', node('rooter'), 'node a', "'rooter' is not a kind of node", "mean 'router'?"],
    ['a node key', node({ kind: 'host', gatway: '1' }), 'node a', "'gatway'", "mean 'gateway'?"],
    [
      'a TCP option',
      node({ kind: 'host', tcp: { rtomin: '1s' } }),
      'node a',
      "unknown TCP option 'rtomin'",
      "did you mean 'rtoMin'?",
    ],
    [
      'a TCP unit',
      node({ kind: 'host', tcp: { rtoMin: '1' } }),
      'node a: tcp.rtoMin',
      "'1' has no unit",
      "write '1ms'",
    ],
    [
      'a distant gateway',
      node({ kind: 'host', gateway: '10.9.0.1' }),
      'node a: gateway',
      '10.9.0.1 is on none of the networks of a',
      'expected one of 10.0.0.0/24',
    ],
    [
      'itself',
      node({ kind: 'host', gateway: '10.0.0.1' }),
      'node a: gateway',
      '10.0.0.1 is an address of a itself',
      '',
    ],
    [
      'a route',
      node({ kind: 'host', routes: ['10.9.0.0/16 10.0.0.2'] }),
      'node a: routes',
      'is not a route',
      "'10.2.0.0/16 via 10.255.0.2'",
    ],
    [
      'a route with host bits',
      node({ kind: 'host', routes: ['10.9.0.1/16 via 10.0.0.2'] }),
      'node a: routes',
      'bits behind its prefix',
      "did you mean '10.9.0.0/16'?",
    ],
    [
      'two routes',
      node({ kind: 'host', gateway: '10.0.0.2', routes: ['default via 10.0.0.3'] }),
      'node a: gateway',
      'two routes to 0.0.0.0/0',
      '',
    ],
    ['a name', [{ 'a>b': 'host' }, []], '', "'a>b' cannot be the name of a node", 'a letter'],
  ]

  test.each(cases)('%s', (_, [topology, links], where, message, hint) => {
    let e: unknown
    try {
      plan(topology, links)
    } catch (thrown) {
      e = thrown
    }
    expect(e).toBeInstanceOf(UserError)
    const error = e as UserError
    expect(error.where ?? '').toBe(where)
    expect(error.message).toContain(message)
    expect(error.hint ?? '').toContain(hint)
    expect(`${error.message}${error.hint ?? ''}`).not.toMatch(/\n|undefined|\[object/)
  })
})

test('point-to-point prefixes of 31 bits have two hosts', () => {
  const network = plan(two, [{ ends: { a: '10.0.0.0/31', b: '10.0.0.1/31' } }])
  expect(routesText(network.nodes[0]!)).toEqual(['10.0.0.0/31 port 0'])
})
