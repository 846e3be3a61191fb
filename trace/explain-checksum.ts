import { formatIp, readIpv4 } from '../protocols/address.ts'
import { type Bytes, u16 } from '../protocols/bytes.ts'

/** A 16-bit word that is added, and what it is a part of. */
export interface ChecksumWord {
  readonly value: number
  readonly of: string
  /** From the first byte of the frame; -1: it is not in the frame (the pseudo-header). */
  readonly at: number
}

/** How a checksum comes about (RFC 1071): every word, the sum, its carries, its complement. */
export interface ChecksumStory {
  readonly pseudo: readonly ChecksumWord[]
  /** With the checksum's own word left out, as the sender adds them. */
  readonly words: readonly ChecksumWord[]
  readonly sum: number
  /** The sum after each time its carry was added to its low 16 bits; none where it has no carry. */
  readonly folds: readonly number[]
  readonly result: number
  readonly stored: number
  readonly good: boolean
}

/** What TCP and UDP put in front of themselves over IPv4: RFC 9293 §3.1, RFC 768. */
export function pseudoHeader(
  b: Bytes,
  ip: number,
  protocol: number,
  length: number,
): readonly ChecksumWord[] {
  const [source, destination] = [readIpv4(b, ip + 12), readIpv4(b, ip + 16)]
  const halves = (address: number, of: string): ChecksumWord[] => [
    { value: address >>> 16, of: `${of} ${formatIp(address)}`, at: -1 },
    { value: address & 0xffff, of, at: -1 },
  ]
  return [
    ...halves(source, 'source'),
    ...halves(destination, 'destination'),
    { value: protocol, of: `zero, protocol ${protocol}`, at: -1 },
    { value: length, of: `length ${length}`, at: -1 },
  ]
}

/** The words `from` ≤ i < `to` of a frame whose checksum stands at `field`. */
export function checksumStory(
  b: Bytes,
  pseudo: readonly ChecksumWord[],
  from: number,
  to: number,
  field: number,
): ChecksumStory {
  const words: ChecksumWord[] = []
  for (let at = from; at < to; at += 2) {
    if (at === field) continue
    const odd = at + 1 === to
    words.push({ value: odd ? b[at]! << 8 : u16(b, at), of: odd ? 'last byte, 0' : '', at })
  }
  let sum = 0
  for (const { value } of [...pseudo, ...words]) sum += value
  const folds: number[] = []
  let folded = sum
  while (folded > 0xffff) {
    folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
    folds.push(folded)
  }
  const result = ~folded & 0xffff
  const stored = u16(b, field)
  // RFC 768: UDP sends 0xffff in the place of 0. The two are one number in this arithmetic.
  const good = result === stored || (result === 0 && stored === 0xffff)
  return { pseudo, words, sum, folds, result, stored, good }
}
