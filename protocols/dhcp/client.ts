import type { Application, ApplicationInput, ApplicationOut } from '../application.ts'
import { ANY_IPV4, BROADCAST_IPV4, type Ipv4Address, type Mac } from '../address.ts'
import type { Errno } from '../errno.ts'
import type { SocketEvent } from '../host/socket.ts'
import { drawShare, drawWord } from '../random-word.ts'
import { NEVER, type Nanos, s } from '../time.ts'
import { emitDhcp, parseDhcp, USUAL_PARAMETERS } from './codec.ts'
import {
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  type DhcpMessage,
  type DhcpOptions,
  type DhcpType,
  type Lease,
  leaseOf,
  NO_DHCP_OPTIONS,
} from './message.ts'

/*
 * The DHCP client of RFC 2131 §4.4, figure 5. It asks, keeps and gives back a lease; whoever runs
 * it puts the address on the interface, and says whether another station has it (`checked`).
 *
 * Left out: DHCPINFORM, choosing among several offers (the first one is taken), and the fuzz of T1
 * and T2 (§4.4.5), so that their times are exact.
 */

/** §4.1: the first wait for an answer; it doubles up to the last. */
export const RETRANSMIT_FIRST: Nanos = s(4)
export const RETRANSMIT_LAST: Nanos = s(64)
/** §4.1: each wait is so much longer or shorter. */
export const RETRANSMIT_SPREAD: Nanos = s(1)
/** §3.1.5: after a DHCPDECLINE, before it asks again. */
export const DECLINE_WAIT: Nanos = s(10)
/** §4.4.5: the shortest wait when a lease is to be renewed. */
export const RENEW_WAIT_MIN: Nanos = s(60)
/** A request that nobody answers so often is given up, and the client asks anew (§3.1.5). */
export const REQUEST_TRIES = 4

export type DhcpClientPhase =
  | 'INIT'
  | 'SELECTING'
  | 'REQUESTING'
  /** The ACK has come; the address is looked for on the link (§3.1.5). */
  | 'CHECKING'
  | 'BOUND'
  | 'RENEWING'
  | 'REBINDING'
  | 'REBOOTING'
  /** It was told to give its lease back. */
  | 'RELEASED'

/** Plain data. */
export interface DhcpClientState {
  readonly hardware: Mac
  readonly hostName: string | null
  phase: DhcpClientPhase
  /** The state of the generator that transaction numbers and waits come from. */
  random: number
  socket: number
  transaction: number
  /** When the current exchange began: `secs` counts from there. */
  began: Nanos
  /** When the last request was sent: a lease counts from there (§4.4.1). */
  requestedAt: Nanos
  /** Sent so often in this phase. */
  tries: number
  /** The next deadline. */
  due: Nanos
  /** The offer that is being asked for: address and server. */
  offered: Ipv4Address
  offeredBy: Ipv4Address
  /** The lease in use, or from before a restart. */
  lease: Lease | null
}

export type DhcpClientCommand =
  /** Answers `check`: nobody else has the address, or somebody does. */
  | { readonly kind: 'checked'; readonly free: boolean }
  /** Gives the lease back; nothing is asked for any more. */
  | { readonly kind: 'release' }

export type DhcpClientReport =
  | { readonly kind: 'phase'; readonly from: DhcpClientPhase; readonly to: DhcpClientPhase }
  /** Look whether another station has this address, and command `checked`. */
  | { readonly kind: 'check'; readonly lease: Lease }
  /** The address may be used, or may be used for longer. */
  | { readonly kind: 'bound'; readonly lease: Lease; readonly renewed: boolean }
  /** The address may not be used any more. */
  | { readonly kind: 'lost'; readonly address: Ipv4Address; readonly why: LostReason }
  | { readonly kind: 'refused'; readonly error: Errno }

export type LostReason = 'expired' | 'nak' | 'released'

type Out = ApplicationOut<DhcpClientReport>
type Input = ApplicationInput<DhcpClientCommand>

/**
 * `seed`: any 32 bits. `remembered`: a lease from before a restart; one that has not expired is asked
 * for again (INIT-REBOOT).
 */
export const createDhcpClient = (
  hardware: Mac,
  seed: number,
  remembered: Lease | null = null,
  hostName: string | null = null,
): DhcpClientState => ({
  hardware,
  hostName,
  phase: 'INIT',
  random: seed | 0,
  socket: -1,
  transaction: 0,
  began: 0,
  requestedAt: 0,
  tries: 0,
  due: NEVER,
  offered: ANY_IPV4,
  offeredBy: ANY_IPV4,
  lease: remembered,
})

export const dhcpClient: Application<DhcpClientState, DhcpClientCommand, DhcpClientReport> = {
  name: 'dhcp-client',

  step(state: DhcpClientState, now: Nanos, input: Input, out: Out): void {
    switch (input.kind) {
      case 'start':
        return out.call({ kind: 'open', protocol: 'udp' })
      case 'timer':
        return timer(state, now, out)
      case 'command':
        return command(state, now, input.command, out)
      case 'socket':
        return heard(state, now, input.event, out)
    }
  },
}

