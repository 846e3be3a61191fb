import { BROADCAST_MAC, parseIpText, parseMacText, readMac } from '../protocols/address.ts'
import { u16 } from '../protocols/bytes.ts'
import { type FilterNetwork, hostTest, netTest } from './filter-address.ts'
import { numberOf } from './filter-arithmetic.ts'
import type { FrameFacts } from './filter-facts.ts'
import { type Cursor, FilterError, type Token } from './filter-tokens.ts'

type Test = (facts: FrameFacts) => boolean
type Direction = 'src' | 'dst' | 'either' | 'both'
type Kind = 'host' | 'net' | 'port' | 'portrange' | 'proto'

/** The words in front of an address or a port. */
export interface Expected {
  readonly protocol: string | null
  readonly direction: Direction
  readonly kind: Kind | null
}

const TCP = 6
const UDP = 17
const SCTP = 132
/** Protocols by name, with the number that IP gives them. */
const TRANSPORTS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['tcp', TCP],
  ['udp', UDP],
  ['esp', 50],
  ['icmp6', 58],
  ['sctp', SCTP],
])
const PROTOCOLS = ['ether', 'ip', 'ip6', 'arp', ...TRANSPORTS.keys()]
const KINDS: readonly Kind[] = ['host', 'net', 'port', 'portrange', 'proto']
const DIRECTIONS = ['src', 'dst']
const OTHERS = ['less', 'greater', 'vlan', 'broadcast', 'multicast', 'not', 'len']
const WORDS = [...PROTOCOLS, ...KINDS, ...DIRECTIONS, ...OTHERS]

/** Ports that people call by name (IANA's names). */
const PORTS: ReadonlyMap<string, number> = new Map([
  ['echo', 7],
  ['discard', 9],
  ['daytime', 13],
  ['chargen', 19],
  ['ftp-data', 20],
  ['ftp', 21],
  ['ssh', 22],
  ['telnet', 23],
  ['smtp', 25],
  ['domain', 53],
  ['bootps', 67],
  ['bootpc', 68],
  ['http', 80],
  ['ntp', 123],
  ['https', 443],
])

/** Reads one primitive of a filter: qualifiers and what they qualify. */
export class Primitives {
  readonly #cursor: Cursor
  #last: Expected = { protocol: null, direction: 'either', kind: null }

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  parse(): Test {
    const cursor = this.#cursor
    if (cursor.takes('less')) return this.#byLength((length, limit) => length <= limit)
    if (cursor.takes('greater')) return this.#byLength((length, limit) => length >= limit)
    if (cursor.takes('vlan')) return this.#vlan()
    if (cursor.takes('broadcast')) return isBroadcast
    if (cursor.takes('multicast')) return isMulticast
    const start = cursor.token
    const first = start.text
    const protocol = PROTOCOLS.includes(first) ? cursor.take().text : null
    if (protocol === 'ether' && cursor.takes('broadcast')) return isBroadcast
    if (protocol === 'ether' && cursor.takes('multicast')) return isMulticast
    if (protocol === 'ip' && cursor.takes('multicast')) return isIpMulticast
    const direction = this.#direction()
    const kindWord = KINDS.find((kind) => kind === cursor.token.text)
    if (kindWord !== undefined) cursor.take()
    const kind = kindWord ?? null
    if (protocol === null && direction === null && kind === null) return this.#bare()
    if (protocol !== null && direction === null && kind === null) {
      if (protocol !== 'ether' || !isValue(cursor.token))
        return this.#protocolAlone(protocol, start)
    }
    const expected: Expected = { protocol, direction: direction ?? 'either', kind }
    this.#last = expected
    return this.#value(expected)
  }

