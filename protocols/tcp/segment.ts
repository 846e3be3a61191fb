import { type Bytes } from '../bytes.ts'
import type { Seq } from '../sequence.ts'
import { NO_OPTIONS, type TcpOptions } from './options.ts'

/** Control bits, RFC 9293 §3.1 and RFC 3168. */
export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10
export const URG = 0x20
export const ECE = 0x40
export const CWR = 0x80
/** RFC 9768 §3.1.2 */
export const AE = 0x100

export const TCP_HEADER = 20

/** A TCP segment, RFC 9293 §3.1. Field names as in the RFC's SEG.* variables where it has them. */
export class TcpSegment {
  readonly kind = 'tcp'
  readonly sourcePort: number
  readonly destinationPort: number
  readonly seq: Seq
  readonly ack: Seq
  readonly flags: number
  /** As on the wire: not yet scaled. */
  readonly window: number
  readonly urgent: number
  readonly options: TcpOptions
  readonly payload: Bytes

  constructor(
    sourcePort: number,
    destinationPort: number,
    seq: Seq,
    ack: Seq,
    flags: number,
    window: number,
    urgent: number,
    options: TcpOptions,
    payload: Bytes,
  ) {
    this.sourcePort = sourcePort
    this.destinationPort = destinationPort
    this.seq = seq
    this.ack = ack
    this.flags = flags
    this.window = window
    this.urgent = urgent
    this.options = options
    this.payload = payload
  }

  get size(): number {
    const options = this.options
    return TCP_HEADER + (options === NO_OPTIONS ? 0 : options.size) + this.payload.length
  }

  /** SEG.LEN: what the segment takes of the sequence space (RFC 9293 §3.4). */
  get length(): number {
    const flags = this.flags
    return this.payload.length + (flags & FIN ? 1 : 0) + (flags & SYN ? 1 : 0)
  }
}