function heard(c: DhcpClientState, now: Nanos, event: SocketEvent, out: Out): void {
  switch (event.kind) {
    case 'opened': {
      const { socket } = event
      c.socket = socket
      out.call({ kind: 'set', socket, option: 'SO_BROADCAST', value: 1 })
      out.call({ kind: 'bind', socket, address: null, port: DHCP_CLIENT_PORT })
      if (c.lease !== null && c.lease.expiresAt > now) return reboot(c, now, out)
      c.lease = null
      return init(c, now, out)
    }
    case 'rejected':
      // A send that fails is one that was lost: the timer sends again.
      if (event.call === 'bind') out.report({ kind: 'refused', error: event.error })
      return
    case 'datagram': {
      const message = parseDhcp(event.payload)
      if (message.ok) messageArrives(c, now, message.value, out)
      return
    }
    default:
  }
}

/** §4.4.1: everything that is not for this client and this exchange is ignored. */
function messageArrives(c: DhcpClientState, now: Nanos, m: DhcpMessage, out: Out): void {
  if (!m.reply || m.transaction !== c.transaction || m.hardware !== c.hardware) return
  const { phase } = c
  if (m.type === 'offer') {
    if (phase === 'SELECTING') offerArrives(c, now, m, out)
    return
  }
  const asks =
    phase === 'REQUESTING' || phase === 'REBOOTING' || phase === 'RENEWING' || phase === 'REBINDING'
  if (!asks) return
  if (phase === 'REQUESTING' && m.options.serverId !== c.offeredBy) return
  if (m.type === 'ack') ackArrives(c, now, m, out)
  else if (m.type === 'nak') nakArrives(c, now, out)
}

function offerArrives(c: DhcpClientState, now: Nanos, m: DhcpMessage, out: Out): void {
  const { serverId } = m.options
  if (serverId === null || m.yourAddress === ANY_IPV4) return
  c.offered = m.yourAddress
  c.offeredBy = serverId
  enter(c, 'REQUESTING', out)
  request(c, now, out)
}

function ackArrives(c: DhcpClientState, now: Nanos, m: DhcpMessage, out: Out): void {
  const lease = leaseOf(m, c.requestedAt)
  if (lease === null) return
  const before = c.lease
  const isRenewed = before !== null && before.address === lease.address && c.phase !== 'REBOOTING'
  c.lease = lease
  if (isRenewed) return bound(c, now, true, out)
  if (before !== null && before.address !== lease.address && c.phase !== 'REBOOTING') {
    out.report({ kind: 'lost', address: before.address, why: 'nak' })
  }
  enter(c, 'CHECKING', out)
  wake(c, NEVER, out)
  out.report({ kind: 'check', lease })
}

function bound(c: DhcpClientState, now: Nanos, renewed: boolean, out: Out): void {
  const lease = c.lease!
  enter(c, 'BOUND', out)
  wake(c, Math.max(lease.renewAt, now), out)
  out.report({ kind: 'bound', lease, renewed })
}

/** §3.1.4 and §4.4.5: whatever was held is gone; from the beginning. */
function nakArrives(c: DhcpClientState, now: Nanos, out: Out): void {
  lose(c, 'nak', out)
  init(c, now, out)
}

function lose(c: DhcpClientState, why: LostReason, out: Out): void {
  const { lease, phase } = c
  c.lease = null
  if (lease === null || phase === 'REBOOTING' || phase === 'CHECKING') return
  out.report({ kind: 'lost', address: lease.address, why })
}

function command(c: DhcpClientState, now: Nanos, given: DhcpClientCommand, out: Out): void {
  switch (given.kind) {
    case 'checked':
      if (c.phase !== 'CHECKING') return
      if (given.free) return bound(c, now, false, out)
      // §3.1.5: the server hears that the address is in use, and the client waits a little.
      send(c, now, 'decline', identified(c.lease!.address, c.lease!.serverId), out)
      c.lease = null
      enter(c, 'INIT', out)
      return wake(c, now + DECLINE_WAIT, out)
    case 'release': {
      const { lease } = c
      if (lease !== null && lease.expiresAt > now) {
        const options = { ...NO_DHCP_OPTIONS, serverId: lease.serverId }
        send(c, now, 'release', options, out, lease.serverId, lease.address)
      }
      lose(c, 'released', out)
      enter(c, 'RELEASED', out)
      wake(c, NEVER, out)
    }
  }
}

function timer(c: DhcpClientState, now: Nanos, out: Out): void {
  if (now < c.due) return out.wake(c.due)
  switch (c.phase) {
    case 'INIT':
      return init(c, now, out)
    case 'SELECTING':
      return discover(c, now, out)
    case 'REQUESTING':
      return c.tries < REQUEST_TRIES ? request(c, now, out) : init(c, now, out)
    case 'REBOOTING':
      return rebootAgain(c, now, out)
    case 'BOUND':
      begin(c, now)
      enter(c, 'RENEWING', out)
      return renew(c, now, out)
    case 'RENEWING':
      if (now >= c.lease!.rebindAt) enter(c, 'REBINDING', out)
      return renew(c, now, out)
    case 'REBINDING':
      if (now < c.lease!.expiresAt) return renew(c, now, out)
      lose(c, 'expired', out)
      return init(c, now, out)
    case 'CHECKING':
    case 'RELEASED':
  }
}

