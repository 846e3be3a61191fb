import { type Bytes, putBytes, putI32, putU16, u16 } from '../bytes.ts'
import { hmacSha256 } from '../hmac.ts'

/*
 * Packets that only those who share a key can make: behind each stand a counter and the first half
 * of an HMAC-SHA-256 (RFC 2104 §5) over packet and counter. A counter is taken once: copies, and
 * what an eavesdropper sends again, are refused (the window of RFC 4303 §3.4.3).
 *
 *   | packet … | counter, 6 bytes | tag, 16 bytes |
 */

const COUNTER = 6
const TAG = 16
export const SEAL_BYTES = COUNTER + TAG
/** So far behind the newest a packet may be; a multiple of 32. */
export const REPLAY_WINDOW = 1024
const WORDS = REPLAY_WINDOW / 32

/** One direction of each kind: what we seal, and what the other side has sealed. */
export interface Seal {
  readonly sendKey: Bytes
  readonly receiveKey: Bytes
  /** The counter of the next packet. */
  sent: number
  /** The highest counter that was taken; -1: none. */
  highest: number
  /** A bit for each counter of the window, at counter modulo its size. */
  seen: number[]
}

/**
 * Keys for one session from the shared one. `context`: what makes the session different from every
 * other (its number, the receiver's nonce). The two directions have keys of their own, so that
 * nothing can be sent back to whoever made it. `firstCounter`: higher than any that was used before
 * with this context, where there was a before.
 */
export function createSeal(
  shared: Bytes,
  context: Bytes,
  isInitiator: boolean,
  firstCounter = 0,
): Seal {
  const forward = hmacSha256(shared, Uint8Array.of(1), context)
  const backward = hmacSha256(shared, Uint8Array.of(2), context)
  return {
    sendKey: isInitiator ? forward : backward,
    receiveKey: isInitiator ? backward : forward,
    sent: firstCounter,
    highest: -1,
    seen: Array.from({ length: WORDS }, () => 0),
  }
}

export function sealPacket(seal: Seal, packet: Bytes): Bytes {
  const b = new Uint8Array(packet.length + SEAL_BYTES)
  putBytes(b, 0, packet)
  putU16(b, packet.length, Math.floor(seal.sent / 2 ** 32))
  putI32(b, packet.length + 2, seal.sent)
  seal.sent += 1
  const covered = b.subarray(0, packet.length + COUNTER)
  putBytes(b, covered.length, hmacSha256(seal.sendKey, covered).subarray(0, TAG))
  return b
}

/** The packet, or `null`: forged, damaged, or taken before. */
export function openSealed(seal: Seal, b: Bytes): Bytes | null {
  const end = b.length - SEAL_BYTES
  if (end < 0) return null
  const tag = hmacSha256(seal.receiveKey, b.subarray(0, end + COUNTER))
  // Every byte is looked at, so that time tells nothing about where they differ.
  let difference = 0
  for (let i = 0; i < TAG; i++) difference |= tag[i]! ^ b[end + COUNTER + i]!
  if (difference !== 0) return null
  const counter = (u16(b, end) * 0x10000 + u16(b, end + 2)) * 0x10000 + u16(b, end + 4)
  return takeCounter(seal, counter) ? b.subarray(0, end) : null
}

/** `false`: it was taken before, or lies too far back to know. */
function takeCounter(seal: Seal, counter: number): boolean {
  if (counter <= seal.highest - REPLAY_WINDOW) return false
  const steps = Math.min(counter - seal.highest, REPLAY_WINDOW)
  for (let i = 0; i < steps; i++) clearBit(seal.seen, counter - i)
  seal.highest = Math.max(seal.highest, counter)
  const at = counter % REPLAY_WINDOW
  const bit = 1 << (at & 31)
  if ((seal.seen[at >> 5]! & bit) !== 0) return false
  seal.seen[at >> 5]! |= bit
  return true
}

function clearBit(seen: number[], counter: number): void {
  const at = counter % REPLAY_WINDOW
  seen[at >> 5]! &= ~(1 << (at & 31))
}
