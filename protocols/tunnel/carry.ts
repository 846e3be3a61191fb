import type { Application, ApplicationInput } from '../application.ts'
import { createSeal, openSealed, type Seal } from '../arq/seal.ts'
import type { Bytes } from '../bytes.ts'
import type { SocketEvent } from '../host/socket.ts'
import { NEVER, type Nanos } from '../time.ts'
import {
  type CarryData,
  type CarryPacket,
  decodeCarry,
  isGreeting,
  pairOf,
  sessionOf,
} from './carry-format.ts'
import {
  beginAnew,
  type CarryOut,
  greetingContext,
  helloArrives,
  helloTimer,
  measureAgain,
  peerGone,
  probe,
  probeTimer,
  sendCarry,
  welcomeArrives,
} from './carry-session.ts'
import {
  type CarryReport,
  type CarryState,
  innerBytes,
  innerMtu,
  largestOf,
} from './carry-state.ts'
import { flowOf } from './flow.ts'
import { acknowledgement, moveFloor, unitArrives } from './inbound.ts'
import {
  enqueue,
  outboundAcknowledged,
  outboundNextDue,
  outboundTimer,
  type OutboundUnit,
  pumpOutbound,
} from './outbound.ts'
import { PROTOCOL_RELIABLE } from './rp.ts'
import { tooBig } from './too-big.ts'

/*
 * One end of a tunnel that carries packets of others between two devices, over IP protocol 253: what
 * comes out of the device here goes into the one at the other end. Both ends are alike.
 *
 * Left out: ECN and DSCP across the tunnel (RFC 6040, RFC 2983); IPv6 outside.
 */

/** DEFLATE, or its like. Pure; `inflate` makes at most so many bytes, or gives back `null`. */
export interface PacketCodec {
  deflate(bytes: Bytes): Bytes
  inflate(bytes: Bytes, max: number): Bytes | null
}

/** `codec`: without one, nothing is compressed, and what is cannot be read. */
export const carryEngine = (
  codec: PacketCodec | null,
): Application<CarryState, 'stop', CarryReport> => ({
  name: 'tunnel-carry',
  step(s, now, input, out) {
    if (s.phase === 'over') return
    handle(s, now, input, codec, out)
    if (s.phase === 'up') {
      pumpOutbound(s.outbound, now, s.counters, (unit) => transmit(s, unit, out))
    }
    out.wake(nextDue(s))
  },
})

function nextDue(s: CarryState): Nanos {
  if (s.phase === 'over') return NEVER
  const { hello, probe: ask, dead } = s.timers
  const own = Math.min(hello, ask, dead)
  return s.phase === 'up' ? Math.min(own, outboundNextDue(s.outbound)) : own
}

function handle(
  s: CarryState,
  now: Nanos,
  input: ApplicationInput<'stop'>,
  codec: PacketCodec | null,
  out: CarryOut,
): void {
  switch (input.kind) {
    case 'start':
      out.call({ kind: 'open', protocol: 'raw', number: PROTOCOL_RELIABLE })
      return out.call({ kind: 'open', protocol: 'tun' })
    case 'socket':
      return socketEvent(s, now, input.event, codec, out)
    case 'timer':
      return timer(s, now, out)
    case 'command':
      return stop(s, out)
  }
}

function socketEvent(
  s: CarryState,
  now: Nanos,
  event: SocketEvent,
  codec: PacketCodec | null,
  out: CarryOut,
): void {
  switch (event.kind) {
    case 'opened':
      return opened(s, now, event, out)
    case 'datagram':
      if (event.socket === s.inside) return packetFromInside(s, now, event.payload, codec, out)
      return fromOutside(s, now, event.payload, codec, out)
    case 'rejected':
      return rejected(s, now, event, out)
    case 'failed':
      close(s, out)
      return out.report({ kind: 'refused', side: 'inside', error: event.error })
    case 'icmp-error':
      // Any other is a hint: the other end may be about to start.
      if (event.error === 'EMSGSIZE') measureAgain(s, now, out)
      return
    default:
  }
}

function opened(
  s: CarryState,
  now: Nanos,
  { socket, protocol }: SocketEvent & { readonly kind: 'opened' },
  out: CarryOut,
): void {
  const { peer, local } = s.config
  if (protocol === 'raw') {
    s.outside = socket
    if (local !== null) out.call({ kind: 'bind', socket, address: local, port: 0 })
    out.call({ kind: 'connect', socket, remote: { address: peer, port: 0 } })
    // What the path takes is found out: nothing is cut on the way.
    out.call({ kind: 'set', socket, option: 'IP_MTU_DISCOVER', value: 2 })
    return
  }
  s.inside = socket
  s.mtu = innerMtu(s.config, largestOf(s.config))
  out.call({ kind: 'set', socket, option: 'SIOCSIFMTU', value: s.mtu })
  beginAnew(s, now, out)
}

function rejected(
  s: CarryState,
  now: Nanos,
  { socket, call, error }: SocketEvent & { readonly kind: 'rejected' },
  out: CarryOut,
): void {
  if (call === 'send') {
    if (socket === s.outside && error === 'EMSGSIZE') measureAgain(s, now, out)
    return
  }
  if (call !== 'open' && call !== 'bind' && call !== 'connect') return
  const side = socket === s.outside || s.outside < 0 ? 'outside' : 'inside'
  close(s, out)
  out.report({ kind: 'refused', side, error })
}

