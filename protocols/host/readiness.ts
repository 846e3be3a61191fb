import { claimsNextDue } from '../arp/claim.ts'
import { MAX_RTR_SOLICITATIONS } from '../nd/routers.ts'
import { NEVER, type Nanos } from '../time.ts'
import { type Ipv6Interface, ipv6NextDue } from './ipv6-interface.ts'
import { arpOwner, type HostState } from './state.ts'

/** What a host that has just been made has to do by itself: owners of timer sets, and when. */
export function firstDeadlines(
  h: HostState,
): readonly { readonly owner: number; readonly at: Nanos }[] {
  return h.interfaces.flatMap(({ claims, ipv6 }, port) => {
    const ofClaims = claims === null ? NEVER : claimsNextDue(claims)
    const at = Math.min(ofClaims, ipv6 === null ? NEVER : ipv6NextDue(ipv6))
    return claims === null && at === NEVER ? [] : [{ owner: arpOwner(port), at }]
  })
}

/** Whether every address is in use; `false`: not yet; `null`: one of them belongs to another. */
export function hasItsAddresses(h: HostState): boolean | null {
  const claims = h.interfaces.flatMap((iface) => iface.claims?.addresses ?? [])
  const all = h.interfaces.flatMap(({ ipv6 }) => (ipv6 === null ? [] : [ipv6]))
  const assigned = all.flatMap(({ list }) => list.assigned)
  if (claims.some(({ phase }) => phase === 'given-up')) return null
  if (assigned.some(({ phase }) => phase === 'duplicate')) return null
  if (!claims.every(({ phase }) => phase === 'in-use')) return false
  if (assigned.some(({ phase }) => phase === 'tentative')) return false
  return all.every(isConfigured)
}

/**
 * An interface that configures itself waits for a router to tell it an address beyond the link: until
 * one has spoken, or until none has answered. One that has an address needs none.
 */
function isConfigured({ list, discovery }: Ipv6Interface): boolean {
  if (discovery === null || discovery.routers.length > 0) return true
  const hasOther = list.assigned.some(({ origin }) => origin !== 'link-local')
  return hasOther || discovery.solicited > MAX_RTR_SOLICITATIONS
}
