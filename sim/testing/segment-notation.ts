import { seqAdd, seqDiff, type Seq } from '../../protocols/sequence.ts'
import { NO_BYTES, toHex } from '../../protocols/bytes.ts'
import {
  NO_OPTIONS,
  OPTION_END,
  OPTION_MD5,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
  optionData,
  TcpOptions,
} from '../../protocols/tcp/options.ts'
import {
  isFastOpen,
  OPTION_EXPERIMENT,
  OPTION_FAST_OPEN,
} from '../../protocols/tcp/fast-open-option.ts'
import {
  countersText,
  OPTION_ACCURATE_ECN_0,
  OPTION_ACCURATE_ECN_1,
} from '../../protocols/tcp/accurate-ecn.ts'
import { ACK, SYN, TcpSegment, URG } from '../../protocols/tcp/segment.ts'
import { streamBytes } from './stream-bytes.ts'

// TCP segments in the notation of packetdrill scripts:
//
//   S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>
//   P. 1:1001(1000) ack 1 win 256
//   PU. 1:6(5) ack 1 win 256 urg 5
//
// Sequence numbers count from the SYN of whoever sends them, acknowledgments from the SYN of the
// other side, timestamp echoes from the other side's clock at time 0.

/** Where the numbers of one side's segments start. */
export interface Origins {
  /** Initial sequence number of the sender, and of whom it answers. */
  readonly seq: Seq
  readonly ack: Seq
  /** What the timestamp clocks of the two show at time 0. */
  readonly value: number
  readonly echo: number
}

export interface Ports {
  readonly source: number
  readonly destination: number
}

/** Flags as packetdrill writes them, `.` for ACK, in the order of their bits. */
const FLAG_LETTERS = 'FSRP.UEWA'
/** The order in which they are read and written. */
const WRITTEN = 'SFRPUEWA.'

const SEGMENT =
  /^([SFRPUEWA.]+)\s+(\d+):(\d+)\((\d+)\)(?:\s+ack\s+(\d+))?(?:\s+win\s+(\d+))?(?:\s+urg\s+(\d+))?(?:\s+<(.*)>)?$/

/**
 * Reads one segment. The payload is what the sender's stream holds at that place.
 *
 * @param window as on the wire, where the text names none
 * @throws SyntaxError with the text, where it is no segment
 */
export function parseSegment(
  text: string,
  origins: Origins,
  ports: Ports,
  window: number,
): TcpSegment {
  const found = SEGMENT.exec(text)
  if (found === null) throw new SyntaxError(`not a segment: '${text}'`)
  const [, letters = '', from = '', to = '', length = '', ack, win, urgent, options] = found
  const bytes = Number(length)
  if (Number(to) - Number(from) !== bytes) {
    throw new SyntaxError(`${from}:${to} are not ${length} bytes: '${text}'`)
  }
  let flags = 0
  for (const letter of letters) flags |= 1 << FLAG_LETTERS.indexOf(letter)
  if (((flags & ACK) !== 0) !== (ack !== undefined)) {
    throw new SyntaxError(`'.' and 'ack N' come together: '${text}'`)
  }
  return new TcpSegment(
    ports.source,
    ports.destination,
    seqAdd(origins.seq, Number(from)),
    ack === undefined ? 0 : seqAdd(origins.ack, Number(ack)),
    flags,
    win === undefined ? window : Number(win),
    Number(urgent ?? 0),
    options === undefined ? NO_OPTIONS : parseOptions(options, origins),
    bytes === 0 ? NO_BYTES : streamBytes(Number(from) - (flags & SYN ? 0 : 1), bytes),
  )
}

