import { NEVER, ms, s as seconds, type Nanos } from '../../time.ts'
import { createPacer, sendQuantum } from '../pacing.ts'
import { createRate, rateAppLimited, type RateSample, type RateState } from '../rate.ts'
import { isRecovering } from '../recovery.ts'
import type { TcpState } from '../state.ts'
import type { CongestionControl, CongestionState } from './congestion.ts'

// BBR version 1: draft-cardwell-iccrg-bbr-congestion-control-00, and its names. A model of the path, the
// fastest that it has delivered and the shortest that a round trip has taken, says at which rate to
// send and how much may be out. Sections below are the draft's. Left out: the long-term estimate
// of a policer, which the draft has not either.

export type BbrPhase = 'STARTUP' | 'DRAIN' | 'PROBE_BW' | 'PROBE_RTT'

export interface BbrState {
  readonly kind: 'bbr'
  phase: BbrPhase
  /** BBR.BtlBw, bytes a second: the largest of `bandwidths`, each the largest sample of one round. */
  btlBw: number
  bandwidths: number[]
  /** BBR.RTprop, Infinity before a sample, and when it was last seen. */
  rtProp: Nanos
  rtPropStamp: Nanos
  pacingGain: number
  cwndGain: number
  /** Round trips, counted in deliveries (§4.1.1.3). */
  roundCount: number
  nextRoundDelivered: number
  /** §4.3.2.2 */
  filledPipe: boolean
  fullBw: number
  fullBwCount: number
  /** §4.3.4 */
  cycleIndex: number
  cycleStamp: Nanos
  /** §4.3.5 */
  probeRttDoneStamp: Nanos
  probeRttRoundDone: boolean
  idleRestart: boolean
  /** §4.2.3.4: the window before a loss, or before PROBE_RTT. */
  priorCwnd: number
  packetConservation: boolean
  /** Where packet conservation ends. */
  conservedUntil: number
  /** Of a generator of its own, for where in the cycle it begins. */
  random: number
}

/** 2 / ln 2: the smallest gain with which the rate doubles in a round trip (§4.3.2.1). */
const HIGH_GAIN = 2.885_390_081_777_926_8
const DRAIN_GAIN = 1 / HIGH_GAIN
/** §4.3.4.1 */
const PACING_GAIN_CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1]
/** §4.1.1.4: in round trips. */
const BTL_BW_FILTER_LEN = 10
/** §4.1.2.2 */
const RT_PROP_FILTER_LEN: Nanos = seconds(10)
const PROBE_RTT_DURATION: Nanos = ms(200)
/** In segments. */
const MIN_PIPE_CWND = 4
const SECOND = 1e9

function createBbr(iss: number): BbrState {
  return {
    kind: 'bbr',
    phase: 'STARTUP',
    btlBw: 0,
    bandwidths: Array.from({ length: BTL_BW_FILTER_LEN }, () => 0),
    rtProp: NEVER,
    rtPropStamp: 0,
    pacingGain: HIGH_GAIN,
    cwndGain: HIGH_GAIN,
    roundCount: 0,
    nextRoundDelivered: 0,
    filledPipe: false,
    fullBw: 0,
    fullBwCount: 0,
    cycleIndex: 0,
    cycleStamp: 0,
    probeRttDoneStamp: NEVER,
    probeRttRoundDone: false,
    idleRestart: false,
    priorCwnd: 0,
    packetConservation: false,
    conservedUntil: 0,
    random: iss | 1,
  }
}

function ownOf(cc: CongestionState, iss: number): BbrState {
  if (cc.own === null || cc.own.kind !== 'bbr') cc.own = createBbr(iss)
  return cc.own
}

