import type { Mac } from '../protocols/address.ts'
import type { ArpPacket } from '../protocols/arp/packet.ts'
import type { Bytes } from '../protocols/bytes.ts'
import { emitEthernet } from '../protocols/ethernet/codec.ts'
import {
  EthernetFrame,
  type EthernetPayload,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
} from '../protocols/ethernet/frame.ts'
import type { HostEvent } from '../protocols/host/event.ts'
import type { TransportPayload } from '../protocols/ipv4/packet.ts'
import { type IpPacket, isIp } from '../protocols/ipv6/packet.ts'
import type { TcpSegment } from '../protocols/tcp/segment.ts'
import { instantText, spanText } from './duration-text.ts'
import { callText, eventText } from './host-text.ts'
import { PacketText } from './packet-text.ts'
import type {
  FrameDeparted,
  FrameDiscarded,
  FrameFate,
  FrameMarked,
  FrameReceived,
  FrameSent,
  HostSaid,
  TraceRecord,
} from './record.ts'

export interface TextOptions {
  /** TCP numbers as they are on the wire, as with `tcpdump -S`. Default: relative. */
  readonly absolute?: boolean
  /** Also a line where a frame arrives. Default: only where it is sent. */
  readonly received?: boolean
  /** Drops by hosts, state changes, timers, calls and socket events. Default: all of them. */
  readonly hosts?: 'all' | 'drops' | 'none'
}

type Retransmit = Extract<HostEvent, { readonly kind: 'retransmit' }>

const NOBODY: Mac = '00:00:00:00:00:00'

/**
 * One line a record: time, node or link, then the packet as `tcpdump -n` prints it and what became
 * of it in capitals. Keeps the relative sequence numbers, so records must come in their order.
 */
export class TraceText {
  readonly #packets: PacketText
  readonly #received: boolean
  readonly #hosts: 'all' | 'drops' | 'none'
  /** Said by a host, and not yet seen on a link. */
  readonly #retransmits: { node: string; event: number; said: Retransmit }[] = []
  #arrived: FrameReceived | null = null
  #width = 3

  constructor(options: TextOptions = {}) {
    this.#packets = new PacketText({ absolute: options.absolute ?? false })
    this.#received = options.received ?? false
    this.#hosts = options.hosts ?? 'all'
  }

  /** The record's line without its newline, or `null` where it has none. */
  line(record: TraceRecord): string | null {
    switch (record.kind) {
      case 'sent': {
        const text = this.#packets.frame(emitEthernet(record.frame))
        return this.#placed(record, record.link, `${text}${this.#marks(record)}`)
      }
      case 'departed': {
        const marks = fateMarks(record)
        return marks === '' ? null : this.#queued(record, marks)
      }
      case 'discarded':
        return this.#queued(record, ` DROP ${record.why}`)
      case 'marked':
        return this.#queued(record, ` MARK ${record.by}`)
      case 'received': {
        this.#arrived = record
        if (!this.#received) return null
        const text = this.#packets.frame(emitEthernet(record.frame), false)
        return this.#placed(record, record.link, `${text} ARRIVED`)
      }
      case 'event':
        return this.#event(record)
      case 'call':
        if (this.#hosts !== 'all') return null
        return this.#placed(record, record.node, callText(record.call))
      case 'fault':
        return this.#placed(record, '', `-- ${record.what}`)
    }
  }

  /** The frame had a line when it was sent. */
  #queued(record: FrameDeparted | FrameDiscarded | FrameMarked, marks: string): string {
    const text = this.#packets.frame(emitEthernet(record.frame), false)
    const waited = record.sojourn === 0 ? '' : ` after ${spanText(record.sojourn)}`
    return this.#placed(record, record.link, `${text}${marks}${waited}`)
  }

  #event(record: HostSaid): string | null {
    const said = record.said
    // It stands behind the segment's own line, which follows.
    if (said.kind === 'retransmit') {
      this.#retransmits.push({ node: record.node, event: record.event, said })
      return null
    }
    if (said.kind === 'dropped') {
      if (this.#hosts === 'none') return null
      const text = this.#droppedText(record, said.packet)
      return this.#placed(record, record.node, `drop ${said.why}: ${text}`)
    }
    return this.#hosts === 'all' ? this.#placed(record, record.node, eventText(said)) : null
  }

  #droppedText(record: HostSaid, packet: EthernetPayload | TransportPayload): string {
    // Above IP a packet no longer knows its addresses: the frame that brought it does.
    const arrived = this.#arrived
    if (arrived !== null && arrived.event === record.event && arrived.node === record.node) {
      const outer = arrived.frame.payload
      if (outer === packet || (isIp(outer) && outer.payload === packet)) {
        return this.#packets.frame(emitEthernet(arrived.frame), false)
      }
    }
    if (isIp(packet) || packet.kind === 'arp') {
      return this.#packets.frame(framed(packet), false)
    }
    if (packet.kind === 'tcp' || packet.kind === 'udp') {
      return `${packet.kind} ${packet.sourcePort} > ${packet.destinationPort}, size ${packet.size}`
    }
    return `${packet.kind === 'malformed' ? packet.protocol : packet.kind}, size ${packet.size}`
  }

