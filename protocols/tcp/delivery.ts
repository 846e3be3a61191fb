import { seqDiff } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { rateDelivered, type RateState } from './rate.ts'
import type { TcpState } from './state.ts'

// What an ACK has delivered, for whoever wants to know how fast (`rate.ts`).

/** Bytes in the network, as far as ACKs have told. */
export const inNetwork = ({ snd, recovery }: TcpState): number =>
  Math.max(seqDiff(snd.max, snd.una) - recovery.left, 0)

/** An ACK has been dealt with; `before`: in the network before it, `una`: SND.UNA then. */
export function noteDelivery(s: TcpState, rate: RateState, now: Nanos, acked: number): void {
  const bytes = acked > 0 ? acked : s.recovery.dupAcks > 0 ? s.mss : 0
  rateDelivered(rate, now, bytes, NEVER, s.snd.una, 0)
  controlOf(s).sampled(s, now, inNetwork(s), false)
}
