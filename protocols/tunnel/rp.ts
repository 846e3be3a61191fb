import type { Ipv4Address } from '../address.ts'
import { type Bytes, concatBytes, putI32, u16 } from '../bytes.ts'
import { emitIpv4, parseIpv4 } from '../ipv4/codec.ts'
import { DEFAULT_TTL, Ipv4Packet, MAY_FRAGMENT } from '../ipv4/packet.ts'
import { Opaque } from '../payload.ts'
import { ascii } from '../services/ascii.ts'

/*
 * The packets of the reliable IP tunnel: IP protocol 253 (RFC 3692), and behind the IPv4 header one
 * of three headers of 32-bit words. There is no checksum, no length and no session.
 *
 *   12 bytes:  sequence | acknowledges (1 in what A acknowledges) | no more (1 in the last chunk)
 *    8 bytes:  sequence | no more
 *    none:     the IPv4 Identification is the number, and an acknowledgement is the text ACK
 */
export const PROTOCOL_RELIABLE = 253

export type RpVersion = '12' | '8' | 'id-only'

export interface RpHeader {
  /** Unsigned, 32 bits; with `id-only` 16. */
  readonly sequence: number
  readonly acknowledges: number
  readonly noMore: boolean
}

/** The Identification of every acknowledgement but those of `id-only`. */
const ACK_IDENTIFICATION = 1
const ACK_TEXT = ascii('ACK')

export const rpBytes = (version: RpVersion): number =>
  version === '12' ? 12 : version === '8' ? 8 : 0

export function encodeRp(version: RpVersion, header: RpHeader): Bytes {
  const b = new Uint8Array(rpBytes(version))
  if (version === 'id-only') return b
  putI32(b, 0, header.sequence)
  if (version === '12') putI32(b, 4, header.acknowledges)
  putI32(b, b.length - 4, header.noMore ? 1 : 0)
  return b
}

const u32 = (b: Bytes, at: number): number => u16(b, at) * 0x10000 + u16(b, at + 2)

/** What an IP packet of the tunnel carries. */
export interface RpPacket {
  readonly source: Ipv4Address
  readonly destination: Ipv4Address
  readonly header: RpHeader
  /** The inner packet, a chunk of the file, or nothing. */
  readonly body: Bytes
}

/** `null`: no whole IPv4 packet of this protocol, or too short for its header. */
export function parseRp(version: RpVersion, bytes: Bytes): RpPacket | null {
  const parsed = parseIpv4(bytes)
  if (!parsed.ok || parsed.value.protocol !== PROTOCOL_RELIABLE) return null
  const { source, destination, identification, payload } = parsed.value
  if (payload.kind !== 'opaque') return null
  const b = payload.bytes
  const size = rpBytes(version)
  if (b.length < size) return null
  const header: RpHeader =
    version === 'id-only'
      ? { sequence: identification, acknowledges: 0, noMore: false }
      : {
          sequence: u32(b, 0),
          acknowledges: version === '12' ? u32(b, 4) : 0,
          noMore: u32(b, size - 4) === 1,
        }
  return { source, destination, header, body: b.subarray(size) }
}

/** Whether this is an acknowledgement: nothing is carried, or the text that says so. */
export const isAck = (version: RpVersion, { body }: RpPacket): boolean =>
  version === 'id-only'
    ? body.length === ACK_TEXT.length && ACK_TEXT.every((byte, i) => byte === body[i])
    : body.length === 0

const packet = (
  source: Ipv4Address,
  destination: Ipv4Address,
  identification: number,
  body: Bytes,
): Bytes =>
  emitIpv4(
    new Ipv4Packet(
      source,
      destination,
      PROTOCOL_RELIABLE,
      DEFAULT_TTL,
      identification & 0xffff,
      MAY_FRAGMENT,
      new Opaque(body),
    ),
  )

export interface TunnelEnds {
  /** A, which has the file. */
  readonly near: Ipv4Address
  /** B, at the other end. */
  readonly far: Ipv4Address
  /** What the inner packets say that they come from. */
  readonly inner: Ipv4Address
}

/** A chunk from A to B: a packet from `inner` to A, inside one from A to B. */
export function encodeChunk(
  version: RpVersion,
  { near, far, inner }: TunnelEnds,
  header: RpHeader,
  chunk: Bytes,
): Bytes {
  const rp = encodeRp(version, header)
  const inside = packet(inner, near, header.sequence, concatBytes([rp, chunk]))
  return packet(near, far, header.sequence, concatBytes([rp, inside]))
}

/** `acknowledges`: 1 from A, 0 from B. */
export function encodeRpAck(
  version: RpVersion,
  source: Ipv4Address,
  destination: Ipv4Address,
  sequence: number,
  acknowledges: number,
): Bytes {
  if (version === 'id-only') return packet(source, destination, sequence, ACK_TEXT)
  const header = { sequence, acknowledges, noMore: false }
  return packet(source, destination, ACK_IDENTIFICATION, encodeRp(version, header))
}