export const bbr: CongestionControl = {
  name: 'bbr',
  prr: false,

  /** §4.2.1: a first rate from the initial window and the round trip of the handshake. */
  start(s, now) {
    const { cc, rto, mss, policy } = s
    cc.rate = createRate(now)
    cc.own = createBbr(s.iss)
    cc.own.rtProp = rto.srtt > 0 ? rto.srtt : NEVER
    cc.own.rtPropStamp = now
    const rtt = rto.srtt > 0 ? rto.srtt : ms(1)
    cc.pacer = createPacer((HIGH_GAIN * policy.initialWindow * mss * SECOND) / rtt, now)
  },

  acked() {},

  lost(s, _now, flight) {
    const { cc } = s
    const b = ownOf(cc, s.iss)
    saveCwnd(b, cc.cwnd, isRecovering(s))
    b.packetConservation = true
    b.conservedUntil = cc.rate === null ? 0 : cc.rate.delivered
    cc.cwnd = Math.max(flight, s.mss)
  },

  timedOut(s) {
    const { cc } = s
    saveCwnd(ownOf(cc, s.iss), cc.cwnd, isRecovering(s))
    cc.cwnd = s.mss
  },

  recovered(s) {
    restoreCwnd(s.cc, ownOf(s.cc, s.iss))
  },

  undone(s, _now, cwnd) {
    const { cc } = s
    restoreCwnd(cc, ownOf(cc, s.iss))
    cc.cwnd = Math.max(cc.cwnd, cwnd)
  },

  sampled(s, now, inFlight, lost) {
    const { cc } = s
    if (cc.rate === null) return
    const b = ownOf(cc, s.iss)
    const { sample } = cc.rate
    const roundStart = updateModel(b, s, cc.rate, now, inFlight, lost)
    checkProbeRtt(b, s, cc.rate, now, inFlight, roundStart)
    b.idleRestart = false
    setPacingRate(cc, b)
    setCwnd(s, b, cc.rate, sample, inFlight, lost)
  },

  resumed(s) {
    const { cc } = s
    const b = ownOf(cc, s.iss)
    if (cc.rate === null || cc.rate.appLimited === 0) return
    b.idleRestart = true // §4.3.4.4
    if (b.phase === 'PROBE_BW' && cc.pacer !== null) cc.pacer.rate = b.btlBw
  },
}

/** §4.1, §4.3 */
function updateModel(
  b: BbrState,
  s: TcpState,
  rate: RateState,
  now: Nanos,
  inFlight: number,
  lost: boolean,
): boolean {
  const roundStart = updateBtlBw(b, rate)
  if (b.phase === 'PROBE_BW') checkCyclePhase(b, s, now, inFlight + rate.sample.delivered, lost)
  if (!b.filledPipe && roundStart && !rate.sample.isAppLimited) checkFullPipe(b)
  if (b.phase === 'STARTUP' && b.filledPipe) {
    b.phase = 'DRAIN'
    b.pacingGain = DRAIN_GAIN
  }
  if (b.phase === 'DRAIN' && inFlight <= target(s, b, 1)) enterProbeBw(b, now)
  return roundStart
}

/** §4.1.1. Whether a round trip begins. */
function updateBtlBw(b: BbrState, { sample, delivered }: RateState): boolean {
  if (sample.priorDelivered < 0) return false
  const roundStart = sample.priorDelivered >= b.nextRoundDelivered
  if (roundStart) {
    b.nextRoundDelivered = delivered
    b.roundCount += 1
    b.bandwidths[b.roundCount % BTL_BW_FILTER_LEN] = 0
  }
  const { deliveryRate, isAppLimited } = sample
  if (deliveryRate >= b.btlBw || (deliveryRate >= 0 && !isAppLimited)) {
    const slot = b.roundCount % BTL_BW_FILTER_LEN
    if (deliveryRate > b.bandwidths[slot]!) b.bandwidths[slot] = deliveryRate
  }
  b.btlBw = 0
  for (const each of b.bandwidths) if (each > b.btlBw) b.btlBw = each
  return roundStart
}

/** §4.3.2.2: three rounds in which it has not become faster by a quarter. */
function checkFullPipe(b: BbrState): void {
  if (b.btlBw >= b.fullBw * 1.25) {
    b.fullBw = b.btlBw
    b.fullBwCount = 0
    return
  }
  b.fullBwCount += 1
  b.filledPipe = b.fullBwCount >= 3
}

/** §4.3.4.3: anywhere but where the queue of a probe before it would be drained. */
function enterProbeBw(b: BbrState, now: Nanos): void {
  b.phase = 'PROBE_BW'
  b.cwndGain = 2
  b.random ^= b.random << 13
  b.random ^= b.random >>> 17
  b.random ^= b.random << 5
  b.cycleIndex = PACING_GAIN_CYCLE.length - 1 - ((b.random >>> 0) % 7)
  advanceCyclePhase(b, now)
}

function advanceCyclePhase(b: BbrState, now: Nanos): void {
  b.cycleStamp = now
  b.cycleIndex = (b.cycleIndex + 1) % PACING_GAIN_CYCLE.length
  b.pacingGain = PACING_GAIN_CYCLE[b.cycleIndex]!
}

