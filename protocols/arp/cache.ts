import type { Ipv4Address, Mac } from '../address.ts'
import { assert } from '../assert.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import { NEVER, type Nanos, s } from '../time.ts'

/**
 * The ARP cache of one interface, RFC 1122 §2.3.2.1. Entries age without a timer: a deadline exists
 * only while a request is unanswered, so a quiet host has none.
 *
 *   unresolved   mac null, request outstanding, packets wait
 *   valid        now < usableUntil
 *   stale        now >= usableUntil; the next packet turns it into
 *   polled       mac known and in use, unicast request outstanding
 */

/** How long a confirmation counts. RFC 1122 §2.3.2.1 (1) asks for "on the order of a minute". */
export const ARP_VALID: Nanos = s(60)
/** A stale entry older than this is asked for anew, by broadcast and before anything is sent. */
export const ARP_FORGOTTEN: Nanos = s(120)
/** An upper layer confirms on every ACK; it is noted no more often than this. */
export const ARP_CONFIRM_INTERVAL: Nanos = s(1)
/** RFC 1122 §2.3.2.1: at most one request a second and destination. */
export const ARP_REQUEST_INTERVAL: Nanos = s(1)
/** Entries. Beyond that the least recently confirmed one goes. */
export const ARP_ENTRIES_MAX = 1024
/** Packets that wait for one address. RFC 1122 §2.3.2.2 asks for the latest one at least. */
export const ARP_PENDING_MAX = 64

export interface ArpEntry {
  /** `null`: not known yet. */
  mac: Mac | null
  /** The last sign of life; of an entry that never had one, when it was made. */
  confirmedAt: Nanos
  usableUntil: Nanos
  /** The latest request; -ARP_REQUEST_INTERVAL where there was none. */
  requestedAt: Nanos
  /** Requests of the round that is under way. */
  tries: number
  /** The deadline of the outstanding request, else `NEVER`. */
  resendAt: Nanos
  /** Whom the requests come from. */
  senderMac: Mac
  senderIp: Ipv4Address
  pending: Ipv4Packet[]
}

export interface ArpState {
  entries: Map<Ipv4Address, ArpEntry>
  /** The addresses whose entries have a deadline, in the order in which they got it. */
  waiting: Ipv4Address[]
}

export const createArp = (): ArpState => ({ entries: new Map(), waiting: [] })

/** The hit path: the MAC to send to, or `null` where `arpResolve` must take the packet. */
export function arpLookup(state: ArpState, now: Nanos, address: Ipv4Address): Mac | null {
  const entry = state.entries.get(address | 0) // a number for certain: a cheaper hash
  return entry !== undefined && now < entry.usableUntil ? entry.mac : null
}

/** Until when `arpLookup` gives the same answer, unless something is heard or suspected before. */
export const arpUsableUntil = (state: ArpState, address: Ipv4Address): Nanos =>
  state.entries.get(address)!.usableUntil

/** The earliest deadline of the cache; costs nothing while no request is outstanding. */
export function arpNextDue(state: ArpState): Nanos {
  const waiting = state.waiting
  let earliest = NEVER
  for (let i = 0; i < waiting.length; i++) {
    const at = state.entries.get(waiting[i]!)!.resendAt
    if (at < earliest) earliest = at
  }
  return earliest
}

/** Advice from above: the neighbour answers (a transport made progress through it). */
export function arpConfirm(state: ArpState, now: Nanos, address: Ipv4Address): void {
  const entry = state.entries.get(address)
  if (entry === undefined || entry.mac === null) return
  const settled = entry.resendAt === NEVER && now < entry.usableUntil
  if (settled && now < entry.confirmedAt + ARP_CONFIRM_INTERVAL) return
  markAlive(state, now, address, entry)
}

/**
 * Advice from above: the neighbour seems dead (RFC 1122 §2.3.2.1 (4)). The next packet for it,
 * typically the retransmission that raised the suspicion, is sent as before and polls it.
 */
export function arpSuspect(state: ArpState, now: Nanos, address: Ipv4Address): void {
  const entry = state.entries.get(address)
  if (entry === undefined || entry.resendAt !== NEVER || now >= entry.usableUntil) return
  entry.usableUntil = now
}

/** Valid from now on, with no request outstanding. */
export function markAlive(
  state: ArpState,
  now: Nanos,
  address: Ipv4Address,
  entry: ArpEntry,
): void {
  entry.confirmedAt = now
  entry.usableUntil = now + ARP_VALID
  disarm(state, address, entry)
}

export function arm(state: ArpState, at: Nanos, address: Ipv4Address, entry: ArpEntry): void {
  if (entry.resendAt === NEVER) state.waiting.push(address)
  entry.resendAt = at
}

function disarm(state: ArpState, address: Ipv4Address, entry: ArpEntry): void {
  if (entry.resendAt === NEVER) return
  entry.resendAt = NEVER
  const index = state.waiting.indexOf(address)
  assert(index >= 0, 'an ARP deadline is in the waiting list')
  state.waiting.splice(index, 1)
}

/** Forgets an entry. What waited for it is the caller's. */
export function removeEntry(state: ArpState, address: Ipv4Address): readonly Ipv4Packet[] {
  const entry = state.entries.get(address)!
  disarm(state, address, entry)
  state.entries.delete(address)
  return entry.pending
}

export function addEntry(
  state: ArpState,
  now: Nanos,
  address: Ipv4Address,
  mac: Mac | null,
  senderMac: Mac,
  senderIp: Ipv4Address,
): ArpEntry {
  state.entries.set(address, {
    mac,
    confirmedAt: now,
    usableUntil: now,
    requestedAt: -ARP_REQUEST_INTERVAL,
    tries: 0,
    resendAt: NEVER,
    senderMac,
    senderIp,
    pending: [],
  })
  return state.entries.get(address)!
}

/**
 * The entry that goes when the cache is full: the least recently confirmed of those that no request
 * is out for (an entry in use is confirmed once a minute); where all wait, the first that waited.
 * `null` while there is room.
 */
export function entryToEvict(state: ArpState): Ipv4Address | null {
  if (state.entries.size < ARP_ENTRIES_MAX) return null
  let oldest: Ipv4Address | null = null
  let oldestAt = NEVER
  // A Map iterates in insertion order, so a tie has one answer.
  for (const [address, entry] of state.entries) {
    if (entry.resendAt !== NEVER || entry.confirmedAt >= oldestAt) continue
    oldest = address
    oldestAt = entry.confirmedAt
  }
  return oldest ?? state.waiting[0]!
}