/** A new exchange with a number of its own. */
function begin(c: DhcpClientState, now: Nanos): void {
  c.transaction = drawWord(c)
  c.began = now
  c.tries = 0
}

function init(c: DhcpClientState, now: Nanos, out: Out): void {
  begin(c, now)
  enter(c, 'SELECTING', out)
  discover(c, now, out)
}

function discover(c: DhcpClientState, now: Nanos, out: Out): void {
  send(c, now, 'discover', asking(c), out)
  waitForAnswer(c, now, out)
}

/** §4.3.2, DHCPREQUEST in SELECTING: to everybody, so that the other servers hear of it. */
function request(c: DhcpClientState, now: Nanos, out: Out): void {
  c.requestedAt = now
  const named = { requestedAddress: c.offered, serverId: c.offeredBy }
  send(c, now, 'request', { ...asking(c), ...named }, out)
  waitForAnswer(c, now, out)
}

/** §4.3.2, in INIT-REBOOT: no server is named. */
function reboot(c: DhcpClientState, now: Nanos, out: Out): void {
  begin(c, now)
  enter(c, 'REBOOTING', out)
  rebootAgain(c, now, out)
}

function rebootAgain(c: DhcpClientState, now: Nanos, out: Out): void {
  const lease = c.lease!
  // §3.2.3: nobody says no, and the lease still runs: it may be used on.
  if (c.tries >= REQUEST_TRIES && now < lease.expiresAt) return bound(c, now, false, out)
  if (c.tries >= REQUEST_TRIES) {
    c.lease = null
    return init(c, now, out)
  }
  c.requestedAt = now
  send(c, now, 'request', { ...asking(c), requestedAddress: lease.address }, out)
  waitForAnswer(c, now, out)
}

/** §4.4.5: half of what is left until the next phase, but not less than a minute. */
function renew(c: DhcpClientState, now: Nanos, out: Out): void {
  const lease = c.lease!
  const isRenewing = c.phase === 'RENEWING'
  c.requestedAt = now
  const to = isRenewing ? lease.serverId : BROADCAST_IPV4
  send(c, now, 'request', asking(c), out, to, lease.address)
  const end = isRenewing ? lease.rebindAt : lease.expiresAt
  const wait = Math.max(Math.floor((end - now) / 2), RENEW_WAIT_MIN)
  c.tries += 1
  wake(c, Math.min(now + wait, end), out)
}

/** §4.1: 4, 8, 16, 32, 64 s, each a second more or less. */
function waitForAnswer(c: DhcpClientState, now: Nanos, out: Out): void {
  const wait = Math.min(RETRANSMIT_FIRST * 2 ** c.tries, RETRANSMIT_LAST)
  const spread = Math.floor(drawShare(c) * 2 * RETRANSMIT_SPREAD)
  c.tries += 1
  wake(c, now + wait - RETRANSMIT_SPREAD + spread, out)
}

function wake(c: DhcpClientState, at: Nanos, out: Out): void {
  c.due = at
  out.wake(at)
}

function enter(c: DhcpClientState, to: DhcpClientPhase, out: Out): void {
  const from = c.phase
  if (from === to) return
  c.phase = to
  c.tries = 0
  out.report({ kind: 'phase', from, to })
}

const asking = (c: DhcpClientState): DhcpOptions => ({
  ...NO_DHCP_OPTIONS,
  hostName: c.hostName,
  parameters: USUAL_PARAMETERS,
})

const identified = (requestedAddress: Ipv4Address, serverId: Ipv4Address): DhcpOptions => ({
  ...NO_DHCP_OPTIONS,
  requestedAddress,
  serverId,
})

function send(
  c: DhcpClientState,
  now: Nanos,
  type: DhcpType,
  options: DhcpOptions,
  out: Out,
  to: Ipv4Address = BROADCAST_IPV4,
  clientAddress: Ipv4Address = ANY_IPV4,
): void {
  const message: DhcpMessage = {
    reply: false,
    type,
    transaction: c.transaction,
    seconds: Math.floor((now - c.began) / s(1)),
    // Without an address it hears what is for everybody, and nothing else (§4.1).
    broadcast: clientAddress === ANY_IPV4,
    clientAddress,
    yourAddress: ANY_IPV4,
    nextServer: ANY_IPV4,
    relay: ANY_IPV4,
    hardware: c.hardware,
    options,
  }
  const remote = { address: to, port: DHCP_SERVER_PORT }
  out.call({ kind: 'send-to', socket: c.socket, bytes: emitDhcp(message), remote })
}
