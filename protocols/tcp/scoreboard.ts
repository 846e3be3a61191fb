import { type Seq, seqAdd, seqDiff, seqGeq, seqGt, seqLt } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'

// What is known of the bytes in flight, SND.UNA to SND.NXT (RFC 6675 §3, RFC 8985 §5.2). Arithmetic
// alone: what follows from it is decided in `sack.ts`, `rack.ts` and `recovery.ts`.

/** The peer holds it, says a SACK block. */
export const SACKED = 1
/** Taken for lost, and not sent again since. */
export const LOST = 2
/** What is in flight is a retransmission. */
export const RETRANSMITTED = 4
/** Sent again while the original was not taken for lost: both count as in the network. */
export const TWICE = 8

/**
 * Runs of bytes that share a fate, in order and without gaps: full segments of one burst are one
 * run until the peer says more. Run `i` ends before `ends[i]` and was last sent at `times[i]`; the
 * first is `head`, which advances instead of a shift.
 */
export interface Scoreboard {
  ends: Seq[]
  times: Nanos[]
  /**
   * Which burst it left in: RFC 8985 §6.2 tells what was sent in one instant apart by its numbers, but a
   * retransmission may leave behind new text.
   */
  bursts: number[]
  burst: number
  fates: number[]
  head: number
  /** Where the first run begins: SND.UNA. */
  start: Seq
  /** Bytes with the mark. */
  sacked: number
  lost: number
  twice: number
  /** Segments SACKed: RACK.segs_sacked of RFC 8985 §5.3. */
  segsSacked: number
  /** The end of the highest bytes SACKed. */
  highSacked: Seq
  /** HighRxt of RFC 6675 §3: nothing beyond has been sent again. */
  highRxt: Seq
  /** Bytes that the ACK at hand newly acknowledged or SACKed: DeliveredData of RFC 6937 §3. */
  delivered: number
  /** What it shows: bits `ORIGINAL`, `REPEATED`. */
  shown: number
  /** Bytes that are taken for lost since. */
  newlyLost: number
  /** When the latest was sent of those retransmissions that were lost; -1: none was. */
  lostAgain: Nanos
  /** Of what it delivered, the run that was sent last; NEVER: nothing. */
  newestAt: Nanos
  newestEnd: Seq
  /** When the first was sent of what it SACKs and what was sent once; NEVER: nothing. */
  sackedAt: Nanos
  /** Where the lowest of that begins. */
  late: Seq | null
  /** What segments in flight lack of full ones, bytes: who counts a window in segments counts it too. */
  padding: number
  /** How much of it went with what the ACK at hand delivered. */
  unpadded: number
}

/** An ACK comes in: what it delivers is counted anew. */
export function newAck(b: Scoreboard): void {
  b.delivered = b.shown = b.newlyLost = 0
  b.newestAt = b.sackedAt = NEVER
  b.late = null
  b.unpadded = 0
}

/** Something was delivered that had been sent once, before loss was found. */
export const ORIGINAL = 1
/** Something was delivered that had been sent again. */
export const REPEATED = 2

export const createScoreboard = (start: Seq): Scoreboard => ({
  ends: [],
  times: [],
  bursts: [],
  burst: 0,
  fates: [],
  head: 0,
  start,
  sacked: 0,
  lost: 0,
  twice: 0,
  segsSacked: 0,
  highSacked: start,
  highRxt: start,
  delivered: 0,
  shown: 0,
  newlyLost: 0,
  lostAgain: -1,
  newestAt: NEVER,
  newestEnd: start,
  sackedAt: NEVER,
  late: null,
  padding: 0,
  unpadded: 0,
})

/** Bytes of the flight that are not in the network: SetPipe of RFC 6675 §4. */
export const away = (b: Scoreboard): number => b.sacked + b.lost - b.twice

export const startOf = (b: Scoreboard, i: number): Seq => (i === b.head ? b.start : b.ends[i - 1]!)
export const lengthOf = (b: Scoreboard, i: number): number => seqDiff(b.ends[i]!, startOf(b, i))

/** Segments of `mss` bytes in the run, the last one perhaps shorter. */
export const segmentsIn = (length: number, mss: number): number => Math.ceil(length / mss)

/** What was sent behind everything before it. Only full segments join a run: so they can be counted. */
export function append(b: Scoreboard, end: Seq, now: Nanos, fate: number, mss: number): void {
  const last = b.ends.length - 1
  const joins = last >= b.head && b.times[last] === now && b.fates[last] === fate
  if (joins && b.bursts[last] === b.burst) {
    const length = lengthOf(b, last)
    if (length % mss === 0 && seqDiff(end, b.ends[last]!) === mss) {
      b.ends[last] = end
      return
    }
  }
  b.padding += lackOf(seqDiff(end, endOf(b)), mss)
  b.ends.push(end)
  b.times.push(now)
  b.bursts.push((b.burst += 1))
  b.fates.push(fate)
}

