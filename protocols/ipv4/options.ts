import type { Ipv4Address } from '../address.ts'
import { type Bytes, NO_BYTES, putBytes, putI32, viewOf } from '../bytes.ts'
import type { Nanos } from '../time.ts'
import { IPV4_HEADER } from './packet.ts'

/*
 * RFC 791 §3.1, "Options". A kind of 0 or 1 stands alone; every other one is followed by its length,
 * both octets included. The highest bit of the kind says that each fragment carries the option.
 *
 *   0       1       2       3
 *   +-------+-------+-------+-- - -
 *   | kind  | length| pointer| data        the pointer counts from 1, for the options that have one
 *   +-------+-------+-------+-- - -
 *
 * Packets with options are received and forwarded as they are: a router adds nothing to a recorded
 * route or to timestamps (RFC 791 leaves that to it; RFC 7126 §4.5 and §4.7 advise against). Only
 * an echo reply fills in what the request asked for (RFC 1122 §3.2.2.6).
 */
export const OPTION_END = 0
export const OPTION_NOP = 1
export const OPTION_RECORD_ROUTE = 7
export const OPTION_TIMESTAMP = 68
export const OPTION_LOOSE_SOURCE_ROUTE = 131
export const OPTION_STRICT_SOURCE_ROUTE = 137

const LENGTH = 1
const POINTER = 2
const FLAGS = 3
const COPIED = 0x80

/** Where the options' first wrong octet lies, counted from the start of the IP header; -1: none. */
export function malformedOptionAt(options: Bytes): number {
  let at = 0
  while (at < options.length && options[at] !== OPTION_END) {
    const wrong = wrongOctet(options, at)
    if (wrong >= 0) return IPV4_HEADER + wrong
    at = endOf(options, at)
  }
  return -1
}

function wrongOctet(options: Bytes, at: number): number {
  const kind = options[at]!
  if (kind === OPTION_NOP) return -1
  const length = options[at + LENGTH]
  if (length === undefined) return at
  const header = headerOf(kind)
  if (length < header || at + length > options.length) return at + LENGTH
  // The smallest pointer is the first octet behind the fixed part.
  return header > 2 && options[at + POINTER]! <= header ? at + POINTER : -1
}

/** The octets that an option of this kind has at least. */
function headerOf(kind: number): number {
  switch (kind) {
    case OPTION_RECORD_ROUTE:
    case OPTION_LOOSE_SOURCE_ROUTE:
    case OPTION_STRICT_SOURCE_ROUTE:
      return 3
    case OPTION_TIMESTAMP:
      return 4
    default:
      return 2
  }
}

const endOf = (options: Bytes, at: number): number =>
  options[at] === OPTION_NOP ? at + 1 : at + options[at + LENGTH]!

/** Of options that are well-formed. */
export function hasSourceRoute(options: Bytes): boolean {
  let at = 0
  while (at < options.length && options[at] !== OPTION_END) {
    const kind = options[at]
    if (kind === OPTION_LOOSE_SOURCE_ROUTE || kind === OPTION_STRICT_SOURCE_ROUTE) return true
    at = endOf(options, at)
  }
  return false
}

/** Of options that are well-formed: those that every fragment carries, padded to whole words. */
export const copiedOptions = (options: Bytes): Bytes =>
  options.length === 0 ? NO_BYTES : selected(options, (kind) => (kind & COPIED) !== 0)

function selected(options: Bytes, wanted: (kind: number) => boolean): Bytes {
  const kept = new Uint8Array(options.length)
  let length = 0
  let at = 0
  while (at < options.length && options[at] !== OPTION_END) {
    const end = endOf(options, at)
    if (options[at] !== OPTION_NOP && wanted(options[at]!)) {
      putBytes(kept, length, viewOf(options, at, end))
      length += end - at
    }
    at = end
  }
  // Behind the last one lie zeros, which end the list.
  return viewOf(kept, 0, (length + 3) & ~3)
}

/**
 * What an echo reply carries of the request's well-formed options: a recorded route and
 * timestamps, with this host's entry added where there is room (RFC 1122 §3.2.2.6).
 */
export function echoedOptions(options: Bytes, address: Ipv4Address, now: Nanos): Bytes {
  if (options.length === 0) return NO_BYTES
  const wanted = (kind: number) => kind === OPTION_RECORD_ROUTE || kind === OPTION_TIMESTAMP
  const reply = Uint8Array.from(selected(options, wanted))
  let at = 0
  while (at < reply.length && reply[at] !== OPTION_END) {
    if (reply[at] === OPTION_RECORD_ROUTE) recordRoute(reply, at, address)
    else recordTimestamp(reply, at, address, now)
    at = endOf(reply, at)
  }
  return reply
}

function recordRoute(b: Uint8Array, at: number, address: Ipv4Address): void {
  const pointer = b[at + POINTER]!
  if (pointer + 3 > b[at + LENGTH]!) return
  putI32(b, at + pointer - 1, address)
  b[at + POINTER] = pointer + 4
}

/** In the four low bits of the flags octet, RFC 791 "Internet Timestamp". */
const TIMESTAMPS_ONLY = 0
const WITH_ADDRESSES = 1
const PRESPECIFIED = 3

function recordTimestamp(b: Uint8Array, at: number, address: Ipv4Address, now: Nanos): void {
  const pointer = b[at + POINTER]!
  const mode = b[at + FLAGS]! & 15
  const entry = at + pointer - 1
  if (mode !== TIMESTAMPS_ONLY && mode !== WITH_ADDRESSES && mode !== PRESPECIFIED) return
  const size = mode === TIMESTAMPS_ONLY ? 4 : 8
  if (pointer + size - 1 > b[at + LENGTH]!) {
    // The high four bits count those who found no room, up to 15.
    if (mode !== PRESPECIFIED && b[at + FLAGS]! < 0xf0) b[at + FLAGS]! += 0x10
    return
  }
  if (mode === PRESPECIFIED && !isAt(b, entry, address)) return
  if (mode === WITH_ADDRESSES) putI32(b, entry, address)
  putI32(b, entry + size - 4, Math.floor(now / 1e6) % MILLISECONDS_A_DAY)
  b[at + POINTER] = pointer + size
}

/** Milliseconds since midnight; the run begins at one. */
const MILLISECONDS_A_DAY = 86_400_000

const isAt = (b: Bytes, at: number, address: Ipv4Address): boolean =>
  ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) === address
