import { type Bytes } from '../bytes.ts'
import { CE, ECT_0, ECT_1, NOT_ECT } from './codepoints.ts'
import { OPTION_NOP, optionData, TcpOptions } from './options.ts'
import { AE, CWR, ECE, type TcpSegment } from './segment.ts'

// More accurate feedback of congestion marks, RFC 9768; sections below are its own. The three bits AE, CWR
// and ECE are one field, ACE: how many packets have come marked, modulo eight. An option counts bytes.

/** §3.2.3; fields of three bytes, in these orders, of which the last ones may be missing. */
export const OPTION_ACCURATE_ECN_0 = 172
export const OPTION_ACCURATE_ECN_1 = 174
const FIELD = 3
const FIELDS_0 = ['e0b', 'ceb', 'e1b'] as const
const FIELDS_1 = ['e1b', 'ceb', 'e0b'] as const

/** Of a connection whose two ends have agreed on it. */
export interface AccurateEcn {
  /** §3.2.1, receiver: packets that came marked, and bytes of text by what they came with. */
  cep: number
  ceb: number
  e0b: number
  e1b: number
  /** What text came with last: another one is told of at once (§3.2.2.5.1, §3.2.3.3). */
  last: number
  /** What the peer's SYN came with: our SYN,ACK says so, or our first segment behind theirs (§3.1.1). */
  readonly synCame: number
  /** We have asked for the connection. */
  readonly client: boolean
  /** That first segment is still to be sent. */
  answersSyn: boolean
  /** Sender: how many of our packets the peer has told of, and how many bytes of text. */
  toldCep: number
  toldCeb: number
  /** A segment behind the handshake has come. */
  heard: boolean
  /** Its ACE was zero, so something on the path clears it: our packets are not marked (§3.2.2.4). */
  mute: boolean
  /** Options of the peer's come through. */
  optionCame: boolean
}

/** §3.2.1: what is cleared on the way differs from all these, but for `ceb`. */
const FIRST_CEP = 5
const FIRST_BYTES = 1

/** `synCame`: what the peer's SYN came with, or of a client its SYN,ACK. */
export const createAccurateEcn = (synCame: number, client: boolean): AccurateEcn => ({
  cep: client && synCame === CE ? FIRST_CEP + 1 : FIRST_CEP,
  ceb: 0,
  e0b: FIRST_BYTES,
  e1b: FIRST_BYTES,
  last: NOT_ECT,
  synCame,
  client,
  answersSyn: client,
  toldCep: FIRST_CEP,
  toldCeb: 0,
  heard: false,
  mute: false,
  optionCame: false,
})

const ACE_BITS = AE | CWR | ECE

/** The field as a number. */
export const aceOf = (flags: number): number =>
  (flags & AE ? 4 : 0) | (flags & CWR ? 2 : 0) | (flags & ECE ? 1 : 0)

const flagsOf = (ace: number): number =>
  (ace & 4 ? AE : 0) | (ace & 2 ? CWR : 0) | (ace & 1 ? ECE : 0)

/** §3.1.1 table 2, §3.2.2.1 table 3: how the handshake says what a SYN or SYN,ACK came with. */
const CAME: readonly number[] = [0b010, 0b011, 0b100, 0b110]
const SAYS_CE = 0b110

export const ASKS = ACE_BITS

/** The bits of our SYN,ACK. */
export const answerToSyn = ({ synCame }: AccurateEcn): number => flagsOf(CAME[synCame]!)

/** Whether a SYN asks for it. Combinations that mean nothing yet count as if all were set (§3.1.2). */
export function asksForAccurate(flags: number): boolean {
  const ace = aceOf(flags)
  return ace !== 0 && ace !== 0b011
}

/** Whether a SYN,ACK agrees; the peer may know RFC 3168 alone, or send back what it does not know. */
export function agreesToAccurate(flags: number): boolean {
  const ace = aceOf(flags)
  return ace !== 0 && ace !== 0b001 && ace !== 0b111
}

/** The bits of a segment behind the handshake. */
export function feedback(a: AccurateEcn): number {
  if (!a.answersSyn) return flagsOf(a.cep & 7)
  a.answersSyn = false
  return flagsOf(CAME[a.synCame]!)
}

