import type { Seq } from '../sequence.ts'

/** What loss recovery knows of a connection. RFC 6582 names. */
export interface Recovery {
  /**
   * What was sent when loss was last detected must be acknowledged up to here before duplicate ACKs
   * mean loss again. SND.MAX after fast retransmit; one more after a timeout, whose go-back-N
   * makes duplicates of its own.
   */
  recover: Seq
  dupAcks: number
  /** In fast recovery, until `recover` is acknowledged. */
  recovering: boolean
  /** A partial acknowledgement came in this recovery. */
  partial: boolean
  /** Bytes that duplicate ACKs say have left the network. */
  left: number
}

export const createRecovery = (iss: Seq): Recovery => ({
  recover: iss,
  dupAcks: 0,
  recovering: false,
  partial: false,
  left: 0,
})
