import type { Bytes } from '../bytes.ts'

export const UDP_HEADER = 8

/** A UDP datagram, RFC 768. */
export class UdpDatagram {
  readonly kind = 'udp'
  readonly sourcePort: number
  readonly destinationPort: number
  readonly payload: Bytes

  constructor(sourcePort: number, destinationPort: number, payload: Bytes) {
    this.sourcePort = sourcePort
    this.destinationPort = destinationPort
    this.payload = payload
  }

  get size(): number {
    return UDP_HEADER + this.payload.length
  }
}