/** What a run lacks of full segments. */
export const lackOf = (length: number, mss: number): number => (mss - (length % mss)) % mss

/** So many runs may be dead before the arrays are cut. */
const COMPACT = 64

export function compact(b: Scoreboard): void {
  if (b.head < COMPACT) return
  b.ends.splice(0, b.head)
  b.times.splice(0, b.head)
  b.bursts.splice(0, b.head)
  b.fates.splice(0, b.head)
  b.head = 0
}

/** The run that holds `seq`, which is in flight. */
export function runAt(b: Scoreboard, seq: Seq): number {
  let low = b.head
  let high = b.ends.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (seqGt(b.ends[middle]!, seq)) high = middle
    else low = middle + 1
  }
  return low
}

/** Makes `seq` the border of two runs; returns the run that begins there. */
export function splitAt(b: Scoreboard, seq: Seq): number {
  const i = runAt(b, seq)
  if (startOf(b, i) === seq) return i
  if (b.ends[i] === seq) return i + 1
  b.ends.splice(i, 0, seq)
  b.times.splice(i, 0, b.times[i]!)
  b.bursts.splice(i, 0, b.bursts[i]!)
  b.fates.splice(i, 0, b.fates[i]!)
  return i + 1
}

/** Gives the run a new fate, and the sums what changes with it. */
export function setFate(b: Scoreboard, i: number, fate: number): void {
  const before = b.fates[i]!
  if (before === fate) return
  const length = lengthOf(b, i)
  const changed = before ^ fate
  if (changed & SACKED) b.sacked += fate & SACKED ? length : -length
  if (changed & LOST) b.lost += fate & LOST ? length : -length
  if (changed & TWICE) b.twice += fate & TWICE ? length : -length
  b.fates[i] = fate
}

/** Takes for lost what is neither SACKed nor waiting to be sent again. */
export function markLost(b: Scoreboard, i: number): void {
  const fate = b.fates[i]!
  if (fate & (SACKED | LOST)) return
  b.newlyLost += lengthOf(b, i)
  if (fate & RETRANSMITTED && b.times[i]! > b.lostAgain) b.lostAgain = b.times[i]!
  setFate(b, i, (fate | LOST) & ~TWICE)
}

/** After a timeout everything is lost but what the peer holds (RFC 6675 §5.1). */
export function markAllLost(b: Scoreboard): void {
  for (let i = b.head; i < b.ends.length; i++) markLost(b, i)
}

/** It was not: what waits to be sent again is in flight after all. */
export function unmarkLost(b: Scoreboard): void {
  for (let i = b.head; i < b.ends.length; i++) setFate(b, i, b.fates[i]! & ~LOST)
}

/** RFC 2018 §8: the peer has thrown away what it had SACKed. */
export function forgetSacked(b: Scoreboard): void {
  for (let i = b.head; i < b.ends.length; i++) setFate(b, i, b.fates[i]! & ~SACKED)
  b.segsSacked = 0
  b.highSacked = b.start
}

/** The first run to send again, `from` on; -1: none. */
export function nextLost(b: Scoreboard, from: number): number {
  if (b.lost === 0) return -1
  for (let i = from; i < b.ends.length; i++) if (b.fates[i]! & LOST) return i
  return -1
}

/** Bytes from run `i` on that are lost without a gap, `most` at most. */
export function lostFrom(b: Scoreboard, i: number, most: number): number {
  const from = startOf(b, i)
  let bytes = 0
  for (let j = i; j < b.ends.length && bytes < most && b.fates[j]! & LOST; j++) {
    bytes = seqDiff(b.ends[j]!, from)
  }
  return Math.min(bytes, most)
}

/** `from` to `end` has been sent again. */
export function resent(b: Scoreboard, from: Seq, end: Seq, now: Nanos): void {
  const first = splitAt(b, from)
  b.burst += 1
  if (seqLt(end, b.ends[b.ends.length - 1]!)) splitAt(b, end)
  for (let i = first; i < b.ends.length && seqGeq(end, b.ends[i]!); i++) {
    const fate = b.fates[i]!
    setFate(b, i, (fate & ~LOST) | RETRANSMITTED | (fate & LOST ? 0 : TWICE))
    b.times[i] = now
    b.bursts[i] = b.burst
  }
  if (seqGt(end, b.highRxt)) b.highRxt = end
}

/** The end of what the board knows: SND.NXT. */
export const endOf = (b: Scoreboard): Seq =>
  b.ends.length === b.head ? b.start : b.ends[b.ends.length - 1]!

/** One run for a flight of which nothing is known, as if sent before all times. */
export function unknownFlight(una: Seq, nxt: Seq): Scoreboard {
  const b = createScoreboard(una)
  if (seqGt(nxt, una)) {
    b.ends.push(seqAdd(nxt, 0))
    b.times.push(0)
    b.bursts.push(0)
    b.fates.push(0)
  }
  return b
}
