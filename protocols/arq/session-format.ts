import { type Bytes, putBytes, putI32, putU16, u16, viewOf } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'
import type { ArqAck } from './packet.ts'

/*
 * A transfer as a session: what the course projects leave out. The header is theirs with a session
 * number behind it, and the checksum covers everything.
 *
 *   0               4       6       8               12
 *   | sequence      | check | type  | session       | …
 *
 * The sender says hello, with the file's name, size and SHA-256; the receiver says welcome, and how
 * many units it has from an earlier attempt. Data and acknowledgements follow. The sender ends with
 * fin, the receiver checks the hash and says whether all is well; either may abort, and say why.
 */

export const SESSION_HEADER = 12
const SEQUENCE = 0
const CHECK = 4
const TYPE = 6
const SESSION = 8

/** None of them is one of the course project's own. */
const TYPES = {
  data: 0x5556,
  ack: 0xaaab,
  hello: 0x4801,
  welcome: 0x4802,
  fin: 0x4603,
  finished: 0x4604,
  abort: 0x4105,
} as const

/** What a sender offers. */
export interface Offer {
  readonly name: string
  /** Of the file, bytes. */
  readonly size: number
  /** SHA-256 of what is carried, 32 bytes. */
  readonly hash: Bytes
  /** Bytes of every unit but the last. */
  readonly unitBytes: number
  /** Units that may be under way. */
  readonly window: number
  /** Bytes that will be carried: the file's, or those of its compressed form. */
  readonly carried: number
  readonly compressed: boolean
}

export type SessionPacket =
  | { readonly kind: 'data'; readonly unit: number; readonly data: Bytes }
  | { readonly kind: 'ack'; readonly ack: ArqAck }
  | { readonly kind: 'hello'; readonly offer: Offer }
  /** `nonce`: eight bytes of the receiver's choice, for keys. */
  | { readonly kind: 'welcome'; readonly below: number; readonly nonce: Bytes }
  | { readonly kind: 'fin' }
  | { readonly kind: 'finished'; readonly verdict: Verdict }
  | { readonly kind: 'abort'; readonly why: AbortReason }

export type Verdict = 'ok' | 'wrong-hash'
const VERDICTS: readonly Verdict[] = ['ok', 'wrong-hash']

export type AbortReason =
  | 'cancelled'
  /** Somebody else's transfer is under way. */
  | 'busy'
  /** The receiver knows no such session: it was started anew. */
  | 'unknown-session'
  | 'cannot-write'
  | 'refused'
const REASONS: readonly AbortReason[] = [
  'cancelled',
  'busy',
  'unknown-session',
  'cannot-write',
  'refused',
]

const VERSION = 1
/** Behind the session header: version, flags, unit, window, size, carried, hash, name. */
const HELLO_NAME = SESSION_HEADER + 52
export const NAME_MAX = 255
export const NONCE_BYTES = 8

export function encodeSession(session: number, packet: SessionPacket): Bytes {
  const b = new Uint8Array(SESSION_HEADER + bodyBytes(packet))
  putU16(b, TYPE, TYPES[packet.kind])
  putI32(b, SESSION, session)
  switch (packet.kind) {
    case 'data':
      putI32(b, SEQUENCE, packet.unit)
      putBytes(b, SESSION_HEADER, packet.data)
      break
    case 'ack':
      putI32(b, SEQUENCE, packet.ack.below)
      for (const unit of packet.ack.units) {
        const bit = unit - packet.ack.below - 1
        b[SESSION_HEADER + (bit >> 3)]! |= 0x80 >> (bit & 7)
      }
      break
    case 'hello':
      putOffer(b, packet.offer)
      break
    case 'welcome':
      putI32(b, SEQUENCE, packet.below)
      putBytes(b, SESSION_HEADER, packet.nonce)
      break
    case 'fin':
      break
    case 'finished':
      putI32(b, SEQUENCE, VERDICTS.indexOf(packet.verdict))
      break
    case 'abort':
      putI32(b, SEQUENCE, REASONS.indexOf(packet.why))
  }
  putU16(b, CHECK, checksum(sumRange(b, 0, b.length, 0)))
  return b
}

function bodyBytes(packet: SessionPacket): number {
  switch (packet.kind) {
    case 'data':
      return packet.data.length
    case 'ack': {
      const highest = packet.ack.units.at(-1)
      return highest === undefined ? 0 : ((highest - packet.ack.below - 1) >> 3) + 1
    }
    case 'hello':
      return HELLO_NAME - SESSION_HEADER + nameBytes(packet.offer.name).length
    case 'welcome':
      return NONCE_BYTES
    default:
      return 0
  }
}

