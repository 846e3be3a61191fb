import { readIpv4, readMac, putIpv4, putMac, type Ipv4Address } from '../address.ts'
import { type Bytes, concatBytes, i32, putI32, putU16, u16, viewOf } from '../bytes.ts'
import { malformed, type Parsed, parsed } from '../parsed.ts'
import {
  DHCP_TYPES,
  type DhcpMessage,
  type DhcpOptions,
  type DhcpType,
  NO_DHCP_OPTIONS,
} from './message.ts'

/*
 * RFC 2131 §2, RFC 951.
 *
 *     0       1       2       3
 *   +-------+-------+-------+-------+
 *   | op    | htype | hlen  | hops  |  0
 *   +-------+-------+-------+-------+
 *   | xid                           |  4
 *   +---------------+---------------+
 *   | secs          | flags         |  8
 *   +---------------+---------------+
 *   | ciaddr                        | 12
 *   | yiaddr                        | 16
 *   | siaddr                        | 20
 *   | giaddr                        | 24
 *   | chaddr, 16 bytes              | 28
 *   | sname, 64 bytes               | 44
 *   | file, 128 bytes               | 108
 *   +-------------------------------+
 *   | 99.130.83.99                  | 236
 *   | options …                     | 240
 */
const OP = 0
const HARDWARE_TYPE = 1
const HARDWARE_LENGTH = 2
const TRANSACTION = 4
const SECONDS = 8
const FLAGS = 10
const CLIENT_ADDRESS = 12
const YOUR_ADDRESS = 16
const NEXT_SERVER = 20
const RELAY = 24
const HARDWARE = 28
const SERVER_NAME = 44
const FILE = 108
const COOKIE = 236
const OPTIONS = 240
/** RFC 1542 §2.1: a BOOTP message is at least so long. */
const LENGTH_MIN = 300

const MAGIC = 0x63825363
const BROADCAST_FLAG = 0x8000
const ETHERNET = 1

// RFC 2132.
const PAD = 0
const MASK = 1
const ROUTERS = 3
const DNS = 6
const HOST_NAME = 12
const DOMAIN_NAME = 15
const REQUESTED_ADDRESS = 50
const LEASE = 51
const OVERLOAD = 52
const TYPE = 53
const SERVER_ID = 54
const PARAMETERS = 55
const MESSAGE = 56
const RENEWAL = 58
const REBINDING = 59
const CLIENT_ID = 61
const END = 255

/** What clients here ask for (option 55). */
export const USUAL_PARAMETERS: readonly number[] = [
  MASK,
  ROUTERS,
  DNS,
  DOMAIN_NAME,
  LEASE,
  RENEWAL,
  REBINDING,
]

export function parseDhcp(b: Bytes): Parsed<DhcpMessage> {
  if (b.length < OPTIONS) return malformed('truncated')
  if (b[OP] !== 1 && b[OP] !== 2) return malformed('unsupported')
  if (b[HARDWARE_TYPE] !== ETHERNET || b[HARDWARE_LENGTH] !== 6) return malformed('unsupported')
  if (i32(b, COOKIE) !== MAGIC) return malformed('unsupported') // plain BOOTP
  const raw = new Map<number, Bytes>()
  if (!readOptions(b, OPTIONS, b.length, raw)) return malformed('bad-option')
  // §4.1: options may go on in `file`, then in `sname`.
  const overload = raw.get(OVERLOAD)?.[0] ?? 0
  if ((overload & 1) !== 0 && !readOptions(b, FILE, COOKIE, raw)) return malformed('bad-option')
  if ((overload & 2) !== 0 && !readOptions(b, SERVER_NAME, FILE, raw))
    return malformed('bad-option')
  const options = decode(raw)
  if (options === null) return malformed('bad-option')
  const type = DHCP_TYPES[(raw.get(TYPE)?.[0] ?? 0) - 1]
  if (type === undefined) return malformed('unsupported')
  return parsed({
    reply: b[OP] === 2,
    type,
    transaction: i32(b, TRANSACTION),
    seconds: u16(b, SECONDS),
    broadcast: (u16(b, FLAGS) & BROADCAST_FLAG) !== 0,
    clientAddress: readIpv4(b, CLIENT_ADDRESS),
    yourAddress: readIpv4(b, YOUR_ADDRESS),
    nextServer: readIpv4(b, NEXT_SERVER),
    relay: readIpv4(b, RELAY),
    hardware: readMac(b, HARDWARE),
    options,
  })
}

/** Collects options by number; one that stands there again goes on (RFC 3396). */
function readOptions(b: Bytes, from: number, to: number, into: Map<number, Bytes>): boolean {
  for (let at = from; at < to;) {
    const number = b[at]!
    if (number === END) return true
    if (number === PAD) {
      at += 1
      continue
    }
    if (at + 2 > to) return false
    const end = at + 2 + b[at + 1]!
    if (end > to) return false
    const value = viewOf(b, at + 2, end)
    const before = into.get(number)
    into.set(number, before === undefined ? value : concatBytes([before, value]))
    at = end
  }
  return true // §4.1 wants an end option; those that forget it are understood
}

