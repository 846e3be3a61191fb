import type { Bytes } from '../protocols/bytes.ts'
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_HEADER,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  UNREACHABLE_FRAGMENTATION_NEEDED,
  UNREACHABLE_PORT,
  UNREACHABLE_PROTOCOL,
} from '../protocols/icmp/message.ts'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../protocols/ipv4/packet.ts'
import { addressAt, byteAt, longAt, need, wordAt } from './cut.ts'

// Types of RFC 792 and its successors that no engine here sends, but that a wire may show.
const SOURCE_QUENCH = 4
const REDIRECT = 5
const ROUTER_ADVERTISEMENT = 9
const ROUTER_SOLICITATION = 10
const PARAMETER_PROBLEM = 12
const TIMESTAMP = 13
const TIMESTAMP_REPLY = 14
const INFORMATION_REQUEST = 15
const INFORMATION_REPLY = 16
const MASK_REQUEST = 17
const MASK_REPLY = 18

// Offsets in the datagram that an error quotes, counted from the ICMP header.
const QUOTED = ICMP_HEADER
const QUOTED_PROTOCOL = QUOTED + 9
const QUOTED_DESTINATION = QUOTED + 16

/** "Destination unreachable" by code (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1). */
const UNREACHABLE_TEXT: readonly (((to: string) => string) | undefined)[] = [
  (to) => `net ${to} unreachable`,
  (to) => `host ${to} unreachable`,
  undefined,
  undefined,
  undefined,
  (to) => `${to} unreachable - source route failed`,
  (to) => `net ${to} unreachable - unknown`,
  (to) => `host ${to} unreachable - unknown`,
  (to) => `${to} unreachable - source host isolated`,
  (to) => `net ${to} unreachable - admin prohibited`,
  (to) => `host ${to} unreachable - admin prohibited`,
  (to) => `net ${to} unreachable - tos prohibited`,
  (to) => `host ${to} unreachable - tos prohibited`,
  (to) => `host ${to} unreachable - admin prohibited filter`,
  (to) => `host ${to} unreachable - host precedence violation`,
  (to) => `host ${to} unreachable - precedence cutoff`,
]

const REDIRECT_TEXT = ['redirect', 'redirect', 'redirect-tos', 'redirect-tos']

/** An ICMP message in tcpdump's notation. `length` is what the IP header says it has. */
export function icmpText(b: Bytes, length: number): string {
  const type = byteAt(b, 0)
  const code = byteAt(b, 1)
  return `ICMP ${messageText(b, type, code)}, length ${length}`
}

function messageText(b: Bytes, type: number, code: number): string {
  switch (type) {
    case ICMP_ECHO_REQUEST:
      return `echo request, id ${wordAt(b, 4)}, seq ${wordAt(b, 6)}`
    case ICMP_ECHO_REPLY:
      return `echo reply, id ${wordAt(b, 4)}, seq ${wordAt(b, 6)}`
    case ICMP_UNREACHABLE:
      return unreachableText(b, code)
    case ICMP_TIME_EXCEEDED:
      need(b, QUOTED_DESTINATION + 4)
      if (code === 0) return 'time exceeded in-transit'
      return code === 1 ? 'ip reassembly time exceeded' : `time exceeded-#${code}`
    case SOURCE_QUENCH:
      return 'source quench'
    case REDIRECT:
      return redirectText(b, code)
    case PARAMETER_PROBLEM:
      return code === 0
        ? `parameter problem - octet ${byteAt(b, 4)}`
        : `parameter problem - code ${code}`
    case TIMESTAMP:
      return `time stamp query id ${wordAt(b, 4)} seq ${wordAt(b, 6)}`
    case TIMESTAMP_REPLY:
      return timestampReplyText(b)
    case MASK_REPLY:
      return `address mask is 0x${(longAt(b, 8) >>> 0).toString(16).padStart(8, '0')}`
    case ROUTER_ADVERTISEMENT:
      return 'router advertisement'
    case ROUTER_SOLICITATION:
      return 'router solicitation'
    case INFORMATION_REQUEST:
      return 'information request'
    case INFORMATION_REPLY:
      return 'information reply'
    case MASK_REQUEST:
      return 'address mask request'
    default:
      return `type-#${type}`
  }
}

function unreachableText(b: Bytes, code: number): string {
  const to = addressAt(b, QUOTED_DESTINATION)
  switch (code) {
    case UNREACHABLE_PROTOCOL:
      return `${to} protocol ${byteAt(b, QUOTED_PROTOCOL)} unreachable`
    case UNREACHABLE_PORT: {
      const protocol = byteAt(b, QUOTED_PROTOCOL)
      const port = wordAt(b, QUOTED + (byteAt(b, QUOTED) & 15) * 4 + 2)
      if (protocol === PROTOCOL_TCP) return `${to} tcp port ${port} unreachable`
      if (protocol === PROTOCOL_UDP) return `${to} udp port ${port} unreachable`
      return `${to} protocol ${protocol} port ${port} unreachable`
    }
    case UNREACHABLE_FRAGMENTATION_NEEDED: {
      const mtu = wordAt(b, 6) // RFC 1191 §4
      return `${to} unreachable - need to frag${mtu === 0 ? '' : ` (mtu ${mtu})`}`
    }
    default:
      return UNREACHABLE_TEXT[code]?.(to) ?? `${to} unreachable - #${code}`
  }
}

function redirectText(b: Bytes, code: number): string {
  const to = addressAt(b, QUOTED_DESTINATION)
  const name = REDIRECT_TEXT[code]
  if (name === undefined) return `redirect-#${code} ${to} to ${addressAt(b, 4)}`
  const scope = code === 1 || code === 3 ? 'host' : 'net'
  return `${name} ${to} to ${scope} ${addressAt(b, 4)}`
}

function timestampReplyText(b: Bytes): string {
  const clock = (at: number): string => {
    const milliseconds = longAt(b, at) >>> 0
    const seconds = Math.floor(milliseconds / 1000)
    const part = (n: number, width: number) => String(n).padStart(width, '0')
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    return `${part(h, 2)}:${part(m, 2)}:${part(s, 2)}.${part(milliseconds % 1000, 3)}`
  }
  return (
    `time stamp reply id ${wordAt(b, 4)} seq ${wordAt(b, 6)}: ` +
    `org ${clock(8)}, recv ${clock(12)}, xmit ${clock(16)}`
  )
}
