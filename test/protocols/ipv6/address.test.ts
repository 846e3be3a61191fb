import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ip, type Ipv6Address, putIpv6, readIpv6 } from '../../../protocols/address.ts'
import {
  commonPrefixLength,
  isLinkLocal,
  isMulticastIpv6,
  linkLocalOf,
  multicastMac,
  networkOfIpv6,
  scopeOf,
  solicitedNode,
} from '../../../protocols/ipv6/address.ts'
import { ipv6Address, RUNS } from '../arbitrary.ts'

const a = (text: string) => ip(text) as Ipv6Address

test.each([
  ['ff02::1', true],
  ['ffff::', true],
  ['ff::1', false],
  ['ff0::1', false],
  ['ff:1::', false],
  ['fe80::1', false],
])('%s is a group: %s', (text, is) => {
  expect(isMulticastIpv6(a(text))).toBe(is)
})

test.each([
  ['fe80::1', true],
  ['febf::1', true],
  ['fec0::1', false],
  ['fe8::1', false],
  ['fe::80', false],
])('%s is link-local: %s', (text, is) => {
  expect(isLinkLocal(a(text))).toBe(is)
})

test('what is made from an address (RFC 4291 §2.7.1, appendix A, RFC 2464 §7)', () => {
  expect(solicitedNode(a('4037::01:800:200e:8c6c'))).toBe('ff02::1:ff0e:8c6c')
  expect(linkLocalOf('34:56:78:9a:bc:de')).toBe('fe80::3656:78ff:fe9a:bcde')
  expect(multicastMac(a('ff02::1:ff0e:8c6c'))).toBe('33:33:ff:0e:8c:6c')
  expect(['::1', 'fe80::1', 'ff01::1', 'ff05::2', '2001:db8::'].map((x) => scopeOf(a(x)))).toEqual([
    2, 2, 1, 5, 14,
  ])
})

test('networks and common prefixes agree', () => {
  fc.assert(
    fc.property(ipv6Address, ipv6Address, fc.integer({ min: 0, max: 128 }), (x, y, length) => {
      const common = commonPrefixLength(x, y)
      expect(networkOfIpv6(x, length) === networkOfIpv6(y, length)).toBe(length <= common)
    }),
    RUNS,
  )
})

test('what was read before reads the same: the table of known addresses forgets and mixes nothing up', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { minLength: 1 }),
      (all) => {
        for (const bytes of [...all, ...all]) {
          const written = new Uint8Array(16)
          putIpv6(written, 0, readIpv6(bytes, 0))
          expect(written).toEqual(bytes)
        }
      },
    ),
    RUNS,
  )
})