  /** `src`, `dst`, `src or dst`, `src and dst`. */
  #direction(): Direction | null {
    const cursor = this.#cursor
    const first = cursor.token.text
    if (!DIRECTIONS.includes(first)) return null
    cursor.take()
    const other = first === 'src' ? 'dst' : 'src'
    const joint = cursor.token.text
    if ((joint === 'or' || joint === 'and') && cursor.following.text === other) {
      // `src 10.0.0.1 and dst …` has an address in between, so this is one qualifier.
      cursor.take()
      cursor.take()
      return joint === 'or' ? 'either' : 'both'
    }
    return first === 'src' ? 'src' : 'dst'
  }

  /** An address or a port alone: the words before the last one hold for it, too. */
  #bare(): Test {
    const { token } = this.#cursor
    if (token.kind === 'end') throw new FilterError('something is missing at the end', token)
    if (!isValue(token)) throw new FilterError(`'${token.text}' is unknown`, token, WORDS)
    return this.#value(this.#last)
  }

  #protocolAlone(protocol: string, token: Token): Test {
    switch (protocol) {
      case 'ip':
      case 'ip6':
      case 'arp':
        return (facts) => facts.family === protocol
      case 'ether':
        throw new FilterError("'ether' alone says nothing", token, [], "write 'ether host MAC'")
      default: {
        const number = TRANSPORTS.get(protocol)!
        const only = protocol === 'icmp' || protocol === 'igmp' ? 'ip' : null
        return ({ protocol: its, family }) => its === number && (only === null || family === only)
      }
    }
  }

  #value(expected: Expected): Test {
    const token = this.#cursor.take()
    if (token.kind !== 'word') {
      const what = expected.kind ?? 'host'
      throw new FilterError(`a value for '${what}' is missing`, token)
    }
    const { protocol, kind } = expected
    if (protocol === 'ether') return kind === 'proto' ? etherType(token) : macTest(expected, token)
    switch (kind) {
      case 'port':
      case 'portrange':
        return portTest(expected, token)
      case 'proto':
        return ipProtocol(expected, token)
      case 'net':
        return addressTest(expected, this.#network(token), token)
      default: {
        const address = parseIpText(token.text)
        if (address !== null) return addressTest(expected, hostTest(address), token)
        if (kind === null && token.text.includes('/')) {
          return addressTest(expected, this.#network(token), token)
        }
        throw notAnAddress(token)
      }
    }
  }

  #network(token: Token): FilterNetwork {
    const cursor = this.#cursor
    const mask = cursor.takes('mask') ? cursor.take().text : null
    const network = netTest(token.text, mask)
    if (typeof network !== 'string') return network
    throw new FilterError(network, token, [], "write a network such as '10.0.0.0/8'")
  }

  #byLength(holds: (length: number, limit: number) => boolean): Test {
    const limit = this.#number('a length in bytes')
    return ({ length }) => holds(length, limit)
  }

  #vlan(): Test {
    if (numberOf(this.#cursor.token.text) === null) return ({ vlans }) => vlans.length > 0
    const id = this.#number('a VLAN')
    return ({ vlans }) => vlans.includes(id)
  }

  #number(what: string): number {
    const token = this.#cursor.take()
    const number = numberOf(token.text)
    if (number === null) throw new FilterError(`'${token.text}' is not ${what}`, token)
    return number
  }
}

const isValue = ({ text, kind }: Token): boolean =>
  kind === 'word' &&
  (/^[\d:]/.test(text) || text.includes(':') || PORTS.has(text)) &&
  !WORDS.includes(text)

function notAnAddress(token: Token): FilterError {
  const isPort = /^\d+$/.test(token.text)
  const hint = isPort ? `did you mean 'port ${token.text}'?` : 'names are not looked up'
  if (/^[\d.:a-f/]+$/i.test(token.text)) {
    return new FilterError(`'${token.text}' is not an IP address`, token, [], hint)
  }
  return new FilterError(`'${token.text}' is unknown`, token, WORDS, hint)
}

function inDirection<T>(direction: Direction, source: T, destination: T, holds: (x: T) => boolean) {
  switch (direction) {
    case 'src':
      return holds(source)
    case 'dst':
      return holds(destination)
    case 'either':
      return holds(source) || holds(destination)
    case 'both':
      return holds(source) && holds(destination)
  }
}

