import { type Nanos, ms, NEVER } from '../../time.ts'
import { cubeRoot } from './cube-root.ts'

// CUBIC's congestion avoidance (RFC 9438 §4.2, §4.3) where windows are whole segments, in the steps that
// Linux takes: the window that the cubic function asks for is a whole number, how many ACKs make the next
// segment follows from it, and is found out again when the window has changed or some time has gone by.

export interface CubicSteps {
  epochStart: Nanos
  /** The window at the plateau, and when it is reached, in 1024ths of a second. */
  origin: number
  k: number
  /** Segments acknowledged to one more in the window, and how many have been. */
  each: number
  counted: number
  /** The window that Reno would have, and what was acknowledged towards its next segment. */
  reno: number
  acked: number
  lastCwnd: number
  lastAt: Nanos
}

/** C is 410 / 1024 in seconds cubed, as fractions of 1024. */
const C = 410 / 1024
const TICKS = 1024
const TICKS_CUBED = TICKS * TICKS * TICKS
/** What is found out holds for so long while the window stays. */
const HOLDS: Nanos = ms(1000 / 32)
/** 3 (1 - beta) / (1 + beta) with beta 717 / 1024: so many eighths of a window to a segment of Reno's. */
const RENO_EIGHTHS = 15
/** Without a loss so far the window grows by a twentieth of what is acknowledged at least. */
const SLOWEST_AT_FIRST = 20
const STANDSTILL = 100

export const createSteps = (): CubicSteps => ({
  epochStart: NEVER,
  origin: 0,
  k: 0,
  each: 0,
  counted: 0,
  reno: 0,
  acked: 0,
  lastCwnd: 0,
  lastAt: NEVER,
})

/**
 * @param cwnd segments, as all windows here
 * @param acked segments that the ACK acknowledges
 * @returns the window after it
 */
export function stepWindow(
  c: CubicSteps,
  now: Nanos,
  cwnd: number,
  acked: number,
  wMax: number,
  minRtt: Nanos,
): number {
  c.acked += acked
  const holds = c.lastCwnd === cwnd && c.lastAt !== NEVER && now - c.lastAt <= HOLDS
  if (!holds) {
    const sameInstant = c.epochStart !== NEVER && now === c.lastAt
    if (!sameInstant) askCubic(c, now, cwnd, acked, wMax, minRtt)
    askReno(c, cwnd)
  }
  return countAcks(c, cwnd, acked)
}

function askCubic(
  c: CubicSteps,
  now: Nanos,
  cwnd: number,
  acked: number,
  wMax: number,
  minRtt: Nanos,
): void {
  c.lastCwnd = cwnd
  c.lastAt = now
  if (c.epochStart === NEVER) {
    c.epochStart = now
    c.acked = acked
    c.reno = cwnd
    c.k = wMax <= cwnd ? 0 : Math.floor(cubeRoot((wMax - cwnd) / C) * TICKS)
    c.origin = Math.max(wMax, cwnd)
  }
  const t = Math.floor(((now - c.epochStart + minRtt) * TICKS) / 1e9)
  const away = Math.abs(t - c.k)
  const delta = Math.floor((C * away * away * away) / TICKS_CUBED)
  const target = t < c.k ? c.origin - delta : c.origin + delta
  c.each = target > cwnd ? Math.floor(cwnd / (target - cwnd)) : STANDSTILL * cwnd
  if (wMax === 0 && c.each > SLOWEST_AT_FIRST) c.each = SLOWEST_AT_FIRST
}

/** §4.3: no slower than Reno. */
function askReno(c: CubicSteps, cwnd: number): void {
  const perSegment = Math.floor((cwnd * RENO_EIGHTHS) / 8)
  while (c.acked > perSegment) {
    c.acked -= perSegment
    c.reno += 1
  }
  if (c.reno > cwnd) c.each = Math.min(c.each, Math.floor(cwnd / (c.reno - cwnd)))
  c.each = Math.max(c.each, 2)
}

function countAcks(c: CubicSteps, cwnd: number, acked: number): number {
  let window = cwnd
  if (c.counted >= c.each) {
    c.counted = 0
    window += 1
  }
  c.counted += acked
  const more = Math.floor(c.counted / c.each)
  c.counted -= more * c.each
  return window + more
}
