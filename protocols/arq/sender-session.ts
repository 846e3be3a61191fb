import { type Bytes, putI32 } from '../bytes.ts'
import { NEVER, type Nanos } from '../time.ts'
import {
  begin,
  FINS,
  markLost,
  over,
  peerTimeout,
  type SenderOut,
  sendSession,
  stepArq,
} from './file-sender-run.ts'
import { dataUnits, type FileSender, type PeerLoss, type SenderPeer } from './file-sender-state.ts'
import { createSeal, openSealed } from './seal.ts'
import { createArqSender } from './sender-state.ts'
import { decodeSession, type Offer, type SessionPacket } from './session-format.ts'

/* The sender's side of a session: hello and welcome before the data, fin and verdict behind it. */

export function greetAll(s: FileSender, now: Nanos, out: SenderOut): void {
  for (let i = 0; i < s.peers.length; i++) if (s.peers[i]!.stage !== 'lost') greet(s, now, i, out)
}

function greet(s: FileSender, now: Nanos, index: number, out: SenderOut): void {
  const peer = s.peers[index]!
  const { wire } = s.config
  if (wire.kind !== 'session') return
  peer.stage = 'greeting'
  peer.attempts = 0
  peer.seal = null
  if (wire.key !== null) {
    peer.helloSeal ??= createSeal(wire.key, sessionContext(s.session), true, wire.epoch)
  }
  peer.dueAt = now + peerTimeout(s, index)
  sendSession(s, index, { kind: 'hello', offer: offerOf(s) }, out)
}

/** What the keys of hello and welcome are made from. */
export function sessionContext(session: number): Bytes {
  const context = new Uint8Array(4)
  putI32(context, 0, session)
  return context
}

function offerOf(s: FileSender): Offer {
  const { wire, content, policy } = s.config
  if (wire.kind !== 'session') throw new TypeError('a session is what is offered')
  const { name, size, hash, compressed } = wire
  const [unitBytes, window, carried] = [s.unitBytes, policy.window, content.length]
  return { name, size, hash, unitBytes, window, carried, compressed }
}

/** Hello and fin go again until they are answered. */
export function control(s: FileSender, now: Nanos, out: SenderOut): void {
  for (let i = 0; i < s.peers.length && s.phase === 'running'; i++) {
    const peer = s.peers[i]!
    if (peer.dueAt > now) continue
    peer.attempts += 1
    s.timeouts += 1
    const retries = peer.stage === 'finishing' ? FINS : s.config.policy.retries
    if (peer.attempts > retries) {
      giveUp(s, now, i, peer.why ?? 'no answer', out)
      continue
    }
    peer.dueAt = now + peerTimeout(s, i)
    const offer = offerOf(s)
    sendSession(s, i, peer.stage === 'greeting' ? { kind: 'hello', offer } : { kind: 'fin' }, out)
  }
}

/** One receiver is out; the policy says whether the others go on. */
function giveUp(s: FileSender, now: Nanos, index: number, why: PeerLoss, out: SenderOut): void {
  markLost(s, index, why, out)
  if (s.config.policy.exhausted === 'fail') {
    for (let i = 0; i < s.peers.length; i++) {
      if (i !== index) sendSession(s, i, { kind: 'abort', why: 'cancelled' }, out)
    }
    return over(s, now, out)
  }
  stepArq(s, now, { kind: 'call', call: { kind: 'drop', peer: index } }, out)
  if (s.phase !== 'running') return
  goOn(s, now, out)
}

