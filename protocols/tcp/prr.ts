import type { Episode } from './recovery.ts'

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
