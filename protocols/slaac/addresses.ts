import type { Ipv6Address, Mac } from '../address.ts'
import { type Bytes, equalBytes, putI32, putU16 } from '../bytes.ts'
import { fromPrefix } from '../ipv6/address.ts'
import { type PrefixInformation, untilOf } from '../nd/message.ts'
import { drawWord, type RandomWord } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'

/**
 * The IPv6 addresses of one interface, RFC 4862: made from a prefix that a router advertises (§5.5),
 * looked for before they are used (§5.4), with RFC 7527 so that a link that sends our own probes back
 * is no conflict, preferred for a while, then deprecated, then gone.
 *
 * Left out: optimistic use (RFC 4429), temporary and opaque addresses (RFC 8981, RFC 7217).
 */

/** RFC 4862 §5.1. */
export const DUP_ADDR_DETECT_TRANSMITS = 1
/** RFC 7527 §4.2: so many more probes after one that came back. */
export const PROBES_AFTER_LOOP = 3
/** RFC 4862 §5.5.3 (e): who has not authenticated itself cannot shorten a lifetime below this. */
export const TWO_HOURS: Nanos = s(7200)

/** Addresses of an interface. Whoever advertises prefixes shall not give it any number of them. */
export const ADDRESSES_MAX = 16

export type AddressPhase = 'tentative' | 'preferred' | 'deprecated' | 'duplicate'

export interface Assigned {
  readonly address: Ipv6Address
  readonly prefixLength: number
  /** `link-local`: without it there is nothing; `autoconf`: made from an advertised prefix. */
  readonly origin: 'link-local' | 'static' | 'autoconf'
  phase: AddressPhase
  preferredUntil: Nanos
  validUntil: Nanos
  /** Probes still to send, and the deadline of the next one or of the wait behind the last. */
  probes: number
  probeAt: Nanos
  /** Nonces of the probes that were sent (RFC 7527 §4.1). */
  nonces: readonly Bytes[]
}

export interface Addresses extends RandomWord {
  /** 0: addresses are simply ours. */
  readonly transmits: number
  assigned: Assigned[]
}

export interface AddressOut {
  /** Listen to the group of an address from now on, or no longer. */
  listen(address: Ipv6Address, wanted: boolean): void
  /** Ask whether anybody has it. */
  probe(address: Ipv6Address, nonce: Bytes): void
  /** It may be used from now on (`deprecated`: where nothing else is there), or no longer. */
  usable(address: Ipv6Address, how: 'preferred' | 'deprecated' | 'no'): void
  /** Somebody else has it; `mac` where that is known. */
  conflict(address: Ipv6Address, mac: Mac | null): void
}

export const createAddresses = (transmits: number, seed: number): Addresses => ({
  transmits,
  random: seed | 0,
  assigned: [],
})

/** Gives the interface an address. Where it has to be looked for, that begins at `from`. */
export function assign(
  state: Addresses,
  from: Nanos,
  given: Pick<Assigned, 'address' | 'prefixLength' | 'origin'>,
  preferredUntil: Nanos,
  validUntil: Nanos,
  out: AddressOut,
): void {
  const { address, prefixLength, origin } = given
  if (state.assigned.some((each) => each.address === address)) return
  state.assigned.push({
    address,
    prefixLength,
    origin,
    phase: 'tentative',
    preferredUntil,
    validUntil,
    probes: state.transmits,
    probeAt: from,
    nonces: [],
  })
  if (state.transmits > 0) return
  out.listen(address, true)
  settle(state.assigned.at(-1)!, from, out)
}

/** The earliest deadline. */
export function addressesNextDue({ assigned }: Addresses): Nanos {
  let earliest = NEVER
  for (const { phase, probeAt, preferredUntil, validUntil } of assigned) {
    if (phase === 'tentative') earliest = Math.min(earliest, probeAt, validUntil)
    else if (phase === 'preferred') earliest = Math.min(earliest, preferredUntil, validUntil)
    else earliest = Math.min(earliest, validUntil)
  }
  return earliest
}

/** Does what is due. Early calls do nothing. `retransTimer`: between probes, and behind the last. */
export function addressesTimer(
  state: Addresses,
  now: Nanos,
  retransTimer: Nanos,
  out: AddressOut,
): void {
  const beginning = state.assigned.filter(
    ({ phase, probes, probeAt, nonces }) =>
      phase === 'tentative' && probes > 0 && probeAt <= now && nonces.length === 0,
  )
  // RFC 4862 §5.4.2: listening comes first.
  for (const { address } of beginning) out.listen(address, true)
  for (const each of state.assigned.slice()) {
    if (each.validUntil <= now) remove(state, each, out)
    else if (each.phase === 'tentative' && each.probeAt <= now) {
      if (each.probes > 0) probe(state, each, now, retransTimer, out)
      else settle(each, now, out)
    } else if (each.phase === 'preferred' && each.preferredUntil <= now) settle(each, now, out)
  }
}