function putOffer(b: Uint8Array, offer: Offer): void {
  putI32(b, SEQUENCE, VERSION)
  let at = SESSION_HEADER
  putU16(b, at, offer.compressed ? 1 : 0)
  putU16(b, at + 2, offer.unitBytes)
  putI32(b, at + 4, offer.window)
  putSize(b, at + 8, offer.size)
  putSize(b, at + 14, offer.carried)
  at += 20
  putBytes(b, at, offer.hash.subarray(0, 32))
  putBytes(b, HELLO_NAME, nameBytes(offer.name))
}

/** 48 bits. */
function putSize(b: Uint8Array, at: number, size: number): void {
  putU16(b, at, Math.floor(size / 2 ** 32))
  putI32(b, at + 2, size)
}

/** Of a packet that need not be whole; 0 where it is too short to say. */
export const sessionOf = (b: Bytes): number => (b.length < SESSION_HEADER ? 0 : u32(b, SESSION))

const u32 = (b: Bytes, at: number): number => u16(b, at) * 0x10000 + u16(b, at + 2)
const readSize = (b: Bytes, at: number): number => u16(b, at) * 2 ** 32 + u32(b, at + 2)

/**
 * A packet and its session. `near`: the unit that sequence numbers are near to. `null`: damaged, or
 * none of ours.
 */
export function decodeSession(
  b: Bytes,
  near: number,
): { readonly session: number; readonly packet: SessionPacket } | null {
  if (b.length < SESSION_HEADER || fold(sumRange(b, 0, b.length, 0)) !== 0xffff) return null
  const packet = readPacket(b, u32(b, SEQUENCE), near)
  return packet === null ? null : { session: u32(b, SESSION), packet }
}

function readPacket(b: Bytes, sequence: number, near: number): SessionPacket | null {
  // Units are told apart by 32 bits: the nearest is meant.
  const unit = near + ((sequence - near) | 0)
  switch (u16(b, TYPE)) {
    case TYPES.data:
      return { kind: 'data', unit, data: viewOf(b, SESSION_HEADER, b.length) }
    case TYPES.ack:
      return unit < 0
        ? null
        : { kind: 'ack', ack: { kind: 'ack', below: unit, units: readMap(b, unit) } }
    case TYPES.hello:
      return readHello(b, sequence)
    case TYPES.welcome: {
      if (b.length !== SESSION_HEADER + NONCE_BYTES) return null
      return { kind: 'welcome', below: sequence, nonce: b.subarray(SESSION_HEADER) }
    }
    case TYPES.fin:
      return { kind: 'fin' }
    case TYPES.finished: {
      const verdict = VERDICTS[sequence]
      return verdict === undefined ? null : { kind: 'finished', verdict }
    }
    case TYPES.abort: {
      const why = REASONS[sequence]
      return why === undefined ? null : { kind: 'abort', why }
    }
    default:
      return null
  }
}

function readMap(b: Bytes, below: number): number[] {
  const units: number[] = []
  for (let bit = 0; bit < 8 * (b.length - SESSION_HEADER); bit++) {
    if ((b[SESSION_HEADER + (bit >> 3)]! & (0x80 >> (bit & 7))) !== 0) units.push(below + 1 + bit)
  }
  return units
}

function readHello(b: Bytes, version: number): SessionPacket | null {
  if (version !== VERSION || b.length < HELLO_NAME || b.length > HELLO_NAME + NAME_MAX) return null
  const at = SESSION_HEADER
  const offer: Offer = {
    compressed: (u16(b, at) & 1) === 1,
    unitBytes: u16(b, at + 2),
    window: u32(b, at + 4),
    size: readSize(b, at + 8),
    carried: readSize(b, at + 14),
    hash: b.subarray(at + 20, at + 52),
    name: nameOf(b.subarray(HELLO_NAME)),
  }
  const plain = offer.compressed || offer.carried === offer.size
  if (offer.unitBytes === 0 || offer.window === 0 || offer.window > 0x10000 || !plain) return null
  return { kind: 'hello', offer }
}

/** Names are shown, and never opened: printable ASCII will do. */
function nameBytes(name: string): Uint8Array {
  const bytes: number[] = []
  for (const character of name) {
    const code = character.codePointAt(0)!
    bytes.push(code >= 0x20 && code < 0x7f ? code : 0x3f)
  }
  return Uint8Array.from(bytes.slice(0, NAME_MAX))
}

/** Nothing that a terminal would obey gets through. */
function nameOf(bytes: Bytes): string {
  let name = ''
  for (const byte of bytes) name += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?'
  return name
}
