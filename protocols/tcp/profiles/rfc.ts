import { ICMP_UNREACHABLE } from '../../icmp/message.ts'
import { ms, s } from '../../time.ts'
import { createPolicy } from '../policy.ts'
import { synLayouts } from '../syn-layouts.ts'

/** RFC 7323 appendix A recommends the two NOPs; the rest is the order that most stacks have taken. */
export const ALIGNED_SYN = synLayouts([
  'mss',
  'mss,nop,nop,sackOK',
  'mss,nop,nop,TS',
  'mss,sackOK,TS',
  'mss,nop,wscale',
  'mss,nop,nop,sackOK,nop,wscale',
  'mss,nop,nop,TS,nop,wscale',
  'mss,sackOK,TS,nop,wscale',
])

/** RFC 5461 §4.1: whatever says that the peer cannot be reached. */
const UNREACHABLES = Array.from({ length: 16 }, (_, code) => 256 * ICMP_UNREACHABLE + code)

/** What the RFCs say, and where they leave a choice, what they recommend. */
export const RFC = createPolicy({
  rtoInitial: s(1),
  rtoMin: s(1),
  rtoMax: s(120),
  rtoGranularity: 0,
  rtoSlop: 0,
  rtoAdaptive: true,
  synRetries: 6,
  dataRetries: 15,
  synAckRetries: 6,
  synSchedule: [],
  suspectAfter: 3,
  delayedAck: ms(40),
  ackEvery: 2,
  msl: s(30),
  finWait2: s(60),
  initialWindow: 10,
  congestion: 'cubic',
  slowStartLimit: 8,
  hystart: true,
  dupAckThreshold: 3,
  ecnSynRetries: 0,
  pacing: false,
  ecn: 'accept',
  sendBuffer: 4 << 20,
  receiveBuffer: 4 << 20,
  receiveBufferMax: 0,
  mss: 65_495,
  blackHoleAfter: 0,
  blackHoleMss: 536,
  windowScale: true,
  sackPermitted: true,
  dsack: true,
  timestamps: true,
  nagle: true,
  steadyEdge: true,
  wholeSegments: false,
  freeIsWindow: false,
  countsSegments: false,
  keepsSynText: true,
  finRides: false,
  insecureReset: false,
  insecureSyn: false,
  dropSynFin: false,
  challengeAcks: 10, // RFC 5961 §7
  challengeWindow: s(5),
  timeWaitReuse: true,
  timeWaitStays: false,
  resetInCloseWait: 'EPIPE',
  resetInClosing: null,
  resetInLastAck: null,
  timeWaitMute: false,
  icmpEndsConnect: UNREACHABLES,
  icmpConnectError: null,
  synLayouts: ALIGNED_SYN,
  synAckLayouts: ALIGNED_SYN,
})
