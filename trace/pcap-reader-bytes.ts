import { type Bytes } from '../protocols/bytes.ts'

/** Reads numbers in the byte order of a file. The caller has checked the length. */
export class ByteOrder {
  readonly #bytes: Bytes
  readonly #little: boolean

  constructor(bytes: Bytes, little: boolean) {
    this.#bytes = bytes
    this.#little = little
  }

  u16(at: number): number {
    const [first, second] = [this.#bytes[at]!, this.#bytes[at + 1]!]
    return this.#little ? first | (second << 8) : (first << 8) | second
  }

  u32(at: number): number {
    const [low, high] = this.#little ? [at, at + 2] : [at + 2, at]
    return this.u16(high) * 0x10000 + this.u16(low)
  }

  /** 64 bits, which only a `bigint` holds. */
  u64(at: number): bigint {
    const [low, high] = this.#little ? [at, at + 4] : [at + 4, at]
    return (BigInt(this.u32(high)) << 32n) | BigInt(this.u32(low))
  }
}

/** RFC 3629, with U+FFFD for what is no UTF-8. Control characters become spaces. */
export function readText(bytes: Bytes): string {
  let text = ''
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i]!
    const following = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    let point = following <= 0 ? lead : lead & (0x3f >> following)
    let valid = following >= 0 && lead < 0xf5 && i + following < bytes.length
    for (let k = 1; valid && k <= following; k++) {
      const next = bytes[i + k]!
      if ((next & 0xc0) !== 0x80) valid = false
      point = (point << 6) | (next & 0x3f)
    }
    const overlong = (following === 2 && point < 0x800) || (following === 3 && point < 0x10000)
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) valid = false
    if (!valid) text += '\ufffd'
    else text += point < 0x20 || point === 0x7f ? ' ' : String.fromCodePoint(point)
    i += valid ? following + 1 : 1
  }
  return text
}
