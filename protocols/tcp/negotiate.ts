import { type IpAddress, isIpv4 } from '../address.ts'
import { withCounters } from './accurate-ecn.ts'
import { agreeOnEcn } from './ecn.ts'
import { withFastOpen } from './fast-open-option.ts'
import { NO_OPTIONS, TcpOptions, TIMESTAMP_BYTES } from './options.ts'
import type { TcpSegment } from './segment.ts'
import { SIGNATURE_SPACE } from './signature.ts'
import type { TcpState } from './state.ts'
import { synSet } from './syn-layouts.ts'
import { MAX_SCALE, scaleFor } from './window.ts'

// What the two SYNs agree on: MSS, window scale, timestamps, SACK.

/** Less than this is refused: no path is so small, and tiny segments are an attack. */
const MIN_MSS = 64

const NONE: readonly never[] = []

/** Options for our SYN; a SYN,ACK offers only what the SYN offered (RFC 7323 §2.2, §3.2). */
export function synOptions(s: TcpState, timestamp: number): TcpOptions {
  const { policy } = s
  if (policy.noOptions) return NO_OPTIONS
  const crosses = s.listener < 0 && policy.crossingOffersAll
  const answering = s.state !== 'SYN-SENT' && !crosses
  // A box on the path that drops what it does not know may let a bare one through.
  const bare = policy.synPlainAfter > 0 && s.rto.retransmits >= policy.synPlainAfter
  const offers = !answering && !bare
  const scale = answering ? s.scaled : offers && policy.windowScale
  const stamps = answering ? s.timestamps : offers && mayStamp(s)
  const sack = answering ? s.sackPermitted : offers && policy.sackPermitted
  const layouts = answering ? policy.synAckLayouts : policy.synLayouts
  const layout = layouts[synSet(sack, stamps, scale)]!
  const plain = new TcpOptions(
    layout,
    policy.offersPathMss ? Math.min(s.pathMss, s.routeMss) : s.pathMss,
    scale ? scaleFor(scaledBuffer(s)) : -1,
    stamps ? timestamp : 0,
    stamps ? s.tsRecent : 0,
    NONE,
    NONE,
  )
  const agreed = countersOnSyn(s, plain)
  const { fastOpen } = s
  if (fastOpen === null || fastOpen.option === null) return agreed
  // RFC 7413 §4.2.2: a SYN that has to be sent again says nothing of it; a SYN,ACK is as it was.
  if (s.listener < 0 && (s.state !== 'SYN-SENT' || s.rto.total > 0)) return agreed
  return withFastOpen(agreed, fastOpen.option, policy)
}

/** RFC 9768 §3.2.3.2.1: a SYN,ACK shows whether the option comes through. */
function countersOnSyn({ ecn, policy, state }: TcpState, options: TcpOptions): TcpOptions {
  if (state === 'SYN-SENT' || ecn === null || ecn.accurate === null) return options
  return policy.accurateEcnOption ? withCounters(options, ecn.accurate) : options
}

/** The buffer that the scale has to serve: what it is, or what it may become. */
const scaledBuffer = (s: TcpState): number => Math.max(s.rcv.buffer, s.policy.receiveBufferMax)

/** Takes what the peer's SYN offers, where our policy offers it too; `codepoint`: of its IP header. */
export function agree(s: TcpState, syn: TcpSegment, codepoint: number): void {
  const { options } = syn
  const { policy } = s
  const offers = !policy.noOptions
  s.scaled = offers && policy.windowScale && options.windowScale >= 0
  s.snd.wndScale = s.scaled ? Math.min(options.windowScale, MAX_SCALE) : 0
  s.rcv.wndScale = s.scaled ? scaleFor(scaledBuffer(s)) : 0
  s.sackPermitted = offers && policy.sackPermitted && options.sackPermitted
  s.timestamps = offers && mayStamp(s) && options.hasTimestamps
  if (s.timestamps) s.tsRecent = options.timestampValue
  agreeOnEcn(s, syn, codepoint)
  s.peerMss = options.mss < 0 ? defaultMss(s.remoteAddress) : Math.max(options.mss, MIN_MSS)
  s.mss = sendMss(s)
}

/** A signature leaves no place for timestamps beside SACK blocks: policies choose. */
function mayStamp({ policy, listener, sackPermitted }: TcpState): boolean {
  if (!policy.timestamps) return false
  if (policy.signs === 'nobody' || policy.signedTimestamps) return true
  return listener >= 0 && !sackPermitted
}

/** RFC 6691: the MSS option counts no options; what we send does. */
export const sendMss = (s: TcpState): number =>
  Math.min(s.peerMss, s.pathMss, s.routeMss, s.holeMss) -
  (s.timestamps ? TIMESTAMP_BYTES : 0) -
  (s.policy.signs === 'nobody' ? 0 : SIGNATURE_SPACE)

/** RFC 9293 §3.7.1: what a peer takes that does not say. */
export const defaultMss = (remote: IpAddress): number => (isIpv4(remote) ? 536 : 1220)
