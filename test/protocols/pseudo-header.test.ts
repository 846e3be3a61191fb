import { expect, test } from 'vitest'
import { ip } from '../../protocols/address.ts'
import { InvariantError } from '../../protocols/assert.ts'
import { pseudoHeaderSum } from '../../protocols/pseudo-header.ts'

test('IPv4: both addresses, the protocol and the length', () => {
  // c0a8 + 0001 + ffff + fffe + 6 + 20
  expect(pseudoHeaderSum(ip('192.168.0.1'), ip('255.255.255.254'), 6, 20)).toBe(
    0xc0a8 + 0x0001 + 0xffff + 0xfffe + 26,
  )
})

test('IPv6: the same, over eight groups each', () => {
  // 2001 + 0db8 + 1, fe80 + 00ff + fe00 + 2, 17 + 20
  expect(pseudoHeaderSum(ip('2001:db8::1'), ip('fe80::ff:fe00:2'), 17, 20)).toBe(
    0x2001 + 0x0db8 + 1 + 0xfe80 + 0x00ff + 0xfe00 + 2 + 37,
  )
})

test('text that is no address breaks an invariant', () => {
  expect(() => pseudoHeaderSum('nowhere', 1, 6, 20)).toThrow(InvariantError)
})
