import { ANY_IPV4, BROADCAST_IPV4, BROADCAST_MAC, type Ipv4Address } from '../address.ts'
import { isMulticastIpv4, isMulticastMac, type Mac } from '../address.ts'
import type { Ipv4Packet } from '../ipv4/packet.ts'
import type { Nanos } from '../time.ts'
import { addEntry, ARP_FORGOTTEN, ARP_PENDING_MAX, ARP_REQUEST_INTERVAL } from './cache.ts'
import { type ArpEntry, type ArpState, arm, entryToEvict, markAlive, removeEntry } from './cache.ts'
import { ARP_REPLY, ARP_REQUEST, ArpPacket } from './packet.ts'

/**
 * ARP for IPv4 over Ethernet: RFC 826, with the ageing, rate limit and packet queue of RFC 1122
 * §2.3.2. Left out: proxy ARP. A conflict about an address of ours is noticed and reported, not
 * fought; `claim.ts` does that where it is asked for (RFC 5227).
 */

/** Broadcast requests before an address counts as unreachable. */
export const ARP_BROADCAST_TRIES = 3
/** RFC 1122 §2.3.2.1 (2): polls before an entry is deleted, "typically 2". */
export const ARP_POLL_TRIES = 2

export type ArpDropReason = 'arp-unresolved' | 'arp-queue-full' | 'arp-cache-full'

export type ArpEvent =
  /** A neighbour was learned, changed its MAC, or (`null`) stopped to answer. */
  | { readonly kind: 'neighbour'; readonly address: Ipv4Address; readonly mac: Mac | null }
  /** Another station claims an address of ours. */
  | { readonly kind: 'address-conflict'; readonly address: Ipv4Address; readonly mac: Mac }

export interface ArpOut {
  /** Put an ARP packet on the wire. */
  sendArp(packet: ArpPacket, destination: Mac): void
  /** Put a packet on the wire: its next hop has this MAC. */
  forward(packet: Ipv4Packet, destination: Mac): void
  /**
   * A packet comes back. `arp-unresolved`: nobody answered, which is worth an ICMP host
   * unreachable; otherwise there was no room.
   */
  undeliverable(packet: Ipv4Packet, why: ArpDropReason): void
  event(event: ArpEvent): void
}

/**
 * Takes a packet for which `arpLookup` knew no MAC: it is forwarded now, later or never, and always
 * said so. `mac` and `address` are the interface's own, for the request.
 */
export function arpResolve(
  state: ArpState,
  now: Nanos,
  mac: Mac,
  address: Ipv4Address,
  nextHop: Ipv4Address,
  packet: Ipv4Packet,
  out: ArpOut,
): void {
  let entry = state.entries.get(nextHop)
  if (entry !== undefined && entry.mac !== null) {
    if (now < entry.usableUntil) return out.forward(packet, entry.mac)
    entry.senderMac = mac
    entry.senderIp = address
    entry.tries = 0
    if (now - entry.confirmedAt < ARP_FORGOTTEN) {
      // Stale: in use until the polls have failed (RFC 1122 §2.3.2.1 (2)), when the timer deletes it.
      const known = entry.mac
      entry.usableUntil = Infinity
      ask(state, now, nextHop, entry, out)
      return out.forward(packet, known)
    }
    entry.mac = null
    entry.pending = [packet]
    return ask(state, now, nextHop, entry, out)
  }
  if (entry === undefined) {
    const evicted = entryToEvict(state)
    const returned = evicted === null ? [] : removeEntry(state, evicted)
    entry = addEntry(state, now, nextHop, null, mac, address)
    entry.pending.push(packet)
    ask(state, now, nextHop, entry, out)
    if (evicted !== null) reportLoss(evicted, returned, 'arp-cache-full', out)
    return
  }
  // RFC 1122 §2.3.2.2: the latest packets are the ones worth keeping.
  if (entry.pending.length === ARP_PENDING_MAX) {
    out.undeliverable(entry.pending.shift()!, 'arp-queue-full')
  }
  entry.pending.push(packet)
}

