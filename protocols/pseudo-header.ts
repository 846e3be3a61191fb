import { groupsOfIpv6, type IpAddress, type Ipv6Address, isIpv4 } from './address.ts'

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
  const groups = groupsOfIpv6(a)
  let sum = 0
  for (let i = 0; i < 8; i++) sum += groups[i]!
  return sum
}
