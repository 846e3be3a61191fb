import { describe, expect, test } from 'vitest'
import { formatIp } from '../../protocols/address.ts'
import type { LinkBetween, Topology } from '../../sim/scenario.ts'
import { type NodePlan, planNetwork } from '../../sim/topology.ts'
import { UserError } from '../../sim/user-error.ts'

const routesText = (node: NodePlan): string[] =>
  node.routes.map(({ destination, prefixLength, gateway, port }) => {
    const via = gateway === null ? '' : ` via ${formatIp(gateway)}`
    return `${formatIp(destination)}/${prefixLength}${via} port ${port}`
  })

/** a, b and a router behind two switches; beyond the router a host c on a cable. */
const TOPOLOGY: Topology = {
  a: 'host',
  b: 'host',
  r: 'router',
  c: 'host',
  s1: 'switch',
  s2: { kind: 'switch', ageing: '10s', tableSize: 4 },
}
const LINKS: readonly LinkBetween[] = [
  { ends: { a: '10.0.0.1/24', s1: null } },
  { ends: { s2: null, b: '10.0.0.2/24' } },
  { ends: { s1: null, s2: null } },
  { ends: { s2: null, r: '10.0.0.254/24' } },
  { ends: { r: '10.0.1.254/24', c: '10.0.1.1/24' } },
]
const node = (name: string, topology = TOPOLOGY, links = LINKS) =>
  planNetwork(topology, links).nodes.find((n) => n.name === name)!

describe('routing sees through switches', () => {
  test('a host finds the router behind them, and its neighbours without one', () => {
    expect(routesText(node('a'))).toEqual(['10.0.0.0/24 port 0', '0.0.0.0/0 via 10.0.0.254 port 0'])
    expect(routesText(node('b'))).toEqual(['10.0.0.0/24 port 0', '0.0.0.0/0 via 10.0.0.254 port 0'])
  })

  test('a router has one route to the whole network behind them', () => {
    expect(routesText(node('r'))).toEqual(['10.0.0.0/24 port 0', '10.0.1.0/24 port 1'])
  })

  test('of several routers the one whose link was declared first is the gateway', () => {
    const topology: Topology = { a: 'host', s: 'switch', r1: 'router', r2: 'router' }
    const links: LinkBetween[] = [
      { ends: { s: null, r2: '10.0.0.2/24' } },
      { ends: { s: null, r1: '10.0.0.3/24' } },
      { ends: { a: '10.0.0.1/24', s: null } },
    ]
    expect(routesText(node('a', topology, links))).toContain('0.0.0.0/0 via 10.0.0.2 port 0')
  })

  test('routers on one switch reach what is behind one another', () => {
    const topology: Topology = {
      h: 'hub',
      r1: 'router',
      r2: 'router',
      r3: 'router',
      x: 'host',
      y: 'host',
    }
    const links: LinkBetween[] = [
      { ends: { r1: '10.9.0.1/24', h: null } },
      { ends: { r2: '10.9.0.2/24', h: null } },
      { ends: { r3: '10.9.0.3/24', h: null } },
      { ends: { r2: '10.2.0.1/30', x: '10.2.0.2/30' } },
      { ends: { r3: '10.3.0.1/30', y: '10.3.0.2/30' } },
    ]
    expect(routesText(node('r1', topology, links))).toEqual([
      '10.9.0.0/24 port 0',
      '10.2.0.0/30 via 10.9.0.2 port 0',
      '10.3.0.0/30 via 10.9.0.3 port 0',
    ])
  })
})

test('a switch is planned with its table, and without addresses and routes', () => {
  expect(node('s2')).toMatchObject({
    kind: 'switch',
    forwarding: false,
    routes: [],
    switching: { ageing: 10_000_000_000, tableSize: 4 },
  })
  expect(node('s1').switching).toEqual({ ageing: 300_000_000_000, tableSize: 1024 })
  expect(node('s1').interfaces.map(({ addresses }) => addresses)).toEqual([[], []])
  expect(node('a').switching).toBeNull()
})

