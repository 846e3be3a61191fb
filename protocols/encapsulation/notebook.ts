import type { Ipv4Address } from '../address.ts'
import type { Bytes } from '../bytes.ts'
import {
  IPV4_HEADER,
  IPV4_PACKET_MAX,
  Ipv4Packet,
  MAY_FRAGMENT,
  PROTOCOL_TCP,
} from '../ipv4/packet.ts'
import { NO_OPTIONS } from '../tcp/options.ts'
import { ACK, PSH, SYN, TCP_HEADER, TcpSegment } from '../tcp/segment.ts'
import type { Nanos } from '../time.ts'
import { type Message, PACE, type TableError } from './table.ts'

/*
 * Messages as a raw-socket exercise sends them: every row is a segment of its own with PSH and ACK,
 * a sequence number out of the air and the acknowledgement number 0; no handshake, no end. Ports,
 * times and ends of the table are not looked at. What a kernel answers is a RST.
 */

/** The most that one IPv4 packet with a TCP header can carry. */
export const MESSAGE_MAX = IPV4_PACKET_MAX - IPV4_HEADER - TCP_HEADER

/** 127.0.0.1. */
export const LOOPBACK: Ipv4Address = 0x7f000001
export const NOTEBOOK_PORT = 12_345

/** A packet and when it is sent. */
export interface TimedPacket {
  readonly at: Nanos
  readonly packet: Ipv4Packet
}

/** What a segment has that the exercise draws or fixes. */
export interface NotebookHeader {
  readonly source: Ipv4Address
  readonly destination: Ipv4Address
  readonly sourcePort: number
  readonly destinationPort: number
  readonly flags: number
  readonly identification: number
  readonly seq: number
}

/** Draws from 0 to less than 1. */
type Draw = () => number

export const notebookPacket = (header: NotebookHeader, payload: Bytes): Ipv4Packet =>
  new Ipv4Packet(
    header.source,
    header.destination,
    PROTOCOL_TCP,
    64,
    header.identification,
    MAY_FRAGMENT,
    new TcpSegment(
      header.sourcePort,
      header.destinationPort,
      header.seq | 0,
      0,
      header.flags,
      0xffff,
      0,
      NO_OPTIONS,
      payload,
    ),
  )

/** The rows of a table, 0.1 s apart. */
export function notebookPackets(
  messages: readonly Message[],
  draw: Draw,
): readonly TimedPacket[] | TableError {
  const tooLong = messages.find(({ payload }) => payload.length > MESSAGE_MAX)
  if (tooLong !== undefined) {
    return {
      line: tooLong.line,
      error: `a message of ${tooLong.payload.length} bytes does not fit one packet`,
      hint: `at most ${MESSAGE_MAX}; '--mode real' cuts it into segments`,
    }
  }
  const segment = drawing(draw)
  return messages.map(({ payload }, i) => ({ at: i * PACE, packet: segment(PSH | ACK, payload) }))
}

/** What the exercise sends without a table: a preview with SYN, then three greetings. */
export function demonstration(draw: Draw): readonly TimedPacket[] {
  const segment = drawing(draw)
  const text = (words: string) => new TextEncoder().encode(words)
  return [
    { at: 0, packet: segment(SYN, text('Hello Packet (preview)')) },
    ...[0, 1, 2].map((i) => ({
      at: (i + 1) * 1e9,
      packet: segment(PSH | ACK, text(`Hello Packet ${i}`)),
    })),
  ]
}

/** One transport object: its source port is drawn once, identification and sequence each time. */
function drawing(draw: Draw): (flags: number, payload: Bytes) => Ipv4Packet {
  const whole = (from: number, to: number) => from + Math.floor(draw() * (to - from + 1))
  const sourcePort = whole(1024, 0xffff)
  return (flags, payload) => {
    const identification = whole(0, 0xffff)
    const seq = whole(0, 0xffff_ffff)
    const ends = { source: LOOPBACK, destination: LOOPBACK, destinationPort: NOTEBOOK_PORT }
    return notebookPacket({ ...ends, sourcePort, flags, identification, seq }, payload)
  }
}
