import {
  type Ipv6Address,
  ipv6FromGroups,
  ipv6Groups,
  type Mac,
  parseMacText,
  putIpv6,
  readIpv6,
} from '../address.ts'

/**
 * What an IPv6 address says about itself, RFC 4291, and those that are made from others. Addresses
 * are canonical text (RFC 5952), so a first group of four digits shows in the text as it is.
 */

export const UNSPECIFIED: Ipv6Address = '::'
export const LOOPBACK_IPV6: Ipv6Address = '::1'
/** RFC 4291 §2.7.1. */
export const ALL_NODES: Ipv6Address = 'ff02::1'
export const ALL_ROUTERS: Ipv6Address = 'ff02::2'

/** ff00::/8 */
export const isMulticastIpv6 = (a: Ipv6Address): boolean =>
  a.startsWith('ff') && a.indexOf(':') === 4

/** fe80::/10 */
export const isLinkLocal = (a: Ipv6Address): boolean =>
  a.startsWith('fe') && a.indexOf(':') === 4 && LINK_LOCAL_THIRD.includes(a[2]!)
const LINK_LOCAL_THIRD = '89ab'

/** RFC 4291 §2.7, RFC 6724 §3.1: 1 interface, 2 link, 5 site, 8 organisation, 14 global. */
export type Scope = number
export const SCOPE_INTERFACE: Scope = 1
export const SCOPE_LINK: Scope = 2
export const SCOPE_GLOBAL: Scope = 14

export function scopeOf(a: Ipv6Address): Scope {
  if (isMulticastIpv6(a)) return parseInt(a[3]!, 16)
  return isLinkLocal(a) || a === LOOPBACK_IPV6 ? SCOPE_LINK : SCOPE_GLOBAL
}

/** ff02::1:ff00:0/104 and the last 24 bits, RFC 4291 §2.7.1. */
export function solicitedNode(a: Ipv6Address): Ipv6Address {
  const groups = ipv6Groups(a)!
  return ipv6FromGroups([0xff02, 0, 0, 0, 0, 1, 0xff00 | (groups[6]! & 0xff), groups[7]!])
}

/** Where a multicast packet goes on Ethernet, RFC 2464 §7: 33:33 and the last 32 bits. */
export function multicastMac(a: Ipv6Address): Mac {
  const groups = ipv6Groups(a)!
  const digits = [6, 7].map((i) => groups[i]!.toString(16).padStart(4, '0')).join('')
  return `33:33:${digits.match(/../g)!.join(':')}`
}

/** The address that an interface has by itself: fe80::/64 and the modified EUI-64 of its MAC. */
export const linkLocalOf = (mac: Mac): Ipv6Address => fromPrefix('fe80::', mac)

/** The prefix's first 64 bits and the modified EUI-64 of a MAC address, RFC 4291 appendix A. */
export function fromPrefix(prefix: Ipv6Address, mac: Mac): Ipv6Address {
  const octets = parseMacText(mac)!
    .split(':')
    .map((text) => parseInt(text, 16))
  const [a, b, c, d, e, f] = octets as [number, number, number, number, number, number]
  return ipv6FromGroups([
    ...ipv6Groups(prefix)!.slice(0, 4),
    ((a ^ 2) << 8) | b,
    (c << 8) | 0xff,
    0xfe00 | d,
    (e << 8) | f,
  ])
}

/** The address with every bit behind the prefix cleared. */
export function networkOfIpv6(address: Ipv6Address, prefixLength: number): Ipv6Address {
  const bytes = new Uint8Array(16)
  putIpv6(bytes, 0, address)
  for (let i = 0; i < 16; i++) {
    const keep = Math.min(8, Math.max(0, prefixLength - 8 * i))
    bytes[i] = bytes[i]! & (0xff00 >> keep)
  }
  return readIpv6(bytes, 0)
}

/** How many bits two addresses have in common, from the first on. */
export function commonPrefixLength(a: Ipv6Address, b: Ipv6Address): number {
  const [x, y] = [ipv6Groups(a)!, ipv6Groups(b)!]
  for (let i = 0; i < 8; i++) {
    const differing = x[i]! ^ y[i]!
    if (differing !== 0) return 16 * i + Math.clz32(differing) - 16
  }
  return 128
}
