import { putMac, readMac } from '../address.ts'
import { readArpPacket, writeArpPacket } from '../arp/codec.ts'
import { unreachable } from '../assert.ts'
import { type Bytes, putBytes, putU16, u16, viewOf } from '../bytes.ts'
import { readIpv4Packet, writeIpv4Packet } from '../ipv4/codec.ts'
import { readIpv6Packet, writeIpv6Packet } from '../ipv6/codec.ts'
import { malformed, type Parsed, parsed } from '../parsed.ts'
import { Opaque } from '../payload.ts'
import { orMalformed } from '../transport-codec.ts'
import {
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_VLAN,
  EthernetFrame,
  type EthernetPayload,
  NO_TAG,
  TAGGED_HEADER,
} from './frame.ts'

/*
 * Ethernet II, IEEE 802.3 clause 3; RFC 894 for IPv4 and ARP in it, RFC 2464 for IPv6.
 *
 *   0                       6                       12              14
 *   +-----------------------+-----------------------+---------------+-- - -
 *   | destination           | source                | type          | payload, padding
 *   +-----------------------+-----------------------+---------------+-- - -
 *
 * IEEE 802.1Q-2018 §9.3: the type 0x8100 says that a tag of two bytes follows, then the type proper.
 *
 * A type below 0x600 is the length of an 802.3 frame. It matches no type, so its payload stays bytes.
 */
const DESTINATION = 0
const SOURCE = 6
const TYPE = 12
const TAG = 14

/**
 * Reads a frame and everything in it. Payloads are views: `bytes` must not be written afterwards.
 * Only a frame without a whole Ethernet header fails; what is wrong further in becomes `Malformed`.
 */
export function parseEthernet(bytes: Bytes): Parsed<EthernetFrame> {
  if (bytes.length < ETHERNET_HEADER) return malformed('truncated')
  const isTagged = u16(bytes, TYPE) === ETHERTYPE_VLAN && bytes.length >= TAGGED_HEADER
  const at = isTagged ? TAGGED_HEADER : ETHERNET_HEADER
  const etherType = u16(bytes, at - 2)
  return parsed(
    new EthernetFrame(
      readMac(bytes, DESTINATION),
      readMac(bytes, SOURCE),
      etherType,
      readPayload(bytes, at, etherType),
      isTagged ? u16(bytes, TAG) : NO_TAG,
    ),
  )
}

/** The frame's `size` bytes, without padding: a device pads on its own. */
export function emitEthernet(frame: EthernetFrame): Uint8Array {
  const b = new Uint8Array(frame.size)
  writeEthernetFrame(b, 0, frame)
  return b
}

/** Writes `frame.size` bytes into a buffer that need not be clear. */
export function writeEthernetFrame(b: Uint8Array, at: number, frame: EthernetFrame): void {
  putMac(b, at + DESTINATION, frame.destination)
  putMac(b, at + SOURCE, frame.source)
  if (frame.tag === NO_TAG) {
    putU16(b, at + TYPE, frame.etherType)
    return writePayload(b, at + ETHERNET_HEADER, frame.payload)
  }
  putU16(b, at + TYPE, ETHERTYPE_VLAN)
  putU16(b, at + TAG, frame.tag)
  putU16(b, at + TAGGED_HEADER - 2, frame.etherType)
  writePayload(b, at + TAGGED_HEADER, frame.payload)
}

function readPayload(b: Bytes, at: number, etherType: number): EthernetPayload {
  const end = b.length
  switch (etherType) {
    case ETHERTYPE_IPV4:
      return orMalformed('ipv4', readIpv4Packet(b, at, end), b, at, end)
    case ETHERTYPE_IPV6:
      return orMalformed('ipv6', readIpv6Packet(b, at, end), b, at, end)
    case ETHERTYPE_ARP:
      return orMalformed('arp', readArpPacket(b, at, end), b, at, end)
    default:
      return new Opaque(viewOf(b, at, end))
  }
}

function writePayload(b: Uint8Array, at: number, payload: EthernetPayload): void {
  switch (payload.kind) {
    case 'ipv4':
      return writeIpv4Packet(b, at, payload)
    case 'ipv6':
      return writeIpv6Packet(b, at, payload)
    case 'arp':
      return writeArpPacket(b, at, payload)
    case 'opaque':
    case 'malformed':
      return putBytes(b, at, payload.bytes)
    default:
      return unreachable(payload)
  }
}
