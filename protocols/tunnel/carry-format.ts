import type { ArqAck } from '../arq/packet.ts'
import { type Bytes, i32, putBytes, putI32, putU16, u16, viewOf } from '../bytes.ts'
import { checksum, fold, sumRange } from '../checksum.ts'

/*
 * What two ends of a tunnel say to each other, inside IP packets of protocol 253. The header is that
 * of the sessions that carry files, and the checksum covers everything and
 * the length.
 *
 *   0               4       6       8               12
 *   | sequence      | check | type  | session       | …
 *
 * `session` is the sender's own number in hello and welcome, and both ends' together (see `pairOf`) in
 * all that follows. Behind the header of data:
 *
 *   12      14       16      18
 *   | floor | behind | flags | the packet that is carried …
 */

export const CARRY_HEADER = 12
const SEQUENCE = 0
const CHECK = 4
const TYPE = 6
const SESSION = 8

/** Of data, behind the header. */
export const DATA_HEADER = 6

const TYPES = {
  hello: 0x4821,
  welcome: 0x4822,
  data: 0x5121,
  ack: 0xaa21,
  probe: 0x5021,
  probed: 0x5022,
  bye: 0x4221,
} as const

/** Who an end is: different each time that it begins. */
export interface Incarnation {
  /** Any 32 bits but 0. */
  readonly id: number
  /** Higher than that of any before it, where a key is to keep old hellos out. 48 bits. */
  readonly epoch: number
  /** Eight bytes, for keys. */
  readonly nonce: Bytes
}

export interface CarryData {
  readonly kind: 'data'
  readonly unit: number
  /** All units so far back, and further, have come or were given up. */
  readonly floor: number
  /** So far back is the unit that has to be handed over before; 0: none. */
  readonly behind: number
  readonly compressed: boolean
  readonly bytes: Bytes
}

export type CarryPacket =
  /** Zeros behind it bring it to `size` bytes: what comes through shows what the path takes. */
  | { readonly kind: 'hello'; readonly from: Incarnation; readonly size: number }
  /** Answers a hello of `echo`, which was `heard` bytes long. */
  | {
      readonly kind: 'welcome'
      readonly from: Incarnation
      readonly echo: number
      readonly heard: number
    }
  | CarryData
  | { readonly kind: 'ack'; readonly ack: ArqAck }
  /** Is somebody there? And: all units below `below` have come or were given up. */
  | { readonly kind: 'probe'; readonly below: number }
  | { readonly kind: 'probed' }
  | { readonly kind: 'bye' }

const VERSION = 1
export const NONCE = 8
const ID_AT = CARRY_HEADER
const EPOCH_AT = ID_AT + 4
const NONCE_AT = EPOCH_AT + 6
const ECHO_AT = NONCE_AT + NONCE
const HEARD_AT = ECHO_AT + 4
export const HELLO_BYTES = ECHO_AT
const WELCOME_BYTES = HEARD_AT + 2

/** The number of a session between two ends: the same at both. */
export const pairOf = (a: number, b: number): number => (a ^ b) >>> 0

export function encodeCarry(session: number, packet: CarryPacket): Bytes {
  const b = new Uint8Array(CARRY_HEADER + bodyBytes(packet))
  putU16(b, TYPE, TYPES[packet.kind])
  putI32(b, SESSION, session)
  switch (packet.kind) {
    case 'hello':
      putIncarnation(b, packet.from)
      break
    case 'welcome':
      putIncarnation(b, packet.from)
      putI32(b, ECHO_AT, packet.echo)
      putU16(b, HEARD_AT, packet.heard)
      break
    case 'data':
      putI32(b, SEQUENCE, packet.unit)
      putU16(b, CARRY_HEADER, packet.floor)
      putU16(b, CARRY_HEADER + 2, packet.behind)
      putU16(b, CARRY_HEADER + 4, packet.compressed ? 1 : 0)
      putBytes(b, CARRY_HEADER + DATA_HEADER, packet.bytes)
      break
    case 'ack':
      putI32(b, SEQUENCE, packet.ack.below)
      for (const unit of packet.ack.units) {
        const bit = unit - packet.ack.below - 1
        b[CARRY_HEADER + (bit >> 3)]! |= 0x80 >> (bit & 7)
      }
      break
    case 'probe':
      putI32(b, SEQUENCE, packet.below)
      break
    case 'probed':
    case 'bye':
  }
  putU16(b, CHECK, checksum(sumRange(b, 0, b.length, b.length)))
  return b
}

