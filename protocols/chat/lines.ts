import { type Bytes, concatBytes, indexOfByte, NO_BYTES } from '../bytes.ts'

/** What has come of a stream that is made of lines. Plain data. */
export interface LineBuffer {
  bytes: Bytes
  /** The line that comes is too long: it is passed over up to its end. */
  skipping: boolean
}

export const createLineBuffer = (): LineBuffer => ({ bytes: NO_BYTES, skipping: false })

const LF = 10

export function feedLines(buffer: LineBuffer, chunks: readonly Bytes[]): void {
  buffer.bytes = concatBytes([buffer.bytes, ...chunks])
}

/**
 * The next line without its end, LF or CR LF; `'too long'` for one of more than `max` bytes, which
 * is then passed over; `null` where none is whole.
 */
export function takeLine(buffer: LineBuffer, max: number): { text: string } | 'too long' | null {
  for (;;) {
    const { bytes, skipping } = buffer
    const end = indexOfByte(bytes, LF)
    if (end < 0) {
      if (!skipping && bytes.length <= max) return null
      buffer.bytes = NO_BYTES
      buffer.skipping = true
      return skipping ? null : 'too long'
    }
    buffer.bytes = bytes.subarray(end + 1)
    buffer.skipping = false
    if (skipping) continue
    const length = end > 0 && bytes[end - 1] === 13 ? end - 1 : end
    if (length > max) return 'too long'
    return { text: new TextDecoder().decode(bytes.subarray(0, length) as Uint8Array) }
  }
}
