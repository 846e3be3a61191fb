import { describe, expect, test } from 'vitest'
import { bindNetwork } from '../../sim/binding.ts'
import { planNetwork } from '../../sim/topology.ts'

const network = planNetwork({ a: 'host', r: 'router', s: 'switch', b: 'host', c: 'host' }, [
  { ends: { a: '10.0.1.1/24', r: '10.0.1.254/24' }, delay: '1ms' },
  { ends: { r: '10.0.2.254/24', s: null } },
  { ends: { b: '10.0.2.1/24', s: null } },
  { ends: { c: '10.0.2.2/24', s: null } },
])

function bound(...places: string[]) {
  const { network: made, outlets } = bindNetwork(network, places)
  return {
    outlets: outlets.map(({ node }) => node),
    devices: made.nodes.filter(({ kind }) => kind === 'device').map(({ name }) => name),
    links: made.links.map(({ a, b }) => `${made.nodes[a.node]!.name}-${made.nodes[b.node]!.name}`),
    names: made.links.map(({ nameAB }) => nameAB),
  }
}

describe('a place that something outside takes', () => {
  test('a host: its link stays, its name too', () => {
    expect(bound('b')).toEqual({
      outlets: ['b'],
      devices: ['b'],
      links: ['a-r', 'r-s', 'b-s', 'c-s'],
      names: ['a>r', 'r>s', 'b>s', 'c>s'],
    })
  })

  test('the end of a link: a node with other links keeps those', () => {
    expect(bound('a>r')).toMatchObject({ outlets: ['r.0'], devices: ['r.0'] })
    expect(bound('a>r').links[0]).toBe('a-r.0')
    expect(bound('r>a')).toMatchObject({ outlets: ['a'], devices: ['a'] })
  })

  test("a switch's port: what is at the far end of its cable, or a new cable", () => {
    expect(bound('s.1')).toMatchObject({ outlets: ['b'] })
    expect(bound('s.3')).toMatchObject({ outlets: ['s.3'], devices: ['s.3'] })
    expect(bound('s.3').links.at(-1)).toBe('s-s.3')
    expect(bound('s.3', 's.4').names.slice(-2)).toEqual(['s>s.3', 's>s.4'])
  })

  test('several at once; the plan itself is not touched', () => {
    const before = JSON.stringify(network)
    expect(bound('a', 'b', 'c').devices).toEqual(['a', 'b', 'c'])
    expect(JSON.stringify(network)).toBe(before)
  })

  test.each([
    [['x'], /--bind x|no such node/],
    [['r'], /has 2 links/],
    [['a', 'a'], /bound twice/],
    [['a', 'r>a'], /bound twice/],
    [['s.9'], /no port 9/],
    [['a.7'], /no switch/],
    [['rr'], /no such node/],
  ])('%s is refused', (places, message) => {
    expect(() => bindNetwork(network, places)).toThrow(message)
  })

  test('what stood there is told: its address and its routes', () => {
    const [outlet] = bindNetwork(network, ['a']).outlets
    expect(outlet!.interface.addresses).toEqual([{ address: 0x0a000101, prefixLength: 24 }])
    expect(outlet!.routes.some(({ gateway }) => gateway === 0x0a0001fe)).toBe(true)
  })
})
