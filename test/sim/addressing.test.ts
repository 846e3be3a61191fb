import { describe, expect, test } from 'vitest'
import { AddressPool } from '../../sim/addressing.ts'
import { UserError } from '../../sim/user-error.ts'

test('networks follow one another, each as large as its members need', () => {
  const pool = new AddressPool()
  const prefixes = [2, 2, 3, 2, 254, 255, 1].map((members) => pool.network(members).prefix)
  expect(prefixes).toEqual([
    '10.0.0.0/30',
    '10.0.0.4/30',
    // The next multiple of 256 behind 10.0.0.8.
    '10.0.1.0/24',
    '10.0.2.0/30',
    '10.0.3.0/24',
    // 255 members and two addresses that are nobody's need 512, from the next multiple of 512.
    '10.0.4.0/23',
    '10.0.6.0/30',
  ])
})

test('addresses are counted from 1, across octets', () => {
  const [small, large] = [new AddressPool('192.168.7.0/24'), new AddressPool('172.16.0.0/12')]
  expect(small.network(2).address(2)).toBe('192.168.7.2/30')
  expect(large.network(300).address(300)).toBe('172.16.1.44/23')
})

test('a pool is used up to its last network, and says when it is full', () => {
  const pool = new AddressPool('192.168.0.0/28')
  for (const last of [0, 4, 8, 12]) expect(pool.network(2).prefix).toBe(`192.168.0.${last}/30`)
  expect(() => pool.network(2)).toThrow('192.168.0.0/28 has no room for another network of 2')
  // The highest addresses there are.
  expect(new AddressPool('255.255.255.252/30').network(2).prefix).toBe('255.255.255.252/30')
})

describe('a pool that is none', () => {
  test.each([
    ['10.0.0.0', "'10.0.0.0' has no prefix length", "write '10.0.0.0/24'"],
    ['10.0.0.1/8', "'10.0.0.1/8' is not an IPv4 network", "did you mean '10.0.0.0/8'?"],
    ['fd00::/8', "'fd00::/8' is not an IPv4 network", ''],
  ])('%s', (text, message, hint) => {
    const refused = (): unknown => {
      try {
        return new AddressPool(text)
      } catch (e) {
        return e
      }
    }
    const error = refused()
    expect(error).toBeInstanceOf(UserError)
    const { message: said, hint: hinted } = error as UserError
    expect([said, hinted ?? '']).toEqual([message, hint])
  })
})
