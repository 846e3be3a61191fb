import type { Engine, Input, Out } from '../engine.ts'
import { NEVER, type Nanos } from '../time.ts'
import { backOff, endBackOff, sampleRoundTrip } from './estimate.ts'
import type { ArqAck, ArqPacket } from './packet.ts'
import {
  type ArqPeer,
  type ArqSender,
  type ArqSlot,
  arqSenderNextDue,
  HELD,
  MISSING,
  RESENT,
  slotOf,
} from './sender-state.ts'

export type ArqCall =
  /** Units below `total` may be sent; `closed`: there will be no more. */
  | { readonly kind: 'offer'; readonly total: number; readonly closed: boolean }
  /** A peer has all below a unit from an earlier attempt. */
  | { readonly kind: 'skip'; readonly peer: number; readonly below: number }
  /** A peer is to get nothing any more. */
  | { readonly kind: 'drop'; readonly peer: number }

export type ArqEvent =
  /** The unit goes again because its time was up: said before it is sent. */
  | { readonly kind: 'timeout'; readonly unit: number }
  /** Everybody has every unit below. */
  | { readonly kind: 'acknowledged'; readonly below: number }
  | { readonly kind: 'peer-lost'; readonly peer: number }
  /** All units have reached all peers that are left. */
  | { readonly kind: 'done' }
  /** Nobody is left, or one of them is lost and the policy asks for all. */
  | { readonly kind: 'failed' }

export type ArqOut = Out<ArqPacket, ArqEvent>

/** The sending side. `port` is the peer; there is one set of timers, 0. */
export const arqSender: Engine<ArqSender, ArqCall, ArqPacket, ArqEvent> = {
  name: 'arq-sender',
  step(s: ArqSender, now: Nanos, input: Input<ArqCall, ArqPacket>, out: ArqOut): void {
    if (s.over) return
    switch (input.kind) {
      case 'call':
        call(s, now, input.call, out)
        break
      case 'packet':
        if (input.packet.kind === 'ack') acknowledged(s, now, input.port, input.packet, out)
        break
      case 'timer':
        expired(s, now, out)
        break
    }
    advance(s, now, out)
    pump(s, now, out)
    if (s.over) s.timers.resend = s.timers.pace = NEVER
    out.wake(0, arqSenderNextDue(s))
  },
}

function call(s: ArqSender, now: Nanos, asked: ArqCall, out: ArqOut): void {
  switch (asked.kind) {
    case 'offer':
      if (s.startedAt < 0) s.startedAt = now
      s.total = asked.total
      s.closed = asked.closed
      return
    case 'skip': {
      const peer = s.peers[asked.peer]!
      peer.below = Math.max(peer.below, asked.below)
      peer.highest = Math.max(peer.highest, asked.below - 1)
      for (let unit = s.base; unit < Math.min(s.next, asked.below); unit++) {
        take(s, now, asked.peer, unit)
      }
      return
    }
    case 'drop':
      if (!s.peers[asked.peer]!.lost) lose(s, asked.peer, out)
  }
}

/** Sends what the window, the pace and the supply allow. */
function pump(s: ArqSender, now: Nanos, out: ArqOut): void {
  const { policy, timers } = s
  while (!s.over && s.next < s.total && s.next < s.base + windowOf(s)) {
    if (now < s.pacedUntil) {
      timers.pace = s.pacedUntil
      return
    }
    const unit = s.next
    s.next += 1
    const slot = slotOf(s, unit)
    prepare(s, slot, unit)
    if (slot.missing > 0) {
      s.pacedUntil = now + policy.pace
      transmit(s, now, slot, unit, out)
      armAfterSending(s, now, slot)
    }
    advance(s, now, out)
  }
  timers.pace = NEVER
}

const windowOf = (s: ArqSender): number =>
  Math.min(s.policy.window, Math.max(1, Math.floor(s.congestionWindow)))

function prepare(s: ArqSender, slot: ArqSlot, unit: number): void {
  slot.sends = 0
  slot.missing = 0
  slot.deadline = NEVER
  for (let i = 0; i < s.peers.length; i++) {
    const peer = s.peers[i]!
    const wants = !peer.lost && peer.below <= unit
    slot.held[i] = wants ? MISSING : HELD
    if (wants) slot.missing += 1
  }
}

