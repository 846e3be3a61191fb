import type { Ipv6Address, Mac } from '../address.ts'
import type { Ipv6Packet } from '../ipv6/packet.ts'
import { NEVER, type Nanos } from '../time.ts'
import {
  addNeighbour,
  arm,
  CONFIRM_INTERVAL,
  DELAY_FIRST_PROBE_TIME,
  markReachable,
  markStale,
  MAX_MULTICAST_SOLICIT,
  MAX_UNICAST_SOLICIT,
  type Neighbour,
  type NeighbourCache,
  neighbourToEvict,
  PENDING_MAX,
  removeNeighbour,
  stateOf,
} from './cache.ts'
import type { NeighbourAdvertisement } from './message.ts'

/**
 * Address resolution and neighbour unreachability detection, RFC 4861 §7. Left out: anycast delays
 * (§7.2.7), proxies (§7.2.8), and keeping an entry that does not answer (RFC 7048).
 */

export type NeighbourDropReason = 'nd-unresolved' | 'nd-queue-full' | 'nd-cache-full'

/** A neighbour was learned, changed its MAC, or (`null`) stopped to answer. */
export interface NeighbourEvent {
  readonly kind: 'neighbour'
  readonly address: Ipv6Address
  readonly mac: Mac | null
}

export interface NeighbourOut {
  /** Ask for a neighbour's MAC address: all that could have the address, or `mac` alone. */
  solicit(target: Ipv6Address, source: Ipv6Address, mac: Mac | null): void
  /** Put a packet on the wire: its next hop has this MAC. */
  forward(packet: Ipv6Packet, destination: Mac): void
  /** A packet comes back. `nd-unresolved`: nobody answered; otherwise there was no room. */
  undeliverable(packet: Ipv6Packet, why: NeighbourDropReason): void
  /** It is `silent`, or a router no longer: whoever sends by it looks for another way. */
  nextHopLost(address: Ipv6Address, silent: boolean): void
  event(event: NeighbourEvent): void
}

/**
 * Takes a packet for which `neighbourLookup` knew no MAC: it is forwarded now, later or never, and
 * always said so. `source`: an address of ours on the interface, the packet's own if it can be.
 */
export function neighbourResolve(
  cache: NeighbourCache,
  now: Nanos,
  nextHop: Ipv6Address,
  source: Ipv6Address,
  packet: Ipv6Packet,
  out: NeighbourOut,
): void {
  let entry = cache.entries.get(nextHop)
  if (entry === undefined) {
    const evicted = neighbourToEvict(cache)
    const returned = evicted === null ? [] : removeNeighbour(cache, evicted)
    entry = addNeighbour(cache, now, nextHop, null, source)
    entry.pending.push(packet)
    solicit(cache, now, nextHop, entry, out)
    if (evicted !== null) giveUp(evicted, returned, 'nd-cache-full', out)
    return
  }
  if (entry.mac === null) {
    // §7.2.2: the new packet replaces the oldest.
    if (entry.pending.length === PENDING_MAX) {
      out.undeliverable(entry.pending.shift()!, 'nd-queue-full')
    }
    entry.pending.push(packet)
    return
  }
  if (stateOf(entry, now) === 'STALE') {
    // §7.3.3: sent as if nothing were, and watched.
    entry.state = 'DELAY'
    entry.usableUntil = Infinity
    entry.source = source
    arm(cache, now + DELAY_FIRST_PROBE_TIME, nextHop, entry)
  }
  out.forward(packet, entry.mac)
}

/** Does what is due. Early calls do nothing. */
export function neighboursTimer(cache: NeighbourCache, now: Nanos, out: NeighbourOut): void {
  let index = 0
  while (index < cache.waiting.length) {
    const address = cache.waiting[index]!
    const entry = cache.entries.get(address)!
    const most = entry.state === 'INCOMPLETE' ? MAX_MULTICAST_SOLICIT : MAX_UNICAST_SOLICIT
    if (entry.due > now) index++
    else if (entry.state === 'DELAY' || entry.tries < most) {
      if (entry.state === 'DELAY') {
        entry.state = 'PROBE'
        entry.tries = 0
      }
      solicit(cache, now, address, entry, out)
      index++
    } else giveUp(address, removeNeighbour(cache, address), 'nd-unresolved', out)
  }
}

