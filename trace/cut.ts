import { type Bytes, i32 } from '../protocols/bytes.ts'
import { formatIp } from '../protocols/address.ts'

/** The line being built: what was printed before the bytes ended stays. */
export interface Line {
  text: string
}

/** A printer wanted to read past the end of what is there. Caught within this folder. */
export class Cut extends Error {
  override name = 'Cut'
}

export function need(b: Bytes, end: number): void {
  if (end > b.length) throw new Cut()
}

export function byteAt(b: Bytes, at: number): number {
  need(b, at + 1)
  return b[at]!
}

export function wordAt(b: Bytes, at: number): number {
  need(b, at + 2)
  return (b[at]! << 8) | b[at + 1]!
}

/** As a signed 32-bit integer. */
export function longAt(b: Bytes, at: number): number {
  need(b, at + 4)
  return i32(b, at)
}

export const addressAt = (b: Bytes, at: number): string => formatIp(longAt(b, at))
