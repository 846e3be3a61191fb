import type { Nanos } from '../time.ts'
import type { TcpState } from './state.ts'

/** RFC 5961 §7: whoever guesses must not make us send without end. */
export function mayChallenge({ rcv, policy }: TcpState, now: Nanos): boolean {
  if (now - rcv.challengesFrom >= policy.challengeWindow) {
    rcv.challengesFrom = now
    rcv.challenges = 0
  }
  rcv.challenges += 1
  return rcv.challenges <= policy.challengeAcks
}
