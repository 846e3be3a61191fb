import type { Endpoint } from '../address.ts'
import { type Bytes, concatBytes, equalBytes, putI32, toHex } from '../bytes.ts'
import { NEVER, type Nanos } from '../time.ts'
import { endpointOf } from './endpoint.ts'
import { createIncoming, type FileReceiver, type Incoming } from './file-receiver-state.ts'
import { isLost } from './loss.ts'
import { receiveUnit } from './receiver.ts'
import { close, fail, finished, flush, type ReceiverOut, take } from './receiver-run.ts'
import { lossLine } from './report.ts'
import { createSeal, openSealed, type Seal, sealPacket } from './seal.ts'
import { sessionContext } from './sender-session.ts'
import {
  type AbortReason,
  decodeSession,
  encodeSession,
  NONCE_BYTES,
  type Offer,
  SESSION_HEADER,
  type SessionPacket,
  sessionOf,
} from './session-format.ts'
import { Sha256 } from '../sha256.ts'

/* The receiver's side of a session. */

/** After so long without a word a sender's place may be taken by another one. */
const BUSY = 3e9

/** `false`: the datagram belongs to no session, and may be something else. */
export function sessionDatagram(
  s: FileReceiver,
  now: Nanos,
  remote: Endpoint,
  datagram: Bytes,
  out: ReceiverOut,
): boolean {
  const near = s.incoming?.receiver.next ?? 0
  if (s.config.key === null) {
    const decoded = decodeSession(datagram, near)
    if (decoded === null) return false
    packetArrives(s, now, remote, decoded.session, decoded.packet, null, out)
    return true
  }
  const session = sessionOf(datagram)
  const { incoming } = s
  if (incoming !== null && incoming.session?.id === session) {
    const bytes =
      (incoming.seal === null ? null : openSealed(incoming.seal, datagram)) ??
      openSealed(incoming.helloSeal!, datagram)
    const decoded = bytes === null ? null : decodeSession(bytes, near)
    if (decoded !== null) packetArrives(s, now, remote, session, decoded.packet, null, out)
    return true
  }
  const seal = createSeal(s.config.key, sessionContext(session), false, s.config.epoch)
  const bytes = openSealed(seal, datagram)
  const decoded = bytes === null ? null : decodeSession(bytes, near)
  if (decoded !== null) packetArrives(s, now, remote, session, decoded.packet, seal, out)
  // Sealed for a session that we have forgotten: the sender may believe our word for it.
  else if (datagram.length >= SESSION_HEADER) {
    s.forgotten += 1
    seal.sent += s.forgotten
    answer(s, remote, session, { kind: 'abort', why: 'unknown-session' }, seal, out)
  }
  return true
}

function packetArrives(
  s: FileReceiver,
  now: Nanos,
  remote: Endpoint,
  session: number,
  packet: SessionPacket,
  seal: Seal | null,
  out: ReceiverOut,
): void {
  const { incoming } = s
  if (packet.kind === 'hello') return hello(s, now, remote, session, packet.offer, seal, out)
  const isOurs =
    incoming?.session?.id === session &&
    incoming.remote.address === remote.address &&
    incoming.remote.port === remote.port
  if (!isOurs) {
    if (packet.kind !== 'data' && packet.kind !== 'fin') return
    return answer(s, remote, session, { kind: 'abort', why: 'unknown-session' }, seal, out)
  }
  s.heardAt = now
  switch (packet.kind) {
    case 'data':
      return dataArrives(s, incoming, packet.unit, packet.data, out)
    case 'fin':
      return finArrives(s, now, incoming, out)
    case 'abort':
      if (incoming.verdict === null) fail(s, packet.why, out)
      return
    default:
  }
}

function hello(
  s: FileReceiver,
  now: Nanos,
  remote: Endpoint,
  session: number,
  offer: Offer,
  seal: Seal | null,
  out: ReceiverOut,
): void {
  const { incoming } = s
  if (incoming !== null && incoming.session?.id === session) {
    if (!incoming.asked) welcome(s, incoming, out)
    return
  }
  if (incoming !== null) {
    const isSame = incoming.remote.address === remote.address
    const isFree = isSame || now - s.heardAt > BUSY
    if (incoming.verdict !== null || !isFree) {
      return answer(s, remote, session, { kind: 'abort', why: 'busy' }, seal, out)
    }
    flush(incoming, out)
    out.report({ kind: 'failed', why: 'started anew' })
  }
  const begun = createIncoming(remote, { id: session, offer }, 'selective', offer.window)
  begun.receiver.end = Math.ceil(offer.carried / offer.unitBytes)
  begun.helloSeal = seal
  s.incoming = begun
  s.heardAt = now
  s.timers.idle = now + s.config.idle
  if (!s.config.asks) return accept(s, now, new Uint8Array(0), out)
  begun.asked = true
  out.report({ kind: 'offered', file: fileOf(offer), from: remote })
}

