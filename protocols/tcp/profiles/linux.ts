import { ms, s } from '../../time.ts'
import { FAST_OPEN } from '../fast-open-choices.ts'
import { RFC } from './rfc.ts'

/**
 * Linux 6.x with its default settings: `Documentation/networking/ip-sysctl.rst` for the names below,
 * `include/net/tcp.h` for the constants.
 */
export const LINUX = RFC.with({
  rtoMin: ms(200), // TCP_RTO_MIN
  rtoMax: s(120), // TCP_RTO_MAX
  rtoGranularity: ms(200), // tcp_rtt_estimator: the floor is the variation's
  tallies: true,
  wholeWindows: true,
  slowStartLimit: 1 << 16, // tcp_slow_start
  lossSlowStartLimit: 1 << 16,
  oneAfterSyns: 2, // tcp_init_transfer
  oneAfterSynAcks: Infinity,
  idleHalves: true, // tcp_cwnd_restart
  reducesAgain: false,
  undoesWholly: true, // tcp_undo_cwnd_reduction
  synRetries: 6, // tcp_syn_retries
  synLinear: 4, // tcp_syn_linear_timeouts: 131 s in all
  retriesAreTime: true, // retransmits_timed_out
  probesOldNumber: true, // tcp_xmit_probe_skb
  stampsMayMiss: true, // tcp_validate_incoming
  synAckRetries: 5, // tcp_synack_retries
  dataRetries: 15, // tcp_retries2
  bufferUnit: 2, // sock_setsockopt
  sendBufferMin: 4608, // SOCK_MIN_SNDBUF
  receiveBufferMin: 2304, // SOCK_MIN_RCVBUF
  steadyEdge: false,
  roomInMemory: true,
  keepsSynText: false,
  sendsChunks: true,
  minshall: true, // tcp_minshall_check
  corkTime: 0, // tcp_probe0_base
  takesSynAckText: false,
  delaysFinAck: true, // tcp_fin: the connection is in "pingpong mode"
  synAgainAfter: ms(2), // TCP_TIMEOUT_MIN
  listenSkipsSynFin: true,
  crossingOffersAll: true,
  looseHalfOpenReset: true, // tcp_check_req
  resetAtFin: true, // tcp_reset_check
  resetAtAck: true, // tcp_v4_send_reset
  resetTellsWindow: true, // tcp_send_active_reset
  resetInClosing: 'ECONNRESET',
  timeWaitBySeq: true, // tcp_timewait_state_process
  resetInLastAck: 'ECONNRESET',
  challengeAcks: 1, // tcp_invalid_ratelimit
  challengeWindow: ms(500),
  quickAcks: 16, // TCP_MAX_QUICKACKS
  suspectAfter: 3, // tcp_retries1
  delayedAck: ms(40), // TCP_DELACK_MIN
  msl: s(30), // TCP_TIMEWAIT_LEN is 60 s
  finWait2: s(60), // tcp_fin_timeout
  resetsHalfOpen: false,
  defersHandshake: true, // tcp_check_req
  deferredAck: ms(200), // TCP_DELACK_MAX
  signatureFirst: true, // tcp_options_write
  signedTimestamps: false, // tcp_syn_options, tcp_synack_options
  // What buffers are tuned up to, for ours have one size: tcp_wmem, tcp_rmem.
  sendBuffer: 4 << 20,
  receiveBuffer: 3 << 20, // half of it holds payload (tcp_adv_win_scale 1)
  receiveBufferMax: 6 << 20,
  // It asks again whoever has refused; tcp_fastopen_blackhole_timeout_sec is 0.
  fastOpen: { ...FAST_OPEN, experimental: true, refusedFor: 0 },
})
