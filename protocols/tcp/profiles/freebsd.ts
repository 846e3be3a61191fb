import { ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from '../../icmp/message.ts'
import { ms, s } from '../../time.ts'
import { FAST_OPEN } from '../fast-open-choices.ts'
import { OPTION_END } from '../options.ts'
import { synLayouts } from '../syn-layouts.ts'
import { RFC } from './rfc.ts'

/** `tcp_addoptions`: MSS, scale, SACK, timestamps, each aligned by NOPs in front, ends behind. */
const FREEBSD_SYN = synLayouts([
  'mss',
  'mss,sackOK,eol,eol',
  'mss,nop,nop,TS',
  'mss,sackOK,TS',
  'mss,nop,wscale',
  'mss,nop,wscale,sackOK,eol,eol',
  'mss,nop,wscale,nop,nop,TS',
  'mss,nop,wscale,sackOK,TS',
])

/** FreeBSD 14 with its default settings: tcp(4) for the sysctls, `netinet/tcp_timer.h`. */
export const FREEBSD = RFC.with({
  rtoInitial: s(1), // rexmit_initial
  rtoMin: ms(30), // rexmit_min
  rtoMax: s(64), // TCPTV_REXMTMAX
  rtoSlop: ms(200), // rexmit_slop
  synRetries: 12, // TCP_MAXRXTSHIFT
  synAckRetries: 3, // SYNCACHE_MAXREXMTS
  dataRetries: 12,
  delayedAck: ms(40), // delacktime
  ecnSynRetries: 1, // ecn.maxretries
  accurateEcnOption: false,
  connectTimeout: s(75), // keepinit
  alwaysKeepAlive: true, // always_keepalive
  keepCount: 8, // keepcnt; keepidle and keepintvl are 7200 s and 75 s
  msl: s(30), // net.inet.tcp.msl
  finWait2: s(60), // finwait2_timeout
  rack: false, // tcp_rack(4) is another stack
  tlp: false,
  frto: false,
  slowStartLimit: 2, // abc_l_var
  // What buffers are tuned up to, for ours have one size: sendbuf_max, recvbuf_max, maxsockbuf.
  sendBuffer: 2 << 20,
  receiveBuffer: 2 << 20,
  receiveBufferMax: 2 << 20,
  steadyEdge: false,
  synPlainAfter: 3, // rexmit_drop_options
  eagerUpdates: true,
  wholeSegments: true,
  freeIsWindow: true,
  countsSegments: true,
  keepsSynText: false,
  finRides: true,
  challengeAcks: 5, // ack_war_cnt
  challengeWindow: s(1), // ack_war_timewindow
  timeWaitStays: true,
  timeWaitMute: true,
  resetInCloseWait: 'ECONNRESET',
  resetInClosing: 'ECONNRESET',
  resetInLastAck: 'ECONNRESET',
  // icmp_may_rst: protocol, port, the three that are prohibited, and a TTL that has run out.
  icmpEndsConnect: [
    256 * ICMP_UNREACHABLE + 2,
    256 * ICMP_UNREACHABLE + 3,
    256 * ICMP_UNREACHABLE + 9,
    256 * ICMP_UNREACHABLE + 10,
    256 * ICMP_UNREACHABLE + 13,
    256 * ICMP_TIME_EXCEEDED,
  ],
  icmpConnectError: 'ECONNREFUSED',
  tellsSoftErrors: false,
  sackCountsFin: false, // tcp_reass: it is told of the text alone
  nagleAsksOnce: true, // tcp_default_output: idle
  provesIpv6TooBig: false, // icmp6_mtudisc_update
  offersPathMss: true, // tcp_mssopt: the host cache
  maxsegLowers: true,
  resetsAsSocket: true, // tcp_input: it finds the socket, closed as it is
  fastOpen: {
    ...FAST_OPEN,
    setToConnect: true,
    sendConnects: true,
    hashesBoth: false, // tcp_fastopen_make_cookie
    padding: OPTION_END,
    refusedFor: s(900), // fastopen.path_disable_time
  },
  synLayouts: FREEBSD_SYN,
  synAckLayouts: FREEBSD_SYN,
})
