import { seqDiff } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { rateDelivered, type RateState } from './rate.ts'
import type { TcpState } from './state.ts'

// What an ACK has delivered, for whoever wants to know how fast (`rate.ts`).

/** Bytes in the network, as far as ACKs have told. */
export const inNetwork = ({ snd, recovery }: TcpState): number =>
  Math.max(seqDiff(snd.max, snd.una) - recovery.left, 0)

/** An ACK has been dealt with that newly acknowledged so many bytes. */
export function noteDelivery(s: TcpState, rate: RateState, now: Nanos, acked: number): void {
  rateDelivered(rate, now, acked, NEVER, s.snd.una, 0)
  controlOf(s).sampled(s, now, inNetwork(s), false)
}