function bodyBytes(packet: CarryPacket): number {
  switch (packet.kind) {
    case 'hello':
      return Math.max(packet.size, HELLO_BYTES) - CARRY_HEADER
    case 'welcome':
      return WELCOME_BYTES - CARRY_HEADER
    case 'data':
      return DATA_HEADER + packet.bytes.length
    case 'ack': {
      const highest = packet.ack.units.at(-1)
      return highest === undefined ? 0 : ((highest - packet.ack.below - 1) >> 3) + 1
    }
    case 'probe':
    case 'probed':
    case 'bye':
      return 0
  }
}

function putIncarnation(b: Uint8Array, { id, epoch, nonce }: Incarnation): void {
  putI32(b, SEQUENCE, VERSION)
  putI32(b, ID_AT, id)
  putU16(b, EPOCH_AT, Math.floor(epoch / 2 ** 32))
  putI32(b, EPOCH_AT + 2, epoch)
  putBytes(b, NONCE_AT, nonce.subarray(0, NONCE))
}

/** Of a packet that need not be whole; 0 where it is too short to say. */
export const sessionOf = (b: Bytes): number => (b.length < CARRY_HEADER ? 0 : u32(b, SESSION))

/** Of a packet that need not be whole: hello and welcome have keys of their own. */
export const isGreeting = (b: Bytes): boolean =>
  b.length >= CARRY_HEADER && (u16(b, TYPE) === TYPES.hello || u16(b, TYPE) === TYPES.welcome)

const u32 = (b: Bytes, at: number): number => i32(b, at) >>> 0

/**
 * `near`: the units that sequence numbers are near to, of data from the other end and of our own.
 * `null`: damaged, or none of these.
 */
export function decodeCarry(
  b: Bytes,
  near: { readonly theirs: number; readonly ours: number },
): CarryPacket | null {
  if (b.length < CARRY_HEADER || fold(sumRange(b, 0, b.length, b.length)) !== 0xffff) return null
  const sequence = u32(b, SEQUENCE)
  // Units are told apart by 32 bits: the nearest is meant.
  const nearest = (to: number): number => to + ((sequence - to) | 0)
  switch (u16(b, TYPE)) {
    case TYPES.hello: {
      const from = readIncarnation(b, HELLO_BYTES)
      return from === null ? null : { kind: 'hello', from, size: b.length }
    }
    case TYPES.welcome: {
      const from = readIncarnation(b, WELCOME_BYTES)
      if (from === null) return null
      return { kind: 'welcome', from, echo: u32(b, ECHO_AT), heard: u16(b, HEARD_AT) }
    }
    case TYPES.data:
      return readData(b, nearest(near.theirs))
    case TYPES.ack: {
      const below = nearest(near.ours)
      return below < 0
        ? null
        : { kind: 'ack', ack: { kind: 'ack', below, units: readMap(b, below) } }
    }
    case TYPES.probe:
      return { kind: 'probe', below: nearest(near.theirs) }
    case TYPES.probed:
      return { kind: 'probed' }
    case TYPES.bye:
      return { kind: 'bye' }
    default:
      return null
  }
}

function readIncarnation(b: Bytes, length: number): Incarnation | null {
  if (b.length < length || u32(b, SEQUENCE) !== VERSION) return null
  const id = u32(b, ID_AT)
  // The keys were made from the one in the header.
  if (id === 0 || id !== u32(b, SESSION)) return null
  const epoch = u16(b, EPOCH_AT) * 2 ** 32 + u32(b, EPOCH_AT + 2)
  return { id, epoch, nonce: b.subarray(NONCE_AT, NONCE_AT + NONCE) }
}

function readData(b: Bytes, unit: number): CarryPacket | null {
  const at = CARRY_HEADER + DATA_HEADER
  if (b.length <= at) return null
  const [floor, behind] = [u16(b, CARRY_HEADER), u16(b, CARRY_HEADER + 2)]
  const compressed = (u16(b, CARRY_HEADER + 4) & 1) === 1
  return { kind: 'data', unit, floor, behind, compressed, bytes: viewOf(b, at, b.length) }
}

function readMap(b: Bytes, below: number): number[] {
  const units: number[] = []
  for (let bit = 0; bit < 8 * (b.length - CARRY_HEADER); bit++) {
    if ((b[CARRY_HEADER + (bit >> 3)]! & (0x80 >> (bit & 7))) !== 0) units.push(below + 1 + bit)
  }
  return units
}
