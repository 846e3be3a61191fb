import type { Bytes } from '../protocols/bytes.ts'
import { ByteOrder, readText } from './pcap-reader-bytes.ts'
import type { CaptureDamage, CapturedFrame, CaptureItem } from './pcap-reader.ts'

/*
 * pcapng (IETF draft-ietf-opsawg-pcapng). Every block:
 *
 *   0            4            8                              length - 4
 *   +------------+------------+------------------------------+------------+
 *   | type       | length     | body, padded to 4 bytes      | length     |
 *   +------------+------------+------------------------------+------------+
 *
 * A section header starts anew: byte order and interfaces are those of its section. Read: section
 * header, interface description, enhanced and simple packet. Passed over: all other kinds, among
 * them the obsolete packet block.
 */
const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d

const OPT_END = 0
const OPT_COMMENT = 1
const IF_NAME = 2
const IF_TSRESOL = 9
const IF_TSOFFSET = 14

const MICROSECONDS = 1_000_000n

interface Interface {
  readonly name: string | null
  readonly linkType: number
  readonly snapLength: number
  readonly unitsPerSecond: bigint
  /** Seconds added to every stamp. */
  readonly offset: bigint
}

/** The section header's type reads the same in both byte orders. */
export const isPcapng = (bytes: Bytes): boolean =>
  bytes.length >= 12 &&
  new ByteOrder(bytes, true).u32(0) === SECTION_HEADER &&
  sectionOrder(bytes, 0) !== null

function sectionOrder(bytes: Bytes, at: number): ByteOrder | null {
  for (const little of [true, false]) {
    const order = new ByteOrder(bytes, little)
    if (order.u32(at + 8) === BYTE_ORDER_MAGIC) return order
  }
  return null
}

export function* readPcapng(bytes: Bytes): Generator<CaptureItem, void> {
  const reader = new BlockReader(bytes)
  while (!reader.ended) {
    const item = reader.next()
    if (item !== null) yield item
  }
}

class BlockReader {
  readonly #bytes: Bytes
  #order: ByteOrder
  #at = 0
  #number = 0
  #interfaces: Interface[] = []
  ended = false

  constructor(bytes: Bytes) {
    this.#bytes = bytes
    this.#order = new ByteOrder(bytes, true)
  }

  /** Reads one block; `null` for one without a frame. */
  next(): CaptureItem | null {
    const at = this.#at
    const left = this.#bytes.length - at
    if (left === 0) this.ended = true
    if (left === 0) return null
    if (left < 12) return this.#end(`the file ends within a block's header`)
    if (this.#order.u32(at) === SECTION_HEADER) {
      const order = sectionOrder(this.#bytes, at)
      if (order === null) return this.#end('a section header without its byte-order magic')
      this.#order = order
      this.#interfaces = []
    }
    const type = this.#order.u32(at)
    const length = this.#order.u32(at + 4)
    if (length < 12 || length % 4 !== 0) return this.#end(`a block cannot have ${length} bytes`)
    if (length > left) return this.#end(`a block has ${left} of its ${length} bytes`)
    if (this.#order.u32(at + length - 4) !== length) {
      return this.#end('the two lengths of a block differ')
    }
    this.#at = at + length
    return this.#block(type, at + 8, at + length - 4)
  }

  #end(why: string): CaptureDamage {
    this.ended = true
    return this.#damage(this.#at, why)
  }

