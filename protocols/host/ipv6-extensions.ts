import type { Bytes } from '../bytes.ts'
import {
  ICMPV6_BAD_FIELD,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_UNKNOWN_HEADER,
  ICMPV6_UNKNOWN_OPTION,
} from '../icmpv6/message.ts'
import { isMulticastIpv6 } from '../ipv6/address.ts'
import {
  DESTINATION_OPTIONS,
  type ExtensionHeader,
  headersOf,
  HOP_BY_HOP,
  ROUTING,
} from '../ipv6/extensions.ts'
import { IPV6_HEADER, type Ipv6Packet } from '../ipv6/packet.ts'
import type { Nanos } from '../time.ts'
import { icmpv6Error } from './icmpv6-errors.ts'
import type { HostOut } from './output.ts'
import type { HostState } from './state.ts'

/** RFC 8504 §5.3 lets a host say how much it looks at: headers of a packet, options of a header. */
export const EXTENSIONS_MAX = 8
export const OPTIONS_MAX = 8

const PAD_1 = 0
const PAD_N = 1
/** RFC 2711: to be looked at, which has been done. */
const ROUTER_ALERT = 5

/** Why a packet goes no further, and what its sender hears: a code and a pointer, -1 for nothing. */
interface Refusal {
  readonly why: string
  readonly code: number
  readonly pointer: number
}

/**
 * Whether a packet with extension headers may be delivered, or passed on: a router looks at
 * hop-by-hop options only (RFC 8200 §4). Says why not.
 */
export function extensionsPass(
  h: HostState,
  now: Nanos,
  packet: Ipv6Packet,
  passingOn: boolean,
  out: HostOut,
): boolean {
  const refusal = refuse(packet, passingOn)
  if (refusal === null) return true
  const { why, code, pointer } = refusal
  out.event({ kind: 'dropped', why, packet })
  if (pointer >= 0) icmpv6Error(h, now, packet, ICMPV6_PARAMETER_PROBLEM, code, pointer, out)
  return false
}

function refuse(packet: Ipv6Packet, passingOn: boolean): Refusal | null {
  const { firstHeader, extensions } = packet.details
  let count = 0
  for (const header of headersOf(firstHeader, extensions)) {
    const { type, namedAt } = header
    if (passingOn && type !== HOP_BY_HOP) return null
    if (++count > EXTENSIONS_MAX) return silent('ipv6 too many headers')
    const wrong =
      type === HOP_BY_HOP && namedAt >= 0
        ? // §4.3: right behind the base header or nowhere.
          { why: 'ipv6 misplaced options', code: ICMPV6_UNKNOWN_HEADER, pointer: at(namedAt) }
        : type === ROUTING
          ? refuseRouting(header, extensions)
          : type === HOP_BY_HOP || type === DESTINATION_OPTIONS
            ? refuseOptions(header, extensions, isMulticastIpv6(packet.destination))
            : null
    if (wrong !== null) return wrong
  }
  return null
}

const at = (offset: number): number => IPV6_HEADER + offset
const silent = (why: string): Refusal => ({ why, code: 0, pointer: -1 })

/** §4.4: one with nothing left to do is passed over; no type is known, 0 least of all (RFC 5095). */
function refuseRouting(header: ExtensionHeader, chain: Bytes): Refusal | null {
  const TYPE = 2
  const SEGMENTS_LEFT = 3
  if (chain[header.at + SEGMENTS_LEFT] === 0) return null
  return { why: 'ipv6 routing header', code: ICMPV6_BAD_FIELD, pointer: at(header.at + TYPE) }
}

/** §4.2: the two highest bits of an unknown option say what becomes of the packet. */
function refuseOptions(header: ExtensionHeader, chain: Bytes, group: boolean): Refusal | null {
  const end = header.at + header.length
  let count = 0
  for (let offset = header.at + 2; offset < end;) {
    const type = chain[offset]!
    const length = type === PAD_1 ? 1 : offset + 1 < end ? 2 + chain[offset + 1]! : 2
    if (offset + length > end) {
      return { why: 'ipv6 bad-option', code: ICMPV6_BAD_FIELD, pointer: at(offset) }
    }
    const known = type === PAD_1 || type === PAD_N || type === ROUTER_ALERT
    const action = type >>> 6
    if (!known && action !== 0) {
      const told = action === 2 || (action === 3 && !group)
      const pointer = told ? at(offset) : -1
      return { why: 'ipv6 unknown option', code: ICMPV6_UNKNOWN_OPTION, pointer }
    }
    if (type !== PAD_1 && type !== PAD_N && ++count > OPTIONS_MAX) {
      return silent('ipv6 too many options')
    }
    offset += length
  }
  return null
}
