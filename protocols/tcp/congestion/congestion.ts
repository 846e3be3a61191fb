import type { Seq } from '../../sequence.ts'

/** Congestion state, in bytes. RFC 5681 and RFC 6582 names. */
export interface CongestionState {
  cwnd: number
  ssthresh: number
  /**
   * RFC 6582: what was sent when loss was last detected must be acknowledged up to here before
   * duplicate ACKs mean loss again. SND.MAX after fast retransmit; one more after a timeout,
   * whose go-back-N makes duplicates of its own.
   */
  recover: Seq
  dupAcks: number
  /** In fast recovery, until `recover` is acknowledged. */
  recovering: boolean
  /** A partial acknowledgement came in this recovery. */
  partial: boolean
  /** The last transmission stopped at `cwnd`: only then may an ACK open it. */
  limited: boolean
  /** RFC 5681 §3.1: bytes acknowledged towards the next increase in congestion avoidance. */
  bytesAcked: number
}

/**
 * How the congestion window moves. Pure on the state it is handed; when to call is the business
 * of loss recovery. `mss` is SMSS, `flight` is FlightSize, both in bytes.
 */
export interface CongestionControl {
  readonly name: string
  /** New data was acknowledged outside recovery. */
  acked(c: CongestionState, bytes: number, mss: number): void
  /** Loss was found by duplicate ACKs: sets `ssthresh`. */
  lost(c: CongestionState, flight: number, mss: number): void
  /** The retransmission timer fired; `first`: the first answer to this loss. */
  timedOut(c: CongestionState, flight: number, mss: number, first: boolean): void
}