test('two networks may share a switch', () => {
  const topology: Topology = { a: 'host', b: 'host', c: 'host', d: 'host', s: 'switch' }
  const links = Object.entries({ a: '10.0.0.1', b: '10.0.0.2', c: '10.0.1.1', d: '10.0.1.2' }).map(
    ([name, address]): LinkBetween => ({ ends: { [name]: `${address}/24`, s: null } }),
  )
  expect(routesText(node('c', topology, links))).toEqual(['10.0.1.0/24 port 0'])
})

describe('what cannot be right is one clear line', () => {
  type Input = [topology: Topology, links: readonly LinkBetween[]]
  const lan = (extra: Topology, ...links: LinkBetween[]): Input => [
    { a: 'host', b: 'host', s: 'switch', ...extra },
    [{ ends: { a: '10.0.0.1/24', s: null } }, { ends: { b: '10.0.0.2/24', s: null } }, ...links],
  ]
  const three: Topology = { s: 'switch', t: 'switch', u: 'hub' }
  const cases: [string, Input, string, string, string][] = [
    [
      'a loop of switches',
      [
        three,
        [
          { ends: { s: null, t: null } },
          { ends: { t: null, u: null } },
          { ends: { u: null, s: null } },
        ],
      ],
      'link u-s',
      'u and s are joined already: this link closes a loop',
      'take it out',
    ],
    [
      'two cables between two switches',
      [three, [{ ends: { s: null, t: null } }, { ends: { s: null, t: null } }]],
      'link s-t',
      'closes a loop',
      'broadcasts would go round for ever',
    ],
    [
      'an address at a switch',
      lan({ c: 'host' }, { ends: { c: '10.0.0.3/24', s: '10.0.0.9/24' } }),
      'link c-s: s',
      's is a switch or a hub: its ports have no addresses',
      'write s: null',
    ],
    [
      'one outside the network',
      lan({ c: 'host' }, { ends: { s: null, c: '10.0.7.3/24' } }),
      'link s-c: c',
      '10.0.7.3/24 is outside 10.0.0.0/24, the network of a',
      'behind one switch',
    ],
    [
      'an address twice',
      lan({ c: 'host' }, { ends: { s: null, c: '10.0.0.1/24' } }),
      'link s-c: c',
      '10.0.0.1 is already an address of a',
      '',
    ],
    [
      'the network of the switch elsewhere',
      lan({ c: 'host', d: 'host' }, { ends: { c: '10.0.0.8/24', d: '10.0.0.9/24' } }),
      'link c-d: c',
      '10.0.0.0/24 is already the network of link a-s',
      'join them with a switch',
    ],
    [
      'two interfaces in one network',
      lan({}, { ends: { a: '10.0.0.7/24', s: null } }),
      'link a-s: a',
      'a has two interfaces in 10.0.0.0/24',
      'another network',
    ],
    [
      'a gateway for a switch',
      lan({ s: { kind: 'switch', gateway: '10.0.0.1' } as never }),
      'node s',
      "unknown key 'gateway'",
      'there is kind, ageing, tableSize',
    ],
    [
      'no ageing',
      lan({ s: { kind: 'switch', ageing: '0s' } }),
      'node s: ageing',
      'a switch that remembers nothing is a hub',
      "'300s'",
    ],
    [
      'a table without a number',
      lan({ s: { kind: 'switch', tableSize: 'big' } }),
      'node s: tableSize',
      "'big' is not a whole number",
      '',
    ],
    ['a kind', lan({ s: 'swich' as never }), 'node s', '', 'switch'],
  ]
  test.each(cases)('%s', (_, [topology, links], where, message, hint) => {
    let error: UserError | null = null
    try {
      planNetwork(topology, links)
    } catch (e) {
      error = e as UserError
    }
    expect(error).toBeInstanceOf(UserError)
    expect(error!.where).toBe(where)
    expect(error!.message).toContain(message)
    expect(error!.hint ?? '').toContain(hint)
  })
})
