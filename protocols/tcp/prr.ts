import type { Episode } from './recovery.ts'
import { segmentsIn } from './scoreboard.ts'

// Proportional Rate Reduction, RFC 6937 §3, with the slow start reduction bound. Bytes throughout.

/**
 * What may be sent on this ACK: `sndcnt`.
 *
 * @param delivered DeliveredData of this ACK
 * @param pipe what is in the network
 */
export function prr(
  e: Episode,
  delivered: number,
  pipe: number,
  ssthresh: number,
  mss: number,
): number {
  e.prrDelivered += delivered
  if (pipe > ssthresh) {
    return Math.max(Math.ceil((e.prrDelivered * ssthresh) / e.recoverFs) - e.prrOut, 0)
  }
  const limit = Math.max(e.prrDelivered - e.prrOut, delivered) + mss
  return Math.max(Math.min(ssthresh - pipe, limit), 0)
}

/**
 * The same where windows are whole segments, as Linux has it (draft-ietf-tcpm-prr-rfc6937bis): one more
 * goes out where SND.UNA moves on and no further loss is found.
 *
 * @param wins SND.UNA moves, and the ACK finds no loss
 */
export function prrInSegments(
  e: Episode,
  delivered: number,
  pipe: number,
  ssthresh: number,
  mss: number,
  wins: boolean,
): number {
  e.prrDelivered += delivered
  const sent = segmentsIn(e.prrOut, mss)
  const arrived = segmentsIn(e.prrDelivered, mss)
  const room = Math.floor(ssthresh / mss) - segmentsIn(pipe, mss)
  let count: number
  if (room < 0) {
    count = Math.ceil((Math.floor(ssthresh / mss) * arrived) / segmentsIn(e.recoverFs, mss)) - sent
  } else {
    const most = Math.max(arrived - sent, segmentsIn(delivered, mss)) + (wins ? 1 : 0)
    count = Math.min(room, most)
  }
  return Math.max(count, sent > 0 ? 0 : 1) * mss
}
