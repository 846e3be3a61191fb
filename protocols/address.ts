import { assert } from './assert.ts'
import { type Bytes, i32, putI32, putU16, u16 } from './bytes.ts'

/**
 * An IP address is a primitive value, so that `===`, `Map` keys and Immer treat it as one:
 * IPv4 as a signed 32-bit integer, IPv6 as its canonical text (RFC 5952).
 * Nothing above the network layer looks inside.
 */
export type Ipv4Address = number & { readonly __address?: 4 }
export type Ipv6Address = string & { readonly __address?: 6 }
export type IpAddress = Ipv4Address | Ipv6Address

/** A MAC address as canonical text: `02:00:00:00:00:01`. */
export type Mac = string & { readonly __address?: 'mac' }

export interface Endpoint {
  readonly address: IpAddress
  readonly port: number
}

export const BROADCAST_MAC: Mac = 'ff:ff:ff:ff:ff:ff'
export const ANY_IPV4: Ipv4Address = 0
export const BROADCAST_IPV4: Ipv4Address = -1

export const isIpv4 = (a: IpAddress): a is Ipv4Address => typeof a === 'number'

export function formatIp(a: IpAddress): string {
  if (typeof a === 'string') return a
  return `${a >>> 24}.${(a >>> 16) & 255}.${(a >>> 8) & 255}.${a & 255}`
}

/** Four decimal octets without leading zeros, nothing else; `null` for any other text. */
export function parseIpv4Text(text: string): Ipv4Address | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return null
  let value = 0
  for (let i = 1; i <= 4; i++) {
    const octet = match[i]!
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith('0'))) return null
    value = (value << 8) | Number(octet)
  }
  return value
}

/** RFC 4291 §2.2 text, without a zone; `null` for any other text. */
export function parseIpv6Text(text: string): Ipv6Address | null {
  const groups = ipv6Groups(text)
  return groups === null ? null : ipv6FromGroups(groups)
}

export const parseIpText = (text: string): IpAddress | null =>
  text.includes(':') ? parseIpv6Text(text) : parseIpv4Text(text)

/** For addresses that the program itself writes down. Throws a `RangeError` on bad text. */
export function ip(text: string): IpAddress {
  const address = parseIpText(text)
  if (address === null) throw new RangeError(`not an IP address: ${text}`)
  return address
}

export const readIpv4 = (b: Bytes, at: number): Ipv4Address => i32(b, at)
export const putIpv4 = (b: Uint8Array, at: number, a: Ipv4Address): void => putI32(b, at, a)

/** As with `readMac`, a small table saves making the text of an address seen before. */
export function readIpv6(b: Bytes, at: number): Ipv6Address {
  const [w0, w1, w2, w3] = [i32(b, at), i32(b, at + 4), i32(b, at + 8), i32(b, at + 12)]
  const mixed = Math.imul(w0 ^ w1, 0x9e3779b1) ^ Math.imul(w2, 0x85ebca6b) ^ w3
  const slot = (mixed ^ (mixed >>> 16)) & (KNOWN_IPV6 - 1)
  const words = 4 * slot
  if (
    knownText6[slot] !== '' &&
    knownWords[words] === w0 &&
    knownWords[words + 1] === w1 &&
    knownWords[words + 2] === w2 &&
    knownWords[words + 3] === w3
  ) {
    return knownText6[slot]!
  }
  const groups: number[] = []
  for (let i = 0; i < 8; i++) groups.push(u16(b, at + 2 * i))
  const text = ipv6FromGroups(groups)
  knownWords[words] = w0
  knownWords[words + 1] = w1
  knownWords[words + 2] = w2
  knownWords[words + 3] = w3
  knownText6[slot] = text
  return text
}
export function putIpv6(b: Uint8Array, at: number, a: Ipv6Address): void {
  const groups = groupsOfIpv6(a)
  for (let i = 0; i < 8; i++) putU16(b, at + 2 * i, groups[i]!)
}

