import type { Ipv6Address, Mac } from '../address.ts'
import { assert } from '../assert.ts'
import type { Ipv6Packet } from '../ipv6/packet.ts'
import { drawShare, type RandomWord } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'

/**
 * The neighbour cache of one interface, RFC 4861 §5.1 and §7.3. REACHABLE turns into STALE without
 * a timer, when somebody looks: a deadline exists only while a solicitation is under way.
 *
 *   INCOMPLETE  mac null, multicast solicitation outstanding, packets wait
 *   REACHABLE   now < usableUntil; afterwards as good as STALE
 *   STALE       the next packet turns it into
 *   DELAY       in use; an upper layer has a moment to confirm, then
 *   PROBE       in use, unicast solicitation outstanding
 */
export type NeighbourStateName = 'INCOMPLETE' | 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE'

/** RFC 4861 §10. */
export const REACHABLE_TIME: Nanos = s(30)
export const RETRANS_TIMER: Nanos = s(1)
export const DELAY_FIRST_PROBE_TIME: Nanos = s(5)
export const MAX_MULTICAST_SOLICIT = 3
export const MAX_UNICAST_SOLICIT = 3
export const MIN_RANDOM_FACTOR = 0.5
export const MAX_RANDOM_FACTOR = 1.5
/** §6.3.4: "at least every few hours" the random reachable time is drawn anew. */
export const REACHABLE_REDRAWN_AFTER: Nanos = s(2 * 3600)
/** An upper layer confirms on every ACK; it is noted no more often than this. */
export const CONFIRM_INTERVAL: Nanos = s(1)
/** Entries. Beyond that the least recently confirmed one goes. */
export const NEIGHBOURS_MAX = 1024
/** Packets that wait for one address. §7.2.2 asks for one at least. */
export const PENDING_MAX = 64

export interface Neighbour {
  state: NeighbourStateName
  /** `null`: not known yet. */
  mac: Mac | null
  isRouter: boolean
  /** Until when packets may go to `mac` without another thought. */
  usableUntil: Nanos
  /** The last sign of life; of an entry that never had one, when it was made. */
  confirmedAt: Nanos
  /** Solicitations of the round that is under way. */
  tries: number
  /** The deadline of DELAY or of the outstanding solicitation, else `NEVER`. */
  due: Nanos
  /** Whom solicitations come from. */
  source: Ipv6Address
  pending: Ipv6Packet[]
}

export interface NeighbourCache extends RandomWord {
  entries: Map<Ipv6Address, Neighbour>
  /** The addresses whose entries have a deadline, in the order in which they got it. */
  waiting: Ipv6Address[]
  /** §6.3.2, as routers tell it. */
  baseReachableTime: Nanos
  /** Between 0.5 and 1.5 times that. */
  reachableTime: Nanos
  drawnAt: Nanos
  retransTimer: Nanos
}

/** `seed`: any 32-bit integer, different for each interface of a run. */
export function createNeighbours(seed: number, now: Nanos): NeighbourCache {
  const cache: NeighbourCache = {
    random: seed | 0,
    entries: new Map(),
    waiting: [],
    baseReachableTime: REACHABLE_TIME,
    reachableTime: REACHABLE_TIME,
    drawnAt: now,
    retransTimer: RETRANS_TIMER,
  }
  drawReachableTime(cache, now)
  return cache
}

/** §6.3.2: uniform, so that neighbours do not probe each other in step. */
export function drawReachableTime(cache: NeighbourCache, now: Nanos): void {
  const spread = MAX_RANDOM_FACTOR - MIN_RANDOM_FACTOR
  const factor = MIN_RANDOM_FACTOR + spread * drawShare(cache)
  cache.reachableTime = Math.floor(cache.baseReachableTime * factor)
  cache.drawnAt = now
}

/** The hit path: the MAC to send to, or `null` where `neighbourResolve` must take the packet. */
export function neighbourLookup(
  cache: NeighbourCache,
  now: Nanos,
  address: Ipv6Address,
): Mac | null {
  const entry = cache.entries.get(address)
  return entry !== undefined && now < entry.usableUntil ? entry.mac : null
}

/** What the state machine of §7.3.2 calls the entry at this moment. */
export const stateOf = (entry: Neighbour, now: Nanos): NeighbourStateName =>
  entry.state === 'REACHABLE' && now >= entry.usableUntil ? 'STALE' : entry.state

/** The earliest deadline of the cache; costs nothing while no solicitation is outstanding. */
export function neighboursNextDue(cache: NeighbourCache): Nanos {
  const waiting = cache.waiting
  let earliest = NEVER
  for (let i = 0; i < waiting.length; i++) {
    const { due } = cache.entries.get(waiting[i]!)!
    if (due < earliest) earliest = due
  }
  return earliest
}

export function markReachable(
  cache: NeighbourCache,
  now: Nanos,
  address: Ipv6Address,
  entry: Neighbour,
): void {
  if (now - cache.drawnAt >= REACHABLE_REDRAWN_AFTER) drawReachableTime(cache, now)
  entry.state = 'REACHABLE'
  entry.confirmedAt = now
  entry.usableUntil = now + cache.reachableTime
  disarm(cache, address, entry)
}

export function markStale(cache: NeighbourCache, address: Ipv6Address, entry: Neighbour): void {
  entry.state = 'STALE'
  entry.usableUntil = 0
  disarm(cache, address, entry)
}

export function arm(cache: NeighbourCache, at: Nanos, address: Ipv6Address, entry: Neighbour) {
  if (entry.due === NEVER) cache.waiting.push(address)
  entry.due = at
}

function disarm(cache: NeighbourCache, address: Ipv6Address, entry: Neighbour): void {
  if (entry.due === NEVER) return
  entry.due = NEVER
  const index = cache.waiting.indexOf(address)
  assert(index >= 0, 'a neighbour deadline is in the waiting list')
  cache.waiting.splice(index, 1)
}

/** Forgets an entry. What waited for it is the caller's. */
export function removeNeighbour(
  cache: NeighbourCache,
  address: Ipv6Address,
): readonly Ipv6Packet[] {
  const entry = cache.entries.get(address)!
  disarm(cache, address, entry)
  cache.entries.delete(address)
  return entry.pending
}

export function addNeighbour(
  cache: NeighbourCache,
  now: Nanos,
  address: Ipv6Address,
  mac: Mac | null,
  source: Ipv6Address,
): Neighbour {
  cache.entries.set(address, {
    state: mac === null ? 'INCOMPLETE' : 'STALE',
    mac,
    isRouter: false,
    usableUntil: 0,
    confirmedAt: now,
    tries: 0,
    due: NEVER,
    source,
    pending: [],
  })
  return cache.entries.get(address)!
}

/** As for ARP: the least recently confirmed of those that nothing is out for. */
export function neighbourToEvict(cache: NeighbourCache): Ipv6Address | null {
  if (cache.entries.size < NEIGHBOURS_MAX) return null
  let oldest: Ipv6Address | null = null
  let oldestAt = NEVER
  // A Map iterates in insertion order, so a tie has one answer.
  for (const [address, entry] of cache.entries) {
    if (entry.due !== NEVER || entry.confirmedAt >= oldestAt) continue
    oldest = address
    oldestAt = entry.confirmedAt
  }
  return oldest ?? cache.waiting[0]!
}
