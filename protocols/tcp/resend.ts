import { type Seq, seqAdd, seqDiff, seqGt, seqLt, seqMax } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import type { TcpOut } from './output.ts'
import { mustWait } from './pacing.ts'
import { type Episode, LOSS, OPEN, RECOVERY, usesRack } from './recovery.ts'
import {
  away,
  endOf,
  lengthOf,
  LOST,
  lostFrom,
  nextLost,
  resent,
  RETRANSMITTED,
  SACKED,
  type Scoreboard,
  startOf,
} from './scoreboard.ts'
import { leftOfRecord } from './send-queue.ts'
import type { RetransmitCause, TcpState } from './state.ts'
import { sendData, transmit } from './transmit.ts'

// What is sent in recovery with SACK, in the order of NextSeg (RFC 6675 §4).

/** Sends what the windows let go: what is lost before what is new. */
export function sendMore(s: TcpState, now: Nanos, out: TcpOut): void {
  const { board, recovery } = s
  if (board === null || recovery.phase === OPEN || recovery.episode === null) {
    return transmit(s, now, out)
  }
  resendLost(s, board, recovery.episode, now, out) // (1)
  transmit(s, now, out) // (2)
  if (recovery.phase === RECOVERY && !usesRack(s)) {
    resendDoubtful(s, board, now, out) // (3)
    rescue(s, board, recovery.episode, now, out) // (4)
  }
}

const roomFor = (s: TcpState, b: Scoreboard): number =>
  s.cc.cwnd - (seqDiff(s.snd.max, s.snd.una) - away(b))

function resendLost(s: TcpState, b: Scoreboard, e: Episode, now: Nanos, out: TcpOut): void {
  const { snd, timers } = s
  let second: Seq | null = null
  for (let i = nextLost(b, b.head); i >= 0; i = nextLost(b, i)) {
    const seq = startOf(b, i)
    let length = Math.min(lostFrom(b, i, s.mss), leftOfRecord(s.sendQueue, seq))
    if (!e.force) {
      if (e.frto > 0) return // RFC 5682: first see whether anything is lost
      if (roomFor(s, b) < length || (s.cc.pacer !== null && mustWait(s, s.cc.pacer, now))) break
      length = Math.min(length, snd.wnd - seqDiff(seq, snd.una))
      if (length <= 0) break
    }
    const isSecond = seq === second
    second = staysPair(s, b, i) ? seqAdd(seq, length) : null
    sendAgain(s, b, seq, length, now, causeOf(s, b, i), out, isSecond)
    e.force = false
  }
  if (
    b.lost === seqDiff(snd.max, snd.una) - b.sacked &&
    timers.persist === NEVER &&
    snd.wnd === 0
  ) {
    timers.retransmit = NEVER
    timers.persist = now + s.rto.rto // RFC 9293 §3.8.6.1
  }
}

/**
 * Two segments that left as one (`chunks.ts`) do so again where both windows have room for them: of such
 * pairs counted from the first byte on, this is the first of one that has not been sent again.
 */
function staysPair(s: TcpState, b: Scoreboard, i: number): boolean {
  const { mss, policy, snd, iss } = s
  if (!policy.sendsChunks || lengthOf(b, i) < 2 * mss || b.fates[i]! & RETRANSMITTED) return false
  const seq = startOf(b, i)
  if ((seqDiff(seq, iss) - 1) % (2 * mss) !== 0 || lostFrom(b, i, 2 * mss) < 2 * mss) return false
  return roomFor(s, b) >= 2 * mss && seqDiff(seq, snd.una) + 2 * mss <= snd.wnd
}

function causeOf(s: TcpState, b: Scoreboard, i: number): RetransmitCause {
  const { phase, episode } = s.recovery
  if (phase === LOSS && (episode!.force || (b.fates[i]! & RETRANSMITTED) === 0)) return 'rto'
  return usesRack(s) ? 'rack' : 'fast'
}

/** `length` counts the FIN. */
function sendAgain(
  s: TcpState,
  b: Scoreboard,
  seq: Seq,
  length: number,
  now: Nanos,
  cause: RetransmitCause,
  out: TcpOut,
  push = false,
): void {
  const { snd, timers, rto } = s
  const bytes = Math.min(length, seqDiff(snd.end, seq))
  resent(b, seq, seqAdd(seq, length), now)
  const ends = push || leftOfRecord(s.sendQueue, seq) === bytes
  sendData(s, now, seq, bytes, length > bytes, cause, out, ends)
  // The first hole decides when the timer fires: what was just sent has a round trip before it.
  if (seq === snd.una || timers.retransmit === NEVER) timers.retransmit = now + rto.rto
}

/** (3): below what is SACKed, and not counted as lost. */
function resendDoubtful(s: TcpState, b: Scoreboard, now: Nanos, out: TcpOut): void {
  const { snd } = s
  for (let i = b.head; i < b.ends.length && seqLt(startOf(b, i), b.highSacked); i++) {
    if (b.fates[i]! & (SACKED | LOST | RETRANSMITTED)) continue
    const seq = startOf(b, i)
    const length = Math.min(lengthOf(b, i), s.mss)
    if (roomFor(s, b) < length || seqDiff(seq, snd.una) + length > snd.wnd) return
    sendAgain(s, b, seq, length, now, 'fast', out)
  }
}

/** (4): once in a recovery the highest bytes not SACKed, to hear of the rest. */
function rescue(s: TcpState, b: Scoreboard, e: Episode, now: Nanos, out: TcpOut): void {
  const { snd } = s
  if (e.rescued || roomFor(s, b) < s.mss || seqGt(snd.end, snd.nxt)) return
  let i = b.ends.length - 1
  while (i >= b.head && b.fates[i]! & SACKED) i -= 1
  if (i < b.head || b.fates[i]! & (RETRANSMITTED | LOST)) return
  e.rescued = true
  const end = b.ends[i]!
  const seq = seqMax(startOf(b, i), seqAdd(end, -s.mss))
  const { highRxt } = b
  sendAgain(s, b, seq, seqDiff(end, seq), now, 'fast', out)
  b.highRxt = highRxt // (4) leaves it alone
}

/** RFC 8985 §7.3: the segment with the highest sequence number. */
export function resendLast(s: TcpState, b: Scoreboard, now: Nanos, out: TcpOut): void {
  const end = endOf(b)
  const last = b.ends.length - 1
  const run = lengthOf(b, last)
  const length = run % s.mss === 0 ? s.mss : run % s.mss
  sendAgain(s, b, seqAdd(end, -length), length, now, 'tlp', out)
}
