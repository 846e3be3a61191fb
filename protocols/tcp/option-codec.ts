import { type Bytes, i32, putBytes, putI32, putU16, u16 } from '../bytes.ts'
import type { Malformation } from '../parsed.ts'
import type { Seq } from '../sequence.ts'
import {
  hasField,
  NO_OPTIONS,
  OPTION_END,
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
  TcpOptions,
  timestampOptions,
} from './options.ts'

/*
 * RFC 9293 §3.1: one byte of kind; every kind but END and NOP has a byte of length behind it, which
 * counts both, and its data.
 *
 *   +------+--------+-- - -
 *   | kind | length | data
 *   +------+--------+-- - -
 */
const MSS_LENGTH = 4
const WINDOW_SCALE_LENGTH = 3
const SACK_PERMITTED_LENGTH = 2
const TIMESTAMPS_LENGTH = 10
/** NOP, NOP, kind and length of the timestamps: RFC 7323 appendix A. */
const ALIGNED_TIMESTAMPS = 0x0101080a
const ALIGNED_TIMESTAMPS_LENGTH = 12

/**
 * Reads an option area, a multiple of 4 bytes. The bytes behind an END must be zero (RFC 9293 §3.1)
 * and are read as what zero means, further ENDs, whatever they are: so the layout always fills the
 * area. A kind that is here twice is a `bad-option`, for a record could not say which came first.
 */
export function readTcpOptions(b: Bytes, at: number, end: number): TcpOptions | Malformation {
  if (at === end) return NO_OPTIONS
  if (end - at === ALIGNED_TIMESTAMPS_LENGTH && i32(b, at) === ALIGNED_TIMESTAMPS) {
    return timestampOptions(i32(b, at + 4), i32(b, at + 8))
  }
  const layout: number[] = []
  const sack: Seq[] = []
  const unknown: Bytes[] = []
  let mss = -1
  let windowScale = -1
  let timestampValue = 0
  let timestampEcho = 0
  for (let i = at; i < end;) {
    const kind = b[i]!
    if (kind === OPTION_END) {
      for (; i < end; i++) layout.push(OPTION_END)
      break
    }
    if (kind === OPTION_NOP) {
      layout.push(kind)
      i += 1
      continue
    }
    const length = i + 1 < end ? b[i + 1]! : 0
    if (i + length > end || !isLengthOf(kind, length)) return 'bad-option'
    if (hasField(kind) && layout.includes(kind)) return 'bad-option'
    layout.push(kind)
    const data = i + 2
    i += length
    if (kind === OPTION_MSS) mss = u16(b, data)
    else if (kind === OPTION_WINDOW_SCALE) windowScale = b[data]!
    else if (kind === OPTION_TIMESTAMPS) {
      timestampValue = i32(b, data)
      timestampEcho = i32(b, data + 4)
    } else if (kind === OPTION_SACK) {
      for (let edge = data; edge < i; edge += 4) sack.push(i32(b, edge))
    } else if (kind !== OPTION_SACK_PERMITTED) unknown.push(b.subarray(data, i))
  }
  return new TcpOptions(layout, mss, windowScale, timestampValue, timestampEcho, sack, unknown)
}

/** Writes `options.size` bytes. What the layout leaves of the last word becomes END, zero. */
export function writeTcpOptions(b: Uint8Array, at: number, options: TcpOptions): void {
  const end = at + options.size
  let other = 0
  let i = at
  for (const kind of options.layout) {
    b[i] = kind
    switch (kind) {
      case OPTION_END:
      case OPTION_NOP:
        i += 1
        break
      case OPTION_MSS:
        b[i + 1] = MSS_LENGTH
        putU16(b, i + 2, options.mss)
        i += MSS_LENGTH
        break
      case OPTION_WINDOW_SCALE:
        b[i + 1] = WINDOW_SCALE_LENGTH
        b[i + 2] = options.windowScale
        i += WINDOW_SCALE_LENGTH
        break
      case OPTION_SACK_PERMITTED:
        b[i + 1] = SACK_PERMITTED_LENGTH
        i += SACK_PERMITTED_LENGTH
        break
      case OPTION_SACK:
        i = writeSack(b, i, options.sack)
        break
      case OPTION_TIMESTAMPS:
        b[i + 1] = TIMESTAMPS_LENGTH
        putI32(b, i + 2, options.timestampValue)
        putI32(b, i + 6, options.timestampEcho)
        i += TIMESTAMPS_LENGTH
        break
      default: {
        const data = options.unknown[other++]!
        b[i + 1] = 2 + data.length
        putBytes(b, i + 2, data)
        i += 2 + data.length
      }
    }
  }
  while (i < end) b[i++] = OPTION_END
}

function writeSack(b: Uint8Array, at: number, sack: readonly Seq[]): number {
  b[at + 1] = 2 + 4 * sack.length
  let i = at + 2
  for (const edge of sack) {
    putI32(b, i, edge)
    i += 4
  }
  return i
}

function isLengthOf(kind: number, length: number): boolean {
  switch (kind) {
    case OPTION_MSS:
      return length === MSS_LENGTH
    case OPTION_WINDOW_SCALE:
      return length === WINDOW_SCALE_LENGTH
    case OPTION_SACK_PERMITTED:
      return length === SACK_PERMITTED_LENGTH
    case OPTION_SACK:
      // RFC 2018 §3: at least one block of two edges.
      return length >= 10 && (length - 2) % 8 === 0
    case OPTION_TIMESTAMPS:
      return length === TIMESTAMPS_LENGTH
    default:
      return length >= 2
  }
}
