import { type Bytes, i32, u16 } from '../bytes.ts'
import { IPV4_HEADER, PROTOCOL_TCP, PROTOCOL_UDP } from '../ipv4/packet.ts'
import { IPV6_HEADER } from '../ipv6/packet.ts'

/*
 * Which packets belong together: those of one connection, as far as the first headers tell. Packets
 * of one flow stay in order, those of two need not wait for each other (RFC 3366 §3).
 */

/** Two flows in one place wait for each other now and then, and that is all. */
export const FLOWS = 256

/** The place of a packet's flow, below `FLOWS`. `at`: where its IP header begins. */
export function flowOf(b: Bytes, at = 0): number {
  if (b.length <= at) return 0
  const version = b[at]! >> 4
  if (version === 4 && b.length >= at + IPV4_HEADER) return ipv4Flow(b, at)
  if (version === 6 && b.length >= at + IPV6_HEADER) return ipv6Flow(b, at)
  return 0
}

const FRAGMENT = 0x3fff

function ipv4Flow(b: Bytes, at: number): number {
  const protocol = b[at + 9]!
  let hash = mix(mix(mix(0, i32(b, at + 12)), i32(b, at + 16)), protocol)
  // Ports are in the first fragment alone.
  if ((u16(b, at + 6) & FRAGMENT) !== 0) hash = mix(hash, u16(b, at + 4))
  else hash = mix(hash, portsOf(b, at + (b[at]! & 15) * 4, protocol))
  return placeOf(hash)
}

function ipv6Flow(b: Bytes, at: number): number {
  const protocol = b[at + 6]!
  let hash = mix(0, protocol)
  for (let word = at + 8; word < at + IPV6_HEADER; word += 4) hash = mix(hash, i32(b, word))
  return placeOf(mix(hash, portsOf(b, at + IPV6_HEADER, protocol)))
}

const portsOf = (b: Bytes, at: number, protocol: number): number =>
  (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) && b.length >= at + 4 ? i32(b, at) : 0

const mix = (hash: number, word: number): number => {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

const placeOf = (hash: number): number => (Math.imul(hash, 0x85ebca6b) >>> 24) % FLOWS
