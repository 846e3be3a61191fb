import type { TcpStateName } from './state.ts'

/** A connection's figures in the names and units of Linux's `TCP_INFO`. */
export interface TcpInfo {
  readonly state: TcpStateName
  /** Smoothed round-trip time and its variation, microseconds. */
  readonly tcpi_rtt: number
  readonly tcpi_rttvar: number
  /** Retransmission timeout, microseconds. */
  readonly tcpi_rto: number
  /** Maximum segment sizes, bytes. */
  readonly tcpi_snd_mss: number
  readonly tcpi_rcv_mss: number
  /** Congestion window and slow-start threshold, segments. */
  readonly tcpi_snd_cwnd: number
  readonly tcpi_snd_ssthresh: number
  /** The peer's window, bytes. */
  readonly tcpi_snd_wnd: number
  /** Consecutive retransmissions now, and all of them so far. */
  readonly tcpi_retransmits: number
  readonly tcpi_total_retrans: number
  /** Segments in flight. */
  readonly tcpi_unacked: number
  /** Bytes queued and never sent. */
  readonly tcpi_notsent_bytes: number
}
