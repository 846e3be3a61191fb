import type { Nanos } from '../time.ts'

/**
 * A token bucket for ICMP errors (RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)), kept as the one instant at
 * which it will be full again. Nothing is refilled, rounded or lost: every token is worth exactly
 * `interval`.
 */
export interface RateLimit {
  /** Nanoseconds that one token takes to come back. */
  readonly interval: Nanos
  /** Tokens in a full bucket. */
  readonly burst: number
  fullAt: Nanos
}

/** Starts full. */
export const createRateLimit = (interval: Nanos, burst: number): RateLimit => ({
  interval,
  burst,
  fullAt: 0,
})

/** Takes a token; `false` where there is none. */
export function takeToken(state: RateLimit, now: Nanos): boolean {
  const fullAt = Math.max(state.fullAt, now) + state.interval
  if (fullAt - now > state.burst * state.interval) return false
  state.fullAt = fullAt
  return true
}
