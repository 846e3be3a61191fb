import type { Ipv6Address } from '../address.ts'
import { drawShare, drawSpan, type RandomWord } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { type RouterAdvertisement, untilOf } from './message.ts'

/**
 * What a host learns from routers, RFC 4861 §6.3: the default router list and the prefix list of one
 * interface, and asking for advertisements, with the back-off of RFC 7559.
 *
 * Left out: preferences and specific routes (RFC 4191), DNS servers (RFC 8106).
 */

/** RFC 4861 §10. */
export const MAX_RTR_SOLICITATION_DELAY: Nanos = s(1)
export const RTR_SOLICITATION_INTERVAL: Nanos = s(4)
/** After so many without an answer there is no router. */
export const MAX_RTR_SOLICITATIONS = 3
/** RFC 7559 §2.1: where it was never answered, it is asked again at most every hour. */
export const SOLICITATION_INTERVAL_MAX: Nanos = s(3600)

/** Routers and prefixes. Whoever sends advertisements shall not fill our memory. */
export const ROUTERS_MAX = 16
export const PREFIXES_MAX = 32

export interface DefaultRouter {
  readonly address: Ipv6Address
  validUntil: Nanos
}

export interface OnLinkPrefix {
  readonly prefix: Ipv6Address
  readonly prefixLength: number
  validUntil: Nanos
}

export interface RouterDiscovery extends RandomWord {
  routers: DefaultRouter[]
  prefixes: OnLinkPrefix[]
  /** Solicitations so far, the deadline of the next one, and what lay before it. */
  solicited: number
  solicitAt: Nanos
  interval: Nanos
}

export interface RouterOut {
  solicitRouters(): void
  /** A default router came (`true`) or went. `null`: nobody answers, so there is none. */
  router(address: Ipv6Address | null, usable: boolean): void
  /** A prefix is on this link (`true`), or no longer. */
  onLink(prefix: Ipv6Address, prefixLength: number, there: boolean): void
}

export const createRouterDiscovery = (seed: number): RouterDiscovery => ({
  random: seed | 0,
  routers: [],
  prefixes: [],
  solicited: 0,
  solicitAt: NEVER,
  interval: 0,
})

/** The interface has its link-local address: ask at once, the delay of §6.3.7 lies behind it. */
export function startSoliciting(state: RouterDiscovery, at: Nanos): void {
  if (state.solicited === 0) state.solicitAt = at
}

/** The earliest deadline. */
export function routersNextDue({ routers, prefixes, solicitAt }: RouterDiscovery): Nanos {
  let earliest = solicitAt
  for (const { validUntil } of routers) earliest = Math.min(earliest, validUntil)
  for (const { validUntil } of prefixes) earliest = Math.min(earliest, validUntil)
  return earliest
}

/** Does what is due. Early calls do nothing. */
export function routersTimer(state: RouterDiscovery, now: Nanos, out: RouterOut): void {
  for (const { address, validUntil } of state.routers.slice()) {
    if (validUntil <= now) removeRouter(state, address, out)
  }
  for (const each of state.prefixes.slice()) {
    if (each.validUntil <= now) removePrefix(state, each, out)
  }
  if (state.solicitAt <= now) solicit(state, now, out)
}

/** RFC 7559 §2.1: RT = IRT + RAND·IRT, then 2·RT + RAND·RT, and never much beyond MRT. */
function solicit(state: RouterDiscovery, now: Nanos, out: RouterOut): void {
  const noAnswer = state.solicited === MAX_RTR_SOLICITATIONS
  const first = state.solicited === 0
  const base = first ? RTR_SOLICITATION_INTERVAL : 2 * state.interval
  const spread = first ? RTR_SOLICITATION_INTERVAL : state.interval
  const random = (drawShare(state) - 0.5) / 5
  const next = base + spread * random
  const most = SOLICITATION_INTERVAL_MAX
  state.interval = Math.round(next > most ? most + most * random : next)
  state.solicited += 1
  state.solicitAt = now + state.interval
  out.solicitRouters()
  if (noAnswer) out.router(null, false)
}

/** §6.3.4, the part that is about lists. `from`: the router's link-local address. */
export function advertisementHeard(
  state: RouterDiscovery,
  now: Nanos,
  from: Ipv6Address,
  ra: RouterAdvertisement,
  out: RouterOut,
): void {
  const known = state.routers.find(({ address }) => address === from)
  if (ra.lifetime === 0) {
    if (known !== undefined) removeRouter(state, from, out)
  } else {
    // RFC 7559 §2: one that routes for us ends the asking.
    state.solicitAt = NEVER
    if (known !== undefined) known.validUntil = untilOf(now, ra.lifetime)
    else if (state.routers.length < ROUTERS_MAX) {
      state.routers.push({ address: from, validUntil: untilOf(now, ra.lifetime) })
      out.router(from, true)
    }
  }
  for (const { prefix, prefixLength, onLink, validLifetime } of ra.prefixes) {
    if (!onLink || prefix.startsWith('fe80:')) continue
    const validUntil = untilOf(now, validLifetime)
    const there = state.prefixes.find(
      (each) => each.prefix === prefix && each.prefixLength === prefixLength,
    )
    if (there === undefined) {
      if (validLifetime === 0 || state.prefixes.length >= PREFIXES_MAX) continue
      state.prefixes.push({ prefix, prefixLength, validUntil })
      out.onLink(prefix, prefixLength, true)
    } else if (validLifetime === 0) removePrefix(state, there, out)
    else there.validUntil = validUntil
  }
}

/** §6.3.5, and §7.2.5: what said it was a router says that it is none. */
export function removeRouter(state: RouterDiscovery, from: Ipv6Address, out: RouterOut): void {
  if (!state.routers.some(({ address }) => address === from)) return
  state.routers = state.routers.filter(({ address }) => address !== from)
  out.router(from, false)
}

function removePrefix(state: RouterDiscovery, gone: OnLinkPrefix, out: RouterOut): void {
  const { prefix, prefixLength } = gone
  state.prefixes = state.prefixes.filter(
    (each) => each.prefix !== prefix || each.prefixLength !== prefixLength,
  )
  out.onLink(prefix, prefixLength, false)
}

/**
 * §6.3.6: a router that may be reachable rather than one that does not answer; among equals the one
 * that was heard of first. `answers` says of a router whether its MAC address is known.
 */
export function defaultRouter(
  { routers }: RouterDiscovery,
  answers: (address: Ipv6Address) => boolean,
): Ipv6Address | null {
  const known = routers.find(({ address }) => answers(address))
  return (known ?? routers[0])?.address ?? null
}

/** One that has stopped to answer goes behind the others: they take turns. */
export function routerSilent(state: RouterDiscovery, silent: Ipv6Address): void {
  const router = state.routers.find(({ address }) => address === silent)
  if (router === undefined || state.routers.length === 1) return
  state.routers = [...state.routers.filter((other) => other !== router), router]
}

/** The wait before the first message of an interface, §6.3.7. */
export const firstDelay = (state: RandomWord): Nanos =>
  drawSpan(state, 0, MAX_RTR_SOLICITATION_DELAY)
