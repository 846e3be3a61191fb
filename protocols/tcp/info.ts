import { isIpv4 } from '../address.ts'
import { seqDiff, seqGt, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { DISORDER, OPEN, RECOVERY } from './recovery.ts'
import { NO_THRESHOLD } from './congestion/congestion.ts'
import { TIMESTAMP_BYTES } from './options.ts'
import { duplicatesFor } from './rack.ts'
import {
  lengthOf,
  LOST,
  RETRANSMITTED,
  SACKED,
  type Scoreboard,
  segmentsIn,
  TWICE,
} from './scoreboard.ts'
import type { TcpState, TcpStateName } from './state.ts'
import {
  timeInTimeouts,
  waitedAtAll,
  waitedFor,
  WAITS_FOR_BUFFER,
  WAITS_FOR_WINDOW,
} from './tally.ts'

/** A connection's figures in the names and units of Linux's `TCP_INFO` (`linux/tcp.h`). */
export interface TcpInfo {
  readonly state: TcpStateName
  /** `CA_STATES`: 0 open, 1 disorder, 2 window reduced by ECN, 3 recovery, 4 loss. */
  readonly tcpi_ca_state: number
  /** `TCPI_OPT_*`: 1 timestamps, 2 SACK, 4 window scale, 8 ECN, 32 text on the SYN was taken. */
  readonly tcpi_options: number
  readonly tcpi_snd_wscale: number
  readonly tcpi_rcv_wscale: number
  /** Smoothed round-trip time and its variation, microseconds. */
  readonly tcpi_rtt: number
  readonly tcpi_rttvar: number
  /** Retransmission timeout, and how long an ACK waits, microseconds. */
  readonly tcpi_rto: number
  readonly tcpi_ato: number
  /** Maximum segment sizes, bytes; the largest packet of the path. */
  readonly tcpi_snd_mss: number
  readonly tcpi_rcv_mss: number
  readonly tcpi_advmss: number
  readonly tcpi_pmtu: number
  /** Congestion window and slow-start threshold, segments. */
  readonly tcpi_snd_cwnd: number
  readonly tcpi_snd_ssthresh: number
  /** The peer's window and ours, bytes; the room that the application has left for ours. */
  readonly tcpi_snd_wnd: number
  readonly tcpi_rcv_wnd: number
  readonly tcpi_rcv_ssthresh: number
  readonly tcpi_rcv_space: number
  /** Consecutive retransmissions now, back-offs of the timeout, and all retransmissions so far. */
  readonly tcpi_retransmits: number
  readonly tcpi_backoff: number
  readonly tcpi_total_retrans: number
  /** Probes, of a closed window or an idle peer, without an answer. */
  readonly tcpi_probes: number
  /** Segments in flight; of them SACKed, taken for lost, sent again. */
  readonly tcpi_unacked: number
  readonly tcpi_sacked: number
  readonly tcpi_lost: number
  readonly tcpi_retrans: number
  /** Duplicate ACKs that mean loss. */
  readonly tcpi_reordering: number
  /** Bytes queued and never sent. */
  readonly tcpi_notsent_bytes: number
  /** Milliseconds since data was sent, data came, an ACK came. */
  readonly tcpi_last_data_sent: number
  readonly tcpi_last_data_recv: number
  readonly tcpi_last_ack_recv: number
  /** The shortest round trip, microseconds. */
  readonly tcpi_min_rtt: number
  /** Microseconds in which something was on its way or waited to be; of these, for the peer's window
   * and for room in the send buffer. */
  readonly tcpi_busy_time: number
  readonly tcpi_rwnd_limited: number
  readonly tcpi_sndbuf_limited: number
  /** Segments that have arrived, the SYN among them; of these, with a mark of congestion. */
  readonly tcpi_delivered: number
  readonly tcpi_delivered_ce: number
  /** Duplicates that the peer told of, how often reordering was seen, segments that came out of order. */
  readonly tcpi_dsack_dups: number
  readonly tcpi_reord_seen: number
  readonly tcpi_rcv_ooopack: number
  /** Timeouts, rows of them, milliseconds spent in those that are over. */
  readonly tcpi_total_rto: number
  readonly tcpi_total_rto_recoveries: number
  readonly tcpi_total_rto_time: number
  /** The round trip as the receiver sees it, microseconds. */
  readonly tcpi_rcv_rtt: number
  /** Linux tells nothing here. */
  readonly tcpi_last_ack_sent: number
  readonly tcpi_fackets: number
  readonly tcpi_segs_out: number
  readonly tcpi_segs_in: number
  readonly tcpi_data_segs_out: number
  readonly tcpi_data_segs_in: number
  readonly tcpi_bytes_sent: number
  readonly tcpi_bytes_retrans: number
  readonly tcpi_bytes_acked: number
  readonly tcpi_bytes_received: number
}

export function tcpInfo(s: TcpState, now: Nanos): TcpInfo {
  const { tally, room } = s
  const { snd, rcv, rto, cc, counts, board } = s
  const kept = s.receiveQueue === null ? 0 : s.receiveQueue.bytes
  // Without SACK the one segment that is being repaired.
  const held = !s.sackPermitted && s.recovery.phase === RECOVERY ? 1 : 0
  return {
    state: s.state,
    tcpi_ca_state: caState(s),
    tcpi_options: options(s),
    tcpi_snd_wscale: snd.wndScale,
    tcpi_rcv_wscale: rcv.wndScale,
    tcpi_rtt: micros(rto.srtt),
    tcpi_rttvar: rto.srtt < 0 ? micros(rto.rto) / 4 : micros(rto.rttvar),
    tcpi_rto: micros(rto.rto),
    tcpi_ato: micros(s.room !== null ? s.room.ato : rcv.quick > 0 ? 0 : s.policy.delayedAck),
    tcpi_snd_mss: s.mss,
    tcpi_rcv_mss: Math.max(rcv.mss, room === null ? 0 : Math.min(s.mss, DEFAULT_MSS)),
    tcpi_advmss: s.pathMss - (s.timestamps ? TIMESTAMP_BYTES : 0),
    tcpi_pmtu:
      Math.min(s.pathMss, s.routeMss, s.holeMss) +
      (isIpv4(s.remoteAddress) ? HEADERS : HEADERS_OF_IPV6),
    tcpi_snd_cwnd: Math.floor(cc.cwnd / s.mss),
    tcpi_snd_ssthresh:
      cc.ssthresh === NO_THRESHOLD ? NO_THRESHOLD : Math.floor(cc.ssthresh / s.mss),
    tcpi_snd_wnd: snd.wnd,
    tcpi_rcv_wnd: Math.max(seqDiff(rcv.adv, rcv.nxt), 0),
    tcpi_rcv_ssthresh: room === null ? rcv.buffer : room.limit,
    tcpi_rcv_space: Math.max(rcv.buffer - kept, 0),
    tcpi_retransmits: s.timers.persist === NEVER ? rto.retransmits : 0,
    tcpi_backoff:
      s.timers.persist !== NEVER ? rto.probes : tally === null ? rto.retransmits : tally.backOff,
    tcpi_total_retrans: rto.total,
    tcpi_probes: s.keepProbes > 0 ? s.keepProbes : s.timers.persist === NEVER ? 0 : rto.retransmits,
    tcpi_unacked: Math.ceil(
      (seqDiff(snd.max, snd.una) + (board === null ? 0 : board.padding)) / s.mss,
    ),
    tcpi_sacked: sacked(s),
    tcpi_lost: board === null ? held : segmentsIn(board.lost + sentAgain(board), s.mss),
    tcpi_retrans: board === null ? held : segmentsIn(sentAgain(board), s.mss),
    tcpi_reordering: duplicatesFor(s),
    tcpi_notsent_bytes: Math.max(seqDiff(snd.end, snd.max), 0),
    tcpi_last_data_sent: since(now, rto.sentAt),
    tcpi_last_data_recv: since(now, rcv.textAt),
    tcpi_last_ack_recv: since(now, rcv.heardAt),
    ...counted(s, now),
    tcpi_last_ack_sent: 0,
    tcpi_fackets: 0,
    tcpi_segs_out: counts.segmentsOut,
    tcpi_segs_in: counts.segmentsIn,
    tcpi_data_segs_out: counts.dataOut,
    tcpi_data_segs_in: counts.dataIn,
    tcpi_bytes_sent: counts.bytesSent,
    tcpi_bytes_retrans: counts.bytesAgain,
    tcpi_bytes_acked: counts.bytesAcked + (s.policy.tallies ? numbersAcked(s) : 0),
    tcpi_bytes_received: counts.bytesReceived,
  }
}

type Counted = Pick<
  TcpInfo,
  | 'tcpi_min_rtt'
  | 'tcpi_busy_time'
  | 'tcpi_rwnd_limited'
  | 'tcpi_sndbuf_limited'
  | 'tcpi_delivered'
  | 'tcpi_delivered_ce'
  | 'tcpi_dsack_dups'
  | 'tcpi_reord_seen'
  | 'tcpi_rcv_ooopack'
  | 'tcpi_total_rto'
  | 'tcpi_total_rto_recoveries'
  | 'tcpi_total_rto_time'
  | 'tcpi_rcv_rtt'
>

/** What only Linux counts. */
function counted(s: TcpState, now: Nanos): Counted {
  const { tally, room, snd } = s
  return {
    tcpi_min_rtt:
      tally === null || tally.minRtt === NEVER ? micros(s.rto.srtt) : micros(tally.minRtt),
    tcpi_busy_time: tally === null ? 0 : micros(waitedAtAll(tally, now)),
    tcpi_rwnd_limited: tally === null ? 0 : micros(waitedFor(tally, now, WAITS_FOR_WINDOW)),
    tcpi_sndbuf_limited: tally === null ? 0 : micros(waitedFor(tally, now, WAITS_FOR_BUFFER)),
    tcpi_delivered: tally === null ? Number(snd.una !== s.iss) : tally.delivered,
    tcpi_delivered_ce: tally === null ? 0 : tally.deliveredMarked,
    tcpi_dsack_dups: tally === null ? 0 : tally.duplicates,
    tcpi_reord_seen: tally === null ? 0 : tally.reordered,
    tcpi_rcv_ooopack: room === null ? 0 : room.outOfOrder,
    tcpi_total_rto: tally === null ? 0 : tally.timeouts,
    tcpi_total_rto_recoveries: tally === null ? 0 : tally.timeoutEpisodes,
    tcpi_total_rto_time: tally === null ? 0 : Math.floor(timeInTimeouts(tally, now) / 1e6),
    tcpi_rcv_rtt: room === null ? 0 : micros(room.rtt),
  }
}

/** Linux counts its own SYN and FIN. */
const numbersAcked = ({ listener, snd, iss }: TcpState): number =>
  Number(listener < 0 && snd.una !== iss) + Number(seqGt(snd.una, snd.end))

/** What a peer is taken to send before it has sent anything. */
const DEFAULT_MSS = 536

/** IP's and TCP's headers without options. */
const HEADERS = 40
const HEADERS_OF_IPV6 = 60

const micros = (nanos: number): number => Math.max(Math.round(nanos / 1000), 0)

const since = (now: Nanos, at: Nanos): number => (at <= now ? Math.floor((now - at) / 1e6) : 0)

function options({ timestamps, sackPermitted, scaled, ecn, fastOpen }: TcpState): number {
  const taken = fastOpen !== null && fastOpen.taken
  const bits = [timestamps, sackPermitted, scaled, ecn !== null, false, taken]
  return bits.reduce((sum, on, bit) => sum | (on ? 1 << bit : 0), 0)
}

function caState({ recovery, snd, ecn }: TcpState): number {
  const reduced = ecn !== null && (ecn.reduction !== null || seqLt(snd.una, ecn.recover))
  return recovery.phase === OPEN && reduced ? CWR : recovery.phase
}

/** TCP_CA_CWR; the others are the phases of loss recovery. */
const CWR = 2

/** Bytes that were sent again, are not known to have come nor taken for lost once more; not what was
 * sent again to be on the safe side. */
function sentAgain(board: Scoreboard): number {
  let bytes = 0
  const looked = RETRANSMITTED | SACKED | LOST | TWICE
  for (let i = board.head; i < board.ends.length; i++) {
    if ((board.fates[i]! & looked) === RETRANSMITTED) bytes += lengthOf(board, i)
  }
  return bytes
}

/** Segments that the peer holds: without SACK, as many as there were duplicate ACKs. */
function sacked({ board, recovery, mss, sackPermitted }: TcpState): number {
  if (board !== null) return segmentsIn(board.sacked, mss)
  if (sackPermitted) return 0
  return recovery.phase === DISORDER ? recovery.dupAcks : segmentsIn(recovery.left, mss)
}
