import { seqDiff } from '../sequence.ts'
import { NEVER, type Nanos, s as seconds } from '../time.ts'
import { OPEN } from './recovery.ts'
import type { TcpState } from './state.ts'

/** §7.2: the probe is due two round trips from now, unless the timeout comes first. */
export function scheduleProbe(s: TcpState, now: Nanos): void {
  const { rack, rto, timers, policy, snd } = s
  if (rack === null || !policy.tlp) return
  const flight = seqDiff(snd.max, snd.una)
  if (s.recovery.phase !== OPEN || rack.probing || flight === 0 || timers.persist !== NEVER) {
    timers.tailLoss = NEVER
    return
  }
  let after = rto.srtt < 0 ? WITHOUT_SAMPLE : Math.round(2 * rto.srtt)
  const padding = policy.wholeWindows && s.board !== null ? s.board.padding : 0
  if (flight + padding <= s.mss) after += policy.maxAckDelay
  timers.tailLoss = Math.min(now + after, timers.retransmit)
}

const WITHOUT_SAMPLE = seconds(1)