/** A segment has come; whether what it says is news that the peer should have at once. */
export function countMark(a: AccurateEcn, { payload }: TcpSegment, codepoint: number): boolean {
  if (codepoint === CE) a.cep += 1
  if (payload.length === 0) return false
  if (codepoint === CE) a.ceb += payload.length
  else if (codepoint === ECT_0) a.e0b += payload.length
  else if (codepoint === ECT_1) a.e1b += payload.length
  const changes = codepoint !== a.last && (codepoint === CE || a.last === CE)
  a.last = codepoint
  return changes
}

/**
 * How many of our packets the segment says were marked that no segment has told of before. `acked`: bytes
 * that it acknowledges for the first time, below zero for an old one; `mss`: of a full segment.
 */
export function marksTold(a: AccurateEcn, seg: TcpSegment, acked: number, mss: number): number {
  const ace = aceOf(seg.flags)
  const bytes = optionOf(seg.options)
  if (bytes !== null) a.optionCame = true
  if (!a.heard) {
    a.heard = true
    a.mute = ace === 0 // §3.2.2.3, §3.2.2.4
    if (!a.client) {
      if (ace === SAYS_CE) a.toldCep += 1
      return 0
    }
  }
  if (a.mute || !isNews(seg, acked)) return 0
  let marks = (ace - a.toldCep) & 7
  const packets = Math.ceil(acked / mss)
  const unmarked = bytes !== null && bytes.ceb >= 0 && !takeBytes(a, bytes.ceb)
  // Appendix A.2: the field may have gone round, unless the option says that nothing was marked.
  if (packets > 7 && !unmarked) marks = packets - ((packets - marks) & 7)
  a.toldCep += marks
  return marks
}

/** Neither an old segment nor one that repeats another, as far as can be seen. */
const isNews = (seg: TcpSegment, acked: number): boolean =>
  acked > 0 || (acked === 0 && (seg.payload.length > 0 || seg.options.sack.length > 0))

/** Whether the bytes told of have become more. */
function takeBytes(a: AccurateEcn, ceb: number): boolean {
  const more = (ceb - a.toldCeb) & COUNTER
  if (more === 0 || more > COUNTER >> 1) return false
  a.toldCeb = ceb
  return true
}

/** The fields of the option are this wide. */
const COUNTER = 0xffffff

/** What the option says of marked bytes, -1 where it does not go so far; `null`: there is none. */
function optionOf(options: TcpOptions): { readonly ceb: number } | null {
  if (options.unknown.length === 0) return null
  const data =
    optionData(options, OPTION_ACCURATE_ECN_1) ?? optionData(options, OPTION_ACCURATE_ECN_0)
  if (data === null) return null
  // `ceb` stands in the middle of both orders.
  return { ceb: data.length >= 2 * FIELD ? u24(data, FIELD) : -1 }
}

const u24 = (b: Bytes, at: number): number => (b[at]! << 16) | (b[at + 1]! << 8) | b[at + 2]!

export const hasAccurateOption = (options: TcpOptions): boolean => optionOf(options) !== null

/** The area of TCP options. */
const OPTIONS_MAX = 40

/** The same options and the counters behind them, as many as there is room for (§3.2.3.2). */
export function withCounters(options: TcpOptions, a: AccurateEcn): TcpOptions {
  const room = OPTIONS_MAX - options.size - 2
  const fields = Math.min(Math.floor(room / FIELD), 3)
  if (fields < 2) return options // what counts marks is the second
  const data = new Uint8Array(FIELD * fields)
  FIELDS_1.slice(0, fields).forEach((field, i) => {
    const value = a[field]
    data[FIELD * i] = value >>> 16
    data[FIELD * i + 1] = value >>> 8
    data[FIELD * i + 2] = value
  })
  const padding = fields === 3 ? [OPTION_NOP] : []
  return new TcpOptions(
    [...options.layout, OPTION_ACCURATE_ECN_1, ...padding],
    options.mss,
    options.windowScale,
    options.timestampValue,
    options.timestampEcho,
    options.sack,
    [...options.unknown, data],
  )
}

/** `ECN e1b 1 ceb 0 e0b 1`, the notation of packetdrill. */
export function countersText(kind: number, data: Bytes): string {
  const names = kind === OPTION_ACCURATE_ECN_0 ? FIELDS_0 : FIELDS_1
  const texts = names.slice(0, Math.floor(data.length / FIELD)).map((name, i) => {
    return `${name} ${u24(data, FIELD * i)}`
  })
  return ['ECN', ...texts].join(' ')
}
