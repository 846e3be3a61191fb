import { type Mac, putIpv6, putMac, readIpv6, readMac } from '../address.ts'
import { type Bytes, concatBytes, i32, NO_BYTES, putBytes, putI32 } from '../bytes.ts'
import type { Malformation } from '../parsed.ts'
import type { PrefixInformation } from './message.ts'

/*
 * RFC 4861 §4.6: type, length in units of 8 bytes with both of these, then what the type says.
 *
 *   0       1       2                                               8 × length
 *   +-------+-------+-----------------------------------------------+
 *   | type  |length |                                               …
 *   +-------+-------+-----------------------------------------------+
 */
const SOURCE_MAC = 1
const TARGET_MAC = 2
const PREFIX = 3
const REDIRECTED_HEADER = 4
const MTU = 5
/** RFC 3971 §5.3.2, used by RFC 7527. */
const NONCE = 14

const ON_LINK = 0x80
const AUTONOMOUS = 0x40

/** What a message's options say; the first of a kind counts, but every prefix. */
export interface NdOptions {
  sourceMac: Mac | null
  targetMac: Mac | null
  mtu: number
  nonce: Bytes | null
  prefixes: PrefixInformation[]
}

/** Reads from `at` on. Unknown options, and known ones of an odd length, are passed over. */
export function readNdOptions(b: Bytes, at: number): NdOptions | Malformation {
  const found: NdOptions = { sourceMac: null, targetMac: null, mtu: 0, nonce: null, prefixes: [] }
  while (at < b.length) {
    const length = at + 2 > b.length ? 0 : 8 * b[at + 1]!
    // §4.6: a message with an option of length 0 is thrown away whole.
    if (length === 0) return 'bad-option'
    if (at + length > b.length) return 'bad-length'
    readOption(found, b, at, length)
    at += length
  }
  return found
}

function readOption(found: NdOptions, b: Bytes, at: number, length: number): void {
  const type: number = b[at]!
  switch (type) {
    case SOURCE_MAC:
      if (length === 8) found.sourceMac ??= readMac(b, at + 2)
      return
    case TARGET_MAC:
      if (length === 8) found.targetMac ??= readMac(b, at + 2)
      return
    case MTU:
      if (length === 8 && found.mtu === 0) found.mtu = i32(b, at + 4) >>> 0
      return
    case NONCE:
      found.nonce ??= b.subarray(at + 2, at + length)
      return
    case PREFIX:
      if (length !== 32 || b[at + 2]! > 128) return
      found.prefixes.push({
        prefix: readIpv6(b, at + 16),
        prefixLength: b[at + 2]!,
        onLink: (b[at + 3]! & ON_LINK) !== 0,
        autonomous: (b[at + 3]! & AUTONOMOUS) !== 0,
        validLifetime: i32(b, at + 4) >>> 0,
        preferredLifetime: i32(b, at + 8) >>> 0,
      })
  }
}

export const sourceMacOption = (mac: Mac | null): Bytes => macOption(SOURCE_MAC, mac)
export const targetMacOption = (mac: Mac | null): Bytes => macOption(TARGET_MAC, mac)

function macOption(type: number, mac: Mac | null): Bytes {
  if (mac === null) return NO_BYTES
  const b = option(type, 8)
  putMac(b, 2, mac)
  return b
}

export function mtuOption(mtu: number): Bytes {
  if (mtu === 0) return NO_BYTES
  const b = option(MTU, 8)
  putI32(b, 4, mtu)
  return b
}

/** `nonce`: 6 bytes, or 8 more for each further unit. */
export function nonceOption(nonce: Bytes | null): Bytes {
  if (nonce === null) return NO_BYTES
  const b = option(NONCE, 2 + nonce.length)
  putBytes(b, 2, nonce)
  return b
}

export function prefixOption(info: PrefixInformation): Bytes {
  const b = option(PREFIX, 32)
  b[2] = info.prefixLength
  b[3] = (info.onLink ? ON_LINK : 0) | (info.autonomous ? AUTONOMOUS : 0)
  putI32(b, 4, info.validLifetime)
  putI32(b, 8, info.preferredLifetime)
  putIpv6(b, 16, info.prefix)
  return b
}

/** §4.6.3: as much of the packet as fits into `room` bytes, in whole units. */
export function redirectedHeaderOption(packet: Bytes, room: number): Bytes {
  const quoted = Math.min(packet.length, room - 8) & ~7
  const b = option(REDIRECTED_HEADER, 8 + quoted)
  putBytes(b, 8, packet.subarray(0, quoted))
  return b
}

function option(type: number, length: number): Uint8Array {
  const b = new Uint8Array(length)
  b[0] = type
  b[1] = length / 8
  return b
}

export const withOptions = (fixed: Bytes, ...options: readonly Bytes[]): Bytes =>
  concatBytes([fixed, ...options])
