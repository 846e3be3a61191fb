import type { Nanos } from '../time.ts'
import { NEVER } from '../time.ts'
import { fail } from './lifecycle.ts'
import type { TcpOut } from './output.ts'
import { resetOf } from './reset.ts'
import type { TcpState } from './state.ts'
import { sendKeepAlive } from './transmit.ts'

// RFC 9293 §3.8.4 and RFC 1122 §4.2.3.6, keep-alives; the same timer bounds an attempt to connect.

/** Sets the timer of a connection that stands, or forgets it, as the policy says. */
export function watchIdleness(s: TcpState, now: Nanos): void {
  s.keepProbes = 0
  s.timers.keepAlive = isWatched(s) ? now + s.policy.keepIdle : NEVER
}

const isWatched = ({ policy }: TcpState): boolean => policy.keepAlive || policy.alwaysKeepAlive

export function keepAliveTimeout(s: TcpState, now: Nanos, out: TcpOut): void {
  const { policy, snd, timers } = s
  if (s.state === 'SYN-SENT') return fail(s, s.softError ?? 'ETIMEDOUT', out)
  if (!isWatched(s)) return
  // The timer is not pushed back whenever something comes: it looks when.
  const quiet = now - s.rcv.heardAt
  if (s.keepProbes === 0 && quiet < policy.keepIdle) {
    timers.keepAlive = s.rcv.heardAt + policy.keepIdle
    return
  }
  if (snd.max !== snd.una) {
    timers.keepAlive = now + policy.keepIdle // data is on its way, and has a timer of its own
    return
  }
  // RFC 5482: where there is a user timeout, it decides, not the number of probes.
  const tooLong =
    policy.userTimeout > 0 ? quiet >= policy.userTimeout : s.keepProbes >= policy.keepCount
  if (tooLong && s.keepProbes > 0) {
    out.send(resetOf(s, now), 0)
    return fail(s, 'ETIMEDOUT', out)
  }
  s.keepProbes += 1
  sendKeepAlive(s, now, out)
  timers.keepAlive = now + policy.keepInterval
}
