import { seqDiff } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { controlOf } from './congestion/control-of.ts'
import { type RateState, rateDelivered } from './rate.ts'
import { away } from './scoreboard.ts'
import type { TcpState } from './state.ts'

// What an ACK has delivered, for whoever wants to know how fast (`rate.ts`).

/** Bytes in the network, as far as ACKs have told. */
export const inNetwork = ({ snd, recovery, board }: TcpState): number =>
  Math.max(seqDiff(snd.max, snd.una) - recovery.left - (board === null ? 0 : away(board)), 0)

/** An ACK has been dealt with that newly acknowledged so many bytes. */
export function noteDelivery(s: TcpState, rate: RateState, now: Nanos, acked: number): void {
  const { board, rack, snd } = s
  if (board === null) {
    // Where everything has arrived the board is gone, and what it knew to be SACKed was counted then.
    rateDelivered(rate, now, Math.max(acked - rate.sacked, 0), NEVER, snd.una, 0)
    rate.sacked = 0
  } else {
    const minRtt = rack === null ? 0 : rack.minRtt
    rateDelivered(rate, now, board.delivered, board.newestAt, board.newestEnd, minRtt)
    rate.sacked = board.sacked
  }
  controlOf(s).sampled(s, now, inNetwork(s), board !== null && board.newlyLost > 0)
}
