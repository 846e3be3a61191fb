import { ipv6Groups } from '../protocols/address.ts'
import { type Bytes, toHex, viewOf } from '../protocols/bytes.ts'
import {
  OPTION_END,
  OPTION_MD5,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
} from '../protocols/tcp/options.ts'
import {
  isCookie,
  isFastOpen,
  OPTION_EXPERIMENT,
  OPTION_FAST_OPEN,
} from '../protocols/tcp/fast-open-option.ts'
import { ACK, FIN, RST, SYN, TCP_HEADER, URG } from '../protocols/tcp/segment.ts'
import { byteAt, type Line, longAt, need, wordAt } from './cut.ts'

/** Where a conversation's relative numbers start: one origin for each direction. */
interface Origin {
  forward: number
  backward: number
}

// Kinds that the segment record keeps as unknown data but that readers know by name.
const OPTION_USER_TIMEOUT = 28 // RFC 5482

const OPTION_NAME: ReadonlyMap<number, string> = new Map([
  [OPTION_END, 'eol'],
  [OPTION_NOP, 'nop'],
  [OPTION_MSS, 'mss'],
  [OPTION_WINDOW_SCALE, 'wscale'],
  [OPTION_SACK_PERMITTED, 'sackOK'],
  [OPTION_SACK, 'sack'],
  [OPTION_TIMESTAMPS, 'TS'],
  [OPTION_MD5, 'md5'],
  [OPTION_USER_TIMEOUT, 'uto'],
  [OPTION_FAST_OPEN, 'tfo'],
  [OPTION_EXPERIMENT, 'exp'],
])

/** Bytes that kinds of a fixed size take. */
const OPTION_SIZE: { readonly [kind: number]: number } = {
  [OPTION_END]: 1,
  [OPTION_NOP]: 1,
  [OPTION_MSS]: 4,
  [OPTION_WINDOW_SCALE]: 3,
  [OPTION_SACK_PERMITTED]: 2,
  [OPTION_TIMESTAMPS]: 10,
  [OPTION_MD5]: 18,
  [OPTION_USER_TIMEOUT]: 4,
}

const FLAG_LETTERS = 'FSRP.UEW'

/**
 * TCP headers in tcpdump's notation. Sequence numbers are shown relative to the first ones seen in
 * each conversation; a SYN with ACK starts it anew, and a segment without ACK is shown as it is.
 */
export class TcpText {
  readonly #absolute: boolean
  readonly #origins = new Map<string, Origin>()

  constructor(absolute: boolean) {
    this.#absolute = absolute
  }

  /**
   * @param b the segment, cut to what is there
   * @param length what the IP header says it has
   * @param remember whether this segment may start a conversation
   */
  print(
    line: Line,
    b: Bytes,
    source: string,
    destination: string,
    length: number,
    remember: boolean,
  ): void {
    if (b.length < 4) {
      line.text += `${source} > ${destination}: [|tcp]`
      return
    }
    const sourcePort = wordAt(b, 0)
    const destinationPort = wordAt(b, 2)
    line.text += `${source}.${sourcePort} > ${destination}.${destinationPort}: `
    const header = (byteAt(b, 12) >> 4) * 4
    if (header < TCP_HEADER) {
      const excess = (length - header) >>> 0
      line.text += ` tcp ${excess} [bad hdr length ${header} - too short, < ${TCP_HEADER}]`
      return
    }
    need(b, TCP_HEADER)
    let seq = longAt(b, 4)
    let ack = longAt(b, 8)
    const flags = byteAt(b, 13)
    line.text += `Flags [${flagLetters(flags)}]`

    let sackOrigin = 0
    if (!this.#absolute && (flags & ACK) !== 0) {
      const { origin, isNew, reversed } = this.#conversation(
        { address: source, port: sourcePort, seq },
        { address: destination, port: destinationPort, seq: (ack - 1) | 0 },
        (flags & SYN) !== 0,
        remember,
      )
      if (!isNew) {
        seq -= reversed ? origin.backward : origin.forward
        ack -= reversed ? origin.forward : origin.backward
      }
      // SACK edges are numbers of the other direction's data.
      sackOrigin = reversed ? origin.forward : origin.backward
    }

    if (header > length) {
      line.text += ` [bad hdr length ${header} - too long, > ${length}]`
      return
    }
    const data = length - header
    if (data > 0 || (flags & (SYN | FIN | RST)) !== 0) {
      line.text += `, seq ${seq >>> 0}`
      if (data > 0) line.text += `:${(seq + data) >>> 0}`
    }
    if ((flags & ACK) !== 0) line.text += `, ack ${ack >>> 0}`
    line.text += `, win ${wordAt(b, 14)}`
    if ((flags & URG) !== 0) line.text += `, urg ${wordAt(b, 18)}`
    // An impossible option makes everything behind it untrustworthy: nothing more is shown.
    if (header > TCP_HEADER && !printOptions(line, b, header, sackOrigin)) return
    line.text += `, length ${data}`
  }

  #conversation(from: Side, to: Side, isSyn: boolean, remember: boolean) {
    // One entry serves both directions: the lower port, or else the lower address, comes first.
    const reversed = from.port === to.port ? isAfter(from.address, to.address) : from.port > to.port
    const [first, second] = reversed ? [to, from] : [from, to]
    const key = `${first.address}.${first.port} ${second.address}.${second.port}`
    let origin = this.#origins.get(key)
    const isNew = origin === undefined || isSyn
    if (isNew) origin = { forward: first.seq, backward: second.seq }
    if (isNew && remember) this.#origins.set(key, origin!)
    return { origin: origin!, isNew, reversed }
  }
}

