import { expect, test } from 'vitest'
import { ip, type Ipv6Address } from '../../../protocols/address.ts'
import { labelOf, selectSource } from '../../../protocols/ipv6/source-address.ts'

const a = (text: string) => ip(text) as Ipv6Address

/** Addresses with `!` behind are deprecated. */
const choose = (candidates: string, destination: string): Ipv6Address | null =>
  selectSource(
    candidates.split(' ').map((text) => {
      return { address: a(text.replace('!', '')), deprecated: text.endsWith('!') }
    }),
    a(destination),
  )

// RFC 6724 §10.1 and more: what is there, where it goes, what is taken.
test.each([
  ['rule 1: the address itself', '2001:db8::1 2001:db8::2', '2001:db8::2', '2001:db8::2'],
  ['rule 2: link-local for the link', '2001:db8::1 fe80::1', 'fe80::2', 'fe80::1'],
  ['rule 2: global for beyond', 'fe80::1 2001:db8::1', '2001:db8:9::1', '2001:db8::1'],
  ['rule 2: a group of the link', '2001:db8::1 fe80::1', 'ff02::fb', 'fe80::1'],
  ['rule 2: a group of everywhere', 'fe80::1 2001:db8::1', 'ff0e::fb', '2001:db8::1'],
  [
    'rule 3: not a deprecated one',
    '2001:db8:1::1! 2001:db8:2::1',
    '2001:db8:1::9',
    '2001:db8:2::1',
  ],
  [
    'rule 3: unless nothing else is there',
    'fe80::1 2001:db8:1::1!',
    '2001:db8:1::9',
    '2001:db8:1::1',
  ],
  [
    'rule 6: the same label',
    '2002:c633:6401::2 2001:db8:1::2',
    '2002:c633:6401::1',
    '2002:c633:6401::2',
  ],
  ['rule 6: unique local to its like', '2001:db8:1::2 fd11::2', 'fd22::1', 'fd11::2'],
  [
    'rule 8: the longest common prefix',
    '2001:db8:1::2 2001:db8:3::2',
    '2001:db8:3::9',
    '2001:db8:3::2',
  ],
  ['rule 8: no further than 64 bits', '2001:db8::8 2001:db8::1', '2001:db8::2', '2001:db8::8'],
])('%s', (_, candidates, destination, chosen) => {
  expect(choose(candidates, destination)).toBe(chosen)
})

test('nothing to choose from', () => {
  expect(selectSource([], a('2001:db8::1'))).toBeNull()
})

test('labels of the default policy table (§2.1)', () => {
  const labels = [
    '::1',
    '2001:db8::1',
    '::ffff:1.2.3.4',
    '2002::1',
    '2001:0:1::1',
    'fd00::1',
    'fec0::1',
    '3ffe::1',
    '::5',
  ]
  expect(labels.map((text) => labelOf(a(text)))).toEqual([0, 1, 4, 2, 5, 13, 11, 12, 3])
})