function parseOptions(text: string, origins: Origins): TcpOptions {
  const layout: number[] = []
  const sack: Seq[] = []
  let [mss, windowScale, value, echo] = [-1, -1, 0, 0]
  for (const option of text.split(',')) {
    const [name = '', ...words] = option.trim().split(/\s+/)
    const number = (word: string | undefined): number => {
      if (word === undefined || !/^\d+$/.test(word)) {
        throw new SyntaxError(`option '${option.trim()}' lacks its number`)
      }
      return Number(word)
    }
    layout.push(kindOf(name))
    if (name === 'mss') mss = number(words[0])
    else if (name === 'wscale') windowScale = number(words[0])
    else if (name === 'TS') {
      value = (number(words[1]) + origins.value) | 0
      // A first SYN echoes nothing.
      echo = words[3] === '0' ? 0 : (number(words[3]) + origins.echo) | 0
    } else if (name === 'sack') {
      for (const edge of words.flatMap((word) => word.split(':'))) {
        sack.push(seqAdd(origins.ack, number(edge)))
      }
    }
  }
  return new TcpOptions(layout, mss, windowScale, value, echo, sack, [])
}

const KINDS: readonly (readonly [name: string, kind: number])[] = [
  ['eol', OPTION_END],
  ['nop', OPTION_NOP],
  ['mss', OPTION_MSS],
  ['wscale', OPTION_WINDOW_SCALE],
  ['sackOK', OPTION_SACK_PERMITTED],
  ['sack', OPTION_SACK],
  ['TS', OPTION_TIMESTAMPS],
]

function kindOf(name: string): number {
  const found = KINDS.find(([known]) => known === name)
  if (found === undefined) throw new SyntaxError(`unknown TCP option '${name}'`)
  return found[1]
}

/** The same notation, for a segment that was sent. */
export function segmentText(segment: TcpSegment, origins: Origins): string {
  const { flags, payload, options } = segment
  let letters = ''
  for (const letter of WRITTEN) {
    if (flags & (1 << FLAG_LETTERS.indexOf(letter))) letters += letter
  }
  const from = seqDiff(segment.seq, origins.seq)
  let text = `${letters} ${from}:${from + payload.length}(${payload.length})`
  if (flags & ACK) text += ` ack ${seqDiff(segment.ack, origins.ack)}`
  text += ` win ${segment.window}`
  if (flags & URG) text += ` urg ${segment.urgent}`
  return options.layout.length === 0 ? text : `${text} <${optionsText(options, origins)}>`
}

/** `FO`, `FO 0102030405060708`, `FOEXP …` */
function fastOpenText(options: TcpOptions, kind: number): string {
  const data = optionData(options, kind) ?? NO_BYTES
  if (kind === OPTION_FAST_OPEN) return `FO ${toHex(data)}`.trimEnd()
  if (!isFastOpen(data)) return `kind ${kind}`
  return `FOEXP ${toHex(data.subarray(2))}`.trimEnd()
}

function optionsText(options: TcpOptions, origins: Origins): string {
  const texts = options.layout.map((kind) => {
    switch (kind) {
      case OPTION_MSS:
        return `mss ${options.mss}`
      case OPTION_WINDOW_SCALE:
        return `wscale ${options.windowScale}`
      case OPTION_TIMESTAMPS: {
        const { timestampValue, timestampEcho } = options
        const echo = timestampEcho === 0 ? 0 : (timestampEcho - origins.echo) | 0
        return `TS val ${(timestampValue - origins.value) | 0} ecr ${echo}`
      }
      case OPTION_SACK: {
        const edges = options.sack.map((edge) => seqDiff(edge, origins.ack))
        const blocks = edges.flatMap((left, i) => (i % 2 ? [] : [`${left}:${edges[i + 1]}`]))
        return `sack ${blocks.join(' ')}`
      }
      case OPTION_MD5:
        return `md5 ${toHex(optionData(options, kind) ?? NO_BYTES)}`
      case OPTION_ACCURATE_ECN_0:
      case OPTION_ACCURATE_ECN_1:
        return countersText(kind, optionData(options, kind) ?? NO_BYTES)
      case OPTION_FAST_OPEN:
      case OPTION_EXPERIMENT:
        return fastOpenText(options, kind)
      default:
        return KINDS.find(([, known]) => known === kind)?.[0] ?? `kind ${kind}`
    }
  })
  return texts.join(',')
}