/** The eight groups of an address, remembered: not to be written. */
export function groupsOfIpv6(a: Ipv6Address): Uint16Array {
  const known = knownGroups.get(a)
  if (known !== undefined) return known
  const read = ipv6Groups(a)
  assert(read !== null, `an IPv6 address is text that reads as one: ${a}`)
  const groups = Uint16Array.from(read)
  if (knownGroups.size === KNOWN_IPV6) knownGroups.clear()
  knownGroups.set(a, groups)
  return groups
}

export const maskOf = (prefixLength: number): number =>
  prefixLength === 0 ? 0 : (-1 << (32 - prefixLength)) | 0

export const isMulticastIpv4 = (a: Ipv4Address): boolean => a >>> 28 === 0xe

/**
 * The text of a MAC address seen before is taken from a small table, so that it costs no new string
 * and compares by reference. The table only saves work: what is returned does not depend on it.
 */
export function readMac(b: Bytes, at: number): Mac {
  const high = u16(b, at)
  const low = i32(b, at + 2)
  const slot = (low ^ (low >>> 8) ^ (low >>> 16) ^ high) & (KNOWN_MACS - 1)
  if (knownLow[slot] === low && knownHigh[slot] === high) return knownText[slot]!
  let text = HEX[b[at]!]!
  for (let i = 1; i < 6; i++) text += ':' + HEX[b[at + i]!]!
  knownLow[slot] = low
  knownHigh[slot] = high
  knownText[slot] = text
  return text
}
export function putMac(b: Uint8Array, at: number, mac: Mac): void {
  const value = knownValue.get(mac) ?? learnMac(mac)
  const low = value | 0
  putU16(b, at, (value - (low >>> 0)) / 0x100000000)
  putI32(b, at + 2, low)
}
export const isMulticastMac = (mac: Mac): boolean => (octet(mac, 0) & 1) === 1

export function parseMacText(text: string): Mac | null {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? text.toLowerCase() : null
}

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** The value of a lower-case hexadecimal digit by its character code. */
const NIBBLE = new Uint8Array(128)
for (let i = 0; i < 16; i++) NIBBLE[i.toString(16).charCodeAt(0)] = i

const octet = (mac: Mac, at: number): number =>
  (NIBBLE[mac.charCodeAt(at)]! << 4) | NIBBLE[mac.charCodeAt(at + 1)]!

/** The 48 bits of an address as one integer. */
function learnMac(mac: Mac): number {
  let value = 0
  for (let i = 0; i < 6; i++) value = value * 256 + octet(mac, 3 * i)
  if (knownValue.size === KNOWN_MACS) knownValue.clear()
  knownValue.set(mac, value)
  return value
}

/** A power of two. */
const KNOWN_MACS = 1024
const knownValue = new Map<Mac, number>()
const knownHigh = new Int32Array(KNOWN_MACS).fill(-1)
const knownLow = new Int32Array(KNOWN_MACS)
const knownText: Mac[] = Array.from({ length: KNOWN_MACS }, () => '')

/** A power of two. */
const KNOWN_IPV6 = 1024
const knownGroups = new Map<Ipv6Address, Uint16Array>()
const knownWords = new Int32Array(4 * KNOWN_IPV6)
const knownText6: Ipv6Address[] = Array.from({ length: KNOWN_IPV6 }, () => '')

/** The eight 16-bit groups of an address; `null` where the text is none. */
export function ipv6Groups(text: string): number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = ipv6Half(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? ipv6Half(halves[1]!, true) : []
  if (head === null || tail === null) return null
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

/** The groups on one side of `::`; only the last may be written as an IPv4 address. */
function ipv6Half(text: string, last: boolean): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(parseInt(part, 16))
    else {
      const v4 = last && index === parts.length - 1 ? parseIpv4Text(part) : null
      if (v4 === null) return null
      groups.push((v4 >>> 16) & 0xffff, v4 & 0xffff)
    }
  }
  return groups
}

/** RFC 5952: lower case, the longest run of two or more zero groups becomes `::`, first one wins. */
export function ipv6FromGroups(groups: readonly number[]): Ipv6Address {
  let bestStart = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0) length++
    if (length > bestLength) [bestStart, bestLength] = [i, length]
    i += length
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':')
  return bestStart < 0 ? text(0, 8) : `${text(0, bestStart)}::${text(bestStart + bestLength, 8)}`
}