export function sessionArrives(
  s: FileSender,
  now: Nanos,
  index: number,
  datagram: Bytes,
  out: SenderOut,
): void {
  const peer = s.peers[index]!
  const bytes = opened(s, peer, datagram)
  const decoded = bytes === null ? null : decodeSession(bytes, s.arq.base)
  if (decoded === null || decoded.session !== s.session) return
  const { packet } = decoded
  if (peer.stage === 'lost' || peer.stage === 'done') return
  peer.why = null
  switch (packet.kind) {
    case 'welcome':
      return welcomed(s, now, index, packet, out)
    case 'ack':
      if (!s.begun) return
      peer.has = Math.max(peer.has, packet.ack.below)
      return stepArq(s, now, { kind: 'packet', packet: packet.ack, port: index }, out)
    case 'finished':
      if (peer.stage !== 'finishing') return
      peer.dueAt = NEVER
      if (packet.verdict === 'ok') peer.stage = 'done'
      else giveUp(s, now, index, 'wrong hash', out)
      return goOn(s, now, out)
    case 'abort':
      // It was started anew: it may have a part, and gets the rest.
      if (packet.why === 'unknown-session' && peer.stage !== 'greeting') {
        peer.has = 0
        return greet(s, now, index, out)
      }
      if (packet.why === 'unknown-session') return
      return giveUp(s, now, index, packet.why, out)
    default:
  }
}

function opened(s: FileSender, peer: SenderPeer, datagram: Bytes): Bytes | null {
  const { wire } = s.config
  if (wire.kind !== 'session' || wire.key === null) return datagram
  const bytes = peer.seal === null ? null : openSealed(peer.seal, datagram)
  return bytes ?? (peer.helloSeal === null ? null : openSealed(peer.helloSeal, datagram))
}

function welcomed(
  s: FileSender,
  now: Nanos,
  index: number,
  packet: SessionPacket & { readonly kind: 'welcome' },
  out: SenderOut,
): void {
  const peer = s.peers[index]!
  const { wire } = s.config
  if (peer.stage !== 'greeting' || wire.kind !== 'session') return
  peer.stage = 'sending'
  peer.dueAt = NEVER
  peer.attempts = 0
  peer.has = Math.min(packet.below, dataUnits(s))
  if (wire.key !== null) {
    const context = Uint8Array.from([...sessionContext(s.session), ...packet.nonce])
    peer.seal = createSeal(wire.key, context, true)
  }
  goOn(s, now, out)
}

/** Begins when the last hello is answered, ends when the last verdict has come. */
function goOn(s: FileSender, now: Nanos, out: SenderOut): void {
  if (s.phase !== 'running') return
  const stages = s.peers.map(({ stage }) => stage)
  if (stages.every((stage) => stage === 'done' || stage === 'lost')) return over(s, now, out)
  if (stages.includes('greeting') || !stages.includes('sending')) return
  const isBehind = s.peers.some(
    (peer, i) => peer.stage === 'sending' && peer.has < s.arq.peers[i]!.below,
  )
  if (s.begun && !isBehind && !s.arq.over) return
  restart(s)
  for (const [peer, { stage, has }] of s.peers.entries()) {
    if (stage === 'lost') stepArq(s, now, { kind: 'call', call: { kind: 'drop', peer } }, out)
    const below = stage === 'sending' ? has : dataUnits(s)
    stepArq(s, now, { kind: 'call', call: { kind: 'skip', peer, below } }, out)
  }
  begin(s, now, out)
}

/** A window from the start; what is known of round trips stays known. */
function restart(s: FileSender): void {
  const fresh = createArqSender(s.config.policy, s.peers.length)
  for (const [i, peer] of fresh.peers.entries()) peer.estimate = { ...s.arq.peers[i]!.estimate }
  s.arq = fresh
}

/** Sizes that paths have: of Ethernet with room for tunnels, IPv6's least, and ever less. */
const UNIT_SIZES = [1400, 1200, 1000, 508, 216]

/** Smaller units, in a session of their own. `false`: there are none. */
export function shrink(s: FileSender, now: Nanos, out: SenderOut): boolean {
  // The others of the same burst say the same.
  if (!s.begun) return true
  const unitBytes = UNIT_SIZES.find((size) => size < s.unitBytes)
  if (unitBytes === undefined) return false
  s.unitBytes = unitBytes
  s.session = (s.session + 1) >>> 0
  s.begun = false
  restart(s)
  for (const peer of s.peers) {
    peer.helloSeal = null
    peer.has = 0
  }
  out.report({ kind: 'smaller', unitBytes })
  greetAll(s, now, out)
  return true
}