function solicit(
  cache: NeighbourCache,
  now: Nanos,
  address: Ipv6Address,
  entry: Neighbour,
  out: NeighbourOut,
): void {
  entry.tries += 1
  arm(cache, now + cache.retransTimer, address, entry)
  out.solicit(address, entry.source, entry.mac)
}

/** Last in its step: the state is whole again when the packets' owner reacts by sending. */
function giveUp(
  address: Ipv6Address,
  returned: readonly Ipv6Packet[],
  why: NeighbourDropReason,
  out: NeighbourOut,
): void {
  out.nextHopLost(address, true)
  out.event({ kind: 'neighbour', address, mac: null })
  for (const packet of returned) out.undeliverable(packet, why)
}

/**
 * A solicitation, an advertisement of a router or a redirect told a neighbour's MAC address: §7.2.3,
 * §6.2.6, §6.3.4, §8.3. It says nothing about whether we reach it.
 */
export function neighbourHeard(
  cache: NeighbourCache,
  now: Nanos,
  address: Ipv6Address,
  mac: Mac,
  source: Ipv6Address,
  out: NeighbourOut,
): Neighbour {
  let entry = cache.entries.get(address)
  if (entry === undefined) {
    const evicted = neighbourToEvict(cache)
    const returned = evicted === null ? [] : removeNeighbour(cache, evicted)
    entry = addNeighbour(cache, now, address, mac, source)
    out.event({ kind: 'neighbour', address, mac })
    if (evicted !== null) giveUp(evicted, returned, 'nd-cache-full', out)
  } else if (entry.mac !== mac) {
    entry.mac = mac
    markStale(cache, address, entry)
    out.event({ kind: 'neighbour', address, mac })
    sendPending(cache, now, address, entry, out)
  }
  return entry
}

/** §7.2.5. */
export function advertisementArrives(
  cache: NeighbourCache,
  now: Nanos,
  nd: NeighbourAdvertisement,
  out: NeighbourOut,
): void {
  const { target, targetMac, solicited } = nd
  const entry = cache.entries.get(target)
  if (entry === undefined) return
  if (entry.mac === null) {
    if (targetMac === null) return
    entry.mac = targetMac
    entry.isRouter = nd.router
    if (solicited) markReachable(cache, now, target, entry)
    else markStale(cache, target, entry)
    out.event({ kind: 'neighbour', address: target, mac: targetMac })
    return sendPending(cache, now, target, entry, out)
  }
  const differs = targetMac !== null && targetMac !== entry.mac
  if (differs && !nd.override) {
    if (stateOf(entry, now) === 'REACHABLE') markStale(cache, target, entry)
    return
  }
  if (differs) {
    entry.mac = targetMac
    out.event({ kind: 'neighbour', address: target, mac: targetMac })
  }
  if (solicited) markReachable(cache, now, target, entry)
  else if (differs) markStale(cache, target, entry)
  const wasRouter = entry.isRouter
  entry.isRouter = nd.router
  if (wasRouter && !nd.router) out.nextHopLost(target, false)
}

function sendPending(
  cache: NeighbourCache,
  now: Nanos,
  address: Ipv6Address,
  entry: Neighbour,
  out: NeighbourOut,
): void {
  if (entry.pending.length === 0) return
  const pending = entry.pending
  entry.pending = []
  for (const packet of pending) neighbourResolve(cache, now, address, entry.source, packet, out)
}

/** §7.3.1: an upper layer made progress through the neighbour, so packets reach it. */
export function neighbourConfirm(cache: NeighbourCache, now: Nanos, address: Ipv6Address): void {
  const entry = cache.entries.get(address)
  if (entry === undefined || entry.mac === null) return
  const settled = entry.due === NEVER && now < entry.usableUntil
  if (settled && now < entry.confirmedAt + CONFIRM_INTERVAL) return
  markReachable(cache, now, address, entry)
}
