import { seqDiff } from '../sequence.ts'
import type { TcpState, TcpStateName } from './state.ts'

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

const micros = (nanos: number): number => Math.max(Math.round(nanos / 1000), 0)

export function tcpInfo(s: TcpState): TcpInfo {
  const { snd, rto, cc } = s
  return {
    state: s.state,
    tcpi_rtt: micros(rto.srtt),
    tcpi_rttvar: micros(rto.rttvar),
    tcpi_rto: micros(rto.rto),
    tcpi_snd_mss: s.mss,
    tcpi_rcv_mss: s.rcv.mss,
    tcpi_snd_cwnd: Math.floor(cc.cwnd / s.mss),
    tcpi_snd_ssthresh: Math.floor(cc.ssthresh / s.mss),
    tcpi_snd_wnd: snd.wnd,
    tcpi_retransmits: rto.retransmits,
    tcpi_total_retrans: rto.total,
    tcpi_unacked: Math.ceil(seqDiff(snd.max, snd.una) / s.mss),
    tcpi_notsent_bytes: Math.max(seqDiff(snd.end, snd.max), 0),
  }
}
