import { type Seq, seqAdd, seqDiff } from '../sequence.ts'
import { ms, type Nanos } from '../time.ts'
import { TIMESTAMP_BYTES } from './options.ts'
import type { TcpState } from './state.ts'

/*
 * The receive window of a host whose buffer counts the memory that segments take, not their text: what
 * is offered follows how much text fits into so much memory, as far as the peer's segments have shown
 * (Linux's `scaling_ratio`, `rcv_ssthresh` and `window_clamp`; `__tcp_select_window`). A buffer of n bytes
 * of payload stands for twice the memory.
 */

export interface Room {
  /** Bytes of text to 256 bytes of memory. */
  ratio: number
  /** rcv_ssthresh: no more than this is offered yet. */
  limit: number
  /** window_clamp: nor ever more than this. */
  clamp: number
  /** Memory that is taken by what nobody has read. */
  held: number
  /** The last segment found no memory, and the next ACK closes the window. */
  isFull: boolean
  /** How long an ACK may wait, which follows how often text comes; 0: before there was any. */
  ato: Nanos
  /** A round trip as the receiver sees it, from the timestamp that was echoed last. */
  rtt: Nanos
  echo: number
  /** Segments that came out of order. */
  outOfOrder: number
}

const HALF = 128

/** SYNs are exchanged: the window that they agreed on is whole segments. */
export function createRoom(s: TcpState): Room {
  const { rcv, pathMss } = s
  const clamp = Math.min(rcv.buffer, MAX_FIELD << rcv.wndScale)
  const reserved = clamp > 2 * pathMss && clamp + advertisedMss(s) > rcv.buffer
  const most = reserved ? Math.max(2 * advertisedMss(s), rcv.buffer - advertisedMss(s)) : clamp
  return {
    ratio: HALF,
    limit: Math.min(most, initialWindow(s)),
    clamp: most,
    held: 0,
    isFull: false,
    ato: 0,
    rtt: 0,
    echo: 0,
    outOfOrder: 0,
  }
}

const MAX_FIELD = 65_535

const advertisedMss = ({ pathMss, timestamps }: TcpState): number =>
  pathMss - (timestamps ? TIMESTAMP_BYTES : 0)

/** tcp_select_initial_window */
export function initialWindow(s: TcpState): number {
  // Who connects does not know yet whether timestamps will be agreed on.
  const mss = s.listener < 0 ? s.pathMss : advertisedMss(s)
  // More than an unscaled field can say: Linux keeps it in mind all the same.
  const space = s.rcv.buffer
  return space > mss ? Math.floor(space / mss) * mss : space
}

/** The memory of a segment with so much text: a power of two, and its record (SKB_TRUESIZE). */
export function memoryOf(bytes: number): number {
  const needed = Math.ceil((bytes + HEADROOM) / CACHE_LINE) * CACHE_LINE + TRAILER
  let size = SMALLEST
  while (size < needed) size *= 2
  return size + RECORD
}

const HEADROOM = 64 + 40
const CACHE_LINE = 64
const TRAILER = 320
const RECORD = 256
const SMALLEST = 512

const memory = ({ rcv }: TcpState): number => 2 * rcv.buffer

const textIn = (r: Room, bytes: number): number => Math.floor((bytes * r.ratio) / 256)

/** A segment in order, or out of it, with the largest text so far shows how text fits into memory. */
export function segmentGrows(s: TcpState, r: Room, bytes: number): void {
  const { rcv } = s
  if (bytes <= rcv.mss || bytes === 0) return
  const ratio = Math.max(Math.floor((bytes * 256) / memoryOf(bytes)), 1)
  if (ratio === r.ratio) return
  r.ratio = ratio
  const clamp = textIn(r, memory(s))
  if (clamp < r.clamp) r.limit = Math.min(r.limit, clamp)
  else r.limit = Math.max(r.limit, Math.min(seqDiff(rcv.adv, rcv.nxt), clamp))
  r.clamp = clamp
}

/** tcp_grow_window: text that uses its memory well opens the window further. */
export function openFurther(s: TcpState, r: Room, bytes: number): void {
  const more = Math.min(r.clamp, textIn(r, memory(s) - r.held)) - r.limit
  if (more <= 0) return
  if (textIn(r, memoryOf(bytes)) > bytes) return
  r.limit += Math.min(more, Math.max(2 * advertisedMss(s), 2 * bytes))
}

/** Whether another segment may be kept. */
export function hasRoom(s: TcpState, r: Room): boolean {
  if (r.held <= memory(s)) return true
  r.isFull = true
  return false
}

/** __tcp_select_window and tcp_select_window: the right edge that is offered from now on. */
export function edgeByMemory(s: TcpState, r: Room): Seq {
  const { rcv } = s
  const offered = Math.max(seqDiff(rcv.adv, rcv.nxt), 0)
  const unit = 1 << rcv.wndScale
  const window = freeByMemory(s, r, offered)
  return seqAdd(rcv.nxt, window < offered ? Math.ceil(offered / unit) * unit : window)
}

/** What may be offered; `offered` is what the peer knows of. */
export function freeByMemory(s: TcpState, r: Room, offered: number): number {
  const { rcv } = s
  const unit = 1 << rcv.wndScale
  const all = textIn(r, memory(s))
  const full = Math.min(r.clamp, all)
  const mss = Math.min(Math.max(rcv.mss, 1), full)
  let free = Math.max(textIn(r, memory(s) - r.held), 0)
  if (free < full >> 1) {
    free = Math.floor(free / unit) * unit
    if (free < all >> 4 || free < mss) return 0
  }
  free = Math.min(free, r.limit)
  if (rcv.wndScale > 0) return Math.ceil(free / unit) * unit
  if (offered <= free - mss || offered > free) return Math.floor(free / mss) * mss
  return mss === full && free > offered + (full >> 1) ? free : offered
}

const ATO_MIN = ms(40)
const ATO_MAX = ms(200)

/** tcp_event_data_recv: text came, so long after what came before. */
export function noteInterval(s: TcpState, r: Room, interval: Nanos): void {
  if (r.ato === 0) r.ato = ATO_MIN
  else if (interval <= ATO_MIN / 2) r.ato = r.ato / 2 + ATO_MIN / 2
  else if (interval < r.ato) r.ato = Math.min(r.ato / 2 + interval, s.rto.rto)
  else if (interval > s.rto.rto) s.rcv.quick = s.policy.quickAcks
}

/** An ACK that nothing carried was late: the next may wait longer (tcp_delack_timer_handler). */
export const ackWasLate = (s: TcpState, r: Room): void => {
  r.ato = Math.min(2 * r.ato, s.rto.rto)
}

/** tcp_send_delayed_ack */
export function ackDelay({ rto }: TcpState, r: Room): Nanos {
  if (r.ato === 0) return 0 // no text has come: a FIN alone
  if (r.ato <= ATO_MIN) return ATO_MIN
  return Math.min(r.ato, ATO_MAX, rto.srtt < 0 ? ATO_MAX : Math.max(rto.srtt, ATO_MIN))
}

/** tcp_rcv_rtt_measure_ts: full segments tell since when what they answer was on its way. */
export function noteEcho(r: Room, echo: number, rtt: Nanos): void {
  if (echo === r.echo || rtt < 0) return
  r.echo = echo
  r.rtt = r.rtt === 0 ? rtt : (7 * r.rtt + rtt) / 8
}
