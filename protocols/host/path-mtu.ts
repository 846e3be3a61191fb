import type { IpAddress } from '../address.ts'
import { IPV4_MTU_MIN } from '../ipv4/fragment.ts'
import { type Nanos, s } from '../time.ts'
import type { HostState } from './state.ts'

/**
 * Path MTU discovery, RFC 1191, the part that all sockets of a host share: what is known of each
 * destination. Nothing is probed upwards (§5): after ten minutes what was learned no longer counts,
 * and the next packet of the link's size finds out anew.
 */

/** RFC 1191 §6.3: no sooner than 5 minutes, 10 recommended. */
export const PATH_MTU_LIFETIME: Nanos = s(600)
/** Destinations. Beyond that the one that was learned first goes. */
export const PATH_MTUS_MAX = 1024

export interface PathMtu {
  /** Bytes of an IP packet. */
  readonly mtu: number
  readonly expiresAt: Nanos
}

/** The largest packet that is thought to reach a destination whole, bytes. */
export function pathMtuTo(
  h: HostState,
  now: Nanos,
  destination: IpAddress,
  linkMtu: number,
): number {
  if (h.pathMtus.size === 0) return linkMtu
  const known = h.pathMtus.get(destination)
  return known === undefined || now >= known.expiresAt ? linkMtu : Math.min(known.mtu, linkMtu)
}

/** Takes what a "fragmentation needed" says. `false`: it tells nothing new. */
export function learnPathMtu(
  h: HostState,
  now: Nanos,
  destination: IpAddress,
  mtu: number,
  linkMtu: number,
): boolean {
  if (mtu >= pathMtuTo(h, now, destination, linkMtu)) return false
  h.pathMtus.delete(destination)
  if (h.pathMtus.size === PATH_MTUS_MAX) {
    for (const oldest of h.pathMtus.keys()) {
      h.pathMtus.delete(oldest)
      break
    }
  }
  h.pathMtus.set(destination, { mtu, expiresAt: now + PATH_MTU_LIFETIME })
  return true
}

/** RFC 1191 §7.1, table 7-1: the MTUs that are in use, falling. */
const PLATEAUS = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, IPV4_MTU_MIN]

/**
 * The MTU that a "fragmentation needed" means. `said`: its next-hop MTU, 0 from routers older than
 * RFC 1191 §4; `quoted`: the total length of the packet that was too big. 0 where it makes no sense.
 */
export function meantMtu(said: number, quoted: number): number {
  if (quoted <= IPV4_MTU_MIN) return 0
  if (said === 0) return PLATEAUS.find((plateau) => plateau < quoted)!
  // A router that could have passed the packet on would not have complained.
  return said >= quoted ? 0 : Math.max(said, IPV4_MTU_MIN)
}
