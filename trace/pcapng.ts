import { writeEthernetFrame } from '../protocols/ethernet/codec.ts'
import type { EthernetFrame } from '../protocols/ethernet/frame.ts'
import { isIp } from '../protocols/ipv6/packet.ts'
import type { Malformed } from '../protocols/payload.ts'
import type { Nanos } from '../protocols/time.ts'
import { CaptureBuffer } from './capture-buffer.ts'
import { spanText } from './duration-text.ts'
import type {
  FrameDeparted,
  FrameDiscarded,
  FrameMarked,
  FrameReceived,
  FrameSent,
  TraceObserver,
  TraceRecord,
} from './record.ts'

/*
 * The PCAP Next Generation capture file format (IETF draft-ietf-opsawg-pcapng). Every block:
 *
 *   0            4            8                              length - 4
 *   +------------+------------+------------------------------+------------+
 *   | type       | length     | body, padded to 4 bytes      | length     |
 *   +------------+------------+------------------------------+------------+
 *
 * Little-endian throughout, which the byte-order magic in the section header says.
 */
const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const LINKTYPE_ETHERNET = 1

const OPT_END = 0
const OPT_COMMENT = 1
const SHB_USERAPPL = 4
const IF_NAME = 2
const IF_DESCRIPTION = 3
const IF_TSRESOL = 9
const IF_TSOFFSET = 14
const EPB_FLAGS = 2

const NANOSECONDS = 9 // if_tsresol: the negative power of ten
const INBOUND = 1
const OUTBOUND = 2

type Seen = FrameSent | FrameReceived | FrameDeparted | FrameDiscarded | FrameMarked

const isOfQueue = (record: Seen): boolean => record.kind !== 'sent' && record.kind !== 'received'

export interface PcapngOptions {
  /** What time 0 is, in whole seconds since 1970. Default 0: the stamps are the run's own time. */
  readonly startSeconds?: number
  /** Also each frame's arrival, on the receiver's interface. Default true. */
  readonly received?: boolean
}

/**
 * Writes frames as a pcapng file: one interface a port, nanosecond stamps, and in the comment what
 * a wire cannot say. The sink gets the file in pieces, which are its own to keep; `end` hands over
 * the last one. Without any record the file still has its section header.
 */
export class PcapngWriter {
  readonly #out: CaptureBuffer
  readonly #received: boolean
  readonly #startSeconds: number
  readonly #interfaces = new Map<string, PortInterfaces>()
  #interfaceCount = 0

  constructor(sink: (bytes: Uint8Array) => void, options: PcapngOptions = {}) {
    this.#out = new CaptureBuffer(sink)
    this.#received = options.received ?? true
    this.#startSeconds = options.startSeconds ?? 0
    this.#sectionHeader()
  }

  readonly observer: TraceObserver = (record: TraceRecord): void => {
    switch (record.kind) {
      case 'sent':
        return this.#packet(record, OUTBOUND)
      case 'received':
        return this.#received ? this.#packet(record, INBOUND) : undefined
      case 'discarded':
      case 'marked':
        return this.#packet(record, OUTBOUND)
      case 'departed':
        return isOrdinary(record) ? undefined : this.#packet(record, OUTBOUND)
      default:
    }
  }

  /** Hands over what was not handed over yet. More may follow. */
  end(): void {
    this.#out.flush()
  }

