import type { Bytes } from '../protocols/bytes.ts'
import { ByteOrder } from './pcap-reader-bytes.ts'
import { isPcapng, readPcapng } from './pcap-reader-ng.ts'

/*
 * Capture files: pcap (IETF draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), in both
 * byte orders. A pcap file:
 *
 *   0       4       8          16        20        24
 *   +-------+-------+-----------+---------+---------+-- - -
 *   | magic | v 2.4 | (unused)  | snaplen | link    | packets
 *   +-------+-------+-----------+---------+---------+-- - -
 *
 *   0         4         8          12         16
 *   +---------+---------+----------+----------+-- - -
 *   | seconds | fraction| captured | original | bytes, `captured` of them
 *   +---------+---------+----------+----------+-- - -
 *
 * Nothing here throws, whatever the bytes: what cannot be read is a `CaptureDamage` in its place.
 */
const MAGIC_MICROS = 0xa1b2c3d4
const MAGIC_NANOS = 0xa1b23c4d
const FILE_HEADER = 24
const PACKET_HEADER = 16

export const LINKTYPE_ETHERNET = 1

/** A frame as a capture has it. */
export interface CapturedFrame {
  readonly kind: 'frame'
  /** Counted from 1, through the whole file. */
  readonly number: number
  /** Since 1970; a capture that keeps no time has 0. */
  readonly seconds: number
  /** Of the second: 0 to 999,999,999. */
  readonly nanos: number
  /** As registered for pcap; 1 is Ethernet. */
  readonly linkType: number
  /** What was kept of it: a view of the file's bytes. */
  readonly bytes: Bytes
  /** Its length on the wire. */
  readonly length: number
  /** pcapng: the name of the interface, and what the capture says about the frame. */
  readonly interface: string | null
  readonly comments: readonly string[]
}

/** A place in the file that cannot be read. Where nothing follows, reading ends there. */
export interface CaptureDamage {
  readonly kind: 'damage'
  /** Bytes from the start of the file. */
  readonly offset: number
  readonly why: string
}

export type CaptureItem = CapturedFrame | CaptureDamage

/** Whether the bytes begin as a capture does. */
export const isCapture = (bytes: Bytes): boolean => isPcapng(bytes) || pcapOrder(bytes) !== null

/** The frames of a capture, in the order of the file. */
export function* readCapture(bytes: Bytes): Generator<CaptureItem, void> {
  if (isPcapng(bytes)) return yield* readPcapng(bytes)
  const found = pcapOrder(bytes)
  if (found === null) return yield damage(0, 'this is neither pcap nor pcapng')
  yield* readPcap(bytes, found.order, found.nanosPerUnit)
}

export const damage = (offset: number, why: string): CaptureDamage => ({
  kind: 'damage',
  offset,
  why,
})

function pcapOrder(bytes: Bytes): { order: ByteOrder; nanosPerUnit: number } | null {
  if (bytes.length < 4) return null
  for (const order of [new ByteOrder(bytes, true), new ByteOrder(bytes, false)]) {
    const magic = order.u32(0)
    if (magic === MAGIC_MICROS) return { order, nanosPerUnit: 1000 }
    if (magic === MAGIC_NANOS) return { order, nanosPerUnit: 1 }
  }
  return null
}

function* readPcap(bytes: Bytes, order: ByteOrder, nanosPerUnit: number): Generator<CaptureItem> {
  if (bytes.length < FILE_HEADER) return yield damage(0, 'the file header is cut short')
  // The upper bits say whether frames end in a checksum.
  const linkType = order.u32(20) & 0xffff
  let number = 0
  for (let at = FILE_HEADER; at < bytes.length;) {
    if (at + PACKET_HEADER > bytes.length) {
      return yield damage(at, `the file ends within the header of frame ${number + 1}`)
    }
    const captured = order.u32(at + 8)
    const from = at + PACKET_HEADER
    const end = from + captured
    if (end > bytes.length) {
      const there = bytes.length - from
      return yield damage(at, `frame ${number + 1} has ${there} of its ${captured} bytes`)
    }
    const fraction = order.u32(at + 4) * nanosPerUnit
    number += 1
    yield {
      kind: 'frame',
      number,
      seconds: order.u32(at) + Math.floor(fraction / 1e9),
      nanos: fraction % 1e9,
      linkType,
      bytes: bytes.subarray(from, end),
      length: Math.max(order.u32(at + 12), captured),
      interface: null,
      comments: [],
    }
    at = end
  }
}