/**
 * Handles an ARP packet that came in: RFC 826, "Packet Reception". `mac` and `addresses` are the
 * interface's own.
 */
export function arpReceive(
  state: ArpState,
  now: Nanos,
  mac: Mac,
  addresses: readonly Ipv4Address[],
  packet: ArpPacket,
  out: ArpOut,
): void {
  const { senderMac, senderIp, targetIp } = packet
  // RFC 1812 §3.3.2: no station has a group address. Our own frame says nothing new.
  if (isMulticastMac(senderMac) || senderMac === mac) return
  if (addresses.includes(senderIp)) {
    return out.event({ kind: 'address-conflict', address: senderIp, mac: senderMac })
  }
  const isTarget = addresses.includes(targetIp)
  if (isHostAddress(senderIp)) {
    const entry = state.entries.get(senderIp)
    if (entry !== undefined) learn(state, now, senderIp, entry, senderMac, out)
    else if (isTarget) {
      const evicted = entryToEvict(state)
      const returned = evicted === null ? [] : removeEntry(state, evicted)
      const added = addEntry(state, now, senderIp, senderMac, mac, targetIp)
      markAlive(state, now, senderIp, added)
      out.event({ kind: 'neighbour', address: senderIp, mac: senderMac })
      if (evicted !== null) reportLoss(evicted, returned, 'arp-cache-full', out)
    }
  }
  // A sender of 0.0.0.0 probes for a conflict (RFC 5227 §2.1.1) and is answered, never learned.
  if (isTarget && packet.operation === ARP_REQUEST) {
    out.sendArp(new ArpPacket(ARP_REPLY, mac, targetIp, senderMac, senderIp), senderMac)
  }
}

/** Does what is due. Early calls do nothing. */
export function arpTimer(state: ArpState, now: Nanos, out: ArpOut): void {
  let index = 0
  while (index < state.waiting.length) {
    const address = state.waiting[index]!
    const entry = state.entries.get(address)!
    if (entry.resendAt > now) index++
    else if (entry.tries < (entry.mac === null ? ARP_BROADCAST_TRIES : ARP_POLL_TRIES)) {
      ask(state, now, address, entry, out)
      index++
    } else reportLoss(address, removeEntry(state, address), 'arp-unresolved', out)
  }
}

/** Sends a request, or puts it off where the last one was less than a second ago. */
function ask(
  state: ArpState,
  now: Nanos,
  address: Ipv4Address,
  entry: ArpEntry,
  out: ArpOut,
): void {
  const allowedAt = entry.requestedAt + ARP_REQUEST_INTERVAL
  if (now < allowedAt) return arm(state, allowedAt, address, entry)
  entry.requestedAt = now
  entry.tries += 1
  arm(state, now + ARP_REQUEST_INTERVAL, address, entry)
  // RFC 826 leaves the target's hardware address open in a request; zeros are the custom.
  const request = new ArpPacket(ARP_REQUEST, entry.senderMac, entry.senderIp, NO_MAC, address)
  out.sendArp(request, entry.mac ?? BROADCAST_MAC)
}

function learn(
  state: ArpState,
  now: Nanos,
  address: Ipv4Address,
  entry: ArpEntry,
  mac: Mac,
  out: ArpOut,
): void {
  const changed = entry.mac !== mac
  entry.mac = mac
  markAlive(state, now, address, entry)
  if (changed) out.event({ kind: 'neighbour', address, mac })
  if (entry.pending.length === 0) return
  const pending = entry.pending
  entry.pending = []
  for (const packet of pending) out.forward(packet, mac)
}

/** Last in its step: the state is whole again when the packets' owner reacts by sending. */
function reportLoss(
  address: Ipv4Address,
  returned: readonly Ipv4Packet[],
  why: ArpDropReason,
  out: ArpOut,
): void {
  out.event({ kind: 'neighbour', address, mac: null })
  for (const packet of returned) out.undeliverable(packet, why)
}

const isHostAddress = (a: Ipv4Address): boolean =>
  a !== ANY_IPV4 && a !== BROADCAST_IPV4 && !isMulticastIpv4(a)

const NO_MAC: Mac = '00:00:00:00:00:00'
