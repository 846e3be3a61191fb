import { describe, expect, test } from 'vitest'
import { formatIp } from '../../protocols/address.ts'
import type { EndSpec, LinkBetween, Topology } from '../../sim/scenario.ts'
import { planNetwork } from '../../sim/topology.ts'
import { UserError } from '../../sim/user-error.ts'

const TOPOLOGY: Topology = { a: 'host', b: 'host', r: 'router', s1: 'switch', s2: 'switch' }
const links = (changes: { readonly [link: number]: LinkBetween } = {}): LinkBetween[] =>
  [
    { ends: { a: '10.0.10.1/24', s1: { access: 10 } } },
    { ends: { b: '10.0.20.1/24', s2: { access: 20 } } },
    { ends: { s1: { trunk: [10, 20] }, s2: { trunk: [10, 20] } } },
    {
      ends: {
        r: { vlans: { '10': '10.0.10.254/24', '20': '10.0.20.254/24' } },
        s1: { trunk: 'all' },
      },
    },
  ].map((link, i) => changes[i] ?? (link as LinkBetween))

const routesOf = (name: string, given = links()) =>
  planNetwork(TOPOLOGY, given)
    .nodes.find((node) => node.name === name)!
    .routes.map(({ destination, prefixLength, gateway, port }) => {
      const via = gateway === null ? '' : ` via ${formatIp(gateway)}`
      return `${formatIp(destination)}/${prefixLength}${via} port ${port}`
    })

test('a router on a stick has an interface for each VLAN, and hosts find it in theirs', () => {
  expect(routesOf('r')).toEqual(['10.0.10.0/24 port 0', '10.0.20.0/24 port 1'])
  expect(routesOf('a')).toContain('0.0.0.0/0 via 10.0.10.254 port 0')
  expect(routesOf('b')).toContain('0.0.0.0/0 via 10.0.20.254 port 0')
})

test('both interfaces have MAC addresses of their own, and hang on one link', () => {
  const { interfaces } = planNetwork(TOPOLOGY, links()).nodes[2]!
  expect(interfaces.map(({ link, vlan }) => [link, vlan])).toEqual([
    [3, 10],
    [3, 20],
  ])
  expect(new Set(interfaces.map(({ mac }) => mac)).size).toBe(2)
})

test('a port that says nothing is in VLAN 1, once another does', () => {
  const { nodes } = planNetwork({ a: 'host', b: 'host', s: 'switch', r: 'router' }, [
    { ends: { a: '10.0.0.1/24', s: null } },
    { ends: { b: '10.0.0.2/24', s: { access: 1 } } },
    { ends: { r: { untagged: '10.0.0.254/24' }, s: { trunk: [2], native: 1 } } },
  ])
  expect(nodes[0]!.routes.map(({ gateway }) => gateway)).toContain(0x0a0000fe)
})

describe('what cannot be right', () => {
  const end = (name: string, spec: EndSpec, link = 0): (() => unknown) => {
    const before = links()[link]!
    const changed = { ...before, ends: { ...before.ends, [name]: spec } }
    return () => planNetwork(TOPOLOGY, links({ [link]: changed }))
  }
  test.each([
    ['no VLAN', end('s1', { access: 4095 }), '4095 is not a VLAN'],
    ['no number', end('r', { vlans: { ten: '10.0.10.254/24' } }, 3), 'ten is not a VLAN'],
    ['neither', end('s1', {}), 'a port is an access port or a trunk'],
    ['both', end('s1', { access: 1, trunk: [2] }), 'a port is an access port or a trunk'],
    ['a misspelt key', end('s1', { acces: 10 } as EndSpec), "'acces'"],
    ['access at a host', end('a', { access: 10 }), "'access'"],
    ['VLANs at a switch', end('s1', { vlans: { '10': null } }), "'vlans'"],
    ['nothing at a host', end('a', {}), 'there is no VLAN at this end'],
    ['another network', end('r', { vlans: { '10': '10.0.20.254/24' } }, 3), '10.0.20'],
  ])('%s', (_, plan, message) => {
    expect(plan).toThrow(UserError)
    expect(plan).toThrow(message)
  })
  test('a loop of one VLAN; two links for two VLANs are none', () => {
    const twice = (trunk: number[]) => () =>
      planNetwork(TOPOLOGY, [
        ...links({ 2: { ends: { s1: { trunk: [10] }, s2: { trunk: [10] } } } }),
        { ends: { s1: { trunk }, s2: { trunk } } },
      ])
    expect(twice([10])).toThrow('closes a loop')
    expect(twice([20])).not.toThrow()
  })
  test('a hub knows none', () => {
    const plan = () =>
      planNetwork({ a: 'host', h: 'hub' }, [{ ends: { a: '10.0.0.1/24', h: { access: 1 } } }])
    expect(plan).toThrow('a hub knows no VLANs')
  })
})
