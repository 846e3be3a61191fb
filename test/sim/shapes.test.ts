import { describe, expect, test } from 'vitest'
import { formatIp } from '../../protocols/address.ts'
import { AddressPool } from '../../sim/addressing.ts'
import { type Shape, addressOf, withAddresses } from '../../sim/shape-draft.ts'
import { chain, dumbbell, fullMesh, random, star, tree } from '../../sim/shapes.ts'
import { planNetwork } from '../../sim/topology.ts'

const kinds = ({ topology }: Shape): string =>
  Object.entries(topology)
    .map(([name, spec]) => `${name}:${typeof spec === 'string' ? spec : spec.kind}`)
    .join(' ')
const ends = ({ links }: Shape): string[] =>
  links.map(({ ends }) =>
    Object.entries(ends)
      .map(([name, address]) => `${name} ${address === null ? 'null' : (address as string)}`)
      .join(', '),
  )
const names = ({ links }: Shape): string =>
  links.map(({ ends }) => Object.keys(ends).join('-')).join(' ')

test('a chain: two hosts and the routers between them', () => {
  const shape = chain({ routers: 2, link: { delay: '5ms' }, access: { rate: '1Gbit' } })
  expect(kinds(shape)).toBe('a:host r1:router r2:router b:host')
  expect(shape.links).toEqual([
    { ends: { a: '10.0.0.1/30', r1: '10.0.0.2/30' }, rate: '1Gbit' },
    { ends: { r1: '10.0.0.5/30', r2: '10.0.0.6/30' }, delay: '5ms' },
    { ends: { r2: '10.0.0.9/30', b: '10.0.0.10/30' }, rate: '1Gbit' },
  ])
  expect(ends(chain({ routers: 0 }))).toEqual(['a 10.0.0.1/30, b 10.0.0.2/30'])
})

test('a star: one network around a switch, one for each host around a router', () => {
  const lan = star({ hosts: 3 })
  expect(kinds(lan)).toBe('s:switch h1:host h2:host h3:host')
  expect(ends(lan)).toEqual([
    'h1 10.0.0.1/24, s null',
    'h2 10.0.0.2/24, s null',
    'h3 10.0.0.3/24, s null',
  ])
  const routed = star({ hosts: 2, centre: 'router', pool: '192.168.0.0/16' })
  expect(kinds(routed)).toBe('r:router h1:host h2:host')
  expect(ends(routed)).toEqual([
    'h1 192.168.0.1/30, r 192.168.0.2/30',
    'h2 192.168.0.5/30, r 192.168.0.6/30',
  ])
})

test('a dumbbell', () => {
  const shape = dumbbell({ pairs: 2, bottleneck: { rate: '10Mbit', to: { r2: { loss: '1%' } } } })
  expect(names(shape)).toBe('r1-r2 s1-r1 r2-d1 s2-r1 r2-d2')
  expect(shape.links[0]).toMatchObject({ rate: '10Mbit', to: { r2: { loss: '1%' } } })
  expect(addressOf(shape, 'd2')).toBe('10.0.0.18')
})

test('a tree of routers, and one of switches that is a single network', () => {
  const routed = tree({ depth: 3, fanout: 2 })
  expect(kinds(routed)).toBe(
    'r:router r1:router r2:router r1.1:router r1.2:router r2.1:router r2.2:router ' +
      'h1:host h2:host h3:host h4:host h5:host h6:host h7:host h8:host',
  )
  expect(names(routed)).toBe(
    'r-r1 r-r2 r1-r1.1 r1-r1.2 r2-r2.1 r2-r2.2 ' +
      'r1.1-h1 r1.1-h2 r1.2-h3 r1.2-h4 r2.1-h5 r2.1-h6 r2.2-h7 r2.2-h8',
  )
  const bridged = tree({ depth: 2, fanout: 2, of: 'switch' })
  expect(ends(bridged)).toEqual([
    's null, s1 null',
    's null, s2 null',
    's1 null, h1 10.0.0.1/24',
    's1 null, h2 10.0.0.2/24',
    's2 null, h3 10.0.0.3/24',
    's2 null, h4 10.0.0.4/24',
  ])
  expect(kinds(tree({ depth: 1, fanout: 1 }))).toBe('r:router h1:host')
})

test('a full mesh', () => {
  expect(names(fullMesh({ routers: 4 }))).toBe(
    'r1-r2 r1-r3 r1-r4 r2-r3 r2-r4 r3-r4 r1-h1 r2-h2 r3-h3 r4-h4',
  )
})