  #damage(offset: number, why: string): CaptureDamage {
    return { kind: 'damage', offset, why }
  }

  #block(type: number, from: number, end: number): CaptureItem | null {
    switch (type) {
      case INTERFACE_DESCRIPTION:
        return this.#describe(from, end)
      case ENHANCED_PACKET:
        return this.#enhanced(from, end)
      case SIMPLE_PACKET:
        return this.#simple(from, end)
      default:
        return null
    }
  }

  #describe(from: number, end: number): CaptureDamage | null {
    if (end - from < 8) return this.#damage(from, 'an interface description is too short')
    let name: string | null = null
    let unitsPerSecond = MICROSECONDS
    let offset = 0n
    for (const { code, at, length } of this.#options(from + 8, end)) {
      const value = this.#bytes.subarray(at, at + length)
      if (code === IF_NAME) name = readText(value)
      else if (code === IF_TSRESOL && length >= 1) unitsPerSecond = resolution(value[0]!)
      else if (code === IF_TSOFFSET && length >= 8) {
        offset = BigInt.asIntN(64, this.#order.u64(at))
      }
    }
    this.#interfaces.push({
      name,
      linkType: this.#order.u16(from),
      snapLength: this.#order.u32(from + 4),
      unitsPerSecond,
      offset,
    })
    return null
  }

  #enhanced(from: number, end: number): CaptureItem {
    this.#number += 1
    const what = `frame ${this.#number}`
    if (end - from < 20) return this.#damage(from, `${what}: its block is too short`)
    const order = this.#order
    const index = order.u32(from)
    const port = this.#interfaces[index]
    if (port === undefined) {
      return this.#damage(from, `${what} is of interface ${index}, which nobody described`)
    }
    const captured = order.u32(from + 12)
    const at = from + 20
    if (captured > end - at) {
      return this.#damage(from, `${what} has ${end - at} of its ${captured} bytes`)
    }
    const comments: string[] = []
    const behind = at + captured + (-captured & 3)
    for (const { code, at: place, length } of this.#options(Math.min(behind, end), end)) {
      if (code === OPT_COMMENT) {
        comments.push(readText(this.#bytes.subarray(place, place + length)))
      }
    }
    const units = (BigInt(order.u32(from + 4)) << 32n) | BigInt(order.u32(from + 8))
    const per = port.unitsPerSecond
    return this.#frame(port, at, captured, order.u32(from + 16), {
      // A stamp before 1970 or after the year 142,000 does not fit, and is damage of its own.
      seconds: Number(units / per + port.offset),
      nanos: Number(((units % per) * 1_000_000_000n) / per),
      comments,
    })
  }

  /** Without a stamp; belongs to the first interface. */
  #simple(from: number, end: number): CaptureItem {
    this.#number += 1
    const what = `frame ${this.#number}`
    if (end - from < 4) return this.#damage(from, `${what}: its block is too short`)
    const port = this.#interfaces[0]
    if (port === undefined) return this.#damage(from, `${what} has no interface`)
    const length = this.#order.u32(from)
    const limit = port.snapLength === 0 ? length : Math.min(length, port.snapLength)
    if (limit > end - from - 4) {
      return this.#damage(from, `${what} has ${end - from - 4} of its ${limit} bytes`)
    }
    return this.#frame(port, from + 4, limit, length, { seconds: 0, nanos: 0, comments: [] })
  }

  #frame(
    port: Interface,
    at: number,
    captured: number,
    length: number,
    about: Pick<CapturedFrame, 'seconds' | 'nanos' | 'comments'>,
  ): CapturedFrame {
    return {
      kind: 'frame',
      number: this.#number,
      ...about,
      linkType: port.linkType,
      bytes: this.#bytes.subarray(at, at + captured),
      length: Math.max(length, captured),
      interface: port.name,
    }
  }

  /** Up to the end mark, or the first that does not fit. */
  *#options(from: number, end: number): Generator<{ code: number; at: number; length: number }> {
    for (let at = from; at + 4 <= end;) {
      const code = this.#order.u16(at)
      const length = this.#order.u16(at + 2)
      if (code === OPT_END || at + 4 + length > end) return
      yield { code, at: at + 4, length }
      at += 4 + length + (-length & 3)
    }
  }
}

/** if_tsresol: a negative power of ten, or of two where the first bit is set. */
const resolution = (value: number): bigint =>
  (value & 0x80) === 0 ? 10n ** BigInt(value) : 1n << BigInt(value & 0x7f)
