import { NEVER, type Nanos } from '../../time.ts'
import type { TcpState } from '../state.ts'
import type { CongestionControl } from './congestion.ts'
import { cubeRoot } from './cube-root.ts'
import { createSteps, type CubicSteps, stepWindow } from './cubic-steps.ts'
import { newReno } from './new-reno.ts'
import { slowStart } from './slow-start.ts'

// CUBIC, RFC 9438. Section numbers below are its own, and its names: windows in segments, times in
// seconds where they go into its formulas. Slow start is `slow-start.ts`.

/** What a reduction changes, and what is put back where nothing was lost after all (§4.9). */
interface Epoch {
  /** W_max: the window before the last reduction, or less by fast convergence; 0 before the first. */
  wMax: number
  cwndPrior: number
  /** W_est: what Reno would have by now. */
  wEst: number
  /** K, seconds. */
  k: number
  /** When this stage of congestion avoidance began; NEVER before its first ACK. */
  epochStart: Nanos
}

export interface CubicState extends Epoch {
  readonly kind: 'cubic'
  /** When the window last grew. */
  grewAt: Nanos
  /** What of the window is less than a byte. */
  fraction: number
  prior: Epoch | null
  /** Where windows are whole segments. */
  steps: CubicSteps | null
}

/** §4.1.2, §4.6 */
const C = 0.4
const BETA = 0.7
/** §4.3 */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)
/** §4.2: the target lies at most so far ahead of the window. */
const FASTEST = 1.5
const SECOND = 1e9

const createCubic = (): CubicState => ({
  kind: 'cubic',
  wMax: 0,
  cwndPrior: 0,
  wEst: 0,
  k: 0,
  epochStart: NEVER,
  grewAt: 0,
  fraction: 0,
  prior: null,
  steps: null,
})

function ownOf({ cc }: TcpState): CubicState {
  if (cc.own === null || cc.own.kind !== 'cubic') cc.own = createCubic()
  return cc.own
}

/** §4.2: W_cubic(t). */
export const cubicWindow = (wMax: number, k: number, t: number): number =>
  C * (t - k) * (t - k) * (t - k) + wMax

/** §4.2: the time from `cwndEpoch` to W_max. */
export const cubicK = (wMax: number, cwndEpoch: number): number =>
  cubeRoot(Math.max(wMax - cwndEpoch, 0) / C)

/** A stage of congestion avoidance begins with this window. */
function beginEpoch(own: CubicState, now: Nanos, cwnd: number): void {
  own.epochStart = own.grewAt = now
  own.wEst = cwnd
  // §4.8, §4.10: after a timeout, and after a slow start that lost nothing, there is no W_max.
  if (own.wMax < cwnd) own.wMax = cwnd
  own.k = cubicK(own.wMax, cwnd)
}

/** §4.7 and §4.6: what a congestion event leaves behind. */
function reduce(s: TcpState, flight: number): void {
  const { cc, mss } = s
  const own = ownOf(s)
  own.prior = epochOf(own)
  const cwnd = cc.cwnd / mss
  own.wMax = cwnd < own.wMax ? (cwnd * (1 + BETA)) / 2 : cwnd // fast convergence
  own.cwndPrior = cwnd
  own.epochStart = NEVER
  if (own.steps !== null) own.steps.epochStart = NEVER
  own.fraction = 0
  cc.hystart = null
  cc.ssthresh = Math.max(Math.floor(flight * BETA), 2 * mss)
}

const epochOf = ({ wMax, cwndPrior, wEst, k, epochStart }: Epoch): Epoch => ({
  wMax,
  cwndPrior,
  wEst,
  k,
  epochStart,
})

export const cubic: CongestionControl = {
  name: 'cubic',
  prr: true,

  start() {},

  acked(s, now, bytes) {
    const { cc, mss } = s
    if (s.policy.wholeWindows) return ackedInSegments(s, now, bytes)
    if (cc.cwnd < cc.ssthresh) return slowStart(s, bytes)
    const own = ownOf(s)
    const cwnd = (cc.cwnd + own.fraction) / mss
    const rtt = Math.max(s.rto.srtt, 0)
    if (own.epochStart === NEVER) beginEpoch(own, now, cwnd)
    // §5.8: time in which the window was not used does not count. ACKs come once a round trip at least.
    else if (now - own.grewAt > rtt) own.epochStart += now - own.grewAt - rtt
    own.grewAt = now
    const grown = nextWindow(own, cwnd, bytes / mss, (now - own.epochStart) / SECOND, rtt / SECOND)
    const bytesGrown = grown * mss
    cc.cwnd = Math.floor(bytesGrown)
    own.fraction = bytesGrown - cc.cwnd
  },

  lost(s, _now, flight) {
    reduce(s, flight)
  },

  timedOut(s, _now, flight, first) {
    const { cc, mss } = s
    if (first) reduce(s, flight)
    const own = ownOf(s)
    own.wMax = 0 // §4.8
    own.epochStart = NEVER
    own.steps = null
    cc.cwnd = mss
  },

  recovered: (s, now, flight) => newReno.recovered(s, now, flight),

  undone(s, _now, cwnd, ssthresh) {
    const { cc } = s
    const own = ownOf(s)
    cc.cwnd = Math.max(cc.cwnd, cwnd)
    cc.ssthresh = ssthresh
    if (own.prior !== null) Object.assign(own, epochOf(own.prior))
    own.prior = null
  },

  sampled() {},

  resumed: (s, now, idle) => newReno.resumed(s, now, idle),
}

/** Windows are whole segments. What slow start leaves of an ACK counts for what comes after it. */
function ackedInSegments(s: TcpState, now: Nanos, bytes: number): void {
  const { cc, mss, rto, tally } = s
  let rest = bytes
  if (cc.cwnd < cc.ssthresh) {
    const before = cc.cwnd
    slowStart(s, bytes)
    rest -= cc.cwnd - before
    if (cc.cwnd < cc.ssthresh || rest <= 0) return
  }
  const own = ownOf(s)
  own.steps ??= createSteps()
  const minRtt = tally === null || tally.minRtt === NEVER ? Math.max(rto.srtt, 0) : tally.minRtt
  const acked = Math.ceil(rest / mss)
  const cwnd = Math.floor(cc.cwnd / mss)
  cc.cwnd = stepWindow(own.steps, now, cwnd, acked, Math.floor(own.wMax), minRtt) * mss
}

/** §4.2 to §4.5: the window after an ACK of so many segments, `t` seconds into the stage. */
function nextWindow(own: CubicState, cwnd: number, acked: number, t: number, rtt: number): number {
  // §4.3: from the old window on, Reno is met at its own pace.
  own.wEst += ((own.wEst < own.cwndPrior ? ALPHA : 1) * acked) / cwnd
  const { wMax, k, wEst } = own
  if (cubicWindow(wMax, k, t) < wEst) return Math.max(wEst, cwnd) // Reno-friendly
  const ahead = cubicWindow(wMax, k, t + rtt)
  const target = Math.min(Math.max(ahead, cwnd), FASTEST * cwnd)
  return cwnd + ((target - cwnd) * acked) / cwnd
}
