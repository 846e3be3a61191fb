import { type Bytes, NO_BYTES } from '../bytes.ts'
import { seqAdd, seqDiff, seqGeq } from '../sequence.ts'
import { NEVER, type Nanos } from '../time.ts'
import { startCongestion } from './congestion/control-of.ts'
import { type FastOpenOption, fastOpenIn } from './fast-open-option.ts'
import { offerSpace } from './ack-arrives.ts'
import { accept, endpoints, enter } from './lifecycle.ts'
import type { TcpOut } from './output.ts'
import { renoTimeout } from './reno-recovery.ts'
import { sampleRtt } from './rto.ts'
import { sackTimeout } from './sack-recovery.ts'
import type { TcpSegment } from './segment.ts'
import { dropBefore } from './send-queue.ts'
import type { TcpState } from './state.ts'
import { synTextArrives, tellReader } from './text-arrives.ts'
import { sendSyn } from './transmit.ts'

// TCP Fast Open, RFC 7413: text on a SYN, and use of a connection before its handshake is over. What a
// host remembers of its peers, and what it gives to them, is in `../host/fast-open.ts`.

/** What a connection that has to do with it knows; others have none of this. */
export interface FastOpen {
  /** On our first SYN, or on our SYN,ACK; a cookie that is empty asks for one. `null`: nothing is said. */
  option: FastOpenOption | null
  /** Of a client: text may go with the SYN. */
  readonly carries: boolean
  /** Bytes on the SYN. */
  text: number
  /** They have been taken. */
  taken: boolean
  /** Of a client: the SYN waits for the first bytes. */
  waits: boolean
  /** Of a client: whoever sends waits to send the rest. */
  writer: boolean
  /** Of a client: why nothing was taken, as Linux's `tcpi_fastopen_client_fail` counts. */
  clientFail: number
  /** Of a client: the application was told that it is connected before it was. */
  told: boolean
  /** Of a server: the connection is used before its handshake is over; this is still so. */
  readonly early: boolean
  pending: boolean
  /** Of a server: the application has accepted it. */
  accepted: boolean
}

/** `outcome` of the event that tells of it. */
export type FastOpenOutcome =
  /** A client's SYN leaves, and bytes for it, or for behind it, were queued. */
  | 'sent'
  /** A client has been given a cookie. */
  | 'cookie'
  /** What was on a client's SYN was taken; or it was not and goes again, or there is no cookie to be had. */
  | 'taken'
  | 'not taken'
  /** A client's SYN has gone unanswered again and again, or an ICMP error was its answer. */
  | 'lost'
  /** A server's connection is in use; its handshake is over; it was reset before. */
  | 'pending'
  | 'over'
  | 'reset'

/** 0: for no reason. */
const NO_COOKIE = 1
const NOT_ACKNOWLEDGED = 2
const SYN_SENT_AGAIN = 3

/** Of a client. `waits`: for the first bytes, where they may go with the SYN. */
export const clientFastOpen = (
  option: FastOpenOption | null,
  carries: boolean,
  waits: boolean,
): FastOpen => ({
  option,
  carries,
  text: 0,
  taken: false,
  waits: waits && carries,
  writer: false,
  clientFail: carries ? 0 : NO_COOKIE,
  told: false,
  early: false,
  pending: false,
  accepted: false,
})

/** Of a server. `early`: the cookie was ours, and the connection is used at once. */
export const serverFastOpen = (option: FastOpenOption | null, early: boolean): FastOpen => ({
  option,
  carries: false,
  text: 0,
  taken: false,
  waits: false,
  writer: false,
  clientFail: 0,
  told: false,
  early,
  pending: early,
  accepted: false,
})

/** A server's connection is in use, and its SYN,ACK has not been acknowledged. */
export const isPending = ({ fastOpen }: TcpState): boolean => fastOpen !== null && fastOpen.pending

/** It does not count among those of its listener that are only half open. */
export const isEarly = ({ fastOpen }: TcpState): boolean => fastOpen !== null && fastOpen.early

/** Our SYN has not been acknowledged: it is what a timeout sends again. */
export const isOpening = (s: TcpState): boolean =>
  s.state === 'SYN-SENT' || s.state === 'SYN-RECEIVED' || isPending(s)

function say(s: TcpState, outcome: FastOpenOutcome, out: TcpOut, cookie: Bytes = NO_BYTES): void {
  const { id: socket, peerMss: mss } = s
  out.event({ kind: 'fast-open', socket, outcome, cookie, mss, ...endpoints(s) })
}

/** All options that a segment may have: boxes on the path add some, and a SYN must not be cut. */
const OPTION_ROOM = 40

/** How much text our SYN has room for (§4.1.3): what the peer took before, as far as the path goes. */
export function synRoom(s: TcpState): number {
  const { fastOpen } = s
  if (fastOpen === null || !fastOpen.carries) return 0
  return Math.max(Math.min(s.peerMss || s.pathMss, s.pathMss, s.routeMss) - OPTION_ROOM, 0)
}

