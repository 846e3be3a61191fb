import { NEVER, type Nanos } from '../time.ts'
import { windowRate } from './pacing.ts'
import { RECOVERY } from './recovery.ts'
import type { TcpState } from './state.ts'

/*
 * A host that leaves the cutting to its network card sends several segments as one, and has PSH set
 * on the last of them so that the receiver does not wait for more. How many: a millisecond's worth of
 * what the path seems to take, two at least, and no more than half of the window at once (Linux's
 * tcp_tso_autosize and tcp_cwnd_test).
 */

/** So many milliseconds are a second, counted as Linux does. */
const PER_SECOND = 1024
const LARGEST = 65_536
/** Round trips are counted in so many nanoseconds: each halves what comes on top on a short path. */
const SHORT = 512_000

/** tcp_xmit_size_goal: what leaves as one is no more than half of the peer's window. */
export const sizeGoal = ({ snd, mss }: TcpState): number =>
  Math.max(Math.floor(Math.min(LARGEST - HEADROOM, snd.maxWnd / 2) / mss), 1) * mss

/** Of the largest packet, what headers take (MAX_TCP_HEADER). */
const HEADROOM = 321
/** tcp_tso_should_defer: whoever sent within this may wait for the next ACK; tcp_tso_win_divisor. */
const RECENTLY = 1_000_000
const WINDOW_PART = 3

/**
 * Whether what the windows let go had better wait for the next ACK, which will let more go at once
 * (tcp_tso_should_defer).
 *
 * @param limit bytes that both windows let go
 */
export function defers(s: TcpState, now: Nanos, unsent: number, limit: number): boolean {
  const { cc, mss, snd, rto, board, recovery } = s
  const whole = Math.min(unsent, sizeGoal(s))
  if (recovery.phase >= RECOVERY || whole <= mss || now - rto.sentAt >= RECENTLY) return false
  if (limit >= largestChunk(s) * mss || (whole < unsent && limit >= whole)) return false
  if (limit >= Math.min(snd.wnd, cc.cwnd) / WINDOW_PART || snd.una === snd.max) return false
  const sentAt = board === null || board.head === board.ends.length ? now : board.times[board.head]!
  if (now - sentAt < rto.srtt / 2) return false
  if (limit <= whole) return true
  return !s.finQueued
}

/** How many of the next segments leave as one, where `room` bytes may. `tail`: less than one may be among them. */
export function chunkOf(s: TcpState, room: number, tail: boolean): number {
  const { cc, mss } = s
  const most = Math.min(largestChunk(s), Math.max(Math.floor(cc.cwnd / mss / 2), 1))
  const full = Math.floor(room / mss)
  const whole = Math.min(full, most)
  return tail && whole < most && room > full * mss ? whole + 1 : Math.max(whole, 1)
}

function largestChunk(s: TcpState): number {
  const { rto, rack, mss } = s
  const rate = windowRate(s)
  if (rate === 0) return Math.floor(LARGEST / mss)
  const fastest = rack === null || rack.minRtt === NEVER ? rto.srtt : rack.minRtt
  const onTop = LARGEST / 2 ** Math.floor(fastest / SHORT)
  const bytes = rate / PER_SECOND + onTop
  return Math.max(Math.floor(Math.min(bytes, LARGEST) / mss), 2)
}
