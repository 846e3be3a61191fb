import { enableMapSet, produce } from 'immer'
import { expect, test } from 'vitest'
import { formatIp, type Ipv4Address, ip, maskOf } from '../../../protocols/address.ts'
import {
  addRoute,
  createRoutes,
  lookupRoute,
  removeRoute,
  type Route,
  type RouteTable,
} from '../../../protocols/ipv4/routes.ts'
import { alea } from '../random-source.ts'

enableMapSet()

const addr = (text: string): Ipv4Address => ip(text) as Ipv4Address

function route(prefix: string, port: number, gateway: string | null = null): Route {
  const [network, length] = prefix.split('/')
  const via = gateway === null ? null : addr(gateway)
  const prefixLength = Number(length)
  return { destination: addr(network!), prefixLength, gateway: via, port, source: null }
}

const portFor = (table: RouteTable, destination: string): number | null =>
  lookupRoute(table, addr(destination))?.port ?? null

function fill(table: RouteTable): void {
  addRoute(table, route('10.0.0.0/8', 1))
  addRoute(table, route('0.0.0.0/0', 9, '192.168.0.254'))
  addRoute(table, route('10.1.2.3/32', 4))
  addRoute(table, route('10.1.0.0/16', 2))
  addRoute(table, route('192.168.0.0/24', 3))
  addRoute(table, route('10.2.0.0/16', 5))
}

const answers: readonly (readonly [string, number])[] = [
  ['10.1.2.3', 4],
  ['10.1.2.4', 2],
  ['10.1.255.255', 2],
  ['10.2.0.1', 5],
  ['10.3.0.1', 1],
  ['192.168.0.1', 3],
  ['192.168.1.1', 9],
  ['255.255.255.255', 9],
  ['0.0.0.0', 9],
]

test.each(answers)('the longest prefix for %s leads to port %i', (destination, port) => {
  const table = createRoutes()
  fill(table)
  expect(portFor(table, destination)).toBe(port)
  const recorded = produce(createRoutes(), (draft) => fill(draft as RouteTable))
  expect(portFor(recorded, destination)).toBe(port)
})

test('an empty table, and one without a default, have no answer', () => {
  const table = createRoutes()
  expect(portFor(table, '10.0.0.1')).toBeNull()
  addRoute(table, route('10.0.0.0/30', 1))
  expect(portFor(table, '10.0.0.3')).toBe(1)
  expect(portFor(table, '10.0.0.4')).toBeNull()
})

test('a route for the same prefix replaces the old one; bits behind the prefix do not matter', () => {
  const table = createRoutes()
  addRoute(table, route('10.1.0.0/16', 1))
  addRoute(table, route('10.1.77.77/16', 2, '10.0.0.9'))
  expect(lookupRoute(table, addr('10.1.0.1'))).toEqual(route('10.1.0.0/16', 2, '10.0.0.9'))
})

test('removal uncovers the shorter prefix, and says whether there was a route', () => {
  const table = createRoutes()
  fill(table)
  expect(removeRoute(table, addr('10.1.2.3'), 32)).toBe(true)
  expect(removeRoute(table, addr('10.1.2.3'), 32)).toBe(false)
  expect(removeRoute(table, addr('10.9.0.0'), 16)).toBe(false)
  expect(portFor(table, '10.1.2.3')).toBe(2)
  expect(removeRoute(table, addr('10.1.44.44'), 16)).toBe(true)
  expect(portFor(table, '10.1.2.3')).toBe(1)
  expect(table.levels.map((level) => level.prefixLength)).toEqual([24, 16, 8, 0])
})

test('a prefix length outside 0 to 32 is a defect of the caller', () => {
  for (const bad of [-1, 33, 1.5, NaN]) {
    const wrong = { ...route('10.0.0.0/8', 1), prefixLength: bad }
    expect(() => addRoute(createRoutes(), wrong)).toThrow('a prefix length is 0 to 32')
  }
})

test('random tables agree with a search of every route', () => {
  const draw = alea('routes')
  const table = createRoutes()
  const all: Route[] = []
  for (let i = 0; i < 300; i++) {
    const prefixLength = (draw() >>> 0) % 33
    const destination = draw() & 0x0f0f0f0f & maskOf(prefixLength)
    if (all.some((r) => r.prefixLength === prefixLength && r.destination === destination)) continue
    const added = { destination, prefixLength, gateway: null, port: i, source: null }
    all.push(added)
    addRoute(table, added)
  }
  for (let i = 0; i < 5000; i++) {
    const target = draw() & 0x0f0f0f0f
    const matches = all.filter((r) => (target & maskOf(r.prefixLength)) === r.destination)
    const best = matches.reduce<Route | null>(
      (a, b) => (a === null || b.prefixLength > a.prefixLength ? b : a),
      null,
    )
    expect(lookupRoute(table, target)?.port ?? null, formatIp(target)).toBe(best?.port ?? null)
  }
})
