import type { Bytes } from '../bytes.ts'
import type { Seq } from '../sequence.ts'

/** Option kinds as IANA numbers them. */
export const OPTION_END = 0
export const OPTION_NOP = 1
export const OPTION_MSS = 2
export const OPTION_WINDOW_SCALE = 3
export const OPTION_SACK_PERMITTED = 4
export const OPTION_SACK = 5
export const OPTION_TIMESTAMPS = 8
/** RFC 2385; its data is among the unknown ones, see `signature.ts`. */
export const OPTION_MD5 = 19

/** RFC 7323 appendix A: two NOPs put the timestamps on 32-bit boundaries. */
export const LAYOUT_TIMESTAMPS: readonly number[] = [OPTION_NOP, OPTION_NOP, OPTION_TIMESTAMPS]

/** SACK blocks on 32-bit boundaries, alone and behind the timestamps. */
export const LAYOUT_SACK: readonly number[] = [OPTION_NOP, OPTION_NOP, OPTION_SACK]
export const LAYOUT_TIMESTAMPS_SACK: readonly number[] = [...LAYOUT_TIMESTAMPS, ...LAYOUT_SACK]

/** The option area of a segment: the kinds in their order on the wire, and what each one says. */
export class TcpOptions {
  /** Option kinds in wire order, with every NOP and END that is there. */
  readonly layout: readonly number[]
  /** RFC 9293 §3.7.1; -1 where absent. */
  readonly mss: number
  /** RFC 7323 §2.2; -1 where absent. */
  readonly windowScale: number
  /** RFC 7323 §3.2, signed 32 bits; meaningful where the layout has the kind. */
  readonly timestampValue: number
  readonly timestampEcho: number
  /** RFC 2018: left and right edges in turn. */
  readonly sack: readonly Seq[]
  /** The data of every other kind, in layout order. */
  readonly unknown: readonly Bytes[]
  /** Bytes in the header, padded to a multiple of 4. */
  readonly size: number

  constructor(
    layout: readonly number[],
    mss: number,
    windowScale: number,
    timestampValue: number,
    timestampEcho: number,
    sack: readonly Seq[],
    unknown: readonly Bytes[],
  ) {
    this.layout = layout
    this.mss = mss
    this.windowScale = windowScale
    this.timestampValue = timestampValue
    this.timestampEcho = timestampEcho
    this.sack = sack
    this.unknown = unknown
    this.size = layout === LAYOUT_TIMESTAMPS ? 12 : (optionBytes(layout, sack, unknown) + 3) & ~3
  }

  get hasTimestamps(): boolean {
    return this.layout === LAYOUT_TIMESTAMPS || this.layout.includes(OPTION_TIMESTAMPS)
  }
  get sackPermitted(): boolean {
    return this.layout.includes(OPTION_SACK_PERMITTED)
  }
}

const NONE: readonly never[] = []

export const NO_OPTIONS = new TcpOptions(NONE, -1, -1, 0, 0, NONE, NONE)

export const timestampOptions = (value: number, echo: number): TcpOptions =>
  new TcpOptions(LAYOUT_TIMESTAMPS, -1, -1, value, echo, NONE, NONE)

export function optionBytes(
  layout: readonly number[],
  sack: readonly Seq[],
  unknown: readonly Bytes[],
): number {
  let bytes = 0
  let other = 0
  for (const kind of layout) {
    switch (kind) {
      case OPTION_END:
      case OPTION_NOP:
        bytes += 1
        break
      case OPTION_MSS:
        bytes += 4
        break
      case OPTION_WINDOW_SCALE:
        bytes += 3
        break
      case OPTION_SACK_PERMITTED:
        bytes += 2
        break
      case OPTION_SACK:
        bytes += 2 + 4 * sack.length
        break
      case OPTION_TIMESTAMPS:
        bytes += 10
        break
      default:
        bytes += 2 + unknown[other++]!.length
    }
  }
  return bytes
}

/** The data of the first option of a kind that the record has no field for; `null`: there is none. */
export function optionData({ layout, unknown }: TcpOptions, wanted: number): Bytes | null {
  let other = 0
  for (const kind of layout) {
    if (kind === wanted) return unknown[other]!
    if (!hasField(kind)) other += 1
  }
  return null
}

/** Kinds whose value is a field of the record, or that have none. */
export const hasField = (kind: number): boolean => kind <= OPTION_SACK || kind === OPTION_TIMESTAMPS

/** The option of RFC 7323 §3 with the padding before it. */
export const TIMESTAMP_BYTES = 12
