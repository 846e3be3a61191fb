import { NEVER } from '../time.ts'
import type { TcpState } from './state.ts'

/*
 * A host that leaves the cutting to its network card sends several segments as one, and has PSH set
 * on the last of them so that the receiver does not wait for more. How many: a millisecond's worth of
 * what the path seems to take, two at least, and no more than half of the window at once (Linux's
 * tcp_tso_autosize and tcp_cwnd_test).
 */

const SECOND = 1e9
const SLOW_START_GAIN = 2
const GAIN = 1.2
/** 2^10 of these are a second. */
const PER_SECOND = 1024
const LARGEST = 65_536
/** Round trips are counted in so many nanoseconds: each halves what comes on top on a short path. */
const SHORT = 512_000

/** How many of the next segments leave as one, where `room` bytes may. `tail`: less than one may be among them. */
export function chunkOf(s: TcpState, room: number, tail: boolean): number {
  const { cc, mss } = s
  const most = Math.min(largestChunk(s), Math.max(Math.floor(cc.cwnd / mss / 2), 1))
  const full = Math.floor(room / mss)
  const whole = Math.min(full, most)
  return tail && whole < most && room > full * mss ? whole + 1 : Math.max(whole, 1)
}

function largestChunk({ cc, rto, rack, mss }: TcpState): number {
  if (rto.srtt <= 0) return Math.floor(LARGEST / mss)
  const gain = cc.cwnd < cc.ssthresh / 2 ? SLOW_START_GAIN : GAIN
  const fastest = rack === null || rack.minRtt === NEVER ? rto.srtt : rack.minRtt
  const onTop = LARGEST / 2 ** Math.floor(fastest / SHORT)
  const bytes = (gain * cc.cwnd * SECOND) / rto.srtt / PER_SECOND + onTop
  return Math.max(Math.floor(Math.min(bytes, LARGEST) / mss), 2)
}
