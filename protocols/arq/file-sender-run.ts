import type { ApplicationOut } from '../application.ts'
import type { Bytes } from '../bytes.ts'
import { ms, NEVER, type Nanos } from '../time.ts'
import { type Dialect, encodeData, encodeEnd, endSequence, sequenceOf } from './dialect.ts'
import { endpointOf } from './endpoint.ts'
import {
  dataUnits,
  type FileSender,
  type PeerLoss,
  totalUnits,
  unitContent,
} from './file-sender-state.ts'
import type { ArqPacket } from './packet.ts'
import { type SendReport, timeoutLine } from './report.ts'
import { type Seal, sealPacket } from './seal.ts'
import { type ArqEvent, arqSender } from './sender.ts'
import { encodeSession, type SessionPacket } from './session-format.ts'

/* What the sender of a file does, once it is known what to do. */

export type SenderOut = ApplicationOut<SendReport>

/** Everybody who is left is ready. */
export function begin(s: FileSender, now: Nanos, out: SenderOut): void {
  s.begun = true
  const call = { kind: 'offer', total: totalUnits(s), closed: true } as const
  stepArq(s, now, { kind: 'call', call }, out)
}

type ArqInput = Parameters<typeof arqSender.step>[2]

/** One step of the core, with its packets and events carried on. */
export function stepArq(s: FileSender, now: Nanos, input: ArqInput, out: SenderOut): void {
  // A unit that goes to several is encoded once.
  let [encodedUnit, encoded, groupedUnit] = [-1, null as Bytes | null, -1]
  const events: ArqEvent[] = []
  arqSender.step(s.arq, now, input, {
    send: (packet: ArqPacket, index: number) => {
      if (packet.kind !== 'data') return
      const peer = s.peers[index]!
      peer.sent += 1
      if (packet.again > 0) peer.resent += 1
      if (packet.unit !== encodedUnit || encoded === null) {
        encoded = encodeUnit(s, packet.unit)
        encodedUnit = packet.unit
      }
      const { group } = s.config
      if (group === null || packet.again > 0 || peer.seal !== null) {
        return sendTo(s, index, sealed(peer.seal, encoded), out)
      }
      if (groupedUnit === packet.unit) return
      groupedUnit = packet.unit
      s.grouped += 1
      out.call({ kind: 'send-to', socket: peer.socket, bytes: encoded, remote: endpointOf(group) })
    },
    event: (event) => {
      // What was late is said before it is sent again.
      if (event.kind === 'timeout') timedOut(s, event.unit, out)
      else events.push(event)
    },
    wake: () => {},
  })
  for (const event of events) arqEvent(s, now, event, out)
}

/** With a group there is one socket for all: receivers know their sender by its port. */
function sendTo(s: FileSender, index: number, bytes: Bytes, out: SenderOut): void {
  const { socket } = s.peers[index]!
  if (s.config.group === null) return out.call({ kind: 'send', socket, bytes })
  const remote = endpointOf(s.config.peers[index]!)
  out.call({ kind: 'send-to', socket, bytes, remote })
}

function encodeUnit(s: FileSender, unit: number): Bytes {
  const { wire } = s.config
  const data = unitContent(s, unit)
  if (wire.kind === 'session') return encodeSession(s.session, { kind: 'data', unit, data })
  const sequence = plainSequence(s, wire.dialect, unit)
  return unit >= dataUnits(s)
    ? encodeEnd(wire.dialect, sequence)
    : encodeData(wire.dialect, sequence, data)
}

export const plainSequence = (s: FileSender, dialect: Dialect, unit: number): number =>
  unit < dataUnits(s)
    ? sequenceOf(dialect, unit, s.unitBytes)
    : endSequence(dialect, unit, s.config.content.length)

function timedOut(s: FileSender, unit: number, out: SenderOut): void {
  s.timeouts += 1
  const { wire } = s.config
  const sequence = wire.kind === 'session' ? unit : plainSequence(s, wire.dialect, unit)
  out.report({ kind: 'line', text: timeoutLine(sequence) })
}