const fileOf = ({ name, size, hash, compressed }: Offer) => ({
  name,
  size,
  hash: toHex(hash),
  compressed,
})

/** The user takes the file, and has a part of it. */
export function accept(s: FileReceiver, now: Nanos, have: Bytes, out: ReceiverOut): void {
  const { incoming } = s
  if (incoming === null || incoming.session === null) return
  const { offer } = incoming.session
  incoming.asked = false
  s.heardAt = now
  // A part of the compressed form is nothing that could be gone on from.
  const units = offer.compressed
    ? 0
    : Math.min(Math.floor(have.length / offer.unitBytes), incoming.receiver.end!)
  const bytes = have.subarray(0, units * offer.unitBytes)
  incoming.have = units
  incoming.receiver.next = units
  incoming.hash = new Sha256().update(bytes)
  incoming.bytes = bytes.length
  incoming.nonce = nonceOf(s)
  const { key } = s.config
  if (key !== null) {
    const context = concatBytes([sessionContext(incoming.session.id), incoming.nonce])
    incoming.seal = createSeal(key, context, false)
  }
  const from = endpointOf(incoming.remote)
  out.report({ kind: 'begun', file: fileOf(offer), have: bytes.length, from })
  welcome(s, incoming, out)
}

/** The user does not want the file, or cannot write it. */
export function refuse(s: FileReceiver, _now: Nanos, why: AbortReason, out: ReceiverOut): void {
  const { incoming } = s
  if (incoming !== null && incoming.session !== null) {
    const seal = incoming.seal ?? incoming.helloSeal
    answer(s, incoming.remote, incoming.session.id, { kind: 'abort', why }, seal, out)
  }
  if (incoming?.verdict === 'ok') return close(s, out)
  fail(s, why, out)
}

function nonceOf(s: FileReceiver): Bytes {
  s.nonces += 1
  const count = new Uint8Array(4)
  putI32(count, 0, s.nonces)
  const hash = new Sha256().update(s.config.random).update(count).digest()
  return hash.subarray(0, NONCE_BYTES)
}

function welcome(s: FileReceiver, incoming: Incoming, out: ReceiverOut): void {
  const { nonce, receiver, session, helloSeal, remote } = incoming
  const packet = { kind: 'welcome', below: receiver.next, nonce } as const
  answer(s, remote, session!.id, packet, helloSeal, out)
}

function answer(
  s: FileReceiver,
  remote: Endpoint,
  session: number,
  packet: SessionPacket,
  seal: Seal | null,
  out: ReceiverOut,
): void {
  const encoded = encodeSession(session, packet)
  const bytes = seal === null ? encoded : sealPacket(seal, encoded)
  out.call({ kind: 'send-to', socket: s.socket, bytes, remote: endpointOf(remote) })
}

function dataArrives(
  s: FileReceiver,
  incoming: Incoming,
  unit: number,
  data: Bytes,
  out: ReceiverOut,
): void {
  if (incoming.asked) return
  if (isLost(s.loss, unit >>> 0)) {
    return out.report({ kind: 'line', text: lossLine(unit >>> 0) })
  }
  const { session, receiver, remote } = incoming
  const { offer, id } = session!
  const expected = Math.min(offer.unitBytes, offer.carried - unit * offer.unitBytes)
  if (data.length !== expected) return
  const received = receiveUnit(receiver, unit, data, false)
  take(incoming, received.chunks, out)
  if (received.ack !== null)
    answer(s, remote, id, { kind: 'ack', ack: received.ack }, incoming.seal, out)
}

function finArrives(s: FileReceiver, now: Nanos, incoming: Incoming, out: ReceiverOut): void {
  const { session, receiver, remote } = incoming
  if (receiver.next < receiver.end!) return
  const { id, offer } = session!
  if (incoming.verdict === null) {
    const right = equalBytes(incoming.hash.digest(), offer.hash)
    if (right) finished(s, now, 'hash', out)
    else {
      incoming.verdict = 'wrong-hash'
      s.timers.idle = NEVER
      s.timers.linger = now + s.config.linger
      out.report({ kind: 'failed', why: 'wrong hash' })
    }
  }
  // Whoever asks again has not heard: there is time for another answer.
  s.timers.linger = now + s.config.linger
  const verdict = incoming.verdict ?? 'ok'
  answer(s, remote, id, { kind: 'finished', verdict }, incoming.seal, out)
}
