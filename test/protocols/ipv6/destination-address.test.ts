import { expect, test } from 'vitest'
import { type IpAddress, formatIp, ip, isIpv4 } from '../../../protocols/address.ts'
import { orderDestinations, precedenceOf } from '../../../protocols/ipv6/destination-address.ts'
import { selectSource } from '../../../protocols/ipv6/source-address.ts'

/** What a host with these addresses (`!`: deprecated) tries, in this order. */
function order(own: string, destinations: string): string {
  const sources = own.split(' ').map((text) => {
    return { address: ip(text.replace('!', '')), deprecated: text.endsWith('!') }
  })
  const six = sources.flatMap(({ address, deprecated }) =>
    isIpv4(address) ? [] : [{ address, deprecated }],
  )
  const four = sources.find(({ address }) => isIpv4(address))?.address ?? null
  const candidates = destinations.split(' ').map((text) => {
    const address = ip(text)
    const source: IpAddress | null = isIpv4(address) ? four : selectSource(six, address)
    const deprecated = six.some((each) => each.address === source && each.deprecated)
    return { address, source, deprecated }
  })
  return orderDestinations(candidates)
    .map(({ address }) => formatIp(address))
    .join(' ')
}

// The examples of RFC 6724 §10.2, and more: the host's own, what a name has, what is tried.
test.each([
  ['rule 1: no way', '10.0.0.1', '2001:db8::1 192.0.2.1', '192.0.2.1 2001:db8::1'],
  ['rule 1: no way, again', '2001:db8::9', '192.0.2.1 2001:db8::1', '2001:db8::1 192.0.2.1'],
  [
    'rule 2',
    '2001:db8:1::2 169.254.13.78',
    '198.51.100.121 2001:db8:1::1',
    '2001:db8:1::1 198.51.100.121',
  ],
  [
    'rule 2: IPv4',
    'fe80::1 198.51.100.117',
    '2001:db8:1::1 198.51.100.121',
    '198.51.100.121 2001:db8:1::1',
  ],
  ['rule 3', 'fe80::2 2001:db8:1::2!', '2001:db8:1::1 fe80::1', 'fe80::1 2001:db8:1::1'],
  [
    'rule 5',
    '2002:c633:6401::2 fe80::2',
    '2001:db8:1::1 2002:c633:6401::1',
    '2002:c633:6401::1 2001:db8:1::1',
  ],
  ['rule 6', '2001:db8:1::2 fe80::1 10.1.2.4', '10.1.2.3 2001:db8:1::1', '2001:db8:1::1 10.1.2.3'],
  [
    'rule 6: 6to4',
    '2002:c633:6401::2 2001:db8:1::2',
    '2002:c633:6401::1 2001:db8:1::1',
    '2001:db8:1::1 2002:c633:6401::1',
  ],
  ['rule 6: unique local', 'fd11::2 10.0.0.1', 'fd11::1 192.0.2.1', '192.0.2.1 fd11::1'],
  ['rule 8', '2001:db8:1::2 fe80::2', '2001:db8:1::1 fe80::1', 'fe80::1 2001:db8:1::1'],
  [
    'rule 9',
    '2001:db8:1::2 2001:db8:3::2',
    '2001:db8:3ffe::1 2001:db8:1::1',
    '2001:db8:1::1 2001:db8:3ffe::1',
  ],
  [
    'rule 9: no further than 64 bits',
    '2001:db8::8',
    '2001:db8::2 2001:db8::9',
    '2001:db8::2 2001:db8::9',
  ],
  [
    'rule 10: as the server says it',
    '10.0.0.1',
    '192.0.2.7 10.0.0.2 192.0.2.3',
    '192.0.2.7 10.0.0.2 192.0.2.3',
  ],
])('%s', (_, own, destinations, tried) => {
  expect(order(own, destinations)).toBe(tried)
  // The order of the answer changes nothing, except for what is equally good.
  if (_.startsWith('rule 10') || _.includes('64 bits')) return
  expect(order(own, destinations.split(' ').toReversed().join(' '))).toBe(tried)
})

test('precedences of the default policy table (§2.1)', () => {
  const addresses = [
    '::1',
    '2001:db8::1',
    '192.0.2.1',
    '::ffff:0:1',
    '2002::1',
    '2001::1',
    'fd00::1',
    '::2',
  ]
  expect(addresses.map((text) => precedenceOf(ip(text)))).toEqual([50, 40, 35, 35, 30, 5, 3, 1])
})