/** `before`: what was in flight before this ACK. */
function checkCyclePhase(
  b: BbrState,
  s: TcpState,
  now: Nanos,
  before: number,
  lost: boolean,
): void {
  const full = now - b.cycleStamp > b.rtProp
  let next = full
  if (b.pacingGain > 1) next = full && (lost || before >= target(s, b, b.pacingGain))
  else if (b.pacingGain < 1) next = full || before <= target(s, b, 1)
  if (next) advanceCyclePhase(b, now)
}

/** §4.1.2, §4.3.5 */
function checkProbeRtt(
  b: BbrState,
  s: TcpState,
  rate: RateState,
  now: Nanos,
  inFlight: number,
  roundStart: boolean,
): void {
  const { cc } = s
  const { rtt } = rate.sample
  const expired = now > b.rtPropStamp + RT_PROP_FILTER_LEN
  if (rtt >= 0 && (rtt <= b.rtProp || expired)) {
    b.rtProp = rtt
    b.rtPropStamp = now
  }
  if (b.phase !== 'PROBE_RTT' && expired && !b.idleRestart) {
    b.phase = 'PROBE_RTT'
    b.pacingGain = b.cwndGain = 1
    saveCwnd(b, cc.cwnd, isRecovering(s))
    b.probeRttDoneStamp = NEVER
  }
  if (b.phase !== 'PROBE_RTT') return
  rateAppLimited(rate, inFlight)
  if (b.probeRttDoneStamp === NEVER) {
    if (inFlight > MIN_PIPE_CWND * s.mss) return
    b.probeRttDoneStamp = now + PROBE_RTT_DURATION
    b.probeRttRoundDone = false
    b.nextRoundDelivered = rate.delivered
    return
  }
  if (roundStart) b.probeRttRoundDone = true
  if (!b.probeRttRoundDone || now <= b.probeRttDoneStamp) return
  b.rtPropStamp = now
  restoreCwnd(cc, b)
  if (b.filledPipe) return enterProbeBw(b, now)
  b.phase = 'STARTUP'
  b.pacingGain = b.cwndGain = HIGH_GAIN
}

/** §4.2.3.2: what may be in flight with this gain. */
function target(s: TcpState, b: BbrState, gain: number): number {
  if (b.rtProp === NEVER) return s.policy.initialWindow * s.mss
  const quanta = 3 * sendQuantum(s.cc.pacer === null ? 0 : s.cc.pacer.rate, s.mss)
  return Math.floor((gain * b.btlBw * b.rtProp) / SECOND + quanta)
}

/** §4.2.1 */
function setPacingRate({ pacer }: CongestionState, b: BbrState): void {
  const rate = b.pacingGain * b.btlBw
  if (pacer !== null && rate > 0 && (b.filledPipe || rate > pacer.rate)) pacer.rate = rate
}

/** §4.2.3 */
function setCwnd(
  s: TcpState,
  b: BbrState,
  rate: RateState,
  { delivered, priorDelivered }: RateSample,
  inFlight: number,
  lost: boolean,
): void {
  const { cc, mss, policy } = s
  const goal = target(s, b, b.cwndGain)
  // Packet conservation lasts for one round trip of a recovery.
  if (b.packetConservation && priorDelivered >= b.conservedUntil) b.packetConservation = false
  if (lost && isRecovering(s)) cc.cwnd = Math.max(cc.cwnd - mss, mss)
  if (b.packetConservation) cc.cwnd = Math.max(cc.cwnd, inFlight + delivered)
  else if (b.filledPipe) cc.cwnd = Math.min(cc.cwnd + delivered, goal)
  else if (cc.cwnd < goal || rate.delivered < policy.initialWindow * mss) cc.cwnd += delivered
  cc.cwnd = Math.max(cc.cwnd, MIN_PIPE_CWND * mss)
  if (b.phase === 'PROBE_RTT') cc.cwnd = Math.min(cc.cwnd, MIN_PIPE_CWND * mss)
}

function saveCwnd(b: BbrState, cwnd: number, recovering: boolean): void {
  const lower = recovering || b.phase === 'PROBE_RTT'
  b.priorCwnd = lower ? Math.max(b.priorCwnd, cwnd) : cwnd
}

function restoreCwnd(cc: CongestionState, b: BbrState): void {
  cc.cwnd = Math.max(cc.cwnd, b.priorCwnd)
  b.packetConservation = false
}
