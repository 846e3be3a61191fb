import type { Nanos } from '../../time.ts'
import type { Pacer } from '../pacing.ts'
import type { RateState } from '../rate.ts'
import type { TcpState } from '../state.ts'
import type { BbrState } from './bbr.ts'
import type { CubicState } from './cubic.ts'
import type { HystartState } from './hystart.ts'

/** Names as TCP_CONGESTION has them on Linux. */
export type CongestionName = 'bbr' | 'cubic' | 'reno'

/** `ssthresh` before anything has set it. */
export const NO_THRESHOLD = 0x7fffffff

/**
 * Congestion state, in bytes: how much may be in the network. What is lost, and who knows it, is the
 * business of loss recovery (`../recovery.ts`); only controllers and PRR write here.
 */
export interface CongestionState {
  /** Whose the window is: see `control-of.ts`. */
  algorithm: CongestionName
  /** Never inflated by duplicate ACKs: loss recovery counts what has left the network instead. */
  cwnd: number
  ssthresh: number
  /** The last transmission stopped at `cwnd`: only then may an ACK open it. */
  limited: boolean
  /** RFC 5681 §3.1: bytes acknowledged towards the next increase in congestion avoidance. */
  bytesAcked: number
  /** In the first slow start, from its first ACK on. */
  hystart: HystartState | null
  /** What the algorithm has to remember beyond that. */
  own: BbrState | CubicState | null
  /** Where segments are paced. */
  pacer: Pacer | null
  /** Where the algorithm wants to know how fast the path delivers. */
  rate: RateState | null
}

export const createCongestion = (algorithm: CongestionName): CongestionState => ({
  algorithm,
  cwnd: 0,
  ssthresh: NO_THRESHOLD,
  limited: false,
  bytesAcked: 0,
  hystart: null,
  own: null,
  pacer: null,
  rate: null,
})

/**
 * How the congestion window answers to what loss recovery finds. An algorithm reads the connection
 * and writes `s.cc`; `flight` is FlightSize, in bytes.
 *
 * An episode of loss is `lost` or `timedOut`, then `recovered` or `undone`. A timeout in the middle
 * of recovery is `timedOut` with `first` false: `ssthresh` has been set for this loss.
 */
export interface CongestionControl {
  readonly name: CongestionName
  /** During recovery PRR (RFC 6937) leads `cwnd` to `ssthresh`, and nothing is `acked`. */
  readonly prr: boolean
  /** The connection stands, or the algorithm has just been chosen. */
  start(s: TcpState, now: Nanos): void
  /** New data was acknowledged, and the window was what kept the sender back. */
  acked(s: TcpState, now: Nanos, bytes: number): void
  /** Loss was found while ACKs come in: sets `ssthresh`. */
  lost(s: TcpState, now: Nanos, flight: number): void
  /** The retransmission timer fired: sets `cwnd`, and `ssthresh` on the `first` answer to this loss. */
  timedOut(s: TcpState, now: Nanos, flight: number, first: boolean): void
  /** All that was out when the loss was found is acknowledged. */
  recovered(s: TcpState, now: Nanos, flight: number): void
  /** Nothing was lost after all (RFC 4015): `cwnd` and `ssthresh` before the last `lost`, `timedOut`. */
  undone(s: TcpState, now: Nanos, cwnd: number, ssthresh: number): void
  /**
   * There is a new sample in `s.cc.rate`, for which `start` has asked. `inFlight`: bytes in the
   * network after this ACK; `lost`: this ACK has found a loss.
   */
  sampled(s: TcpState, now: Nanos, inFlight: number, lost: boolean): void
  /** Nothing is in flight, and something is about to be. `idle`: for longer than the RTO. */
  resumed(s: TcpState, now: Nanos, idle: boolean): void
}
