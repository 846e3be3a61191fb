import { type Endpoint, type IpAddress, isIpv4, putIpv4, putIpv6 } from '../address.ts'
import { type Bytes, concatBytes, equalBytes, NO_BYTES } from '../bytes.ts'
import { SIPHASH_KEY, sipHash } from '../siphash.ts'
import { clientFastOpen, type FastOpen, serverFastOpen } from '../tcp/fast-open.ts'
import { type FastOpenOption, fastOpenIn } from '../tcp/fast-open-option.ts'
import type { TcpPolicy } from '../tcp/policy.ts'
import type { TcpSegment } from '../tcp/segment.ts'
import type { TcpState } from '../tcp/state.ts'
import type { Nanos } from '../time.ts'
import type { HostEvent } from './event.ts'
import type { FastOpenPeer } from './fast-open-memory.ts'
import type { HostState, Listener } from './state.ts'

// TCP Fast Open, RFC 7413, the part that all sockets of a host share: cookies that others have given to
// it (§4.1.3), cookies that it gives (§4.1.2), and how many requests a listener lets wait (§5.1).

/** Servers. Beyond that the one that was heard of first goes. */
export const FAST_OPEN_PEERS_MAX = 1024
/** A pause is doubled so often. */
const PAUSES_DOUBLED = 6

const STRANGER: FastOpenPeer = {
  cookie: NO_BYTES,
  mss: 0,
  experimental: false,
  triedBoth: false,
  refusals: [],
}

/** What goes with a SYN to a server; `null`: nothing does. */
export interface FastOpenAttempt {
  readonly fastOpen: FastOpen
  readonly peerMss: number
}

/** §4.2: how a client begins. `withBytes`: it has some for the SYN already. */
export function fastOpenTo(
  h: HostState,
  now: Nanos,
  policy: TcpPolicy,
  remote: Endpoint,
  withBytes: boolean,
): FastOpenAttempt | null {
  const { client, clientNeedsCookie, connects, setToConnect, pending } = policy.fastOpen
  const asked = withBytes || connects
  const isSet = setToConnect ? pending > 0 : asked
  if (!client || !isSet || now < h.fastOpen.pausedUntil) return null
  const peer = h.fastOpen.peers.get(remote.address) ?? STRANGER
  if (peer.refusals.some(({ port, until }) => port === remote.port && now < until)) return null
  const { cookie, mss: peerMss, experimental } = peer
  const carries = !clientNeedsCookie || cookie.length > 0
  const option = clientNeedsCookie ? { cookie, experimental } : null
  return { fastOpen: clientFastOpen(option, carries, connects && !withBytes), peerMss }
}

/** What a connection has found out about its peer, or has done with its listener's room. */
export function fastOpenSaid(
  h: HostState,
  now: Nanos,
  s: TcpState,
  event: HostEvent & { readonly kind: 'fast-open' },
): void {
  switch (event.outcome) {
    case 'cookie':
      return remember(h, s, {
        ...peerOf(h, s),
        cookie: event.cookie,
        mss: event.mss,
        experimental: s.fastOpen?.option?.experimental ?? false,
        triedBoth: false,
      })
    case 'taken':
      h.fastOpen.pauses = 0
      return remember(h, s, { ...peerOf(h, s), mss: event.mss })
    case 'not taken':
      return event.cookie.length === 0 ? refused(h, now, s, event.mss) : undefined
    case 'lost':
      return lost(h, now, s)
    case 'over':
      return requestOver(h, now, s, false)
    case 'reset':
      s.fastOpen!.pending = false
      return requestOver(h, now, s, true)
    case 'sent':
    case 'pending':
  }
}

const peerOf = (h: HostState, { remoteAddress }: TcpState): FastOpenPeer =>
  h.fastOpen.peers.get(remoteAddress) ?? STRANGER

function remember(h: HostState, { remoteAddress }: TcpState, peer: FastOpenPeer): void {
  const { peers } = h.fastOpen
  if (!peers.has(remoteAddress) && peers.size === FAST_OPEN_PEERS_MAX) {
    for (const oldest of peers.keys()) {
      peers.delete(oldest)
      break
    }
  }
  peers.set(remoteAddress, peer)
}

/** The peer, its port left in peace for as long as the policy says. */
function avoiding(now: Nanos, peer: FastOpenPeer, s: TcpState): FastOpenPeer {
  const { refusedFor } = s.policy.fastOpen
  if (refusedFor === 0) return peer
  const others = peer.refusals.filter(({ port, until }) => port !== s.remotePort && now < until)
  return { ...peer, refusals: [...others, { port: s.remotePort, until: now + refusedFor }] }
}