/** To all who are not known to have it. */
function transmit(s: ArqSender, now: Nanos, slot: ArqSlot, unit: number, out: ArqOut): void {
  if (slot.sends === 0) slot.firstAt = now
  const again = slot.sends
  slot.sends += 1
  slot.sentAt = now
  let wait = 0
  for (let i = 0; i < s.peers.length; i++) {
    if (slot.held[i] === HELD) continue
    wait = Math.max(wait, s.peers[i]!.estimate.rto)
    out.send({ kind: 'data', unit, again }, i)
  }
  slot.deadline = now + wait
}

function armAfterSending(s: ArqSender, now: Nanos, slot: ArqSlot): void {
  const { timers, policy } = s
  switch (policy.timer) {
    case 'packet':
      timers.resend = Math.min(timers.resend, slot.deadline)
      return
    case 'window':
      if (timers.resend === NEVER) timers.resend = now + longest(s)
      return
    case 'silence':
      timers.resend = now + longest(s)
      return
    case 'sweep':
      timers.resend = nextSweep(s, now)
  }
}

/** The longest timeout of those who are still there. */
function longest(s: ArqSender): Nanos {
  let rto = 0
  for (const peer of s.peers) if (!peer.lost) rto = Math.max(rto, peer.estimate.rto)
  return rto
}

function nextSweep(s: ArqSender, now: Nanos): Nanos {
  const interval = s.policy.timeout.initial
  return s.startedAt + (Math.floor((now - s.startedAt) / interval) + 1) * interval
}

function acknowledged(s: ArqSender, now: Nanos, index: number, ack: ArqAck, out: ArqOut): void {
  const peer = s.peers[index]
  if (peer === undefined || peer.lost) return
  // A unit that was never sent is nobody's to acknowledge: the packet is not ours.
  if (ack.below > s.next || ack.units.some((unit) => unit >= s.next)) return
  let news = false
  for (let unit = Math.max(s.base, peer.below); unit < ack.below; unit++) {
    if (take(s, now, index, unit)) news = true
  }
  peer.below = Math.max(peer.below, ack.below)
  peer.highest = Math.max(peer.highest, ack.below - 1)
  for (const unit of ack.units) {
    if (unit < s.base || !take(s, now, index, unit)) continue
    news = true
    peer.highest = Math.max(peer.highest, unit)
  }
  if (news) {
    peer.timeouts = 0
    endBackOff(peer.estimate, s.policy.timeout)
    resendEarly(s, now, index, peer, out)
  }
  if (s.policy.timer === 'silence') s.timers.resend = now + longest(s)
}

/** A peer has a unit that is under way. `false`: that is no news. */
function take(s: ArqSender, now: Nanos, index: number, unit: number): boolean {
  const slot = slotOf(s, unit)
  if (unit >= s.next || slot.held[index] === HELD) return false
  if (slot.held[index] === MISSING && slot.sends === 1) {
    sampleRoundTrip(s.peers[index]!.estimate, now - slot.firstAt, s.policy.timeout)
  }
  slot.held[index] = HELD
  slot.missing -= 1
  return true
}

/** RFC 5681 §3.2 in spirit: units that were overtaken by several others go again at once. */
function resendEarly(s: ArqSender, now: Nanos, index: number, peer: ArqPeer, out: ArqOut): void {
  const { fastResend } = s.policy
  if (fastResend === 0) return
  for (let unit = s.base; unit <= peer.highest - fastResend; unit++) {
    const slot = slotOf(s, unit)
    if (slot.held[index] !== MISSING || slot.sends !== 1) continue
    slot.held[index] = RESENT
    reduce(s, now, slot.sentAt, false)
    slot.deadline = now + peer.estimate.rto
    out.send({ kind: 'data', unit, again: 1 }, index)
  }
}

/** RFC 5681 §3.1 and §3.2: half the window, once for all that was lost in one round trip. */
function reduce(s: ArqSender, now: Nanos, sentAt: Nanos, timeout: boolean): void {
  if (!s.policy.congestion || sentAt < s.reducedAt) return
  s.reducedAt = now
  s.slowStartThreshold = Math.max((s.next - s.base) / 2, 2)
  s.congestionWindow = timeout ? 1 : s.slowStartThreshold
}

