import { type Seq, seqDiff, seqGeq, seqGt, seqLeq, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { rackDelivered } from './rack.ts'
import {
  compact,
  endOf,
  lackOf,
  lengthOf,
  LOST,
  markLost,
  ORIGINAL,
  REPEATED,
  RETRANSMITTED,
  SACKED,
  type Scoreboard,
  segmentsIn,
  setFate,
  splitAt,
  startOf,
  TWICE,
  unknownFlight,
} from './scoreboard.ts'
import type { TcpSegment } from './segment.ts'
import type { TcpState } from './state.ts'
import { noteReordering } from './tally.ts'
import { timestampAt } from './transmit.ts'

// What ACKs tell of the flight: the cumulative acknowledgement, the blocks of RFC 2018 and the
// duplicates of RFC 2883, all into the scoreboard; and what is lost by RFC 6675's count.

/** What the blocks of an ACK say: something new has arrived, something has arrived twice. */
export const SAYS_NEW = 1
export const SAYS_DUPLICATE = 2

/** The run has arrived, acknowledged or SACKed. */
function delivered(s: TcpState, b: Scoreboard, i: number, now: Nanos, seg: TcpSegment): void {
  const fate = b.fates[i]!
  const end = b.ends[i]!
  b.delivered += lengthOf(b, i)
  b.unpadded += lackOf(lengthOf(b, i), s.mss)
  if (fate & RETRANSMITTED) b.shown |= REPEATED
  else if (seqLeq(end, s.recovery.recover)) b.shown |= ORIGINAL
  const sentAt = b.times[i]!
  if (
    b.newestAt === NEVER ||
    sentAt > b.newestAt ||
    (sentAt === b.newestAt && seqGt(end, b.newestEnd))
  ) {
    b.newestAt = sentAt
    b.newestEnd = end
  }
  if (s.rack === null) return
  // RFC 8985 §6.2 step 2: an older echo is the original's.
  const sure = !s.timestamps || seqGeq(seg.options.timestampEcho, timestampAt(s, sentAt))
  rackDelivered(s.rack, now, sentAt, b.bursts[i]!, end, fate, sure)
}

/** The cumulative acknowledgement: everything before `ack` leaves the board. */
export function acknowledge(s: TcpState, b: Scoreboard, now: Nanos, seg: TcpSegment): void {
  const { ack } = seg
  let late: Seq | null = null
  const fack = highestSacked(b)
  while (b.head < b.ends.length && seqLeq(b.ends[b.head]!, ack)) {
    const i = b.head
    const fate = b.fates[i]!
    if (fate & SACKED) b.segsSacked -= segmentsIn(lengthOf(b, i), s.mss)
    else {
      if (late === null && (fate & RETRANSMITTED) === 0) late = startOf(b, i)
      delivered(s, b, i, now, seg)
    }
    if (fate & (SACKED | LOST | TWICE)) setFate(b, i, 0)
    b.padding = Math.max(b.padding - lackOf(lengthOf(b, i), s.mss), 0)
    b.start = b.ends[i]!
    b.head = i + 1
  }
  if (b.head < b.ends.length && seqGt(ack, b.start)) acknowledgePart(s, b, now, seg)
  if (late !== null && s.tally !== null && seqLt(late, fack)) {
    noteReordering(s.tally, late, b.sacked === 0 ? ack : b.highSacked, s.mss)
  }
  compact(b)
}

/** An ACK in the middle of a run. Mostly the run is a burst, of which so much is gone. */
function acknowledgePart(s: TcpState, b: Scoreboard, now: Nanos, seg: TcpSegment): void {
  const i = b.head
  if (b.fates[i] !== 0) {
    splitAt(b, seg.ack)
    return acknowledge(s, b, now, seg)
  }
  const end = b.ends[i]!
  b.ends[i] = seg.ack // what is delivered ends here
  delivered(s, b, i, now, seg)
  b.ends[i] = end
  b.start = seg.ack
}

/** Takes the blocks of an ACK; says what they say. */
export function takeBlocks(s: TcpState, now: Nanos, seg: TcpSegment): number {
  const { sack } = seg.options
  if (sack.length === 0) return 0
  const { snd } = s
  let said = 0
  let from = 0
  const fack = s.board === null ? snd.una : highestSacked(s.board)
  if (tellsDuplicate(seg)) {
    said = SAYS_DUPLICATE
    from = 2
  }
  for (let i = from; i + 1 < sack.length; i += 2) {
    const left = sack[i]!
    const right = sack[i + 1]!
    // Nonsense, or a block of long ago that came late.
    if (!seqLt(left, right) || seqLeq(left, snd.una) || seqGt(right, snd.nxt)) continue
    const b = (s.board ??= unknownFlight(snd.una, snd.nxt))
    if (markSacked(s, b, left, right, now, seg)) said |= SAYS_NEW
  }
  const { tally, board } = s
  if (tally !== null && board !== null && board.late !== null && seqLt(board.late, fack)) {
    noteReordering(tally, board.late, board.highSacked, s.mss)
  }
  return said
}

const highestSacked = (b: Scoreboard): Seq => (b.sacked === 0 ? b.start : b.highSacked)

/** RFC 2883 §4: the first block lies below the cumulative ACK, or within the second. */
export function tellsDuplicate({ ack, options: { sack } }: TcpSegment): boolean {
  if (sack.length === 0) return false
  const left = sack[0]!
  const right = sack[1]!
  if (seqLeq(right, ack)) return true
  return sack.length >= 4 && seqGeq(left, sack[2]!) && seqLeq(right, sack[3]!)
}

function markSacked(
  s: TcpState,
  b: Scoreboard,
  left: Seq,
  right: Seq,
  now: Nanos,
  seg: TcpSegment,
): boolean {
  let news = false
  const first = splitAt(b, left)
  if (seqLt(right, endOf(b))) splitAt(b, right)
  for (let i = first; i < b.ends.length && seqLeq(b.ends[i]!, right); i++) {
    const fate = b.fates[i]!
    if (fate & SACKED) continue
    delivered(s, b, i, now, seg)
    if ((fate & RETRANSMITTED) === 0) {
      if (b.sackedAt === NEVER) b.sackedAt = b.times[i]!
      const start = startOf(b, i)
      if (b.late === null || seqLt(start, b.late)) b.late = start
    }
    setFate(b, i, (fate & RETRANSMITTED) | SACKED)
    b.segsSacked += segmentsIn(lengthOf(b, i), s.mss)
    news = true
  }
  if (seqGt(right, b.highSacked)) b.highSacked = right
  return news
}

/**
 * RFC 6675 §4, IsLost: below DupThresh SACKed blocks, or more than DupThresh - 1 segments' worth of
 * SACKed bytes, what is not SACKed is lost. What was sent again is not judged a second time.
 */
export function sackDetectLoss(s: TcpState, b: Scoreboard): void {
  const below = lostBelow(s, b)
  for (let i = b.head; i < below; i++) {
    if ((b.fates[i]! & RETRANSMITTED) === 0) markLost(b, i)
    else if (b.fates[i]! & TWICE) setFate(b, i, b.fates[i]! & ~TWICE)
  }
}

/** The run above which enough is SACKed; `head`: none. */
function lostBelow(s: TcpState, b: Scoreboard): number {
  const { dupAckThreshold } = s.policy
  const enough = (dupAckThreshold - 1) * s.mss
  let bytes = 0
  let blocks = 0
  let above = false
  for (let i = b.ends.length - 1; i > b.head; i--) {
    const sacked = (b.fates[i]! & SACKED) !== 0
    if (sacked) {
      bytes += seqDiff(b.ends[i]!, startOf(b, i))
      if (!above) blocks += 1
      if (bytes > enough || blocks >= dupAckThreshold) return i
    }
    above = sacked
  }
  return b.head
}
