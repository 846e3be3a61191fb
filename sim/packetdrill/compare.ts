import { isIpv4 } from '../../protocols/address.ts'
import type { Bytes } from '../../protocols/bytes.ts'
import type { IpPacket } from '../../protocols/ipv6/packet.ts'
import { seqAdd } from '../../protocols/sequence.ts'
import { OPTION_END, OPTION_NOP, type TcpOptions } from '../../protocols/tcp/options.ts'
import { ACK, SYN, type TcpSegment, URG } from '../../protocols/tcp/segment.ts'
import { segmentText } from '../testing/segment-notation.ts'
import { type Conversation, kindOf } from './conversation.ts'
import { icmpText } from './icmp-names.ts'
import { flowLabelIn, trafficClassOf, ttlIn } from './network.ts'
import type { Family, IpInfo, ScriptOption, ScriptPacket, TcpPacket } from './script.ts'

/**
 * What of a packet that the host sent is not as the script has it, in words; `null`: nothing.
 *
 * @param neutral the window is not looked at, nor are padding, order and window scale of options
 */
export function difference(
  expected: ScriptPacket,
  packet: IpPacket,
  talk: Conversation,
  neutral: boolean,
): string | null {
  const { payload } = packet
  const about = ipDifference(expected.ip, packet)
  if (about !== null) return about
  switch (expected.kind) {
    case 'tcp':
      if (payload.kind !== 'tcp') return payload.kind
      return segmentDifference(expected, payload, talk, neutral)
    case 'udp':
      if (payload.kind !== 'udp') return payload.kind
      return unequal('length', expected.length, payload.payload.length)
    case 'icmp':
      if (payload.kind !== 'icmp' && payload.kind !== 'icmpv6') return payload.kind
      return (
        unequal('type', expected.type, payload.type) ??
        unequal('code', expected.code, payload.code) ??
        (expected.mtu > 0 ? unequal('mtu', expected.mtu, payload.rest & 0xffffff) : null) ??
        (expected.identifier > 0 ? unequal('id', expected.identifier, payload.identifier) : null) ??
        (expected.quoted?.kind === 'raw'
          ? unequal('length', expected.quoted.length, payload.data.length)
          : null)
      )
  }
}

const unequal = (what: string, expected: number, actual: number): string | null =>
  expected === actual ? null : `${what} ${expected} ≠ ${actual}`

function ipDifference(ip: IpInfo, packet: IpPacket): string | null {
  const ttl = ttlIn(packet)
  const { trafficClass } = packet.details
  if (ip.ttl >= 0 && ip.ttl !== ttl) return unequal('ttl', ip.ttl, ttl)
  if (ip.flowLabel >= 0 && ip.flowLabel !== flowLabelIn(packet)) {
    return unequal('flowlabel', ip.flowLabel, flowLabelIn(packet))
  }
  if (ip.tos >= 0) return unequal('tos', ip.tos, trafficClass)
  if (ip.ecn === null) return null
  const bits = trafficClass & 3
  if (ip.ecn === 'ect01') return bits === 1 || bits === 2 ? null : unequal('ecn', 2, bits)
  return unequal('ecn', trafficClassOf(ip), bits)
}

function segmentDifference(
  expected: TcpPacket,
  actual: TcpSegment,
  talk: Conversation,
  neutral: boolean,
): string | null {
  const { ours, theirs } = talk.offsets((actual.flags & SYN) !== 0)
  const { absolute, flags, urgent } = expected
  if (flags !== actual.flags) return 'flags'
  if (expected.length !== actual.payload.length) {
    return unequal('length', expected.length, actual.payload.length)
  }
  if (expected.seq !== null) {
    const seq = absolute ? expected.seq | 0 : seqAdd(ours, expected.seq)
    if (seq !== actual.seq) return 'seq'
  }
  if (flags & ACK) {
    const ack = absolute ? expected.ack | 0 : seqAdd(theirs, expected.ack)
    if (ack !== actual.ack) return 'ack'
  }
  if (!neutral && expected.window >= 0 && expected.window !== actual.window) return 'win'
  if (flags & URG && urgent !== actual.urgent) return 'urg'
  for (const byte of actual.payload) if (byte !== 0) return 'payload'
  if (expected.options?.some(({ kind }) => kind === 'md5') === true && !talk.isSigned(actual)) {
    return 'md5'
  }
  return optionsDifference(expected.options, actual.options, theirs, neutral)
}

function optionsDifference(
  expected: readonly ScriptOption[] | null,
  actual: TcpOptions,
  theirs: number,
  neutral: boolean,
): string | null {
  if (expected === null) return null
  let wanted = expected.map((option) => kindOf(option))
  let found = actual.layout
  if (neutral) {
    const meaning = (kinds: readonly number[]): number[] =>
      kinds.filter((kind) => kind !== OPTION_NOP && kind !== OPTION_END).sort((a, b) => a - b)
    wanted = meaning(wanted)
    found = meaning(found)
  }
  if (wanted.length !== found.length || wanted.some((kind, i) => kind !== found[i])) {
    return 'options'
  }
  let others = 0
  for (const option of expected) {
    if (option.kind === 'mss' && option.value !== actual.mss) return 'mss'
    if (option.kind === 'wscale') {
      if (!neutral && option.value !== actual.windowScale) return 'wscale'
    }
    if (option.kind === 'md5') others += 1
    if (option.kind === 'other') {
      const held = actual.unknown[others++]
      if (held === undefined || !sameBytes(held, option.data)) return `option ${option.number}`
    }
    if (option.kind !== 'sack') continue
    const edges = option.edges.map((edge) => seqAdd(theirs, edge))
    if (edges.length !== actual.sack.length) return 'sack'
    if (edges.some((edge, i) => edge !== actual.sack[i])) return 'sack'
  }
  return null
}

const familyOf = ({ local }: Conversation): Family => (isIpv4(local) ? 'ipv4' : 'ipv6')

function sameBytes(a: Bytes, b: Bytes): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return a.length === b.length
}

/** By how many ticks a timestamp that the host sent is off, counted from the first one. */
export function stampError(
  expected: ScriptPacket,
  { payload }: IpPacket,
  talk: Conversation,
): number {
  if (expected.kind !== 'tcp' || payload.kind !== 'tcp') return 0
  const stamp = expected.options?.find((option) => option.kind === 'TS')
  if (stamp === undefined || !payload.options.hasTimestamps) return 0
  return Math.abs((payload.options.timestampValue - talk.stampOffset - stamp.value) | 0)
}

/** A packet that the host sent, in the numbers of the script. */
export function liveText(packet: IpPacket, talk: Conversation): string {
  const { payload } = packet
  switch (payload.kind) {
    case 'tcp': {
      const { ours, theirs } = talk.offsets((payload.flags & SYN) !== 0)
      const origins = { seq: ours, ack: theirs, value: talk.stampOffset, echo: 0 }
      return segmentText(payload, origins)
    }
    case 'udp':
      return `udp (${payload.payload.length})`
    case 'icmp':
    case 'icmpv6':
      return icmpText(familyOf(talk), payload.type, payload.code)
    default:
      return payload.kind
  }
}
