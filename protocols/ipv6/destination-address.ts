import { type IpAddress, type Ipv6Address, isIpv4 } from '../address.ts'
import {
  commonPrefixLength,
  networkOfIpv6,
  type Scope,
  SCOPE_GLOBAL,
  SCOPE_LINK,
  scopeOf,
} from './address.ts'
import { labelOf } from './source-address.ts'

/**
 * Destination address selection, RFC 6724 §6: in which order the addresses of a name are tried. Left
 * out, because there is nothing to choose: home addresses (rule 4) and encapsulated ways (rule 7).
 */
export interface DestinationCandidate {
  readonly address: IpAddress
  /** The address that packets to it would carry; `null`: there is no way, or none fits. */
  readonly source: IpAddress | null
  /** The source is kept for what is under way (RFC 4862 §5.5.4). */
  readonly deprecated: boolean
}

/** The best first. Rule 10: what is equally good stays in its order. */
export const orderDestinations = (
  candidates: readonly DestinationCandidate[],
): readonly DestinationCandidate[] => candidates.toSorted(compare)

/** Negative: `a` is better. */
function compare(a: DestinationCandidate, b: DestinationCandidate): number {
  // Rule 1.
  if (a.source === null || b.source === null) {
    return Number(a.source === null) - Number(b.source === null)
  }
  const [scopeA, scopeB] = [scopeOfAny(a.address), scopeOfAny(b.address)]
  // Rule 2.
  const fits = Number(scopeOfAny(b.source) === scopeB) - Number(scopeOfAny(a.source) === scopeA)
  if (fits !== 0) return fits
  // Rule 3.
  if (a.deprecated !== b.deprecated) return Number(a.deprecated) - Number(b.deprecated)
  // Rule 5.
  const labels = Number(hasOneLabel(b.address, b.source)) - Number(hasOneLabel(a.address, a.source))
  if (labels !== 0) return labels
  // Rule 6, and rule 8: the smaller scope.
  const further = precedenceOf(b.address) - precedenceOf(a.address) || scopeA - scopeB
  if (further !== 0) return further
  // Rule 9.
  return prefixInCommon(b.address, b.source) - prefixInCommon(a.address, a.source)
}

/** §3.2: of IPv4, 169.254/16 and 127/8 are the link's, and all else is global. */
function scopeOfAny(address: IpAddress): Scope {
  if (!isIpv4(address)) return scopeOf(address)
  return address >>> 16 === 0xa9fe || address >>> 24 === 127 ? SCOPE_LINK : SCOPE_GLOBAL
}

/** §2.1: the table knows IPv4 as ::ffff:0:0/96, whose label nothing else has. */
const hasOneLabel = (address: IpAddress, source: IpAddress): boolean =>
  isIpv4(address) || isIpv4(source)
    ? isIpv4(address) && isIpv4(source)
    : labelOf(address) === labelOf(source)

const PRECEDENCE_IPV4 = 35
const PRECEDENCE_OTHER = 40

/** §2.1, the default policy table: prefix, its length, precedence. */
const PRECEDENCES: readonly (readonly [Ipv6Address, number, number])[] = [
  ['::1', 128, 50],
  ['::ffff:0:0', 96, PRECEDENCE_IPV4],
  ['::', 96, 1],
  ['2001::', 32, 5],
  ['2002::', 16, 30],
  ['3ffe::', 16, 1],
  ['fec0::', 10, 1],
  ['fc00::', 7, 3],
]

export function precedenceOf(address: IpAddress): number {
  if (isIpv4(address)) return PRECEDENCE_IPV4
  for (const [prefix, length, precedence] of PRECEDENCES) {
    if (networkOfIpv6(address, length) === prefix) return precedence
  }
  return PRECEDENCE_OTHER
}

/**
 * No further than the source's own prefix (§2.2). Of IPv4 nothing: its networks say nothing about who
 * is near, and its name servers spread load by the order of their answers.
 */
const prefixInCommon = (address: IpAddress, source: IpAddress): number =>
  isIpv4(address) || isIpv4(source) ? 0 : Math.min(commonPrefixLength(address, source), 64)