function addressTest(expected: Expected, network: FilterNetwork, token: Token): Test {
  const { protocol, direction } = expected
  if (protocol !== null && !['ip', 'ip6', 'arp'].includes(protocol)) {
    throw new FilterError(
      `'${protocol}' has no addresses of its own`,
      token,
      [],
      `write '${protocol} and host ${token.text}'`,
    )
  }
  if (protocol !== null && (protocol === 'ip6') !== (network.family === 'ip6')) {
    throw new FilterError(`'${token.text}' is no address of ${protocol}`, token)
  }
  return ({ family, source, destination }) => {
    if (protocol !== null && family !== protocol) return false
    return inDirection(direction, source, destination, network.holds)
  }
}

function portTest({ protocol, direction, kind }: Expected, token: Token): Test {
  if (protocol !== null && !['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw new FilterError(`'${protocol}' has no ports`, token)
  }
  const [low, high] = portsOf(token, kind === 'portrange')
  const number = protocol === null ? null : TRANSPORTS.get(protocol)!
  const within = (port: number) => port >= low && port <= high
  return ({ bytes, transport: at, protocol: its }) => {
    if (at < 0 || at + 4 > bytes.length) return false
    if (number === null ? its !== TCP && its !== UDP && its !== SCTP : its !== number) return false
    return inDirection(direction, u16(bytes, at), u16(bytes, at + 2), within)
  }
}

function portsOf(token: Token, isRange: boolean): readonly [number, number] {
  const named = PORTS.get(token.text)
  if (named !== undefined) return [named, named]
  const parts = token.text.split('-')
  const [low, high = low] = parts.map((part) => PORTS.get(part) ?? numberOf(part))
  const valid = low !== null && low !== undefined && high !== null && high !== undefined
  if (!valid || parts.length > 2 || low > 0xffff || high > 0xffff) {
    throw new FilterError(`'${token.text}' is not a port`, token, [...PORTS.keys()])
  }
  if (parts.length === 2 && !isRange) {
    throw new FilterError(
      `'${token.text}' is a range`,
      token,
      [],
      `write 'portrange ${token.text}'`,
    )
  }
  return low <= high ? [low, high] : [high, low]
}

function ipProtocol({ protocol }: Expected, token: Token): Test {
  const number = TRANSPORTS.get(token.text) ?? numberOf(token.text)
  if (number === null || number > 255) {
    throw new FilterError(`'${token.text}' is not a protocol`, token, [...TRANSPORTS.keys()])
  }
  return ({ family, protocol: its }) => its === number && (protocol === null || family === protocol)
}

const ETHER_TYPES: ReadonlyMap<string, number> = new Map([
  ['ip', 0x0800],
  ['arp', 0x0806],
  ['ip6', 0x86dd],
])

function etherType(token: Token): Test {
  const number = ETHER_TYPES.get(token.text) ?? numberOf(token.text)
  if (number === null) {
    throw new FilterError(`'${token.text}' is not a type`, token, [...ETHER_TYPES.keys()])
  }
  return (facts) => facts.etherType === number
}

function macTest({ direction, kind }: Expected, token: Token): Test {
  const mac = parseMacText(token.text)
  if (mac === null || (kind !== null && kind !== 'host')) {
    throw new FilterError(`'${token.text}' is not a MAC address`, token)
  }
  return ({ bytes }) =>
    bytes.length >= 12 &&
    inDirection(direction, readMac(bytes, 6), readMac(bytes, 0), (each) => each === mac)
}

const isBroadcast: Test = ({ bytes }) => bytes.length >= 6 && readMac(bytes, 0) === BROADCAST_MAC
const isMulticast: Test = ({ bytes }) => bytes.length >= 1 && (bytes[0]! & 1) === 1
const isIpMulticast: Test = ({ family, destination }) =>
  family === 'ip' && typeof destination === 'number' && destination >>> 28 === 0xe
