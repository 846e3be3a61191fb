import { putIpv4, putMac, readIpv4, readMac } from '../address.ts'
import { type Bytes, putI32, putU16, u16 } from '../bytes.ts'
import { type Malformation, type Parsed, toParsed } from '../parsed.ts'
import { ArpPacket } from './packet.ts'

/*
 * RFC 826, for Ethernet hardware and IPv4 addresses.
 *
 *   0               2               4       5       6               8
 *   +---------------+---------------+-------+-------+---------------+
 *   | hardware type | protocol type | 6     | 4     | operation     |
 *   +---------------+---------------+-------+-------+---------------+
 *   8                       14              18                      24              28
 *   +-----------------------+---------------+-----------------------+---------------+
 *   | sender MAC            | sender IP     | target MAC            | target IP     |
 *   +-----------------------+---------------+-----------------------+---------------+
 */
const HARDWARE_TYPE = 0
const PROTOCOL_TYPE = 2
const ADDRESS_LENGTHS = 4
const OPERATION = 6
const SENDER_MAC = 8
const SENDER_IP = 14
const TARGET_MAC = 18
const TARGET_IP = 24
const ARP_LENGTH = 28

const ETHERNET = 1
const IPV4 = 0x0800
/** Six bytes of hardware address, four of protocol address. */
const SIX_AND_FOUR = 0x0604

/** Bytes behind the packet are Ethernet padding. Other address kinds are `unsupported`. */
export const parseArp = (bytes: Bytes): Parsed<ArpPacket> =>
  toParsed(readArpPacket(bytes, 0, bytes.length))

export function emitArp(packet: ArpPacket): Uint8Array {
  const b = new Uint8Array(ARP_LENGTH)
  writeArpPacket(b, 0, packet)
  return b
}

export function readArpPacket(b: Bytes, at: number, end: number): ArpPacket | Malformation {
  if (end - at < ARP_LENGTH) return 'truncated'
  if (
    u16(b, at + HARDWARE_TYPE) !== ETHERNET ||
    u16(b, at + PROTOCOL_TYPE) !== IPV4 ||
    u16(b, at + ADDRESS_LENGTHS) !== SIX_AND_FOUR
  ) {
    return 'unsupported'
  }
  return new ArpPacket(
    u16(b, at + OPERATION),
    readMac(b, at + SENDER_MAC),
    readIpv4(b, at + SENDER_IP),
    readMac(b, at + TARGET_MAC),
    readIpv4(b, at + TARGET_IP),
  )
}

export function writeArpPacket(b: Uint8Array, at: number, packet: ArpPacket): void {
  putI32(b, at + HARDWARE_TYPE, (ETHERNET << 16) | IPV4)
  putU16(b, at + ADDRESS_LENGTHS, SIX_AND_FOUR)
  putU16(b, at + OPERATION, packet.operation)
  putMac(b, at + SENDER_MAC, packet.senderMac)
  putIpv4(b, at + SENDER_IP, packet.senderIp)
  putMac(b, at + TARGET_MAC, packet.targetMac)
  putIpv4(b, at + TARGET_IP, packet.targetIp)
}