describe('a random network', () => {
  const options = { seed: 7, routers: 12, extra: 5, hosts: 4 }
  const pairs = (shape: Shape) => names(shape).split(' ')

  test('is the same for the same seed, and another for another', () => {
    expect(random(options)).toEqual(random({ ...options, seed: '7' }))
    expect(names(random(options))).not.toBe(names(random({ ...options, seed: 8 })))
  })

  test('is connected, has no pair twice, and as many links and hosts as asked for', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const shape = random({ ...options, seed })
      const between = pairs(shape).filter((pair) => !pair.includes('h'))
      expect(between).toHaveLength(11 + 5)
      expect(new Set(between).size).toBe(16)
      const reached = new Set(['r1'])
      for (let round = 0; round < 12; round++) {
        for (const pair of between) {
          const [a, b] = pair.split('-') as [string, string]
          if (reached.has(a) || reached.has(b)) reached.add(a).add(b)
        }
      }
      expect(reached.size).toBe(12)
      expect(pairs(shape)).toHaveLength(16 + 4)
    }
  })

  test('with more links keeps its tree and its hosts', () => {
    const [few, many] = [pairs(random({ ...options, extra: 0 })), pairs(random(options))]
    expect(many.slice(0, 11)).toEqual(few.slice(0, 11))
    expect(many.slice(-4)).toEqual(few.slice(-4))
  })

  test('can be filled up to a mesh, not beyond', () => {
    expect(pairs(random({ seed: 1, routers: 4, extra: 3, hosts: 0 })).toSorted()).toEqual(
      'r1-r2 r1-r3 r1-r4 r2-r3 r2-r4 r3-r4'.split(' '),
    )
    expect(() => random({ seed: 1, routers: 4, extra: 4 })).toThrow(
      '4 routers have no room for 4 extra links',
    )
  })
})

describe('options', () => {
  test('a link may depend on its ends and its number', () => {
    const shape = chain({
      routers: 1,
      link: (a, b, i) => ({ delay: `${i + 1}ms`, drop: `${a}${b}` }),
    })
    expect(shape.links.map(({ delay, drop }) => `${String(delay)} ${String(drop)}`)).toEqual([
      '1ms ar1',
      '2ms r1b',
    ])
  })

  test('hosts and routers get what is said of them', () => {
    const host = { tcp: { nagle: false } }
    const shape = star({ hosts: 1, centre: 'router', host, router: { gateway: '10.0.0.1' } })
    expect(shape.topology).toEqual({
      h1: { kind: 'host', tcp: { nagle: false } },
      r: { kind: 'router', gateway: '10.0.0.1' },
    })
  })

  test('two shapes may share a pool, and become one network', () => {
    const pool = new AddressPool('10.0.0.0/16')
    const [left, right] = [chain({ routers: 1, pool }), star({ hosts: 2, pool })]
    const network = planNetwork({ ...left.topology, ...right.topology }, [
      ...left.links,
      ...right.links,
    ])
    expect(network.nodes.map(({ name }) => name).join(' ')).toBe('a r1 b s h1 h2')
  })

  test.each([
    [() => star({ hosts: 0 }), '0 is not a whole number from 1 to 100000'],
    [() => chain({ routers: 1.5 }), '1.5 is not a whole number from 0 to 100000'],
    [() => fullMesh({ routers: 5000 }), '5000 is not a whole number from 1 to 1000'],
    [
      () => tree({ depth: 20, fanout: 3 }),
      'a tree of depth 20 and fanout 3 has more than 100000 nodes',
    ],
    [
      () => star({ hosts: 300, pool: '10.0.0.0/24' }),
      '10.0.0.0/24 has no room for another network of 300',
    ],
    [() => addressOf(star({ hosts: 1 }), 's'), 's has no address'],
    [() => withAddresses({ a: 'host' }, [{ between: ['a', 'b'] }]), "there is no node 'b'"],
  ])('%s', (act, message) => {
    expect(act).toThrow(message)
  })
})

test('routes lead over the fewest routers', () => {
  const { topology, links } = fullMesh({ routers: 3 })
  const [r1] = planNetwork(topology, links).nodes
  // Networks in the order of the cables: r1-r2, r1-r3, r2-r3, then the hosts, four addresses each.
  expect(
    r1!.routes.map(({ destination, gateway, port }) => [
      formatIp(destination),
      gateway === null ? null : formatIp(gateway),
      port,
    ]),
  ).toEqual([
    ['10.0.0.0', null, 0],
    ['10.0.0.4', null, 1],
    ['10.0.0.12', null, 2],
    ['10.0.0.8', '10.0.0.2', 0],
    ['10.0.0.16', '10.0.0.2', 0],
    ['10.0.0.20', '10.0.0.6', 1],
  ])
})
