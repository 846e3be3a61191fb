import { expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { hostPlan } from '../../sim/host-plan.ts'
import type { Ipv6Spec, LinkBetween, Topology } from '../../sim/scenario.ts'
import { advertisementFor, readIpv6 } from '../../sim/topology-ipv6.ts'
import { planNetwork } from '../../sim/topology.ts'
import { UserError } from '../../sim/user-error.ts'

const quiet = { everywhere: false, detectDuplicates: false, autoconfigure: false, advertise: null }

test('a word, or a record of what differs from it', () => {
  expect(readIpv6(undefined, false, 'node a')).toEqual(quiet)
  expect(readIpv6('static', false, 'node a')).toEqual(quiet)
  expect(readIpv6('dad', false, 'node a')).toEqual({ ...quiet, detectDuplicates: true })
  expect(readIpv6('auto', false, 'node a')).toMatchObject({ everywhere: true, autoconfigure: true })
  const { advertise } = readIpv6({ advertise: { interval: '30s', valid: '1h' } }, true, 'node r')
  expect(advertise).toMatchObject({
    maxInterval: 30e9,
    minInterval: 9.9e9,
    lifetime: 90,
    preferredLifetime: 3600,
    validLifetime: 3600,
  })
})

test.each([
  ['another word', 'slaac', false, 'node a: ipv6', "'slaac' is not a way", 'static, dad, auto'],
  [
    'another key',
    { advertize: true },
    true,
    'node a: ipv6',
    "unknown key 'advertize'",
    "'advertise'",
  ],
  [
    'a host that advertises',
    { advertise: true },
    false,
    'node a',
    'a host does not advertise',
    'router',
  ],
  ['a router that asks', 'auto', true, 'node a: ipv6', 'a router does not configure itself', 'dad'],
  [
    'too often',
    { advertise: { interval: '1s' } },
    true,
    'node a: ipv6.advertise.interval',
    "'1s' is out of bounds",
    '4s to 1800s',
  ],
  [
    'preferred for longer than valid',
    { advertise: { valid: '1h', preferred: '2h' } },
    true,
    'node a: ipv6.advertise.preferred',
    'out of bounds',
    '0s to 3600s',
  ],
])('%s is one clear line', (_, spec, router, where, message, hint) => {
  let error: unknown
  try {
    readIpv6(spec as Ipv6Spec, router, 'node a')
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(UserError)
  const said = error as UserError
  expect(said.where).toBe(where)
  expect(said.message).toContain(message)
  expect(said.hint ?? '').toContain(hint)
})

const plan = (topology: Topology, links: readonly LinkBetween[]) => planNetwork(topology, links)

test('shortest paths and gateways of both families at once', () => {
  const { nodes } = plan({ a: 'host', r: 'router', q: 'router', c: 'host' }, [
    { ends: { a: ['10.0.1.1/24', '2001:db8:1::1/64'], r: ['10.0.1.2/24', '2001:db8:1::2/64'] } },
    { ends: { r: '2001:db8:2::1/64', q: '2001:db8:2::2/64' } },
    { ends: { q: '2001:db8:3::1/64', c: '2001:db8:3::2/64' } },
  ])
  const routesOf = (name: string) =>
    hostPlan(nodes.find((node) => node.name === name)!).ipv6Routes.map(
      ({ destination, prefixLength, gateway }) => `${destination}/${prefixLength} ${gateway}`,
    )
  expect(routesOf('a')).toEqual(['2001:db8:1::/64 null', '::/0 2001:db8:1::2'])
  expect(routesOf('r')).toContain('2001:db8:3::/64 2001:db8:2::2')
  expect(hostPlan(nodes[0]!).routes).toHaveLength(2)
})

test('what a router tells of each of its links', () => {
  const ipv6 = readIpv6({ advertise: true }, true, 'node r')
  const address = (text: string, prefixLength: number) => ({ address: ip(text), prefixLength })
  const own = [address('10.0.0.1', 24), address('2001:db8::1', 64), address('2001:db8:9::1', 56)]
  expect(advertisementFor(ipv6, own, 1400)).toMatchObject({
    mtu: 1400,
    lifetime: 1800,
    prefixes: [
      { prefix: '2001:db8::', prefixLength: 64, onLink: true, autonomous: true },
      { prefix: '2001:db8:9::', prefixLength: 56, onLink: true, autonomous: false },
    ],
  })
  expect(advertisementFor(readIpv6('static', true, 'node r'), own, 1500)).toBeNull()
})

test('what IPv6 does not allow', () => {
  const two: Topology = { a: 'host', b: 'host' }
  const refused = (ends: LinkBetween['ends'], more: Partial<LinkBetween> = {}) =>
    expect(() => plan(two, [{ ends, ...more }]))
  const small = { a: '2001:db8::1/64', b: '2001:db8::2/64' }
  refused(small, { mtu: 1279 }).toThrow('IPv6 needs an MTU of 1280, and this link has 1279')
  refused(small, { mtu: 1280 }).not.toThrow()
  refused({ a: 'fe80::1/64', b: null }).toThrow('is a link-local address')
  refused({ a: 'ff02::1/64', b: null }).toThrow('is a multicast address')
  refused({ a: '2001:db8::1/64', b: '2001:db9::2/64' }).toThrow('is outside')
  refused({ a: '2001:db8::1/64', b: '2001:db8::1/64' }).toThrow('already an address of a')
  const looks: Topology = { a: 'host', b: { kind: 'host', ipv6: 'dad' } }
  expect(() => plan(looks, [{ ends: { a: '2001:db8::1/64', b: '2001:db8::1/64' } }])).not.toThrow()
})
