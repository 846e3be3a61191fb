import { type Bytes } from '../protocols/bytes.ts'
import { readIpv6 } from '../protocols/address.ts'
import {
  DESTINATION_OPTIONS,
  FRAGMENT,
  HOP_BY_HOP,
  NO_NEXT_HEADER,
  ROUTING,
} from '../protocols/ipv6/extensions.ts'
import { IPV6_HEADER } from '../protocols/ipv6/packet.ts'
import { byteAt, need, wordAt } from './cut.ts'

// IPv6 (RFC 8200) and ICMPv6 (RFC 4443, RFC 4861, RFC 3810) in tcpdump's notation.

const UNREACHABLE: readonly string[] = [
  'unreachable route',
  'unreachable prohibited',
  'beyond scope',
  'unreachable address',
  'unreachable port',
]

export const ipv6At = (b: Bytes, at: number): string => {
  need(b, at + 16)
  return readIpv6(b, at)
}

/** What the chain of extension headers leads to. Offsets count from the IPv6 header. */
export interface Ipv6Chain {
  readonly protocol: number
  readonly at: number
  /** tcpdump's words for the headers passed. */
  readonly words: readonly string[]
  /** In bytes; 0 for a first fragment and for a whole packet. */
  readonly fragmentOffset: number
  readonly isFragment: boolean
  /** The header in which the bytes ended; `null` where they did not. */
  readonly cut: string | null
}

/** Follows the extension headers. Reads no further than `b`; never throws. */
export function ipv6Chain(b: Bytes): Ipv6Chain {
  let protocol = b[6] ?? NO_NEXT_HEADER
  let at = IPV6_HEADER
  const words: string[] = []
  const found = { fragmentOffset: 0, isFragment: false, cut: null }
  for (;;) {
    const isOptions = protocol === HOP_BY_HOP || protocol === DESTINATION_OPTIONS
    if (isOptions || protocol === ROUTING) {
      const name = protocol === HOP_BY_HOP ? 'hbhopt' : isOptions ? 'dstopt' : 'rt6'
      if (at + 2 > b.length) return { protocol, at, words, ...found, cut: name }
      const length = 8 * (b[at + 1]! + 1)
      if (at + length > b.length) return { protocol, at, words, ...found, cut: name }
      words.push(protocol === HOP_BY_HOP ? 'HBH' : isOptions ? 'DSTOPT' : 'srcrt')
      protocol = b[at]!
      at += length
    } else if (protocol === FRAGMENT) {
      if (at + 8 > b.length) return { protocol, at, words, ...found, cut: 'frag' }
      const word = (b[at + 2]! << 8) | b[at + 3]!
      const fragmentOffset = word & 0xfff8
      const next = b[at]!
      at += 8
      const how = { protocol: next, at, fragmentOffset, isFragment: true, cut: null }
      const rest = IPV6_HEADER + ((b[4]! << 8) | b[5]!) - at
      words.push(`frag (${fragmentOffset}|${rest})`)
      return { ...how, words }
    } else return { protocol, at, words, ...found }
  }
}

/** `length` is what the IPv6 header says the message has. */
export function icmp6Text(b: Bytes, length: number): string {
  const type = byteAt(b, 0)
  const code = byteAt(b, 1)
  switch (type) {
    case 1:
      return `ICMP6, destination unreachable, ${unreachableText(b, code)}, length ${length}`
    case 2:
      need(b, 8)
      return `ICMP6, packet too big, mtu ${wordAt(b, 4) * 0x10000 + wordAt(b, 6)}, length ${length}`
    case 3: {
      const what = ['in-transit', 'reassembly'][code] ?? `unknown code (${code})`
      if (code === 1) return `ICMP6, time exceeded in-transit (reassembly), length ${length}`
      return `ICMP6, time exceeded ${what} for ${ipv6At(b, 8 + 24)}, length ${length}`
    }
    case 4:
      return `ICMP6, parameter problem, code ${code}, length ${length}`
    case 128:
    case 129: {
      const what = type === 128 ? 'request' : 'reply'
      return `ICMP6, echo ${what}, id ${wordAt(b, 4)}, seq ${wordAt(b, 6)}, length ${length}`
    }
    case 133:
      return `ICMP6, router solicitation, length ${length}`
    case 134:
      return `ICMP6, router advertisement, length ${length}`
    case 135:
      return `ICMP6, neighbor solicitation, who has ${ipv6At(b, 8)}, length ${length}`
    case 136:
      return `ICMP6, neighbor advertisement, tgt is ${ipv6At(b, 8)}, length ${length}`
    case 137:
      return `ICMP6, redirect, ${ipv6At(b, 24)} to ${ipv6At(b, 8)}, length ${length}`
    case 143:
      return (
        `ICMP6, multicast listener report v2, ${wordAt(b, 6)} group record(s), ` +
        `length ${length}`
      )
    default:
      return `ICMP6, ${OTHER_TYPES.get(type) ?? `unknown icmp6 type (${type})`}, length ${length}`
  }
}

const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [130, 'multicast listener query'],
  [131, 'multicast listener report'],
  [132, 'multicast listener done'],
])

/** The quoted packet follows eight bytes of ICMPv6. */
function unreachableText(b: Bytes, code: number): string {
  const quoted = 8
  const name = UNREACHABLE[code]
  if (name === undefined) return `unknown unreach code (${code})`
  if (code !== 4) return `${name} ${ipv6At(b, quoted + 24)}`
  const to = ipv6At(b, quoted + 24)
  const protocol = byteAt(b, quoted + 6)
  const port = wordAt(b, quoted + IPV6_HEADER + 2)
  if (protocol === 6) return `${name}, ${to} tcp port ${port}`
  if (protocol === 17) return `${name}, ${to} udp port ${port}`
  return `${name}, ${to} protocol ${protocol} port ${port} unreachable`
}
