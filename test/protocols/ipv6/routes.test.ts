import { expect, test } from 'vitest'
import { ip, type Ipv6Address } from '../../../protocols/address.ts'
import {
  addIpv6Route,
  createIpv6Routes,
  lookupIpv6Route,
  removeIpv6Route,
} from '../../../protocols/ipv6/routes.ts'

const a = (text: string) => ip(text) as Ipv6Address

test('the most specific route wins, whatever the order; what is removed is gone', () => {
  const routes = createIpv6Routes()
  const add = (to: string, prefixLength: number, port: number) =>
    addIpv6Route(routes, { destination: a(to), prefixLength, gateway: null, port })
  add('2001:db8:1::', 48, 1)
  add('::', 0, 0)
  add('2001:db8:1:2::', 64, 2)
  add('2001:db8:1:2::5', 128, 3)
  const portTo = (text: string) => lookupIpv6Route(routes, a(text))?.port ?? null
  expect(
    ['2001:db8:1:2::5', '2001:db8:1:2::6', '2001:db8:1:3::1', '2001:db9::1'].map(portTo),
  ).toEqual([3, 2, 1, 0])
  expect(removeIpv6Route(routes, a('2001:db8:1:2::99'), 64)).toBe(true)
  expect(removeIpv6Route(routes, a('2001:db8:1:2::'), 64)).toBe(false)
  expect(portTo('2001:db8:1:2::6')).toBe(1)
  removeIpv6Route(routes, a('::'), 0)
  expect(portTo('2001:db9::1')).toBeNull()
})
