import { drawSpan, type RandomWord } from '../random-word.ts'
import { ms, NEVER, type Nanos, s } from '../time.ts'
import type { RouterAdvertisement } from './message.ts'

/**
 * A router that advertises itself and its prefixes on one interface, RFC 4861 §6.2. Left out: looking
 * after what other routers say (§6.2.7), and a last advertisement when it stops.
 */

/** RFC 4861 §10. */
export const MAX_INITIAL_RTR_ADVERT_INTERVAL: Nanos = s(16)
export const MAX_INITIAL_RTR_ADVERTISEMENTS = 3
export const MIN_DELAY_BETWEEN_RAS: Nanos = s(3)
export const MAX_RA_DELAY_TIME: Nanos = ms(500)
/** §6.2.1, MaxRtrAdvInterval. */
export const ADVERTISE_INTERVAL: Nanos = s(600)

export interface AdvertiseConfig extends Omit<RouterAdvertisement, 'kind' | 'sourceMac'> {
  /** MaxRtrAdvInterval and MinRtrAdvInterval. */
  readonly maxInterval: Nanos
  readonly minInterval: Nanos
}

export interface Advertiser extends RandomWord {
  readonly config: AdvertiseConfig
  sent: number
  /** When the last one was sent; far in the past where there was none. */
  sentAt: Nanos
  /** The deadline of the next one. */
  due: Nanos
}

export const createAdvertiser = (config: AdvertiseConfig, seed: number): Advertiser => ({
  config,
  random: seed | 0,
  sent: 0,
  sentAt: -MIN_DELAY_BETWEEN_RAS,
  due: NEVER,
})

/** The interface has an address to speak from. */
export function startAdvertising(state: Advertiser, now: Nanos): void {
  if (state.due === NEVER) state.due = now + drawSpan(state, 0, MAX_RA_DELAY_TIME)
}

/** Whether an advertisement is due, to all nodes. §6.2.4: the next one follows at a random time. */
export function advertiserTimer(state: Advertiser, now: Nanos): boolean {
  if (state.due > now) return false
  const { minInterval, maxInterval } = state.config
  state.sent += 1
  state.sentAt = now
  const pause = drawSpan(state, minInterval, maxInterval)
  const initial = state.sent < MAX_INITIAL_RTR_ADVERTISEMENTS
  state.due = now + (initial ? Math.min(pause, MAX_INITIAL_RTR_ADVERT_INTERVAL) : pause)
  return true
}

/** §6.2.6: a solicitation is answered to everybody, a moment later and not too often. */
export function solicitationHeard(state: Advertiser, now: Nanos): void {
  if (state.due === NEVER) return
  const delay = drawSpan(state, 0, MAX_RA_DELAY_TIME)
  const allowed = Math.max(now, state.sentAt + MIN_DELAY_BETWEEN_RAS)
  state.due = Math.min(state.due, allowed + delay)
}

/** What it says, but for its MAC address. */
export function advertisementOf({ config }: Advertiser): Omit<RouterAdvertisement, 'sourceMac'> {
  const { hopLimit, managed, other, lifetime, reachableTime, retransTimer, mtu, prefixes } = config
  const kind = 'router-advertisement'
  return { kind, hopLimit, managed, other, lifetime, reachableTime, retransTimer, mtu, prefixes }
}
