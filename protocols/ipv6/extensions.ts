import { type Bytes, i32, u16 } from '../bytes.ts'
import type { Malformation } from '../parsed.ts'

/*
 * RFC 8200 §4: headers between the base header and what the packet carries. All but the fragment
 * header begin alike; the length counts 8-byte units beyond the first.
 *
 *   0       1       2               4                               8
 *   +-------+-------+---------------+-------------------------------+
 *   | next  |length | options, or what the type is about            …
 *   +-------+-------+---------------+-------------------------------+
 *
 * Fragment header, §4.5:
 *   +-------+-------+-------------+-+-------------------------------+
 *   | next  | 0     | offset      |M| identification                |
 *   +-------+-------+-------------+-+-------------------------------+
 */
export const HOP_BY_HOP = 0
export const ROUTING = 43
export const FRAGMENT = 44
export const DESTINATION_OPTIONS = 60
/** RFC 8200 §4.7: nothing follows. */
export const NO_NEXT_HEADER = 59

export const FRAGMENT_HEADER = 8

export const isExtension = (type: number): boolean =>
  type === HOP_BY_HOP || type === ROUTING || type === FRAGMENT || type === DESTINATION_OPTIONS

/** Where the chain of extension headers ends. */
export interface ExtensionChain {
  /** What follows the chain; of a chain that cannot be read, the header at fault. */
  readonly protocol: number
  /** Where it begins. */
  readonly at: number
  /** In units of 8 bytes. */
  readonly fragmentOffset: number
  readonly moreFragments: boolean
  readonly identification: number
  readonly why: Malformation | null
}

/**
 * Follows the headers from the one of type `first` at `from`. The piece of a fragmented packet ends
 * the chain; behind an atomic fragment (RFC 6946) it goes on.
 */
export function readExtensions(b: Bytes, first: number, from: number, end: number): ExtensionChain {
  let protocol = first
  let at = from
  let [fragmentOffset, moreFragments, identification, fragments] = [0, false, 0, 0]
  let why: Malformation | null = null
  while (isExtension(protocol) && why === null) {
    const isFragment = protocol === FRAGMENT
    const length = at + 8 > end ? 0 : isFragment ? FRAGMENT_HEADER : 8 * (b[at + 1]! + 1)
    if (length === 0) why = 'truncated'
    else if (at + length > end) why = 'bad-length'
    // A packet is cut once; §4.1 has one fragment header.
    else if (isFragment && fragments++ > 0) why = 'unsupported'
    if (why !== null) break
    if (isFragment) {
      const word = u16(b, at + 2)
      fragmentOffset = word >>> 3
      moreFragments = (word & 1) === 1
      identification = i32(b, at + 4)
    }
    protocol = b[at]!
    at += length
    if (fragmentOffset !== 0 || moreFragments) break
  }
  return { protocol, at, fragmentOffset, moreFragments, identification, why }
}

/** One header of a chain, in order. Offsets count from where the chain begins. */
export interface ExtensionHeader {
  readonly type: number
  readonly at: number
  readonly length: number
  /** Where the type itself was written: the Next Header field before it; -1 in the base header. */
  readonly namedAt: number
}

/** The headers of a chain that was read whole. */
export function* headersOf(first: number, chain: Bytes): Generator<ExtensionHeader> {
  let type = first
  let namedAt = -1
  for (let at = 0; at < chain.length;) {
    const length = type === FRAGMENT ? FRAGMENT_HEADER : 8 * (chain[at + 1]! + 1)
    yield { type, at, length, namedAt }
    type = chain[at]!
    namedAt = at
    at += length
  }
}
