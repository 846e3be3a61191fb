import { NEVER, type Nanos } from '../time.ts'
import { isOpening, isPending, LOST_IN_EARNEST, synUnanswered } from './fast-open.ts'
import { isDeferred, isLastChance } from './defer.ts'
import { holdTimeout } from './hold.ts'
import { keepAliveTimeout } from './keep-alive.ts'
import { fail, finish } from './lifecycle.ts'
import { suspectBlackHole } from './path-mtu.ts'
import type { TcpOut } from './output.ts'
import type { TcpChoices } from './policy.ts'
import { startOver } from './recovery.ts'
import { sendMore } from './resend.ts'
import { renoTimeout } from './reno-recovery.ts'
import { ackWasLate } from './room.ts'
import { backOff } from './rto.ts'
import { reorderingTimeout, sackTimeout } from './sack-recovery.ts'
import type { TcpState, TcpTimerName } from './state.ts'
import { noteTimeout } from './tally.ts'
import { sendTailProbe } from './tlp.ts'
import { sendAck, sendProbe, sendSyn, sendWindowProbe } from './transmit.ts'

// RFC 9293 §3.10.8, timeouts. A call that comes before anything is due does nothing.

export function timersExpire(s: TcpState, now: Nanos, out: TcpOut): void {
  const { timers } = s
  if (timers.delayedAck <= now) {
    fired(s, 'delayedAck', out)
    if (s.room !== null) ackWasLate(s, s.room)
    sendAck(s, now, out)
  }
  if (timers.reorder <= now) {
    fired(s, 'reorder', out)
    reorderingTimeout(s, now, out)
  }
  // Where both are due, the probe goes first and the timeout waits (RFC 8985 §7.2).
  if (timers.tailLoss <= now) {
    fired(s, 'tailLoss', out)
    sendTailProbe(s, now, out)
  }
  if (timers.retransmit <= now) {
    fired(s, 'retransmit', out)
    retransmissionTimeout(s, now, out)
  }
  if (timers.persist <= now) {
    fired(s, 'persist', out)
    persistTimeout(s, now, out)
  }
  if (timers.pacing <= now) {
    fired(s, 'pacing', out)
    sendMore(s, now, out)
  }
  if (timers.keepAlive <= now) {
    fired(s, 'keepAlive', out)
    keepAliveTimeout(s, now, out)
  }
  if (timers.hold <= now) {
    fired(s, 'hold', out)
    holdTimeout(s, now, out)
  }
  if (timers.timeWait <= now) {
    fired(s, 'timeWait', out)
    finish(s, out)
  }
}

/** A timer that fires is no longer set, unless its action sets it again. */
function fired(s: TcpState, name: TcpTimerName, out: TcpOut): void {
  s.timers[name] = NEVER
  out.event({ kind: 'timer', socket: s.id, name })
}

/** RFC 9293 §3.8.3, R2: after so many retransmissions a connection is given up. */
function retriesOf(s: TcpState): number {
  const { state, policy } = s
  if (state === 'SYN-SENT') return policy.synRetries + policy.synLinear
  if (state === 'SYN-RECEIVED') return policy.synAckRetries + (isPending(s) ? 1 : 0)
  return isPending(s) ? policy.synAckRetries + 1 : policy.dataRetries
}

/** R2, a number of retransmissions or the time that they would take. */
function isOver(s: TcpState, now: Nanos, opening: boolean): boolean {
  const { rto, policy, tally } = s
  if (opening || tally === null || !policy.retriesAreTime) return rto.retransmits > retriesOf(s)
  if (tally.timeoutSince === NEVER) return false
  return now - tally.timeoutSince >= timeOfRetries(policy)
}

function timeOfRetries({ dataRetries, rtoMin, rtoMax }: TcpChoices): Nanos {
  let sum = 0
  for (let i = 0, each = rtoMin; i <= dataRetries; i++, each *= 2) sum += Math.min(each, rtoMax)
  return sum
}

/** RFC 5482: nothing of what was sent has been acknowledged for longer than the user waits. */
const isStuck = ({ policy, rto }: TcpState, now: Nanos): boolean =>
  policy.userTimeout > 0 && now - rto.stuckAt >= policy.userTimeout

/** The retransmission timer goes off no later than the user timeout. */
function boundTimeout({ policy, rto, timers }: TcpState): void {
  if (policy.userTimeout === 0 || timers.retransmit === NEVER) return
  timers.retransmit = Math.min(timers.retransmit, rto.stuckAt + policy.userTimeout)
}

/** RFC 6298 (5.4) to (5.7). */
function retransmissionTimeout(s: TcpState, now: Nanos, out: TcpOut): void {
  const { rto, policy } = s
  const opening = isOpening(s)
  rto.retransmits += 1
  if ((isOver(s, now, opening) && !isLastChance(s)) || isStuck(s, now)) {
    // Nobody waits for the answer to a SYN that came from outside.
    synUnanswered(s, out)
    return s.state === 'SYN-RECEIVED' && s.listener >= 0 && !isPending(s)
      ? finish(s, out)
      : fail(s, s.softError ?? 'ETIMEDOUT', out)
  }
  const isLinear = s.state === 'SYN-SENT' && rto.retransmits <= policy.synLinear
  if (!isLinear) backOff(rto, policy)
  if (s.tally !== null) noteTimeout(s.tally, now, rto.retransmits)
  if (opening) {
    if (rto.retransmits === LOST_IN_EARNEST) openingInEarnest(s, out)
    if (isDeferred(s)) s.timers.retransmit = now + rto.rto
    else sendSyn(s, now, out)
    return boundTimeout(s)
  }
  suspectBlackHole(s, out)
  if (s.sackPermitted) sackTimeout(s, now, out)
  else renoTimeout(s, now, out)
  boundTimeout(s)
}

/** Once may be chance. What a client had on its SYN may be why; a server's window is one segment. */
function openingInEarnest(s: TcpState, out: TcpOut): void {
  synUnanswered(s, out)
  if (isPending(s)) s.cc.cwnd = s.mss
}

/** RFC 9293 §3.8.6.1: probes go on for as long as the peer answers them. */
function persistTimeout(s: TcpState, now: Nanos, out: TcpOut): void {
  const { rto, policy } = s
  rto.retransmits += 1
  const quiet = now - Math.max(s.rcv.heardAt, rto.stuckAt)
  const tooLong = policy.userTimeout > 0 && quiet >= policy.userTimeout
  if (tooLong || rto.retransmits > policy.dataRetries) return fail(s, 'ETIMEDOUT', out)
  rto.probes += 1
  if (policy.probesOldNumber) {
    sendWindowProbe(s, now, out)
  } else {
    if (s.board !== null) startOver(s)
    sendProbe(s, now, out)
  }
  s.timers.persist = now + Math.min(rto.rto * 2 ** rto.probes, policy.rtoMax)
}