interface Side {
  readonly address: string
  readonly port: number
  readonly seq: number
}

function flagLetters(flags: number): string {
  let letters = ''
  for (let bit = 0; bit < 8; bit++) if ((flags >> bit) & 1) letters += FLAG_LETTERS[bit]
  return letters === '' ? 'none' : letters
}

function isAfter(a: string, b: string): boolean {
  const [first, second] = [ordered(a), ordered(b)]
  const at = first.findIndex((part, i) => part !== second[i])
  return at >= 0 && first[at]! > second[at]!
}

const ordered = (address: string): readonly number[] =>
  ipv6Groups(address) ?? address.split('.').map(Number)

/** Returns false where an option's length is impossible. */
function printOptions(line: Line, b: Bytes, header: number, sackOrigin: number): boolean {
  line.text += ', options ['
  let at = TCP_HEADER
  while (at < header) {
    const first = at === TCP_HEADER
    if (!first) line.text += ','
    const kind = byteAt(b, at)
    const single = kind === OPTION_END || kind === OPTION_NOP
    const length = single ? 1 : at + 1 < header ? byteAt(b, at + 1) : 0
    const possible = single || (length >= 2 && at + length <= header)
    if (!possible || !printOption(line, b, at, kind, length, header, sackOrigin)) {
      line.text += first ? '[bad opt]' : '[bad opt]]'
      return false
    }
    if (kind === OPTION_END) break
    at += length
  }
  line.text += ']'
  return true
}

/** Returns false where the kind's fixed size does not fit into the header. */
function printOption(
  line: Line,
  b: Bytes,
  at: number,
  kind: number,
  length: number,
  header: number,
  sackOrigin: number,
): boolean {
  const fixed = OPTION_SIZE[kind]
  line.text += optionName(kind)
  if (fixed !== undefined && at + fixed > header) return false
  switch (kind) {
    case OPTION_MSS:
      line.text += ` ${wordAt(b, at + 2)}`
      break
    case OPTION_WINDOW_SCALE:
      line.text += ` ${byteAt(b, at + 2)}`
      break
    case OPTION_TIMESTAMPS:
      line.text += ` val ${longAt(b, at + 2) >>> 0}`
      line.text += ` ecr ${longAt(b, at + 6) >>> 0}`
      break
    case OPTION_USER_TIMEOUT:
      line.text += userTimeoutText(wordAt(b, at + 2))
      break
    case OPTION_SACK:
      line.text += sackText(b, at, length - 2, sackOrigin)
      break
    case OPTION_MD5:
      // Nobody has told the key.
      line.text += ` shared secret not supplied with -M, can't check - ${hexAt(b, at + 2, at + 18)}`
      break
    case OPTION_FAST_OPEN:
      line.text += `  ${cookieText(b, at + 2, at + length)}`
      break
    case OPTION_EXPERIMENT:
      if (length < 4) return false
      line.text += isFastOpen(viewOf(b, at + 2, at + 4))
        ? `-tfo ${cookieText(b, at + 4, at + length)}`
        : `-${hexAt(b, at + 2, at + 4)}`
      return true
    default:
      if (fixed === undefined && length > 2) line.text += ` 0x${hexAt(b, at + 2, at + length)}`
  }
  if (fixed !== undefined && fixed !== length) line.text += `[len ${length}]`
  return true
}

function cookieText(b: Bytes, from: number, to: number): string {
  if (to === from) return 'cookiereq'
  return isCookie(to - from) ? `cookie ${hexAt(b, from, to)}` : '(invalid)'
}

function optionName(kind: number): string {
  return OPTION_NAME.get(kind) ?? `unknown-${kind}`
}

function sackText(b: Bytes, at: number, size: number, origin: number): string {
  if (size % 8 !== 0) return ' invalid sack'
  let text = ` ${size / 8} `
  for (let i = 0; i < size; i += 8) {
    const left = (longAt(b, at + 2 + i) - origin) >>> 0
    const right = (longAt(b, at + 6 + i) - origin) >>> 0
    text += `{${left}:${right}}`
  }
  return text
}

/** As tcpdump reads it: the last bit says minutes, where RFC 5482 §2 has the first. */
function userTimeoutText(value: number): string {
  return ` 0x${value.toString(16)} ${value & 1 ? (value >> 1) * 60 : value >> 1}`
}

function hexAt(b: Bytes, from: number, to: number): string {
  need(b, to)
  return toHex(b.subarray(from, to))
}
