import type { Nanos } from '../../protocols/time.ts'
import { parseDuration } from '../units.ts'
import { isRefusal, refused } from '../user-error.ts'

/** A segment that a timeline shows: `1.1  > P. 1:11(10) ack 1 win 65535  (fast)`. */
export interface SentLine {
  readonly at: Nanos
  /** In packetdrill's notation. */
  readonly text: string
  /** Why, where it had been sent before: `fast`, `rto #1, rto 2`; `null`: it is new. */
  readonly again: string | null
}

const SENT = /^\s*(\d+(?:\.\d+)?)\s+>\s+(.*?)(?:\s{2,}\((.+)\))?$/

/** The segments of a timeline, or of a script's log, in order. */
export function sentLines(timeline: string): SentLine[] {
  return timeline.split('\n').flatMap((line) => {
    const [, at, text, again = null] = SENT.exec(line) ?? []
    if (at === undefined || text === undefined) return []
    return [{ at: Math.round(Number(at) * 1e9), text, again }]
  })
}

/** Nanoseconds, or text with a unit. */
export function instant(time: Nanos | string): Nanos {
  if (typeof time === 'number') return time
  const nanos = parseDuration(time)
  if (isRefusal(nanos)) throw refused(nanos, 'time', time)
  return nanos
}

/** Whether a line is this segment: as it is written, or the beginning of it. */
export const isSegment = ({ text }: SentLine, segment: string): boolean =>
  text === segment || text.startsWith(`${segment} `)
