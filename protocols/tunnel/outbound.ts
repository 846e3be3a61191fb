import type { ArqAck, ArqPacket } from '../arq/packet.ts'
import type { ArqPolicy } from '../arq/policy.ts'
import { type ArqCall, arqSender } from '../arq/sender.ts'
import { type ArqSender, arqSenderNextDue, createArqSender } from '../arq/sender-state.ts'
import type { Bytes } from '../bytes.ts'
import type { Input } from '../engine.ts'
import { NEVER, type Nanos } from '../time.ts'
import { FLOWS } from './flow.ts'

/*
 * The sending half of a tunnel: a queue that holds so much and no more, and behind it the ARQ sender
 * with its window. A packet that has waited or tried too long is given up: who sent it has sent
 * another one by then (RFC 3366 §2.4, "limited persistence").
 */

/** Which packets have to wait for which. */
export type CarryOrder =
  /** Those of one flow keep their order. */
  | 'flow'
  /** Every packet waits for every other. */
  | 'all'
  /** None waits. */
  | 'none'

/** A packet that waits for the window, or that is under way. */
interface Carried {
  readonly bytes: Bytes
  readonly compressed: boolean
  readonly flow: number
  /** When it came. */
  readonly at: Nanos
  /** Of one under way: the unit before it that has to be handed over first; -1: none. */
  readonly after: number
}

export interface Outbound {
  readonly order: CarryOrder
  readonly persist: Nanos
  arq: ArqSender
  /** By unit modulo the window. */
  sent: (Carried | null)[]
  /** A ring: `waiting` of them from `first` on. */
  queue: (Carried | null)[]
  first: number
  waiting: number
  /** The last unit of each flow; -1: none. */
  lastOf: number[]
}

export interface OutboundCounters {
  sent: number
  resent: number
  /** The queue was full. */
  queueDrops: number
  /** Waited or tried too long. */
  givenUp: number
}

export const createOutbound = (
  policy: ArqPolicy,
  order: CarryOrder,
  queue: number,
  persist: Nanos,
): Outbound => ({
  order,
  persist,
  arq: createArqSender(policy, 1),
  sent: Array.from({ length: policy.window }, () => null),
  queue: Array.from({ length: queue }, () => null),
  first: 0,
  waiting: 0,
  lastOf: Array.from({ length: FLOWS }, () => -1),
})

/** A unit as it goes: `floor` and `behind` are distances back from it. */
export interface OutboundUnit {
  readonly unit: number
  readonly floor: number
  readonly behind: number
  readonly compressed: boolean
  readonly bytes: Bytes
}
export type Transmit = (unit: OutboundUnit) => void

/** Takes a packet; `false`: there is no room, and it is lost. */
export function enqueue(
  o: Outbound,
  now: Nanos,
  bytes: Bytes,
  compressed: boolean,
  flow: number,
): boolean {
  if (o.waiting === o.queue.length) return false
  const at = (o.first + o.waiting) % o.queue.length
  o.queue[at] = { bytes, compressed, flow, at: now, after: -1 }
  o.waiting += 1
  return true
}

/** Sends what the window has room for. */
export function pumpOutbound(
  o: Outbound,
  now: Nanos,
  counters: OutboundCounters,
  transmit: Transmit,
): void {
  while (o.waiting > 0) {
    const carried = o.queue[o.first]!
    const isLate = now - carried.at >= o.persist
    if (!isLate && !hasRoom(o.arq)) return
    o.queue[o.first] = null
    o.first = (o.first + 1) % o.queue.length
    o.waiting -= 1
    if (isLate) {
      counters.givenUp += 1
      continue
    }
    const unit = o.arq.total
    o.sent[unit % o.sent.length] = { ...carried, after: predecessor(o, unit, carried.flow) }
    o.lastOf[carried.flow] = unit
    stepOutbound(o, now, { kind: 'offer', total: unit + 1, closed: false }, counters, transmit)
  }
}

const hasRoom = ({ total, base, policy, congestionWindow }: ArqSender): boolean =>
  total - base < Math.min(policy.window, Math.max(1, Math.floor(congestionWindow)))

function predecessor({ order, lastOf, arq }: Outbound, unit: number, flow: number): number {
  const last = order === 'all' ? unit - 1 : order === 'flow' ? lastOf[flow]! : -1
  return last >= arq.base ? last : -1
}

/** The other end has said what it has. */
export function outboundAcknowledged(
  o: Outbound,
  now: Nanos,
  ack: ArqAck,
  counters: OutboundCounters,
  transmit: Transmit,
): void {
  run(o, now, { kind: 'packet', packet: ack, port: 0 }, counters, transmit)
}

/** A deadline has come: units go again, or are given up. The length of the longest of those; 0: none. */
export function outboundTimer(
  o: Outbound,
  now: Nanos,
  counters: OutboundCounters,
  transmit: Transmit,
): number {
  const longest = giveUpLate(o, now, counters, transmit)
  if (now >= arqSenderNextDue(o.arq)) {
    run(o, now, { kind: 'timer', owner: 0 }, counters, transmit)
  }
  return longest
}

/** The oldest first: what came later is later due. */
function giveUpLate(
  o: Outbound,
  now: Nanos,
  counters: OutboundCounters,
  transmit: Transmit,
): number {
  const { base } = o.arq
  let [below, longest] = [base, 0]
  while (below < o.arq.next) {
    const { at, bytes } = o.sent[below % o.sent.length]!
    if (now - at < o.persist) break
    if (isMissing(o.arq, below)) {
      counters.givenUp += 1
      longest = Math.max(longest, bytes.length)
    }
    below += 1
  }
  if (below > base) {
    stepOutbound(o, now, { kind: 'skip', peer: 0, below }, counters, transmit)
  }
  return longest
}

const isMissing = ({ slots }: ArqSender, unit: number): boolean =>
  slots[unit % slots.length]!.missing > 0

function stepOutbound(
  o: Outbound,
  now: Nanos,
  call: ArqCall,
  counters: OutboundCounters,
  transmit: Transmit,
): void {
  run(o, now, { kind: 'call', call }, counters, transmit)
}

function run(
  o: Outbound,
  now: Nanos,
  input: Input<ArqCall, ArqPacket>,
  counters: OutboundCounters,
  transmit: Transmit,
): void {
  const { base } = o.arq
  arqSender.step(o.arq, now, input, {
    send: (packet) => {
      if (packet.kind !== 'data') return
      counters.sent += 1
      if (packet.again > 0) counters.resent += 1
      transmit(unitOf(o, packet.unit))
    },
    event: () => {},
    // What is due is asked for when the whole step is over.
    wake: () => {},
  })
  for (let unit = base; unit < o.arq.base; unit++) o.sent[unit % o.sent.length] = null
}

function unitOf(o: Outbound, unit: number): OutboundUnit {
  const { bytes, compressed, after } = o.sent[unit % o.sent.length]!
  return { unit, floor: unit - o.arq.base, behind: after < 0 ? 0 : unit - after, compressed, bytes }
}

/** When something has to be done. */
export function outboundNextDue(o: Outbound): Nanos {
  const { arq, persist } = o
  const oldest = arq.base < arq.next ? o.sent[arq.base % o.sent.length]! : null
  const waiting = o.waiting > 0 ? o.queue[o.first]! : null
  return Math.min(
    arqSenderNextDue(arq),
    oldest === null ? NEVER : oldest.at + persist,
    waiting === null ? NEVER : waiting.at + persist,
  )
}