/** `null` where a length is impossible. */
function decode(raw: ReadonlyMap<number, Bytes>): DhcpOptions | null {
  for (const [number, value] of raw) {
    const length = LENGTHS.get(number)
    if (length !== undefined && value.length !== length) return null
    if (number === ROUTERS || number === DNS) {
      if (value.length === 0 || value.length % 4 !== 0) return null
    }
  }
  const address = (n: number) => (raw.has(n) ? readIpv4(raw.get(n)!, 0) : null)
  const seconds = (n: number) => (raw.has(n) ? i32(raw.get(n)!, 0) >>> 0 : null)
  const text = (n: number) => (raw.has(n) ? textOf(raw.get(n)!) : null)
  return {
    mask: address(MASK),
    routers: addresses(raw.get(ROUTERS)),
    dns: addresses(raw.get(DNS)),
    hostName: text(HOST_NAME),
    domainName: text(DOMAIN_NAME),
    requestedAddress: address(REQUESTED_ADDRESS),
    leaseSeconds: seconds(LEASE),
    renewalSeconds: seconds(RENEWAL),
    rebindingSeconds: seconds(REBINDING),
    serverId: address(SERVER_ID),
    message: text(MESSAGE),
    clientId: raw.get(CLIENT_ID) ?? null,
    parameters: [...((raw.get(PARAMETERS) ?? []) as Iterable<number>)],
  }
}

const LENGTHS: ReadonlyMap<number, number> = new Map([
  [MASK, 4],
  [REQUESTED_ADDRESS, 4],
  [LEASE, 4],
  [RENEWAL, 4],
  [REBINDING, 4],
  [SERVER_ID, 4],
  [TYPE, 1],
  [OVERLOAD, 1],
])

function addresses(value: Bytes | undefined): Ipv4Address[] {
  const found: Ipv4Address[] = []
  for (let at = 0; value !== undefined && at < value.length; at += 4)
    found.push(readIpv4(value, at))
  return found
}

/** RFC 2132 §2: text is ASCII; some senders end it with a zero byte. */
function textOf(value: Bytes): string {
  let text = ''
  for (let i = 0; i < value.length && value[i] !== 0; i++) text += String.fromCharCode(value[i]!)
  return text
}

export function emitDhcp(message: DhcpMessage): Uint8Array {
  const options = optionBytes(message)
  const b = new Uint8Array(Math.max(OPTIONS + options.length, LENGTH_MIN))
  b[OP] = message.reply ? 2 : 1
  b[HARDWARE_TYPE] = ETHERNET
  b[HARDWARE_LENGTH] = 6
  putI32(b, TRANSACTION, message.transaction)
  putU16(b, SECONDS, Math.min(message.seconds, 0xffff))
  putU16(b, FLAGS, message.broadcast ? BROADCAST_FLAG : 0)
  putIpv4(b, CLIENT_ADDRESS, message.clientAddress)
  putIpv4(b, YOUR_ADDRESS, message.yourAddress)
  putIpv4(b, NEXT_SERVER, message.nextServer)
  putIpv4(b, RELAY, message.relay)
  putMac(b, HARDWARE, message.hardware)
  putI32(b, COOKIE, MAGIC)
  b.set(options, OPTIONS)
  return b
}

/** The type first, then by number; longer than 255 bytes in pieces (RFC 3396). */
function optionBytes({ type, options }: DhcpMessage): Uint8Array {
  const o = { ...NO_DHCP_OPTIONS, ...options }
  const bytes: number[] = []
  const put = (number: number, value: ArrayLike<number>) => {
    for (let at = 0; at < value.length; at += 255) {
      const piece = Array.from(value).slice(at, at + 255)
      bytes.push(number, piece.length, ...piece)
    }
  }
  put(TYPE, [typeNumber(type)])
  if (o.mask !== null) put(MASK, word(o.mask))
  if (o.routers.length > 0) put(ROUTERS, o.routers.flatMap(word))
  if (o.dns.length > 0) put(DNS, o.dns.flatMap(word))
  if (o.hostName !== null) put(HOST_NAME, ascii(o.hostName))
  if (o.domainName !== null) put(DOMAIN_NAME, ascii(o.domainName))
  if (o.requestedAddress !== null) put(REQUESTED_ADDRESS, word(o.requestedAddress))
  if (o.leaseSeconds !== null) put(LEASE, word(o.leaseSeconds))
  if (o.serverId !== null) put(SERVER_ID, word(o.serverId))
  put(PARAMETERS, o.parameters)
  if (o.message !== null) put(MESSAGE, ascii(o.message))
  if (o.renewalSeconds !== null) put(RENEWAL, word(o.renewalSeconds))
  if (o.rebindingSeconds !== null) put(REBINDING, word(o.rebindingSeconds))
  if (o.clientId !== null) put(CLIENT_ID, o.clientId)
  bytes.push(END)
  return Uint8Array.from(bytes)
}

const typeNumber = (type: DhcpType): number => DHCP_TYPES.indexOf(type) + 1
const word = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]
const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0) & 0x7f)
