import { type IpAddress, formatIp, isIpv4, maskOf, parseIpText } from '../protocols/address.ts'
import { isLinkLocal, isMulticastIpv6, networkOfIpv6 } from '../protocols/ipv6/address.ts'
import { nearest } from './suggest.ts'
import type { Refusal } from './user-error.ts'

/** An address with the length of its network's prefix, in bits: `10.0.0.1/24`. */
export interface InterfaceAddress {
  readonly address: IpAddress
  readonly prefixLength: number
}

/** A network: its lowest address and its prefix length. */
export interface Subnet {
  readonly network: IpAddress
  readonly prefixLength: number
}

export const sameFamily = (a: IpAddress, b: IpAddress): boolean => isIpv4(a) === isIpv4(b)

/** The address with every bit behind the prefix cleared. */
export function networkOf(address: IpAddress, prefixLength: number): IpAddress {
  if (isIpv4(address)) return address & maskOf(prefixLength)
  return networkOfIpv6(address, prefixLength)
}

export const subnetOf = (a: InterfaceAddress): Subnet => ({
  network: networkOf(a.address, a.prefixLength),
  prefixLength: a.prefixLength,
})

export const isInside = (address: IpAddress, subnet: Subnet): boolean =>
  sameFamily(address, subnet.network) && networkOf(address, subnet.prefixLength) === subnet.network

export const isSameSubnet = (a: Subnet, b: Subnet): boolean =>
  a.network === b.network && a.prefixLength === b.prefixLength

export const formatSubnet = (s: Subnet): string => `${formatIp(s.network)}/${s.prefixLength}`

/** Reads `10.0.0.1/24`. */
export function parsePrefixed(text: string): InterfaceAddress | Refusal {
  const slash = text.indexOf('/')
  const address = parseIpText(slash < 0 ? text : text.slice(0, slash))
  if (address === null) {
    return {
      error: `'${text}' is not an IP address`,
      suggestion: "write one such as '10.0.0.1/24'",
    }
  }
  const longest = isIpv4(address) ? 32 : 128
  if (slash < 0) {
    return {
      error: `'${text}' has no prefix length`,
      suggestion: `write '${text}/${isIpv4(address) ? 24 : 64}'`,
    }
  }
  const length = text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > longest) {
    return {
      error: `'${text}' has no valid prefix length`,
      suggestion: `expected a number from 0 to ${longest} behind the slash`,
    }
  }
  return { address, prefixLength: Number(length) }
}

/** Reads an address that one interface can have. */
export function parseInterfaceAddress(text: string): InterfaceAddress | Refusal {
  const parsed = parsePrefixed(text)
  if ('error' in parsed) return parsed
  const why = unusable(parsed)
  return why === null ? parsed : { error: `${formatIp(parsed.address)} ${why}` }
}

/** Why an interface cannot have this address; `null` where it can. */
function unusable({ address, prefixLength }: InterfaceAddress): string | null {
  if (prefixLength === 0) return 'needs a prefix longer than 0 bits'
  if (!isIpv4(address)) {
    if (address === '::' || address === '::1') return 'cannot be the address of an interface'
    if (isLinkLocal(address)) return 'is a link-local address: interfaces have theirs by themselves'
    return isMulticastIpv6(address) ? 'is a multicast address' : null
  }
  const first = address >>> 24
  if (first === 0) return "is an address of 'this network'" // RFC 1122 §3.2.1.3
  if (first === 127) return 'is a loopback address'
  if (first >= 224 && first < 240) return 'is a multicast address'
  if (first >= 240) return 'is a reserved address'
  // RFC 3021: the two addresses of a 31-bit prefix are both for hosts.
  if (prefixLength >= 31) return null
  const subnet = formatSubnet(subnetOf({ address, prefixLength }))
  const host = address & ~maskOf(prefixLength)
  if (host === 0) return `is the network address of ${subnet}, not one for a host`
  if ((host | maskOf(prefixLength)) === -1) return `is the broadcast address of ${subnet}`
  return null
}

/** Reads `10.2.0.0/16 via 10.255.0.2` or `default via 10.255.0.2`. */
export function parseRoute(
  text: string,
): { readonly to: Subnet; readonly gateway: IpAddress } | Refusal {
  const words = text.trim().split(/\s+/)
  const suggestion = "write one such as '10.2.0.0/16 via 10.255.0.2' or 'default via 10.255.0.2'"
  const [destination, via, gatewayText] = words
  if (words.length !== 3 || via !== 'via') return { error: `'${text}' is not a route`, suggestion }
  const gateway = parseIpText(gatewayText!)
  if (gateway === null) return { error: `'${gatewayText!}' is not an IP address`, suggestion }
  if (destination === 'default') {
    return { to: { network: isIpv4(gateway) ? 0 : '::', prefixLength: 0 }, gateway }
  }
  if (nearest(destination!, ['default']) !== null) {
    return { error: `'${destination!}' is not a network`, suggestion: "did you mean 'default'?" }
  }
  const to = parsePrefixed(destination!)
  if ('error' in to) return to
  const subnet = subnetOf(to)
  if (subnet.network !== to.address) {
    return {
      error: `'${destination!}' has bits behind its prefix`,
      suggestion: `did you mean '${formatSubnet(subnet)}'?`,
    }
  }
  if (!sameFamily(to.address, gateway)) {
    return { error: `'${text}' mixes address families`, suggestion }
  }
  return { to: subnet, gateway }
}