  #sectionHeader(): void {
    const out = this.#out
    const start = out.open(SECTION_HEADER, 128)
    out.u32(BYTE_ORDER_MAGIC)
    out.u16(1) // version 1.0
    out.u16(0)
    out.u32(0xffffffff) // section length: not known yet
    out.u32(0xffffffff)
    out.textOption(SHB_USERAPPL, 'twinwire')
    out.u32(OPT_END)
    out.close(start)
  }

  #packet(record: Seen, direction: number): void {
    const port = this.#interfaceOf(record)
    const frame = record.frame
    const size = frame.size
    const out = this.#out
    const start = out.open(ENHANCED_PACKET, size + 256 + 12 * record.link.length)
    out.u32(port)
    this.#stamp(record.at)
    out.u32(size) // captured
    out.u32(size) // on the wire
    this.#frame(frame, size)
    out.u16(EPB_FLAGS)
    out.u16(4)
    out.u32(direction)
    const comment = out.beginOption(OPT_COMMENT)
    this.#comment(record)
    out.endOption(comment)
    out.u32(OPT_END)
    out.close(start)
  }

  #frame(frame: EthernetFrame, size: number): void {
    const out = this.#out
    writeEthernetFrame(out.bytes, out.at, frame)
    out.skip(size)
    out.pad()
  }

  /** 64 bits of nanoseconds, the upper half first. */
  #stamp(at: Nanos): void {
    const high = Math.floor(at / 0x1_0000_0000)
    this.#out.u32(high)
    this.#out.u32(at - high * 0x1_0000_0000)
  }

  #comment(record: Seen): void {
    const out = this.#out
    out.text('event ')
    out.decimal(record.event)
    if (record.kind === 'received') {
      const bad = damageIn(record.frame)
      if (bad !== null) out.text(`, ${bad.protocol} ${bad.why}`)
      return
    }
    if (record.kind !== 'sent') {
      if (record.kind === 'discarded') out.text(`, drop ${record.why} on ${record.link}`)
      if (record.kind === 'marked') out.text(`, marked by ${record.by} on ${record.link}`)
      if (record.kind === 'departed') this.#fate(record)
      out.text(`, after ${spanText(record.sojourn)} in the queue`)
    } else this.#fate(record)
  }

  #fate(record: FrameSent | FrameDeparted): void {
    const out = this.#out
    if (record.dropped !== null) out.text(`, drop ${record.dropped} on ${record.link}`)
    if (record.corruptedBit >= 0) out.text(`, bit ${record.corruptedBit} flipped on ${record.link}`)
    if (record.duplicates > 0) out.text(`, ${record.duplicates} more of it on ${record.link}`)
    if (record.reordered) out.text(`, sent past others on ${record.link}`)
  }

  #interfaceOf(record: Seen): number {
    const name = isOfQueue(record) ? `${record.node}/queue` : record.node
    let ports = this.#interfaces.get(name)
    if (ports === undefined) {
      ports = []
      this.#interfaces.set(name, ports)
    }
    return (ports[record.port] ??= this.#describeInterface(record))
  }

  /** An interface may be described anywhere before its first packet. */
  #describeInterface(record: Seen): number {
    const out = this.#out
    const start = out.open(
      INTERFACE_DESCRIPTION,
      256 + 6 * (record.node.length + record.link.length),
    )
    out.u16(LINKTYPE_ETHERNET)
    out.u16(0)
    out.u32(0) // no snapshot limit
    // What a queue did later stands apart: on the wire itself each frame was seen once.
    const queue = isOfQueue(record) ? ' queue' : ''
    out.textOption(IF_NAME, `${record.node}:${record.port}${queue}`)
    // Named by the direction in which the node sends, whichever was seen first.
    const link = record.kind === 'received' ? reverse(record.link) : record.link
    out.textOption(IF_DESCRIPTION, link)
    out.u16(IF_TSRESOL)
    out.u16(1)
    out.u32(NANOSECONDS) // one byte and three of padding
    if (this.#startSeconds !== 0) {
      out.u16(IF_TSOFFSET)
      out.u16(8)
      const high = Math.floor(this.#startSeconds / 0x1_0000_0000)
      out.u32(this.#startSeconds - high * 0x1_0000_0000)
      out.u32(high)
    }
    out.u32(OPT_END)
    out.close(start)
    return this.#interfaceCount++
  }
}

/** What a receiver will refuse; a bit flipped where no checksum looks is not among it. */
function damageIn(frame: EthernetFrame): Malformed | null {
  const packet = frame.payload
  if (packet.kind === 'malformed') return packet
  return isIp(packet) && packet.payload.kind === 'malformed' ? packet.payload : null
}

/** A frame left the queue, and nothing else happened to it. */
const isOrdinary = (record: FrameDeparted): boolean =>
  record.dropped === null && record.corruptedBit < 0 && record.duplicates === 0 && !record.reordered

/** Interface numbers by port. */
type PortInterfaces = (number | undefined)[]

function reverse(link: string): string {
  const at = link.indexOf('>')
  return at < 0 ? link : `${link.slice(at + 1)}>${link.slice(0, at)}`
}
