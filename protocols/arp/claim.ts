import { ANY_IPV4, BROADCAST_MAC, type Ipv4Address, isMulticastMac, type Mac } from '../address.ts'
import { drawSpan } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import type { ArpEvent } from './engine.ts'
import { ARP_REQUEST, ArpPacket } from './packet.ts'

/**
 * Address conflict detection, RFC 5227: an interface makes sure that an address is free before it
 * uses it, tells everybody that it does, and defends it. Left out: choosing another address, which
 * is up to whoever assigned this one, and so the rate limit on that (MAX_CONFLICTS).
 */

/** §1.1, the constants. */
export const PROBE_WAIT: Nanos = s(1)
export const PROBE_NUM = 3
export const PROBE_MIN: Nanos = s(1)
export const PROBE_MAX: Nanos = s(2)
export const ANNOUNCE_WAIT: Nanos = s(2)
export const ANNOUNCE_NUM = 2
export const ANNOUNCE_INTERVAL: Nanos = s(2)
export const DEFEND_INTERVAL: Nanos = s(10)

export interface ClaimPolicy {
  /** `probe`: first make sure that nobody has the address. `announce`: only tell (gratuitous ARP). */
  readonly method: 'probe' | 'announce'
  /**
   * What happens to an address in use that another station claims, §2.4. `never`: it is given up at
   * once (a); `once`: at the second conflict within DEFEND_INTERVAL (b); `always`: never (c).
   */
  readonly defend: 'never' | 'once' | 'always'
  /** When the interface comes up. */
  readonly from: Nanos
}

/** The addresses that one interface claims. */
export interface Claims {
  readonly policy: ClaimPolicy
  /** The state of the generator that random delays come from. */
  random: number
  addresses: Claim[]
}

export interface Claim {
  readonly address: Ipv4Address
  phase: 'probing' | 'in-use' | 'given-up'
  /** Probes sent, then announcements. */
  sent: number
  /** The deadline of the next one, or `NEVER`. */
  due: Nanos
  /** When it was last defended; -DEFEND_INTERVAL where it never was. */
  defendedAt: Nanos
}

export interface ClaimOut {
  sendArp(packet: ArpPacket, destination: Mac): void
  event(event: ArpEvent): void
  /** The address may be used from now on, or no longer. */
  usable(address: Ipv4Address, usable: boolean): void
}

/** `seed`: any 32-bit integer, different for each interface of a run. */
export function createClaims(
  policy: ClaimPolicy,
  addresses: readonly Ipv4Address[],
  seed: number,
): Claims {
  const claims: Claims = { policy, random: seed | 0, addresses: [] }
  for (const address of addresses) claimAddress(claims, policy.from, address)
  return claims
}

/** Begins to claim one more address, from now on. */
export function claimAddress(claims: Claims, now: Nanos, address: Ipv4Address): void {
  // §2.1.1: stations that were switched on together do not all speak at once.
  const wait = claims.policy.method === 'probe' ? drawSpan(claims, 0, PROBE_WAIT) : 0
  unclaimAddress(claims, address)
  claims.addresses.push({
    address,
    phase: 'probing',
    sent: 0,
    due: now + wait,
    defendedAt: -DEFEND_INTERVAL,
  })
}

/** The address is neither looked for nor defended any more. */
export function unclaimAddress(claims: Claims, address: Ipv4Address): void {
  claims.addresses = claims.addresses.filter((each) => each.address !== address)
}

/** The earliest deadline. */
export function claimsNextDue(claims: Claims): Nanos {
  let earliest = NEVER
  for (const { due } of claims.addresses) if (due < earliest) earliest = due
  return earliest
}

/** Does what is due. Early calls do nothing. */
export function claimsTimer(claims: Claims, now: Nanos, mac: Mac, out: ClaimOut): void {
  for (const claim of claims.addresses) {
    if (claim.due > now) continue
    const probes = claims.policy.method === 'probe' ? PROBE_NUM : 0
    if (claim.phase === 'probing' && claim.sent < probes) probe(claims, claim, now, mac, out)
    else announce(claim, now, mac, out)
  }
}

function probe(claims: Claims, claim: Claim, now: Nanos, mac: Mac, out: ClaimOut): void {
  claim.sent += 1
  const last = claim.sent === PROBE_NUM
  claim.due = now + (last ? ANNOUNCE_WAIT : drawSpan(claims, PROBE_MIN, PROBE_MAX))
  out.sendArp(request(mac, ANY_IPV4, claim.address), BROADCAST_MAC)
}

/** §2.3: the address is in use from the first announcement on. */
function announce(claim: Claim, now: Nanos, mac: Mac, out: ClaimOut): void {
  const first = claim.phase === 'probing'
  if (first) {
    claim.phase = 'in-use'
    claim.sent = 0
  }
  claim.sent += 1
  claim.due = claim.sent < ANNOUNCE_NUM ? now + ANNOUNCE_INTERVAL : NEVER
  out.sendArp(request(mac, claim.address, claim.address), BROADCAST_MAC)
  if (first) out.usable(claim.address, true)
}

/** An ARP packet came in. True where it was about a conflict, and nobody else need look at it. */
export function claimsHear(
  claims: Claims,
  now: Nanos,
  mac: Mac,
  packet: ArpPacket,
  out: ClaimOut,
): boolean {
  const { senderMac, senderIp, targetIp } = packet
  if (senderMac === mac || isMulticastMac(senderMac)) return false
  for (const claim of claims.addresses) {
    // Before the interface is up it hears nothing.
    if (claim.phase === 'given-up' || now < claims.policy.from) continue
    const { address } = claim
    const claimed = senderIp === address
    // §2.1.1: somebody else probes for the address that we probe for.
    const contested =
      claim.phase === 'probing' &&
      targetIp === address &&
      senderIp === ANY_IPV4 &&
      packet.operation === ARP_REQUEST
    if (!claimed && !contested) continue
    out.event({ kind: 'address-conflict', address, mac: senderMac })
    if (claim.phase === 'in-use' && mayDefend(claims.policy, claim, now)) {
      if (now - claim.defendedAt >= DEFEND_INTERVAL) {
        claim.defendedAt = now
        out.sendArp(request(mac, address, address), BROADCAST_MAC)
      }
    } else giveUp(claim, out)
    return true
  }
  return false
}

/** §2.4: the second conflict within DEFEND_INTERVAL tells that the other one does not yield. */
function mayDefend({ defend }: ClaimPolicy, { defendedAt }: Claim, now: Nanos): boolean {
  if (defend === 'once') return now - defendedAt >= DEFEND_INTERVAL
  return defend === 'always'
}

function giveUp(claim: Claim, out: ClaimOut): void {
  claim.phase = 'given-up'
  claim.due = NEVER
  out.usable(claim.address, false)
}

const request = (mac: Mac, sender: Ipv4Address, target: Ipv4Address): ArpPacket =>
  new ArpPacket(ARP_REQUEST, mac, sender, NO_MAC, target)

const NO_MAC: Mac = '00:00:00:00:00:00'
