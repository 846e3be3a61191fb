import type { ApplicationOut } from '../application.ts'
import { createSeal, SEAL_BYTES, sealPacket } from '../arq/seal.ts'
import { type Bytes, concatBytes, putI32 } from '../bytes.ts'
import { IPV4_HEADER } from '../ipv4/packet.ts'
import { ms, NEVER, type Nanos, s as seconds } from '../time.ts'
import {
  type CarryPacket,
  encodeCarry,
  HELLO_BYTES,
  type Incarnation,
  pairOf,
} from './carry-format.ts'
import {
  type CarryLoss,
  type CarryReport,
  type CarryState,
  incarnationOf,
  innerMtu,
  largestOf,
} from './carry-state.ts'
import { createInbound } from './inbound.ts'
import { createOutbound } from './outbound.ts'

/*
 * How two ends find each other, and what the path between them takes. Each says hello until it is
 * welcomed, then hellos of several lengths (RFC 8899 in spirit): the longest that was heard sets the
 * MTU. Whoever begins anew has a new number, and with it all keys and sequences are new.
 */

export type CarryOut = ApplicationOut<CarryReport>

const HELLO_FIRST = ms(500)
const HELLO_MAX = seconds(5)
/** For a round of long hellos; a path of a longer round trip needs the next one. */
const ROUND = ms(250)
const ROUNDS = 4
/** A narrow path may have become wider (RFC 8899 §5.1.1 has 600 s). */
const RAISE = seconds(60)
/** RFC 791: with less than this a path is taken for lossy, and tried again. */
const LEAST = 576 - IPV4_HEADER
/** The path is not measured again for a while. */
const MEASURED = seconds(5)
/** Until an unanswered probe goes again. */
const PROBE_AGAIN = seconds(1)

/** IP packets that paths take: with PPPoE, in tunnels, IPv6's least, and what everybody takes. */
const SIZES = [9000, 4352, 1500, 1492, 1480, 1450, 1400, 1280, 1006, 576]

export function sendCarry(s: CarryState, packet: CarryPacket, out: CarryOut): void {
  const isGreeting = packet.kind === 'hello' || packet.kind === 'welcome'
  const session = isGreeting ? s.self.id : pairOf(s.self.id, s.peer!.id)
  const seal = isGreeting ? s.helloSeal : s.seal
  const encoded = encodeCarry(session, packet)
  const bytes = seal === null ? encoded : sealPacket(seal, encoded)
  out.call({ kind: 'send', socket: s.outside, bytes })
}

/** What the keys of hello and welcome are made from. */
export function greetingContext(id: number): Bytes {
  const context = new Uint8Array(4)
  putI32(context, 0, id)
  return context
}

/** From the start, as somebody new: nobody is there yet. */
export function beginAnew(s: CarryState, now: Nanos, out: CarryOut): void {
  s.self = incarnationOf(s.config, s.begun)
  s.begun += 1
  const { key } = s.config
  s.helloSeal = key === null ? null : createSeal(key, greetingContext(s.self.id), true)
  forgetPeer(s)
  s.timers.dead = NEVER
  greet(s, now, out)
}

function forgetPeer(s: CarryState): void {
  s.peer = null
  s.seal = null
  resetUnits(s)
}

/** What waits and what is under way is lost. */
function resetUnits(s: CarryState): void {
  const { policy, order, queue, persist } = s.config
  const { arq, waiting } = s.outbound
  s.counters.givenUp += waiting + arq.next - arq.base
  s.outbound = createOutbound(policy, order, queue, persist)
  s.inbound = createInbound(policy.window)
  s.largest = 0
  s.probes = 0
  s.timers.probe = NEVER
}

function greet(s: CarryState, now: Nanos, out: CarryOut): void {
  s.phase = 'greeting'
  s.attempt = 0
  sayHello(s, now, out)
}

/** A hello is due: nobody has answered, or sizes are being tried. */
export function helloTimer(s: CarryState, now: Nanos, out: CarryOut): void {
  if (now < s.timers.hello) return
  s.attempt += 1
  switch (s.phase) {
    case 'greeting':
      return sayHello(s, now, out)
    case 'probing':
      if (s.attempt >= ROUNDS && s.largest >= LEAST) return goUp(s, now, out)
      return tryAll(s, now, out)
    case 'up':
      // What the first link refuses of these is no news.
      s.measuredAt = now
      return tryAll(s, now, out)
    case 'opening':
    case 'over':
      s.timers.hello = NEVER
  }
}

function sayHello(s: CarryState, now: Nanos, out: CarryOut): void {
  sendCarry(s, { kind: 'hello', from: s.self, size: HELLO_BYTES }, out)
  s.timers.hello = now + Math.min(HELLO_FIRST * 2 ** Math.min(s.attempt, 8), HELLO_MAX)
}