function timer(s: CarryState, now: Nanos, out: CarryOut): void {
  if (now >= s.timers.dead) return peerGone(s, now, 'silence', out)
  helloTimer(s, now, out)
  probeTimer(s, now, out)
  if (s.phase !== 'up' || now < outboundNextDue(s.outbound)) return
  const longest = outboundTimer(s.outbound, now, s.counters, (unit) => transmit(s, unit, out))
  if (longest === 0) return
  // Those that wait for what never comes need not wait for the next packet.
  probe(s, now, out)
  // Others come through: it may be for their length that these do not.
  const isHeard = now - s.heardAt < s.config.persist
  if (isHeard && 2 * longest > innerBytes(s.config, s.largest)) measureAgain(s, now, out)
}

const transmit = (s: CarryState, unit: OutboundUnit, out: CarryOut): void =>
  sendCarry(s, { kind: 'data', ...unit }, out)

function packetFromInside(
  s: CarryState,
  now: Nanos,
  bytes: Bytes,
  codec: PacketCodec | null,
  out: CarryOut,
): void {
  const { counters, config } = s
  counters.taken += 1
  counters.takenBytes += bytes.length
  const most = innerBytes(config, s.largest === 0 ? largestOf(config) : s.largest)
  if (bytes.length <= most) take(s, now, bytes, codec)
  else {
    counters.tooBig += 1
    const answer = config.layer === 'ip' ? tooBig(bytes, s.mtu, config.inside) : null
    if (answer?.kind === 'answer') {
      return out.call({ kind: 'send', socket: s.inside, bytes: answer.packet })
    }
    if (answer?.kind === 'cut') for (const piece of answer.pieces) take(s, now, piece, codec)
  }
}

const ETHERNET_HEADER = 14
/** A few bytes less are not worth the other end's time. */
const WORTH_IT = 16

function take(s: CarryState, now: Nanos, bytes: Bytes, codec: PacketCodec | null): void {
  const { config, counters, outbound } = s
  const flow = flowOf(bytes, config.layer === 'ethernet' ? ETHERNET_HEADER : 0)
  const small = config.compress && codec !== null ? codec.deflate(bytes) : bytes
  const compressed = small.length + WORTH_IT <= bytes.length
  if (!enqueue(outbound, now, compressed ? small : bytes, compressed, flow)) {
    counters.queueDrops += 1
  }
}

function fromOutside(
  s: CarryState,
  now: Nanos,
  datagram: Bytes,
  codec: PacketCodec | null,
  out: CarryOut,
): void {
  if (s.phase === 'opening') return
  const packet = readPacket(s, datagram)
  if (packet === null) {
    s.counters.refused += 1
    return
  }
  if (packet.kind === 'hello') return helloArrives(s, now, packet.from, datagram.length, out)
  if (packet.kind === 'welcome') return welcomeArrives(s, now, packet, out)
  s.heardAt = now
  s.timers.dead = now + s.config.dead
  switch (packet.kind) {
    case 'data':
      return dataArrives(s, packet, codec, out)
    case 'ack':
      return outboundAcknowledged(s.outbound, now, packet.ack, s.counters, (unit) =>
        transmit(s, unit, out),
      )
    case 'probe':
      moveFloor(s.inbound, packet.below, (data) => handOver(s, data, codec, out))
      return sendCarry(s, { kind: 'probed' }, out)
    case 'probed':
      s.probes = 0
      s.timers.probe = now + s.config.keepalive
      return
    case 'bye':
      return peerGone(s, now, 'left', out)
  }
}

/** `null`: damaged, of another session, or not made with the key. */
function readPacket(s: CarryState, datagram: Bytes): CarryPacket | null {
  const session = sessionOf(datagram)
  const greeting = isGreeting(datagram)
  if (!greeting && (s.peer === null || session !== pairOf(s.self.id, s.peer.id))) return null
  const bytes =
    s.config.key === null ? datagram : openSealed(sealFor(s, session, greeting), datagram)
  if (bytes === null) return null
  return decodeCarry(bytes, { theirs: s.inbound.next, ours: s.outbound.arq.base })
}

/** Each hello is judged by itself: an old one is known by its epoch. */
const sealFor = (s: CarryState, session: number, greeting: boolean): Seal =>
  greeting ? createSeal(s.config.key!, greetingContext(session), false) : s.seal!

function dataArrives(
  s: CarryState,
  data: CarryData,
  codec: PacketCodec | null,
  out: CarryOut,
): void {
  const { inbound, counters } = s
  const isNew = unitArrives(inbound, data, (each) => handOver(s, each, codec, out))
  if (!isNew) counters.copies += 1
  sendCarry(s, { kind: 'ack', ack: acknowledgement(inbound) }, out)
}

const PACKET_MAX = 65_535

function handOver(s: CarryState, data: CarryData, codec: PacketCodec | null, out: CarryOut): void {
  const { counters } = s
  const bytes = data.compressed ? (codec?.inflate(data.bytes, PACKET_MAX) ?? null) : data.bytes
  if (bytes === null) {
    counters.refused += 1
    return
  }
  counters.handedOver += 1
  counters.handedOverBytes += bytes.length
  out.call({ kind: 'send', socket: s.inside, bytes })
}

function stop(s: CarryState, out: CarryOut): void {
  if (s.peer !== null) sendCarry(s, { kind: 'bye' }, out)
  close(s, out)
  out.report({ kind: 'closed', counters: { ...s.counters } })
}

function close(s: CarryState, out: CarryOut): void {
  s.phase = 'over'
  for (const socket of [s.outside, s.inside]) {
    if (socket >= 0) out.call({ kind: 'close', socket })
  }
}
