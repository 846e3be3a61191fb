import { type IpAddress, type Ipv6Address, ipv6Groups, isIpv4 } from './address.ts'
import { assert } from './assert.ts'

/**
 * The running checksum sum over the pseudo-header that TCP, UDP and ICMPv6 put in front of
 * themselves: RFC 9293 §3.1 and RFC 768 over IPv4, RFC 8200 §8.1 over IPv6. Both families add the
 * same four things, so the layers above need not know which one carries them.
 *
 * `length`: bytes of transport header and payload, at most 65,535.
 */
export const pseudoHeaderSum = (
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  length: number,
): number => addressSum(source) + addressSum(destination) + protocol + length

const addressSum = (a: IpAddress): number => (isIpv4(a) ? (a >>> 16) + (a & 0xffff) : ipv6Sum(a))

function ipv6Sum(a: Ipv6Address): number {
  const groups = ipv6Groups(a)
  assert(groups !== null, `an IPv6 address is text that reads as one: ${a}`)
  let sum = 0
  for (const group of groups) sum += group
  return sum
}