/** Hellos of all sizes that are not known to come through. */
function tryAll(s: CarryState, now: Nanos, out: CarryOut): void {
  const { config } = s
  const most = largestOf(config)
  const sealBytes = config.key === null ? 0 : SEAL_BYTES
  const sizes = SIZES.map((size) => size - IPV4_HEADER).filter((size) => size < most)
  for (const size of [most, ...sizes]) {
    if (size <= s.largest) break
    sendCarry(s, { kind: 'hello', from: s.self, size: size - sealBytes }, out)
  }
  s.timers.hello = now + (s.phase === 'up' ? RAISE : ROUND)
}

/** The path may have become narrower: packets wait until it is known what it takes. */
export function measureAgain(s: CarryState, now: Nanos, out: CarryOut): void {
  if (s.phase !== 'up' || now - s.measuredAt < MEASURED) return
  s.largest = 0
  measure(s, now, out)
}

function measure(s: CarryState, now: Nanos, out: CarryOut): void {
  s.phase = 'probing'
  s.attempt = 0
  s.measuredAt = now
  s.timers.probe = NEVER // hellos ask as well
  tryAll(s, now, out)
}

/** `heard`: the length of the datagram that it came in. */
export function helloArrives(
  s: CarryState,
  now: Nanos,
  from: Incarnation,
  heard: number,
  out: CarryOut,
): void {
  const isNews = s.peer?.id !== from.id
  if (!knows(s, now, from, out)) return
  const most = largestOf(s.config)
  sendCarry(s, { kind: 'welcome', from: s.self, echo: from.id, heard: Math.min(heard, most) }, out)
  // There is somebody to answer.
  if (isNews && s.phase === 'greeting') greet(s, now, out)
}

export function welcomeArrives(
  s: CarryState,
  now: Nanos,
  { from, echo, heard }: CarryPacket & { readonly kind: 'welcome' },
  out: CarryOut,
): void {
  // It is for who we are now.
  if (echo !== s.self.id || !knows(s, now, from, out)) return
  const most = largestOf(s.config)
  const isLarger = heard > s.largest && heard <= most
  if (isLarger) s.largest = heard
  switch (s.phase) {
    case 'greeting':
      return measure(s, now, out)
    case 'probing':
      if (s.largest === most) goUp(s, now, out)
      return
    case 'up':
      if (isLarger) tellMtu(s, out)
      if (s.largest === most) s.timers.hello = NEVER
      return
    case 'opening':
    case 'over':
  }
}

/** Takes somebody for the other end. `false`: it is an old one, or ourselves. */
function knows(s: CarryState, now: Nanos, from: Incarnation, out: CarryOut): boolean {
  const { peer } = s
  if (from.id === s.self.id) return false
  if (peer === null || peer.id !== from.id) {
    // What was recorded in an earlier life does not end this one.
    if (peer !== null && from.epoch <= peer.epoch) return false
    adopt(s, from)
    if (peer !== null) {
      fall(s, 'restarted', out)
      s.phase = 'greeting'
    }
  }
  s.heardAt = now
  s.timers.dead = now + s.config.dead
  return true
}

function adopt(s: CarryState, from: Incarnation): void {
  const { key } = s.config
  if (s.peer !== null) resetUnits(s)
  s.peer = from
  if (key === null) return
  const isFirst = s.self.id < from.id
  const both = isFirst ? [s.self, from] : [from, s.self]
  const context = concatBytes(both.flatMap(({ id, nonce }) => [greetingContext(id), nonce]))
  s.seal = createSeal(key, context, isFirst)
}

function goUp(s: CarryState, now: Nanos, out: CarryOut): void {
  s.phase = 'up'
  s.timers.hello = s.largest < largestOf(s.config) ? now + RAISE : NEVER
  s.timers.probe = now + s.config.keepalive
  tellMtu(s, out)
  if (s.announced) return
  s.announced = true
  out.report({ kind: 'up', mtu: s.mtu })
}

function tellMtu(s: CarryState, out: CarryOut): void {
  const mtu = innerMtu(s.config, s.largest)
  if (mtu === s.mtu) return
  s.mtu = mtu
  out.call({ kind: 'set', socket: s.inside, option: 'SIOCSIFMTU', value: mtu })
  if (s.announced) out.report({ kind: 'mtu', mtu })
}

function fall(s: CarryState, why: CarryLoss, out: CarryOut): void {
  if (!s.announced) return
  s.announced = false
  out.report({ kind: 'down', why })
}

/** The other end is gone: the next one is waited for. */
export function peerGone(s: CarryState, now: Nanos, why: CarryLoss, out: CarryOut): void {
  fall(s, why, out)
  beginAnew(s, now, out)
}

/** Asks whether somebody is there, where nothing was heard or units were given up. */
export function probeTimer(s: CarryState, now: Nanos, out: CarryOut): void {
  if (s.phase !== 'up' || now < s.timers.probe) return
  const quietSince = s.heardAt + s.config.keepalive
  if (s.probes === 0 && now < quietSince) {
    s.timers.probe = quietSince
    return
  }
  probe(s, now, out)
}

export function probe(s: CarryState, now: Nanos, out: CarryOut): void {
  s.probes += 1
  s.timers.probe = now + PROBE_AGAIN
  sendCarry(s, { kind: 'probe', below: s.outbound.arq.base }, out)
}
