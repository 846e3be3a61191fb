import type { Nanos } from '../time.ts'
import type { TcpPolicy } from './policy.ts'
import type { TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'

// TCP_DEFER_ACCEPT as Linux has it (tcp_check_req, syn_ack_recalc): the connection stays half open until
// text comes. The ACK of the handshake is passed over and the SYN,ACK is not repeated; when the time is
// over it is, once, and the next ACK opens the connection, text or not. The time is counted in timeouts
// of the SYN,ACK.

/** So many timeouts of a SYN,ACK are at least so long (secs_to_retrans). */
export function timeoutsIn(time: Nanos, policy: TcpPolicy): number {
  let count = 0
  for (let left = time; left > 0; count++) left -= timeoutAt(count, policy)
  return count
}

/** The time that so many of them take, which is what the option is set to. */
export function deferralOf(time: Nanos, policy: TcpPolicy): Nanos {
  let whole = 0
  for (let count = timeoutsIn(time, policy); count > 0; count--) {
    whole += timeoutAt(count - 1, policy)
  }
  return whole
}

const timeoutAt = (count: number, { rtoInitial, rtoMax }: TcpPolicy): Nanos =>
  Math.max(Math.min(rtoInitial * 2 ** count, rtoMax), 1)

/** Whether the ACK of a handshake opens nothing yet. */
export function waitsForText({ policy, listener, rto, rcv }: TcpState, seg: TcpSegment): boolean {
  if (!policy.defersHandshake || policy.deferAccept === 0 || listener < 0) return false
  if (seg.length > 0 || seg.seq !== rcv.nxt) return false
  return rto.retransmits < timeoutsIn(policy.deferAccept, policy)
}

/** A timeout of a SYN,ACK that was acknowledged: whether it is not repeated, for text may come yet. */
export const isDeferred = (s: TcpState): boolean =>
  isHalfOpen(s) && s.rto.retransmits < timeoutsIn(s.policy.deferAccept, s.policy)

/** It is not given up before the SYN,ACK was repeated, however few repetitions there may be. */
export const isLastChance = (s: TcpState): boolean =>
  isHalfOpen(s) && s.rto.retransmits <= timeoutsIn(s.policy.deferAccept, s.policy)

const isHalfOpen = (s: TcpState): boolean => s.state === 'SYN-RECEIVED' && s.unaccepted

/** Only what was repeated counts as lost: the first ACK shows that the SYN,ACK was not. */
export function deferralEnds(s: TcpState): void {
  if (!s.unaccepted) return
  s.unaccepted = false
  s.rto.retransmits = s.rto.total
}