/** Moves the window past what everybody has. */
function advance(s: ArqSender, now: Nanos, out: ArqOut): void {
  const { base } = s
  while (s.base < s.next && slotOf(s, s.base).missing === 0) {
    s.base += 1
    if (!s.policy.congestion) continue
    if (s.congestionWindow < s.slowStartThreshold) s.congestionWindow += 1
    else s.congestionWindow += 1 / s.congestionWindow
  }
  if (s.base !== base) {
    s.congestionWindow = Math.min(
      s.congestionWindow,
      s.policy.congestion ? s.policy.window : Infinity,
    )
    out.event({ kind: 'acknowledged', below: s.base })
    if (s.base === s.next) s.timers.resend = NEVER
    else if (s.policy.timer === 'window') s.timers.resend = now + longest(s)
  }
  if (s.closed && s.base === s.total && !s.over) {
    s.over = true
    out.event({ kind: 'done' })
  }
}

function expired(s: ArqSender, now: Nanos, out: ArqOut): void {
  if (now < s.timers.resend) return
  s.timers.resend = NEVER
  switch (s.policy.timer) {
    case 'packet':
      return packetsExpired(s, now, out)
    case 'window':
    case 'silence':
      if (s.base < s.next) windowExpired(s, now, out)
      return
    case 'sweep':
      if (s.base < s.next) sweep(s, now, out)
  }
}

function packetsExpired(s: ArqSender, now: Nanos, out: ArqOut): void {
  let earliest = NEVER
  for (let unit = s.base; unit < s.next && !s.over; unit++) {
    const slot = slotOf(s, unit)
    if (slot.missing === 0) continue
    if (slot.deadline <= now) {
      if (!mayGoOn(s, now, slot, out)) continue
      out.event({ kind: 'timeout', unit })
      transmit(s, now, slot, unit, out)
    }
    earliest = Math.min(earliest, slot.deadline)
  }
  s.timers.resend = earliest
}

function windowExpired(s: ArqSender, now: Nanos, out: ArqOut): void {
  if (!mayGoOn(s, now, slotOf(s, s.base), out)) return
  out.event({ kind: 'timeout', unit: s.base })
  for (let unit = s.base; unit < s.next; unit++) {
    const slot = slotOf(s, unit)
    if (slot.missing > 0) transmit(s, now, slot, unit, out)
  }
  s.timers.resend = now + longest(s)
}

function sweep(s: ArqSender, now: Nanos, out: ArqOut): void {
  const age = s.policy.timeout.initial
  for (let unit = s.base; unit < s.next && !s.over; unit++) {
    const slot = slotOf(s, unit)
    if (slot.missing === 0 || now - slot.firstAt < age || !mayGoOn(s, now, slot, out)) continue
    out.event({ kind: 'timeout', unit })
    transmit(s, now, slot, unit, out)
  }
  s.timers.resend = nextSweep(s, now)
}

/** Counts a timeout against those who owe an answer. `false`: nobody is left who misses the unit. */
function mayGoOn(s: ArqSender, now: Nanos, slot: ArqSlot, out: ArqOut): boolean {
  reduce(s, now, slot.sentAt, true)
  for (let i = 0; i < s.peers.length; i++) {
    const peer = s.peers[i]!
    // All units of one silence count once.
    if (slot.held[i] === HELD || slot.sentAt < peer.timedOutAt) continue
    peer.timedOutAt = now
    peer.timeouts += 1
    backOff(peer.estimate, s.policy.timeout)
    if (peer.timeouts > s.policy.retries) lose(s, i, out)
  }
  return !s.over && slot.missing > 0
}

function lose(s: ArqSender, index: number, out: ArqOut): void {
  s.peers[index]!.lost = true
  out.event({ kind: 'peer-lost', peer: index })
  if (s.policy.exhausted === 'fail' || s.peers.every(({ lost }) => lost)) {
    s.over = true
    return out.event({ kind: 'failed' })
  }
  for (let unit = s.base; unit < s.next; unit++) {
    const slot = slotOf(s, unit)
    if (slot.held[index] === HELD) continue
    slot.held[index] = HELD
    slot.missing -= 1
  }
}
