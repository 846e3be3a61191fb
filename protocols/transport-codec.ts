import { type IpAddress, isIpv4 } from './address.ts'
import { unreachable } from './assert.ts'
import { type Bytes, putBytes, viewOf } from './bytes.ts'
import { readIcmpMessage, writeIcmpMessage } from './icmp/codec.ts'
import { readIcmpv6Message, writeIcmpv6Message } from './icmpv6/codec.ts'
import {
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TransportPayload,
} from './ipv4/packet.ts'
import type { Malformation } from './parsed.ts'
import { Malformed, Opaque } from './payload.ts'
import { pseudoHeaderSum } from './pseudo-header.ts'
import { readTcpSegment, writeTcpSegment } from './tcp/codec.ts'
import { readUdpDatagram, writeUdpDatagram } from './udp/codec.ts'

/** Reads what a whole IP packet carries: the bytes `at` ≤ i < `end`. */
export function readTransport(
  b: Bytes,
  at: number,
  end: number,
  protocol: number,
  source: IpAddress,
  destination: IpAddress,
): TransportPayload {
  switch (protocol) {
    case PROTOCOL_TCP: {
      const pseudoSum = pseudoHeaderSum(source, destination, protocol, end - at)
      return orMalformed('tcp', readTcpSegment(b, at, end, pseudoSum), b, at, end)
    }
    case PROTOCOL_UDP: {
      const pseudoSum = pseudoHeaderSum(source, destination, protocol, end - at)
      const optional = isIpv4(source)
      return orMalformed('udp', readUdpDatagram(b, at, end, pseudoSum, optional), b, at, end)
    }
    case PROTOCOL_ICMP:
      if (!isIpv4(source)) return new Opaque(viewOf(b, at, end))
      return orMalformed('icmp', readIcmpMessage(b, at, end), b, at, end)
    case PROTOCOL_ICMPV6: {
      if (isIpv4(source)) return new Opaque(viewOf(b, at, end))
      const pseudoSum = pseudoHeaderSum(source, destination, protocol, end - at)
      return orMalformed('icmpv6', readIcmpv6Message(b, at, end, pseudoSum), b, at, end)
    }
    default:
      return new Opaque(viewOf(b, at, end))
  }
}

/** The record, or the bytes that gave none. */
export const orMalformed = <T extends object>(
  protocol: string,
  read: T | Malformation,
  b: Bytes,
  at: number,
  end: number,
): T | Malformed =>
  typeof read === 'string' ? new Malformed(protocol, read, viewOf(b, at, end)) : read

/** Writes `payload.size` bytes. */
export function writeTransport(
  b: Uint8Array,
  at: number,
  payload: TransportPayload,
  source: IpAddress,
  destination: IpAddress,
): void {
  switch (payload.kind) {
    case 'tcp': {
      const pseudoSum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, payload.size)
      return writeTcpSegment(b, at, payload, pseudoSum)
    }
    case 'udp': {
      const pseudoSum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, payload.size)
      return writeUdpDatagram(b, at, payload, pseudoSum)
    }
    case 'icmp':
      return writeIcmpMessage(b, at, payload)
    case 'icmpv6': {
      const pseudoSum = pseudoHeaderSum(source, destination, PROTOCOL_ICMPV6, payload.size)
      return writeIcmpv6Message(b, at, payload, pseudoSum)
    }
    case 'opaque':
    case 'malformed':
      return putBytes(b, at, payload.bytes)
    default:
      return unreachable(payload)
  }
}