/** §4.2.2, client: a SYN,ACK has come, and the connection stands. SND.UNA is what it acknowledges. */
export function synAnswered(s: TcpState, fastOpen: FastOpen, seg: TcpSegment, out: TcpOut): void {
  const { snd, rto } = s
  const sent = seqAdd(s.iss, 1)
  const asked = fastOpen.option !== null
  const given = asked ? fastOpenIn(seg.options) : null
  const hasCookie = given !== null && given.cookie.length > 0
  if (hasCookie) fastOpen.option = given
  fastOpen.taken = fastOpen.text > 0 && seqGeq(snd.una, seqAdd(sent, fastOpen.text))
  if (hasCookie) say(s, 'cookie', out, given.cookie)
  if (fastOpen.taken) say(s, 'taken', out)
  else if (fastOpen.text > 0 || !hasCookie) say(s, 'not taken', out, given?.cookie)
  if (fastOpen.text > 0 && !fastOpen.taken) {
    fastOpen.clientFail = rto.total > 0 ? SYN_SENT_AGAIN : NOT_ACKNOWLEDGED
  }
  const acked = seqDiff(snd.una, sent)
  s.counts.bytesAcked += acked
  if (s.sendQueue !== null && acked > 0) {
    if (snd.una === snd.end) s.sendQueue = null
    else dropBefore(s.sendQueue, snd.una)
  }
  // §4.2.2: what was not taken goes again at once, in the handshake's last ACK.
  snd.nxt = snd.una
  s.fellBack = rto.total > 0 ? 'rto' : 'fast'
  if (s.wantsSpace) offerSpace(s, out)
}

/** §4.2.2, server: the SYN's text is taken, the application has the connection, and a SYN,ACK leaves. */
export function openAtOnce(
  s: TcpState,
  fastOpen: FastOpen,
  now: Nanos,
  seg: TcpSegment,
  out: TcpOut,
): void {
  const { snd, policy } = s
  snd.wnd = snd.maxWnd = seg.window
  snd.wl1 = seg.seq
  snd.wl2 = s.iss
  s.cc.cwnd = policy.initialWindow * s.mss
  startCongestion(s, now)
  s.rcv.quick = policy.quickAcks
  enter(s, 'SYN-RECEIVED', out)
  fastOpen.text = synTextArrives(s, now, seg, out)
  fastOpen.taken = fastOpen.text > 0
  sendSyn(s, now, out)
  // Our SYN counts as acknowledged to whatever is sent, so that windows begin behind it.
  snd.una = snd.nxt
  say(s, 'pending', out)
  accept(s, out)
  tellReader(s, out)
}

/** The ACK of our SYN has come, to a connection that is in use. SEG.ACK has been checked. */
export function handshakeOver(
  s: TcpState,
  fastOpen: FastOpen,
  now: Nanos,
  seg: TcpSegment,
  out: TcpOut,
): void {
  const { snd, rto, timers, policy } = s
  const lost = rto.retransmits
  if (rto.timedAt !== NEVER) {
    const rtt = now - rto.timedAt
    sampleRtt(rto, rtt, policy)
    out.event({ kind: 'rtt', socket: s.id, rtt, srtt: Math.round(rto.srtt) })
  } else if (lost > 0) rto.rto = policy.rtoInitial
  rto.timedAt = NEVER
  rto.retransmits = 0
  rto.stuckAt = now
  snd.wnd = seg.window << snd.wndScale
  snd.maxWnd = Math.max(snd.maxWnd, snd.wnd)
  snd.wl1 = seg.seq
  snd.wl2 = seg.ack
  timers.retransmit = snd.max === snd.una ? NEVER : now + rto.rto
  timers.keepAlive = policy.keepAlive ? now + policy.keepIdle : NEVER
  if (s.state === 'SYN-RECEIVED') enter(s, 'ESTABLISHED', out)
  fastOpen.pending = false
  say(s, 'over', out)
  if (s.finQueued && s.state === 'ESTABLISHED') enter(s, 'FIN-WAIT-1', out)
  // Our SYN,ACK was lost more than once, and so, most likely, was what followed it.
  if (lost < LOST_IN_EARNEST || snd.max === snd.una || seg.ack !== snd.una) return
  rto.retransmits = 1
  if (s.sackPermitted) sackTimeout(s, now, out)
  else renoTimeout(s, now, out)
}

/** So many timeouts of a SYN,ACK, and the congestion window is one segment. */
export const LOST_IN_EARNEST = 2

/** The first bytes of a client have been queued. */
export const firstQueued = (s: TcpState, out: TcpOut): void => say(s, 'sent', out)

/** A reset has ended a connection whose handshake was not over (§5.1). */
export const wasReset = (s: TcpState, out: TcpOut): void => say(s, 'reset', out)

/** A SYN of ours that asked, or carried, has had no answer, or an error (§4.1.3.1). */
export function synUnanswered(s: TcpState, out: TcpOut): void {
  if (s.fastOpen !== null && s.state === 'SYN-SENT') say(s, 'lost', out)
}
