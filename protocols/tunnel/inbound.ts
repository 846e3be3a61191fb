import type { ArqAck } from '../arq/packet.ts'
import { MAP_MAX } from '../arq/receiver.ts'
import type { CarryData } from './carry-format.ts'

/*
 * The receiving half of a tunnel: each packet is handed over once, as soon as the one that it has to
 * follow has been, or is known never to come.
 */

/** A unit that came before its turn. */
interface Waiting {
  readonly data: CarryData
  /** The unit that has to be handed over before. */
  readonly after: number
}

export interface Inbound {
  readonly window: number
  /** All units below have come, or were given up. */
  next: number
  /** The highest unit that has come; -1: none. */
  highest: number
  /** By unit modulo the window, of units from `next` on. */
  handedOver: boolean[]
  waiting: (Waiting | null)[]
  waitingCount: number
}

export const createInbound = (window: number): Inbound => ({
  window,
  next: 0,
  highest: -1,
  handedOver: Array.from({ length: window }, () => false),
  waiting: Array.from({ length: window }, () => null),
  waitingCount: 0,
})

export type HandOver = (data: CarryData) => void

/** A unit came. `false`: it was here before, or is none that could come. */
export function unitArrives(i: Inbound, data: CarryData, handOver: HandOver): boolean {
  const { unit, floor, behind } = data
  moveFloor(i, unit - floor, handOver)
  if (unit < i.next || unit >= i.next + i.window) return false
  const at = unit % i.window
  if (i.handedOver[at] === true || i.waiting[at] !== null) return false
  i.highest = Math.max(i.highest, unit)
  i.waiting[at] = { data, after: behind === 0 ? -1 : unit - behind }
  i.waitingCount += 1
  release(i, unit, handOver)
  advance(i)
  return true
}

/** All units below are done with: what waits for one of them waits no longer. */
export function moveFloor(i: Inbound, below: number, handOver: HandOver): void {
  if (below <= i.next) return
  const end = Math.min(below, i.next + i.window)
  for (let unit = i.next; unit < end; unit++) {
    const at = unit % i.window
    const waits = i.waiting[at]!
    i.waiting[at] = null
    i.handedOver[at] = false
    if (waits === null) continue
    i.waitingCount -= 1
    handOver(waits.data)
  }
  i.next = below
  release(i, i.next, handOver)
  advance(i)
}

/** A unit follows one with a lower number: once upwards is enough. */
function release(i: Inbound, from: number, handOver: HandOver): void {
  for (let unit = from; unit <= i.highest && i.waitingCount > 0; unit++) {
    const at = unit % i.window
    const waits = i.waiting[at]!
    if (waits === null || !isDone(i, waits.after)) continue
    i.waiting[at] = null
    i.waitingCount -= 1
    i.handedOver[at] = true
    handOver(waits.data)
  }
}

const isDone = (i: Inbound, unit: number): boolean =>
  unit < i.next || i.handedOver[unit % i.window] === true

function advance(i: Inbound): void {
  while (i.handedOver[i.next % i.window] === true) {
    i.handedOver[i.next % i.window] = false
    i.next += 1
  }
}

/** What is here. */
export function acknowledgement(i: Inbound): ArqAck {
  const units: number[] = []
  const end = Math.min(i.highest, i.next + MAP_MAX - 1)
  for (let unit = i.next + 1; unit <= end; unit++) {
    const at = unit % i.window
    if (i.handedOver[at] === true || i.waiting[at] !== null) units.push(unit)
  }
  return { kind: 'ack', below: i.next, units }
}
