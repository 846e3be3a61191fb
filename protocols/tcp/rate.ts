import { type Seq, seqGt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'

// How fast the path delivers: draft-cheng-iccrg-delivery-rate-estimation, and its names. Every segment
// remembers what had been delivered when it was sent; its ACK says what has been delivered since, and
// in what time.

export interface RateState {
  /** C.delivered, bytes, and when that was. */
  delivered: number
  deliveredTime: Nanos
  /** C.first_sent_time: when the segment was sent that was delivered last. */
  firstSentTime: Nanos
  /** C.app_limited: until so much is delivered, samples tell of the application; 0: they do not. */
  appLimited: number
  /** Bytes that are counted and not acknowledged yet. */
  sacked: number
  /** The segments in flight, in the order in which they were sent; `head` advances. */
  sent: SentSegment[]
  head: number
  /** The last sample. */
  sample: RateSample
}

/** P of the draft: what was so when the segment was sent. */
interface SentSegment {
  readonly end: Seq
  readonly at: Nanos
  readonly delivered: number
  readonly deliveredTime: Nanos
  readonly firstSentTime: Nanos
  readonly appLimited: boolean
  /** It had been sent before: which of the two was delivered is not known. */
  readonly again: boolean
}

/** rs of the draft, of the ACK at hand. */
export interface RateSample {
  /** Bytes a second; -1: this ACK gives none. */
  deliveryRate: number
  /** C.delivered when the segment was sent that was delivered; -1: none is known. */
  priorDelivered: number
  isAppLimited: boolean
  /** Bytes that this ACK newly delivered. */
  delivered: number
  /** -1 where it is not known. */
  rtt: Nanos
}

export function createRate(now: Nanos): RateState {
  return {
    delivered: 0,
    deliveredTime: now,
    firstSentTime: now,
    appLimited: 0,
    sacked: 0,
    sent: [],
    head: 0,
    sample: { deliveryRate: -1, priorDelivered: -1, isAppLimited: false, delivered: 0, rtt: -1 },
  }
}

const SECOND = 1e9
/** So many entries may be dead before the array is cut. */
const COMPACT = 64

/** A segment goes out, or goes out `again`. `alone`: nothing else is in flight. */
export function rateSent(r: RateState, now: Nanos, end: Seq, alone: boolean, again: boolean): void {
  if (alone) r.firstSentTime = r.deliveredTime = now
  r.sent.push({
    end,
    at: now,
    delivered: r.delivered,
    deliveredTime: r.deliveredTime,
    firstSentTime: r.firstSentTime,
    appLimited: r.appLimited > 0,
    again,
  })
}

/** Nothing more to send, though the window would let it. */
export function rateAppLimited(r: RateState, inFlight: number): void {
  r.appLimited = Math.max(r.delivered + inFlight, 1)
}

/**
 * An ACK has newly delivered so many bytes. `sentAt` and `end` are those of the segment among them
 * that was sent last; where nobody knows when, `sentAt` is NEVER.
 */
export function rateDelivered(
  r: RateState,
  now: Nanos,
  bytes: number,
  sentAt: Nanos,
  end: Seq,
  minRtt: Nanos,
): void {
  const { sample } = r
  sample.delivered = bytes
  sample.deliveryRate = sample.rtt = sample.priorDelivered = -1
  if (bytes === 0) return
  r.delivered += bytes
  r.deliveredTime = now
  if (r.appLimited > 0 && r.delivered > r.appLimited) r.appLimited = 0
  const p = takeSent(r, sentAt, end)
  if (p === null) return
  r.firstSentTime = p.at
  sample.rtt = p.again ? -1 : now - p.at
  // §4.1.2: the slower of the two, sending and acknowledging.
  const interval = Math.max(p.at - p.firstSentTime, now - p.deliveredTime)
  // §4.1.3: faster than the path can be, so it is another copy that arrived. It ends no round either.
  if (interval <= 0 || interval < minRtt) return
  sample.priorDelivered = p.delivered
  sample.isAppLimited = p.appLimited
  sample.deliveryRate = ((r.delivered - p.delivered) * SECOND) / interval
}

/** The newest segment that was sent no later and ends no later; it and all before it are forgotten. */
function takeSent(r: RateState, sentAt: Nanos, end: Seq): SentSegment | null {
  let found: SentSegment | null = null
  let at = r.head
  for (; at < r.sent.length; at++) {
    const p = r.sent[at]!
    if (p.at > sentAt || ((p.at === sentAt || sentAt === NEVER) && seqGt(p.end, end))) break
    found = p
  }
  r.head = at
  if (at >= COMPACT) {
    r.sent.splice(0, at)
    r.head = 0
  }
  return found
}
