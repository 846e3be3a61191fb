import { type Ipv6Address, putIpv6, readIpv6 } from '../address.ts'
import { type Bytes, i32, NO_BYTES, putI32 } from '../bytes.ts'
import {
  type Icmpv6Message as Message,
  Icmpv6Message,
  ND_NEIGHBOUR_ADVERTISEMENT,
  ND_NEIGHBOUR_SOLICITATION,
  ND_REDIRECT,
  ND_ROUTER_ADVERTISEMENT,
  ND_ROUTER_SOLICITATION,
} from '../icmpv6/message.ts'
import { isMulticastIpv6 } from '../ipv6/address.ts'
import { type Malformation } from '../parsed.ts'
import type { NdMessage, NeighbourAdvertisement, RouterAdvertisement } from './message.ts'
import {
  mtuOption,
  nonceOption,
  prefixOption,
  readNdOptions,
  redirectedHeaderOption,
  sourceMacOption,
  targetMacOption,
  withOptions,
} from './options.ts'

// RFC 4861 §4, in the words of an ICMPv6 message: `rest` is its second word, `data` what follows.

/** Of a neighbour advertisement, §4.4. */
const ROUTER_FLAG = 1 << 31
const SOLICITED_FLAG = 1 << 30
const OVERRIDE_FLAG = 1 << 29
/** Of a router advertisement, §4.2. */
const MANAGED_FLAG = 1 << 23
const OTHER_FLAG = 1 << 22

const ADDRESS = 16

/** Reads a message of neighbour discovery: what §6.1, §7.1 and §8.1 say about it alone. */
export function readNd(message: Message): NdMessage | Malformation {
  if (message.code !== 0) return 'unsupported'
  switch (message.type) {
    case ND_ROUTER_SOLICITATION:
      return readSolicitation(message)
    case ND_ROUTER_ADVERTISEMENT:
      return readAdvertisement(message)
    case ND_NEIGHBOUR_SOLICITATION:
    case ND_NEIGHBOUR_ADVERTISEMENT:
      return readNeighbour(message)
    case ND_REDIRECT:
      return readRedirect(message)
    default:
      return 'unsupported'
  }
}

function readSolicitation({ data }: Message): NdMessage | Malformation {
  const options = readNdOptions(data, 0)
  if (typeof options === 'string') return options
  return { kind: 'router-solicitation', sourceMac: options.sourceMac }
}

function readAdvertisement({ rest, data }: Message): NdMessage | Malformation {
  if (data.length < 8) return 'truncated'
  const options = readNdOptions(data, 8)
  if (typeof options === 'string') return options
  return {
    kind: 'router-advertisement',
    hopLimit: rest >>> 24,
    managed: (rest & MANAGED_FLAG) !== 0,
    other: (rest & OTHER_FLAG) !== 0,
    lifetime: rest & 0xffff,
    reachableTime: i32(data, 0) >>> 0,
    retransTimer: i32(data, 4) >>> 0,
    sourceMac: options.sourceMac,
    mtu: options.mtu,
    prefixes: options.prefixes,
  }
}

function readNeighbour({ type, rest, data }: Message): NdMessage | Malformation {
  if (data.length < ADDRESS) return 'truncated'
  const options = readNdOptions(data, ADDRESS)
  if (typeof options === 'string') return options
  const target = readIpv6(data, 0)
  if (isMulticastIpv6(target)) return 'unsupported'
  if (type === ND_NEIGHBOUR_SOLICITATION) {
    const { sourceMac, nonce } = options
    return { kind: 'neighbour-solicitation', target, sourceMac, nonce }
  }
  return {
    kind: 'neighbour-advertisement',
    router: (rest & ROUTER_FLAG) !== 0,
    solicited: (rest & SOLICITED_FLAG) !== 0,
    override: (rest & OVERRIDE_FLAG) !== 0,
    target,
    targetMac: options.targetMac,
  }
}

function readRedirect({ data }: Message): NdMessage | Malformation {
  if (data.length < 2 * ADDRESS) return 'truncated'
  const options = readNdOptions(data, 2 * ADDRESS)
  if (typeof options === 'string') return options
  const [target, destination] = [readIpv6(data, 0), readIpv6(data, ADDRESS)]
  if (isMulticastIpv6(destination)) return 'unsupported'
  return { kind: 'redirect', target, destination, targetMac: options.targetMac }
}

/** The ICMPv6 message that says so. A redirect quotes `packet`, in at most `room` bytes. */
export function emitNd(nd: NdMessage, packet: Bytes = NO_BYTES, room = 0): Icmpv6Message {
  switch (nd.kind) {
    case 'router-solicitation':
      return new Icmpv6Message(ND_ROUTER_SOLICITATION, 0, 0, sourceMacOption(nd.sourceMac))
    case 'router-advertisement':
      return emitAdvertisement(nd)
    case 'neighbour-solicitation': {
      const options = [sourceMacOption(nd.sourceMac), nonceOption(nd.nonce)]
      const data = withOptions(addresses(nd.target), ...options)
      return new Icmpv6Message(ND_NEIGHBOUR_SOLICITATION, 0, 0, data)
    }
    case 'neighbour-advertisement': {
      const data = withOptions(addresses(nd.target), targetMacOption(nd.targetMac))
      return new Icmpv6Message(ND_NEIGHBOUR_ADVERTISEMENT, 0, flagsOf(nd), data)
    }
    case 'redirect': {
      const fixed = addresses(nd.target, nd.destination)
      const mac = targetMacOption(nd.targetMac)
      const header = packet.length === 0 ? NO_BYTES : redirectedHeaderOption(packet, room)
      return new Icmpv6Message(ND_REDIRECT, 0, 0, withOptions(fixed, mac, header))
    }
  }
}

function emitAdvertisement(nd: RouterAdvertisement): Icmpv6Message {
  const flags = (nd.managed ? MANAGED_FLAG : 0) | (nd.other ? OTHER_FLAG : 0)
  const times = new Uint8Array(8)
  putI32(times, 0, nd.reachableTime)
  putI32(times, 4, nd.retransTimer)
  const options = [sourceMacOption(nd.sourceMac), mtuOption(nd.mtu)]
  const data = withOptions(times, ...options, ...nd.prefixes.map(prefixOption))
  const rest = (nd.hopLimit << 24) | flags | nd.lifetime
  return new Icmpv6Message(ND_ROUTER_ADVERTISEMENT, 0, rest, data)
}

const flagsOf = (nd: NeighbourAdvertisement): number =>
  (nd.router ? ROUTER_FLAG : 0) |
  (nd.solicited ? SOLICITED_FLAG : 0) |
  (nd.override ? OVERRIDE_FLAG : 0)

function addresses(...list: readonly Ipv6Address[]): Uint8Array {
  const b = new Uint8Array(ADDRESS * list.length)
  list.forEach((address, index) => putIpv6(b, ADDRESS * index, address))
  return b
}