function probe(
  state: Addresses,
  each: Assigned,
  now: Nanos,
  retransTimer: Nanos,
  out: AddressOut,
): void {
  const nonce = new Uint8Array(6)
  putI32(nonce, 0, drawWord(state))
  putU16(nonce, 4, drawWord(state))
  each.nonces = [...each.nonces, nonce]
  each.probes -= 1
  each.probeAt = now + retransTimer
  out.probe(each.address, nonce)
}

/** It is ours: preferred, or deprecated where that time is over (§5.5.4). */
function settle(each: Assigned, now: Nanos, out: AddressOut): void {
  const phase = each.preferredUntil > now ? 'preferred' : 'deprecated'
  each.phase = phase
  each.probeAt = NEVER
  each.nonces = []
  out.usable(each.address, phase)
}

function remove(state: Addresses, each: Assigned, out: AddressOut): void {
  const { address, phase } = each
  const listens = phase !== 'duplicate' && (phase !== 'tentative' || each.nonces.length > 0)
  state.assigned = state.assigned.filter((other) => other.address !== address)
  if (phase === 'preferred' || phase === 'deprecated') out.usable(address, 'no')
  if (listens) out.listen(address, false)
}

/**
 * Somebody looks for an address (`nonce`: of the solicitation), or says that it has it (`undefined`):
 * RFC 4862 §5.4.3 and §5.4.4. False where the address is not one that is being looked for.
 */
export function duplicateHeard(
  state: Addresses,
  now: Nanos,
  retransTimer: Nanos,
  address: Ipv6Address,
  nonce: Bytes | null | undefined,
  mac: Mac | null,
  out: AddressOut,
): boolean {
  const each = state.assigned.find((a) => a.address === address && a.phase === 'tentative')
  if (each === undefined) return false
  const isOwn =
    nonce !== undefined && nonce !== null && each.nonces.some((n) => equalBytes(n, nonce))
  if (isOwn) {
    // RFC 7527 §4.2: the link is looped, and nobody else was heard.
    each.probes = PROBES_AFTER_LOOP
    each.probeAt = Math.max(each.probeAt, now + retransTimer)
    return true
  }
  out.conflict(address, mac)
  // §5.4.5: an interface whose own identifier is somebody else's is of no use at all.
  const lost = each.origin === 'link-local' ? state.assigned : [each]
  for (const one of lost.slice()) giveUp(one, out)
  return true
}

function giveUp(each: Assigned, out: AddressOut): void {
  const { address, phase } = each
  if (phase === 'duplicate') return
  const listens = phase !== 'tentative' || each.nonces.length > 0
  each.phase = 'duplicate'
  each.probeAt = NEVER
  each.nonces = []
  each.preferredUntil = NEVER
  out.usable(address, 'no')
  if (listens) out.listen(address, false)
}

/**
 * RFC 4862 §5.5.3: an advertised prefix makes an address, which is looked for from `from` on, or says
 * how long one lasts.
 */
export function prefixAdvertised(
  state: Addresses,
  now: Nanos,
  from: Nanos,
  mac: Mac,
  info: PrefixInformation,
  out: AddressOut,
): void {
  // (a) to (c), and (d): the identifier has 64 bits.
  if (!info.autonomous || info.prefixLength !== IDENTIFIER_BITS) return
  if (info.prefix.startsWith('fe80:') || info.preferredLifetime > info.validLifetime) return
  const address = fromPrefix(info.prefix, mac)
  const preferredUntil = untilOf(now, info.preferredLifetime)
  const validUntil = untilOf(now, info.validLifetime)
  const each = state.assigned.find((other) => other.address === address)
  if (each === undefined) {
    if (info.validLifetime === 0 || state.assigned.length >= ADDRESSES_MAX) return
    const given = { address, prefixLength: info.prefixLength, origin: 'autoconf' } as const
    return assign(state, from, given, preferredUntil, validUntil, out)
  }
  if (each.origin !== 'autoconf' || each.phase === 'duplicate') return
  // (e): more than two hours, or more than there was, is taken; else two hours stay at least.
  const longer = validUntil - now > TWO_HOURS || validUntil > each.validUntil
  if (longer) each.validUntil = validUntil
  else if (each.validUntil - now > TWO_HOURS) each.validUntil = now + TWO_HOURS
  each.preferredUntil = preferredUntil
  if (each.phase !== 'tentative' && isPreferred(each) !== preferredUntil > now) {
    settle(each, now, out)
  }
}

const isPreferred = ({ phase }: Assigned): boolean => phase === 'preferred'

const IDENTIFIER_BITS = 64
