import type { Ipv6Address } from '../address.ts'
import { commonPrefixLength, isMulticastIpv6, networkOfIpv6, scopeOf } from './address.ts'

/**
 * Source address selection, RFC 6724 §5, among the addresses of the interface that the packet leaves
 * by (which is rule 5). Left out, because there is nothing to choose: home addresses (rule 4) and
 * temporary ones (rule 7).
 */
export interface SourceCandidate {
  readonly address: Ipv6Address
  /** RFC 4862 §5.5.4: only where nothing else is there. */
  readonly deprecated: boolean
}

/** `null`: there is none. */
export function selectSource(
  candidates: readonly SourceCandidate[],
  destination: Ipv6Address,
): Ipv6Address | null {
  let best: SourceCandidate | null = null
  for (const each of candidates) {
    if (best === null || isBetter(each, best, destination)) best = each
  }
  return best === null ? null : best.address
}

/** Whether `a` is a better source than `b`, which stands before it in the list. */
function isBetter(a: SourceCandidate, b: SourceCandidate, destination: Ipv6Address): boolean {
  // Rule 1.
  if (b.address === destination) return false
  if (a.address === destination) return true
  // Rule 2: the smallest scope that reaches the destination, else the largest there is.
  const [scopeA, scopeB] = [scopeOf(a.address), scopeOf(b.address)]
  const wanted = scopeOf(destination)
  if (scopeA < scopeB) return scopeA >= wanted
  if (scopeB < scopeA) return scopeB < wanted
  // Rule 3.
  if (a.deprecated !== b.deprecated) return b.deprecated
  // Rule 6.
  const label = labelOf(destination)
  const [fitsA, fitsB] = [labelOf(a.address) === label, labelOf(b.address) === label]
  if (fitsA !== fitsB) return fitsA
  // Rule 8, which says nothing about groups.
  if (isMulticastIpv6(destination)) return false
  return prefixInCommon(a, destination) > prefixInCommon(b, destination)
}

/** §2.2: no further than the source's own prefix, which has 64 bits everywhere. */
const prefixInCommon = ({ address }: SourceCandidate, destination: Ipv6Address): number =>
  Math.min(commonPrefixLength(address, destination), 64)

/** §2.1, the default policy table: prefix, its length, label. */
const LABELS: readonly (readonly [Ipv6Address, number, number])[] = [
  ['::1', 128, 0],
  ['::ffff:0:0', 96, 4],
  ['::', 96, 3],
  ['2001::', 32, 5],
  ['2002::', 16, 2],
  ['3ffe::', 16, 12],
  ['fec0::', 10, 11],
  ['fc00::', 7, 13],
]
const OTHER = 1

export function labelOf(address: Ipv6Address): number {
  for (const [prefix, length, label] of LABELS) {
    if (networkOfIpv6(address, length) === prefix) return label
  }
  return OTHER
}
