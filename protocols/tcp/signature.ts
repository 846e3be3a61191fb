import { type IpAddress, isIpv4, maskOf, putIpv4, putIpv6 } from '../address.ts'
import { type Bytes, equalBytes, putI32, putU16 } from '../bytes.ts'
import { PROTOCOL_TCP } from '../ipv4/packet.ts'
import { networkOfIpv6 } from '../ipv6/address.ts'
import { md5 } from '../md5.ts'
import { writeTcpHeader } from './codec.ts'
import {
  hasField,
  OPTION_END,
  OPTION_MD5,
  OPTION_NOP,
  optionBytes,
  optionData,
  TcpOptions,
} from './options.ts'
import type { TcpPolicy } from './policy.ts'
import { TCP_HEADER, TcpSegment } from './segment.ts'

// Signed segments, RFC 2385: which key is whose, what is signed, and where the signature stands.

/** What segments to and from an address are signed with, or to and from a prefix. */
export interface SigningKey {
  readonly address: IpAddress
  readonly prefixLength: number
  /** Linux's TCP_MD5SIG_MAXKEYLEN: at most 80 bytes. With none, the key is taken away. */
  readonly key: Bytes
}

export const SIGNING_KEY_MAX = 80
export const SIGNATURE_BYTES = 16

/** What a signature takes of the options: two NOPs, kind, length, digest. */
export const SIGNATURE_SPACE = 20

/** The longest prefix decides, as in Linux; `null`: nothing is signed for this peer. */
export function keyFor(keys: readonly SigningKey[], peer: IpAddress): SigningKey | null {
  let best: SigningKey | null = null
  for (const each of keys) {
    if (!holds(each, peer)) continue
    if (best === null || each.prefixLength > best.prefixLength) best = each
  }
  return best
}

function holds({ address, prefixLength }: SigningKey, peer: IpAddress): boolean {
  if (isIpv4(address)) {
    return isIpv4(peer) && ((address ^ peer) & maskOf(prefixLength)) === 0
  }
  if (isIpv4(peer)) return false
  return networkOfIpv6(address, prefixLength) === networkOfIpv6(peer, prefixLength)
}

/**
 * TCP_MD5SIG as a change of a socket's policy: a number switches it on or off, a key is added, or taken
 * away where it has no bytes. `null`: there is no such key.
 */
export function withSigning(policy: TcpPolicy, value: SigningKey | number): TcpPolicy | null {
  if (typeof value === 'number') return policy.with({ signs: value ? 'everybody' : 'nobody' })
  const { signingKeys: keys } = policy
  const others = keys.filter(
    (each) => each.prefixLength !== value.prefixLength || each.address !== value.address,
  )
  const adds = value.key.length > 0
  if (!adds && others.length === keys.length) return null
  const signingKeys = adds ? [...others, value] : others
  return policy.with({ signs: signingKeys.length > 0 ? 'known' : 'nobody', signingKeys })
}

/** What a connection keeps of its socket's keys: the one for its peer. */
export function policyFor(policy: TcpPolicy, peer: IpAddress): TcpPolicy {
  if (policy.signs !== 'known') return policy
  const key = keyFor(policy.signingKeys, peer)
  if (key === null) return policy.with({ signs: 'nobody', signingKeys: [] })
  return policy.signingKeys.length === 1 ? policy : policy.with({ signingKeys: [key] })
}

/** §2.0: the pseudo-header, the header without options and with a checksum of zero, text, and key. */
export function signatureOf(
  segment: TcpSegment,
  source: IpAddress,
  destination: IpAddress,
  key: Bytes,
): Bytes {
  const { size } = segment
  const short = isIpv4(source)
  const pseudo = short ? 12 : 40
  const head = new Uint8Array(pseudo + TCP_HEADER)
  if (short) {
    putIpv4(head, 0, source)
    putIpv4(head, 4, destination as number)
    head[9] = PROTOCOL_TCP
    putU16(head, 10, size)
  } else {
    // RFC 8200 §8.1 has the pseudo-header of IPv6.
    putIpv6(head, 0, source)
    putIpv6(head, 16, destination as string)
    putI32(head, 32, size)
    head[39] = PROTOCOL_TCP
  }
  writeTcpHeader(head, pseudo, segment)
  return md5(head, segment.payload, key)
}

/** The signature that a segment brings; one of another length is none. */
export function signatureIn({ options }: TcpSegment): Bytes | null {
  if (options.unknown.length === 0) return null
  const data = optionData(options, OPTION_MD5)
  return data?.length === SIGNATURE_BYTES ? data : null
}

/** The segment with its signature. */
export function sign(
  segment: TcpSegment,
  source: IpAddress,
  destination: IpAddress,
  { key }: SigningKey,
  { signatureFirst }: TcpPolicy,
): TcpSegment {
  const blank = withOptions(segment, roomFor(segment.options, signatureFirst))
  // The digest covers none of the options, but the length of them all.
  return filled(blank, signatureOf(blank, source, destination, key))
}

/** A segment with a place for a signature, and the signature in it. */
export function filled(segment: TcpSegment, digest: Bytes): TcpSegment {
  const { options } = segment
  const at = options.layout.filter((kind) => !hasField(kind)).indexOf(OPTION_MD5)
  const unknown = options.unknown.map((each, i) => (i === at ? digest : each))
  return withOptions(segment, optionsOf(options, options.layout, unknown))
}

export const isSignedWith = (
  segment: TcpSegment,
  source: IpAddress,
  destination: IpAddress,
  { key }: SigningKey,
  signature: Bytes,
): boolean => equalBytes(signatureOf(segment, source, destination, key), signature)

/** The options with a signature of zeros. */
function roomFor(options: TcpOptions, first: boolean): TcpOptions {
  const blank = new Uint8Array(SIGNATURE_BYTES)
  const { unknown } = options
  // Ends that filled the last word make place.
  const layout = options.layout.filter((kind) => kind !== OPTION_END)
  if (first) return optionsOf(options, [...ALIGNED, ...layout], [blank, ...unknown])
  // Behind the others, the digest on a 32-bit boundary.
  let bytes = optionBytes(layout, options.sack, unknown)
  for (; bytes % 4 !== 2; bytes++) layout.push(OPTION_NOP)
  layout.push(OPTION_MD5)
  return optionsOf(options, layout, [...unknown, blank])
}

const ALIGNED: readonly number[] = [OPTION_NOP, OPTION_NOP, OPTION_MD5]

const optionsOf = (
  { mss, windowScale, timestampValue, timestampEcho, sack }: TcpOptions,
  layout: readonly number[],
  unknown: readonly Bytes[],
): TcpOptions =>
  new TcpOptions(layout, mss, windowScale, timestampValue, timestampEcho, sack, unknown)

const withOptions = (segment: TcpSegment, options: TcpOptions): TcpSegment =>
  new TcpSegment(
    segment.sourcePort,
    segment.destinationPort,
    segment.seq,
    segment.ack,
    segment.flags,
    segment.window,
    segment.urgent,
    options,
    segment.payload,
  )