  #placed(record: TraceRecord, where: string, text: string): string {
    // The column widens with the longest name so far, so that a stream needs no second pass.
    if (where.length > this.#width) this.#width = where.length
    return `${instantText(record.at)} ${where.padEnd(this.#width)}  ${text}`
  }

  #marks(sent: FrameSent): string {
    let marks = ''
    const again = this.#takeRetransmit(sent)
    if (again !== null) marks += ` ${retransmitMark(again)}`
    return marks + fateMarks(sent)
  }

  /** The host said it within the same queue event, before the segment left. */
  #takeRetransmit(sent: FrameSent): Retransmit | null {
    const waiting = this.#retransmits
    if (waiting.length === 0) return null
    if (waiting.at(-1)!.event !== sent.event) {
      waiting.length = 0
      return null
    }
    const segment = segmentOf(sent.frame)
    if (segment === null) return null
    const index = waiting.findIndex(
      (w) => w.node === sent.node && w.event === sent.event && w.said.seq === segment.seq,
    )
    return index < 0 ? null : waiting.splice(index, 1)[0]!.said
  }
}

function fateMarks(fate: FrameFate): string {
  let marks = ''
  if (fate.corruptedBit >= 0) marks += ` CORRUPT bit ${fate.corruptedBit}`
  if (fate.reordered) marks += ' REORDER'
  if (fate.duplicates > 0) marks += fate.duplicates === 1 ? ' DUP' : ` DUP x${fate.duplicates}`
  if (fate.dropped !== null) marks += ` DROP ${fate.dropped}`
  return marks
}

function retransmitMark(said: Retransmit): string {
  switch (said.cause) {
    case 'rto':
      return `RETX #${said.count} rto=${spanText(said.rto)}`
    case 'fast':
    case 'rack':
    case 'tlp':
    case 'mtu':
      return `RETX #${said.count} ${said.cause}`
    case 'probe':
      return `PROBE #${said.count} rto=${spanText(said.rto)}`
  }
}

function segmentOf(frame: EthernetFrame): TcpSegment | null {
  const packet = frame.payload
  return isIp(packet) && packet.payload.kind === 'tcp' ? packet.payload : null
}

/** A packet without its frame: the printer needs one, with any addresses. */
function framed(packet: IpPacket | ArpPacket): Bytes {
  const types = { arp: ETHERTYPE_ARP, ipv4: ETHERTYPE_IPV4, ipv6: ETHERTYPE_IPV6 }
  const type = types[packet.kind]
  return emitEthernet(new EthernetFrame(NOBODY, NOBODY, type, packet))
}
