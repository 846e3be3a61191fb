import { type Bytes } from '../bytes.ts'
import type { ArqAck } from './packet.ts'
import type { Acknowledgement } from './policy.ts'

/** The receiving side. Plain data. */
export interface ArqReceiver {
  readonly acknowledgement: Acknowledgement
  /** Units beyond the next in order that are kept. */
  readonly window: number
  /** The next unit in order. */
  next: number
  /** At `unit % window`: what came before its turn. */
  kept: (Bytes | null)[]
  keptCount: number
  /** Everything up to here (exclusive) is the whole; `null`: not known. */
  end: number | null
}

export const createArqReceiver = (
  acknowledgement: Acknowledgement,
  window: number,
): ArqReceiver => ({
  acknowledgement,
  window,
  next: 0,
  kept: Array.from({ length: window }, () => null),
  keptCount: 0,
  end: null,
})

/** All that there is has come. */
export const isComplete = (r: ArqReceiver): boolean => r.end !== null && r.next >= r.end

/** What a unit brings. */
export interface Received {
  /** In order, to be taken over by the application now. */
  readonly chunks: readonly Bytes[]
  /** `null`: silence. */
  readonly ack: ArqAck | null
}

const NOTHING: readonly Bytes[] = []

/**
 * A unit came in, undamaged. `last`: no unit follows it. What is in order is handed over, once;
 * copies are acknowledged again, for the acknowledgement may have been what was lost.
 */
export function receiveUnit(r: ArqReceiver, unit: number, bytes: Bytes, last: boolean): Received {
  const keeps = r.acknowledgement === 'each' || r.acknowledgement === 'selective'
  const beyondEnd = r.end !== null && unit >= r.end
  if (unit < 0 || beyondEnd || unit >= r.next + r.window) return refused(r)
  if (unit < r.next) return { chunks: NOTHING, ack: ackFor(r, unit) }
  if (unit > r.next && !keeps) return refused(r)
  if (last && r.end === null && lastKept(r) <= unit) r.end = unit + 1
  if (r.kept[unit % r.window] === null) r.keptCount += 1
  r.kept[unit % r.window] = bytes
  const chunks: Bytes[] = []
  for (;;) {
    const at = r.next % r.window
    const chunk = r.kept[at]!
    if (chunk === null) break
    chunks.push(chunk)
    r.kept[at] = null
    r.keptCount -= 1
    r.next += 1
  }
  return { chunks, ack: ackFor(r, unit) }
}

/** The highest unit that is kept; below the next where there is none. */
function lastKept(r: ArqReceiver): number {
  for (let unit = r.next + r.window - 1; unit > r.next; unit--) {
    if (r.kept[unit % r.window] !== null) return unit
  }
  return -1
}

/** Out of order, or nonsense. */
function refused(r: ArqReceiver): Received {
  const says = r.acknowledgement === 'last-in-order' || r.acknowledgement === 'selective'
  return { chunks: NOTHING, ack: says && r.next > 0 ? ackFor(r, r.next - 1) : null }
}

/** What is said about a unit that is held. */
function ackFor(r: ArqReceiver, unit: number): ArqAck | null {
  switch (r.acknowledgement) {
    case 'each':
      return { kind: 'ack', below: 0, units: [unit] }
    case 'cumulative':
      // A copy of an old unit is out of order; silence would leave a lost acknowledgement lost.
      return { kind: 'ack', below: r.next, units: [] }
    case 'last-in-order':
      return { kind: 'ack', below: r.next, units: [] }
    case 'selective':
      return { kind: 'ack', below: r.next, units: beyond(r) }
  }
}

/** So many units of the map fit into an acknowledgement. */
export const MAP_MAX = 1024

function beyond(r: ArqReceiver): number[] {
  const units: number[] = []
  if (r.keptCount === 0) return units
  for (let unit = r.next + 1; unit < r.next + Math.min(r.window, MAP_MAX); unit++) {
    if (r.kept[unit % r.window] !== null) units.push(unit)
  }
  return units
}