/** §4.1.3.1: what was on the SYN was not taken, or no cookie was given to who asked. */
function refused(h: HostState, now: Nanos, s: TcpState, mss: number): void {
  const peer = peerOf(h, s)
  const { experimental } = s.policy.fastOpen
  // Whoever knows the option in its old form alone has not understood this one.
  const misunderstood = experimental && s.fastOpen!.text === 0 && s.rto.total === 0
  const other = misunderstood && peer.cookie.length === 0 && !peer.triedBoth
  const said = { ...avoiding(now, peer, s), mss }
  if (!other) return remember(h, s, said)
  remember(h, s, { ...said, experimental: !peer.experimental, triedBoth: peer.experimental })
}

function lost(h: HostState, now: Nanos, s: TcpState): void {
  const { fastOpen: memory } = h
  const { pausedFor, refusedFor } = s.policy.fastOpen
  if (refusedFor > 0) remember(h, s, avoiding(now, peerOf(h, s), s))
  if (pausedFor === 0) return
  memory.pausedUntil = now + pausedFor * 2 ** Math.min(memory.pauses, PAUSES_DOUBLED)
  memory.pauses += 1
}

/** A handshake of a listener is over, or its connection is no more. */
function requestOver(h: HostState, now: Nanos, s: TcpState, reset: boolean): void {
  const listener = h.sockets[s.listener]
  if (listener?.kind !== 'listener') return
  const { fastOpen } = listener
  fastOpen.waiting = Math.max(fastOpen.waiting - 1, 0)
  // Whoever forges addresses gets resets: they are to cost something (§5.1).
  const { resetCounts } = s.policy.fastOpen
  if (reset && s.fastOpen!.accepted && resetCounts > 0) fastOpen.resets.push(now + resetCounts)
}

/** It has ended before its handshake was over. */
export function pendingEnds(h: HostState, now: Nanos, s: TcpState): void {
  if (!s.fastOpen!.pending) return
  s.fastOpen!.pending = false
  requestOver(h, now, s, false)
}

/** §4.2.2: what a listener makes of a SYN; `null`: an ordinary one. */
export function fastOpenFrom(
  h: HostState,
  now: Nanos,
  listener: Listener,
  { local, remote }: { readonly local: Endpoint; readonly remote: Endpoint },
  syn: TcpSegment,
): FastOpen | null {
  const { policy } = listener
  const { serverNeedsCookie, experimental } = policy.fastOpen
  const option = fastOpenIn(syn.options)
  const asks = option !== null && (experimental || !option.experimental)
  if ((!asks && syn.payload.length === 0) || !hasRoom(listener, now)) return null
  if (!serverNeedsCookie) return serverFastOpen(null, true)
  if (!asks) return null
  const ours = cookieFor(h, policy, remote.address, local.address)
  if (equalBytes(option.cookie, ours)) return serverFastOpen(null, true)
  const answer: FastOpenOption = { cookie: ours, experimental: option.experimental }
  return serverFastOpen(answer, false)
}

/** §5.1: whether one more request may wait. */
function hasRoom({ policy, backlog, fastOpen }: Listener, now: Nanos): boolean {
  const { pending, everyListener } = policy.fastOpen
  const most = pending > 0 ? pending : everyListener ? backlog : 0
  if (most === 0) return false
  if (fastOpen.waiting + fastOpen.resets.length < most) return true
  if (fastOpen.resets.length === 0 || fastOpen.resets[0]! > now) return false
  fastOpen.resets.shift()
  return true
}

/** §4.1.2: only this host can make it, and it always makes the same for the same peer. */
function cookieFor(h: HostState, policy: TcpPolicy, remote: IpAddress, local: IpAddress): Bytes {
  const { key, hashesBoth } = policy.fastOpen
  const parts = hashesBoth ? [bytesOf(remote), bytesOf(local)] : [bytesOf(remote)]
  return sipHash(key ?? h.secret.subarray(0, SIPHASH_KEY), concatBytes(parts))
}

function bytesOf(address: IpAddress): Bytes {
  const bytes = new Uint8Array(isIpv4(address) ? 4 : 16)
  if (isIpv4(address)) putIpv4(bytes, 0, address)
  else putIpv6(bytes, 0, address)
  return bytes
}