function arqEvent(s: FileSender, now: Nanos, event: ArqEvent, out: SenderOut): void {
  if (s.phase === 'over') return
  switch (event.kind) {
    case 'acknowledged':
      return progress(s, event.below, out)
    case 'peer-lost':
      return markLost(s, event.peer, s.peers[event.peer]!.why ?? 'no answer', out)
    case 'done':
      if (s.config.wire.kind === 'session') return finish(s, now, out)
      for (const peer of s.peers) if (peer.stage !== 'lost') peer.stage = 'done'
      return over(s, now, out)
    case 'failed':
      return over(s, now, out)
    case 'timeout':
  }
}

/** At most a hundred times. */
function progress(s: FileSender, below: number, out: SenderOut): void {
  const total = s.config.content.length
  const bytes = Math.min(below * s.unitBytes, total)
  const hundredths = total === 0 ? 100 : Math.floor((100 * bytes) / total)
  if (hundredths === s.progress) return
  s.progress = hundredths
  out.report({ kind: 'progress', bytes, total })
}

/** Closes all, and says how it went. */
export function over(s: FileSender, now: Nanos, out: SenderOut): void {
  s.phase = 'over'
  s.arq.over = true
  const { peers, timeouts } = s
  for (const peer of peers) {
    if (peer.stage !== 'done') peer.why ??= 'no answer'
    peer.dueAt = NEVER
    if (peer.socket >= 0 && s.config.group === null) close(peer.socket, out)
  }
  const shared = peers[0]?.socket ?? -1
  if (shared >= 0 && s.config.group !== null) close(shared, out)
  out.report({
    kind: peers.every(({ stage }) => stage === 'done') ? 'finished' : 'failed',
    bytes: s.config.wire.kind === 'session' ? s.config.wire.size : s.config.content.length,
    span: now - s.startedAt,
    units: dataUnits(s),
    timeouts,
    grouped: s.grouped,
    peers: peers.map(({ sent, resent, why, stage }) => ({
      sent,
      resent,
      why: stage === 'done' ? null : why,
    })),
  })
}

const close = (socket: number, out: SenderOut): void => out.call({ kind: 'close', socket })

export function sendSession(
  s: FileSender,
  index: number,
  packet: SessionPacket,
  out: SenderOut,
): void {
  if (s.config.wire.kind !== 'session') return
  const peer = s.peers[index]!
  if (peer.socket < 0 || peer.stage === 'lost') return
  const seal = packet.kind === 'hello' ? peer.helloSeal : (peer.seal ?? peer.helloSeal)
  sendTo(s, index, sealed(seal, encodeSession(s.session, packet)), out)
}

const sealed = (seal: Seal | null, bytes: Bytes): Bytes =>
  seal === null ? bytes : sealPacket(seal, bytes)

/** A receiver is given up: it gets nothing any more. */
export function markLost(s: FileSender, index: number, why: PeerLoss, out: SenderOut): void {
  const peer = s.peers[index]!
  if (peer.stage === 'lost' || peer.stage === 'done') return
  peer.stage = 'lost'
  peer.why = why
  peer.dueAt = NEVER
  out.report({ kind: 'peer-lost', peer: index, why })
}

const FIN_MAX: Nanos = ms(400)
/** How often fin goes out before the receiver counts as gone. */
export const FINS = 24

/** The session's last word: fin, until the receiver has said that all is well. */
function finish(s: FileSender, now: Nanos, out: SenderOut): void {
  for (const [i, peer] of s.peers.entries()) {
    if (peer.stage !== 'sending') continue
    peer.stage = 'finishing'
    peer.attempts = 0
    peer.dueAt = now + peerTimeout(s, i)
    sendSession(s, i, { kind: 'fin' }, out)
  }
}

/**
 * What hello and fin wait for an answer. The receiver is there for a while only when it has all:
 * fin is not patient.
 */
export function peerTimeout(s: FileSender, index: number): Nanos {
  const { timeout } = s.config.policy
  const { attempts, stage } = s.peers[index]!
  const { srtt, rto } = s.arq.peers[index]!.estimate
  const first = srtt < 0 ? timeout.initial : rto
  if (stage === 'finishing') return Math.min(first * 2 ** Math.min(attempts, 2), FIN_MAX)
  return Math.min(first * 2 ** Math.min(attempts, 10), Math.max(timeout.max, timeout.initial))
}
